"""The trends, by keys and mouse, on ten weeks of calls."""

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from datetime import date
from pathlib import Path

import pytest
from llmprof_tui.app import LlmprofApp
from llmprof_tui.screens import loading
from llmprof_tui.screens.runs import RunsScreen
from llmprof_tui.screens.trends import TrendsScreen
from llmprof_tui.source import Source
from llmprof_tui.widgets.calendar import NAMES, Calendar
from llmprof_tui.widgets.chips import Chips
from llmprof_tui.widgets.key_bar import KeyBar
from llmprof_tui.widgets.notice import Notice
from llmprof_tui.widgets.trend_chart import SCALE, TrendChart
from textual.pilot import Pilot
from textual.widgets import Static

from llmprof_addon.errors import StoreError
from llmprof_addon.store.trends import Trends
from tests.tui.months import DAY, NOW_NS, record_months
from tests.tui.recording import agent, record
from tests.tui.settling import settled

TODAY = date(2027, 1, 15)


@pytest.fixture(autouse=True)
def _then(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the last of the days; nobody waits for a typing person."""
    monkeypatch.setattr(loading, "SETTLE_SECONDS", 0.001)
    monkeypatch.setattr("llmprof_addon.clock.now_ns", lambda: NOW_NS)


@pytest.fixture(scope="module")
def recorded_months(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("months")
    record_months(home)
    return home


@pytest.fixture
def home(recorded_months: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(recorded_months, tmp_path / "home"))


@pytest.fixture
def app(home: Path) -> Iterator[LlmprofApp]:
    with closing(Source(f"sqlite:///{home}/llmprof.db", home)) as source:
        yield LlmprofApp(source)


class Looking:
    """Someone before the trends."""

    def __init__(self, app: LlmprofApp, pilot: Pilot[int]) -> None:
        self.app, self.pilot = app, pilot

    @property
    def screen(self) -> TrendsScreen:
        assert isinstance(self.app.screen, TrendsScreen)
        return self.app.screen

    @property
    def chart(self) -> TrendChart:
        return self.screen.query_one(TrendChart)

    @property
    def calendar(self) -> Calendar:
        return self.screen.query_one(Calendar)

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)
            await settled(self.pilot)

    async def click(self, what: type, at: tuple[int, int], times: int = 1) -> None:
        await self.pilot.click(what, offset=at, times=times)
        await settled(self.pilot)

    def lines(self) -> list[str]:
        table = self.screen.table
        return [table.render_line(y).text.strip() for y in range(1, min(table.row_count, 12) + 1)]

    def sums(self) -> str:
        static = self.screen.query_one("#sums", Static)
        return "\n".join(static.render_line(y).text.strip() for y in range(2))

    def chips(self) -> list[str]:
        """Where runs are listed: what they are narrowed to."""
        assert isinstance(self.app.screen, RunsScreen)
        return [each.strip() for each in self.app.screen.query_one(Chips)._chips.values()]

    def labels(self) -> set[str]:
        assert isinstance(self.app.screen, RunsScreen)
        rows = self.app.screen.table.rows_at_hand()
        numbers = set(self.app.screen.table._numbers)
        return {(line.row.label or "")[:12] for line in rows if line.row.number in numbers}


@asynccontextmanager
async def looking(app: LlmprofApp, size: tuple[int, int] = (120, 36)) -> AsyncIterator[Looking]:
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        found = Looking(app, pilot)
        await found.press("T")
        yield found


async def test_days_come_newest_first_with_sums_and_a_projection(app: LlmprofApp) -> None:
    async with looking(app) as they:
        assert they.lines()[0].startswith("▌ Fri 2027-01-15")
        assert they.lines()[1].startswith("Thu 2027-01-14")
        assert "179 calls" in they.sums()
        assert "in the next 30 days, at the pace of 70 days" in they.sums()
        assert they.chart.selected == they.calendar.selected == TODAY
        assert "Fri 2027-01-15  $0.0144 · 5 calls" in they.chart.render_line(0).text
        assert "–" in they.lines()[0]  # a day that is not over is not compared


async def test_the_tabs_and_their_rows(app: LlmprofApp) -> None:
    async with looking(app) as they:
        names = {}
        for key in "1234567":
            await they.press(key)
            names[key] = [line.lstrip("▌ ").split("  ")[0] for line in they.lines()]
        assert names["2"][:3] == ["all", "claude-sonnet-4-5", "gpt-5.1"]
        assert "claude-code" in names["3"]
        assert names["4"][:2] == ["all", "anthropic"]
        assert set(names["5"]) == {"read_file", "run_tests", "shell"}
        assert "(no system prompt)" in names["7"]
        await they.press("2", "down")
        title = they.chart.render_line(0).text
        assert "dollars by day · claude-sonnet-4-5" in title
        await they.click(KeyBar, (1, 0))
        assert isinstance(they.app.screen, RunsScreen)


async def test_a_tab_that_has_no_rows_says_so(app: LlmprofApp) -> None:
    async with looking(app) as they:
        await they.press("6")
        assert "No MCP server" in they.screen.query_one(Notice).text.plain
        await they.press("1")
        assert they.screen.has_class("-listing")


async def test_periods_measures_and_spans_are_kept(app: LlmprofApp) -> None:
    async with looking(app) as they:
        await they.press("p")
        assert they.lines()[0].startswith("▌ week of 2027-01-11")
        await they.press("p")
        assert they.lines()[0].startswith("▌ January 2027")
        assert len(they.lines()) == 3
        await they.press("p", "m", "m")
        assert "cache hits by day" in they.chart.render_line(0).text
        assert they.chart.render_line(1).text.strip().startswith("100%")
        await they.press("d", "d")
        assert "2026-12-17 to 2027-01-15, of the last 30 days" in they.sums()
        await they.press("escape", "T")
        assert "cache hits by day" in they.chart.render_line(0).text
        assert "of the last 30 days" in they.sums()


async def test_a_day_of_the_calendar_opens_its_runs(app: LlmprofApp) -> None:
    async with looking(app) as they:
        await they.press("tab", "tab")
        assert they.app.focused is they.calendar
        await they.press("left", "up")
        assert they.calendar.selected == date(2027, 1, 7)
        await they.press("enter")
        assert they.chips() == ["“after:2027-01-07Z before:2027-01-08Z”"]
        assert they.labels() == {"Fix the flak"}


async def test_days_and_bars_by_mouse(app: LlmprofApp) -> None:
    async with looking(app) as they:
        calendar = they.calendar
        await they.pilot.hover(Calendar, offset=(NAMES, 3))
        await settled(they.pilot)
        monday = calendar._start
        assert f"{date.fromordinal(monday.toordinal() + 1)}" in calendar.render_line(0).text
        await they.click(Calendar, (NAMES + 2 * (calendar._weeks - 2), 4))
        assert calendar.selected == date(2027, 1, 6)
        await they.click(TrendChart, (SCALE, 8))
        first = they.chart._starts[they.chart._bars.first]
        assert they.chart.selected == first
        table = they.screen.table
        line = table.row(table.cursor)
        assert line is not None
        assert line.start == first  # the table follows
        await they.click(TrendChart, (SCALE + 1, 8), times=2)
        assert they.chips()[0].startswith(f"“after:{they.chips()[0][7:17]}Z")


async def test_a_bar_opens_the_runs_of_its_row_and_period(app: LlmprofApp) -> None:
    async with looking(app) as they:
        await they.press("2", "down", "down", "p", "shift+tab", "shift+tab", "left", "enter")
        assert they.chips() == ["model gpt-5.1", "“after:2027-01-04Z before:2027-01-11Z”"]
        assert they.labels() == {"Add a retry "}


@pytest.mark.parametrize(
    ("keys", "chips", "labels"),
    [
        (["3", "down"], ["app claude-code"], {"Fix the flak"}),
        (["5", "down", "down"], ['“tool:"shell"”'], {"Add a retry "}),
        (["7", "down"], ['“"You are a careful engineer."”'], {"Fix the flak"}),
        (["2"], [], {"Fix the flak", "Add a retry ", "Question 314", "Question 304"}),
    ],
    ids=["app", "tool", "template", "all"],
)
async def test_a_row_opens_its_runs(app: LlmprofApp, keys: list[str], chips: list[str], labels: set[str]) -> None:
    async with looking(app) as they:
        await they.press(*keys, "enter")
        assert they.chips() == chips
        assert labels <= they.labels()
        assert not chips or they.labels() == labels


async def test_what_has_no_name_opens_nothing(app: LlmprofApp) -> None:
    async with looking(app) as they:
        await they.press("7", "end", "enter")
        assert isinstance(they.app.screen, TrendsScreen)
        assert "no name" in next(iter(they.app._notifications)).message


async def test_calls_come_in_live_and_the_cursor_stays(app: LlmprofApp, home: Path) -> None:
    async with looking(app) as they:
        await they.press("down", "down")
        record(home, agent(2, NOW_NS + DAY, run=990))
        they.screen.store_changed()
        await settled(they.pilot)
        assert they.lines()[0].startswith("Sat 2027-01-16")
        assert they.lines()[3].startswith("▌ Wed 2027-01-13")
        assert "181 calls" in they.sums()


async def test_a_store_without_calls_and_a_span_without_any(tmp_path: Path, app: LlmprofApp) -> None:
    empty = LlmprofApp(Source(f"sqlite:///{tmp_path}/none.db", tmp_path))
    async with empty.run_test(size=(80, 24)) as pilot:
        empty.open_trends()
        await settled(pilot)
        assert "Nothing is recorded yet" in empty.screen.query_one(Notice).text.plain
    async with looking(app) as they:
        they.app.preferences.set("trends.span", "30d")
        await they.press("escape")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("llmprof_addon.clock.now_ns", lambda: NOW_NS + 400 * DAY)
            await they.press("T")
            assert "in the last 30 days" in they.screen.query_one(Notice).text.plain
            await they.press("d", "d", "d")
            assert they.screen.has_class("-listing")


async def test_a_question_that_fails_is_said(app: LlmprofApp, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Trends:
        raise StoreError("the store is locked", hint="try again")

    monkeypatch.setattr(Source, "trends", refuse)
    async with looking(app) as they:
        assert "the store is locked" in they.screen.query_one(Notice).text.plain


async def test_a_low_terminal_keeps_the_table(app: LlmprofApp) -> None:
    async with looking(app, (60, 12)) as they:
        assert not they.screen.query_one("#pictures").display
        assert they.lines()[0].startswith("▌ Fri 2027-01-15")


async def test_slash_searches_from_here(app: LlmprofApp) -> None:
    async with looking(app) as they:
        await they.press("slash")
        assert type(they.app.screen).__name__ == "SearchScreen"
