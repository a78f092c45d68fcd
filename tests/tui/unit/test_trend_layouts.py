"""Bars, calendars and rows of trends, without a screen."""

from datetime import date, timedelta

import pytest
from llmprof_tui.screens.trend_questions import runs_of
from llmprof_tui.widgets.bars_layout import Bars, eighths, fit, labels, named
from llmprof_tui.widgets.calendar_layout import bounds, level, monday, months, weeks_of
from llmprof_tui.widgets.measures import CALL_MEASURES, TOOL_MEASURES, said
from llmprof_tui.widgets.trend_cells import change, last_pair, lines, trend_of

from llmprof_addon.model.cost import PICO
from llmprof_addon.store.trends import By, TrendRow, Trends, TrendSums

FRIDAY = date(2026, 11, 20)
DOLLARS, TOKENS, HITS, _ = CALL_MEASURES


def test_bars_are_the_last_ones_unless_the_cursor_is_before() -> None:
    assert fit(100, 40, 99) == Bars(first=60, count=40, pitch=1)
    assert fit(100, 40, 50) == Bars(first=50, count=40, pitch=1)
    assert fit(100, 40, 95, first=50) == Bars(first=56, count=40, pitch=1)
    assert fit(10, 45, 9) == Bars(first=0, count=10, pitch=4)
    assert fit(2, 45, 1).pitch == 12
    assert fit(0, 40, 0).count == fit(9, 0, 0).count == 0
    assert fit(10, 45, 9).at(39) == 9
    assert fit(10, 45, 9).at(40) is None


def test_every_amount_is_seen() -> None:
    assert [eighths(amount, 80, 2) for amount in (None, 0, 0.1, 40, 80)] == [0, 0, 1, 8, 16]
    assert eighths(-1, 80, 2) == eighths(5, 0, 2) == 0


def test_dates_below_bars_stand_apart() -> None:
    starts = [FRIDAY + timedelta(days=index) for index in range(30)]
    bars = fit(30, 30, 29)
    found = labels(starts, bars, 30, "day")
    assert found[-1] == (25, "12-19")
    assert [x for x, _ in found] == [4, 11, 18, 25]
    assert labels([FRIDAY], fit(1, 3, 0), 3, "day") == []
    assert [named(FRIDAY, period) for period in ("day", "week", "month")] == [
        "Fri 2026-11-20",
        "week of 2026-11-20",
        "November 2026",
    ]


def test_levels_are_equally_many_days_whatever_stands_out() -> None:
    limits = bounds([None, 0, 1, 2, 3, 1_000])
    assert [level(amount, limits) for amount in (None, 0, 1, 2, 3, 1_000)] == [0, 0, 1, 2, 3, 4]
    assert [level(amount, bounds([5])) for amount in (0, 5, 9)] == [0, 1, 4]
    assert [level(share, bounds([], 1.0)) for share in (0.0, 0.2, 0.5, 0.75, 0.9)] == [0, 1, 2, 3, 4]
    assert bounds([None, 0]) == ()


def test_weeks_begin_on_monday_and_months_have_their_names() -> None:
    assert monday(FRIDAY) == date(2026, 11, 16)
    assert weeks_of(date(2026, 11, 15), date(2026, 11, 16)) == 2
    assert months(date(2026, 10, 26), 10, 2) == [(0, "Nov"), (10, "Dec")]
    assert months(date(2026, 11, 9), 8, 2) == [(0, "Nov"), (6, "Dec")]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, None, "–"),
        (None, 5, "new"),
        (0, 5, "new"),
        (0, 0, "–"),
        (4, 5, "+25%"),
        (5, 0, "−100%"),
        (5, None, "−100%"),
        (1, 50, "×50"),
        (4, 4, "±0"),
    ],
)
def test_changes(before: float | None, after: float | None, expected: str) -> None:
    assert change(before, after) == expected


def test_ratios_change_in_points() -> None:
    assert change(0.5, 0.62, ratio=True) == "+12"
    assert change(None, 0.62, ratio=True) == "–"


def _trends(by: By = "model", *, names: tuple[str, ...] = ("a", "b"), days: int = 3) -> Trends:
    points = tuple(TrendSums(calls=1, cost=(day + 1) * PICO, uses=1) for day in range(days))
    rows = tuple(
        TrendRow(name=name, total=TrendSums(calls=days, cost=6 * PICO, uses=3), points=points) for name in names
    )
    whole = TrendRow(name="", total=TrendSums(calls=2 * days, cost=12 * PICO), points=points)
    starts = tuple(FRIDAY + timedelta(days=day) for day in range(days))
    return Trends(by=by, period="day", starts=starts, rows=rows, whole=whole)


def test_a_period_that_goes_on_is_not_compared() -> None:
    found = _trends()
    assert last_pair(found, FRIDAY + timedelta(days=2)) == (0, 1)
    assert last_pair(found, FRIDAY + timedelta(days=9)) == (1, 2)
    assert last_pair(found, FRIDAY + timedelta(days=1)) is None
    newest, middle, first = lines(_trends("all"), FRIDAY + timedelta(days=2))
    assert (newest.after, first.after) == (None, None)
    assert middle.change_of == ("Fri 2026-11-20", "Sat 2026-11-21")


def test_all_calls_come_first_where_they_can_be_summed() -> None:
    assert [line.name for line in lines(_trends(), FRIDAY)] == ["all", "a", "b"]
    assert [line.name for line in lines(_trends(names=("a",)), FRIDAY)] == ["a"]
    assert [line.name for line in lines(_trends("tool"), FRIDAY)] == ["a", "b"]
    assert [line.name for line in lines(_trends(names=("", "\x1b[31m")), FRIDAY)][1:] == ["–", "␛[31m"]


def test_marks_of_nothing_are_spaces() -> None:
    points = [TrendSums(cost=None), TrendSums(cost=0), TrendSums(cost=1), TrendSums(cost=8)]
    assert trend_of(points, DOLLARS) == "  ▁█"
    assert trend_of([TrendSums(input_tokens=4, cache_read_input_tokens=2)], HITS) == "█"


def test_sums_in_words_give_way_to_room() -> None:
    sums = TrendSums(calls=2, cost=PICO, input_tokens=1500)
    assert said(sums, TOKENS, 40) == "1.5k in · $1.00 · 2 calls"
    assert said(sums, TOKENS, 16) == "1.5k in · $1.00"
    assert said(sums, TOKENS, 0) == "1.5k in"
    assert said(TrendSums(), TOKENS, 40) == "nothing"
    assert said(TrendSums(uses=3), TOOL_MEASURES[0], 40) == "3 uses"


@pytest.mark.parametrize(
    ("by", "name", "query"),
    [
        ("tool", "read_file", 'tool:"read_file"'),
        ("tool", "(unnamed)", None),
        ("server", "github", 'tool:"github"'),
        ("template", "You are # of # careful engineers", '"careful engineers"'),
        ("template", "All of this is cut somewh…", '"All of this is cut"'),
        ("template", 'Say "hi" to all', '"Say  hi  to all"'),
        ("template", "", None),
        ("model", "", None),
    ],
)
def test_the_runs_of_a_row(by: By, name: str, query: str | None) -> None:
    wanted = runs_of(by, TrendRow(name=name, total=TrendSums(), points=()), None, "day")
    assert (wanted.filter.query if wanted else None) == query


def test_the_runs_of_a_period() -> None:
    for period, start, end in (("day", FRIDAY, "2026-11-21"), ("month", date(2026, 12, 1), "2027-01-01")):
        wanted = runs_of("all", None, start, period)  # type: ignore[arg-type]
        assert wanted is not None
        assert wanted.filter.query == f"after:{start}Z before:{end}Z"
    wanted = runs_of("app", TrendRow(name="codex", total=TrendSums(), points=()), FRIDAY, "week")
    assert wanted is not None
    assert wanted.filter.app == "codex"
