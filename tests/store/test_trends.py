"""Trends over stored calls: sums by day, week and month, tools, projections, and stores of an older llmprof."""

from datetime import date

import pytest

from llmprof_addon.model.cache import CacheStatus, CacheVerdict
from llmprof_addon.model.usage import Usage
from llmprof_addon.store import edits, trend_fill, verdicts
from llmprof_addon.store.open import Store
from llmprof_addon.store.schema import Call, Fact, ToolDay, ToolUse, TrendDay
from llmprof_addon.store.search import search
from llmprof_addon.store.search_query import parse_query
from llmprof_addon.store.trend_check import recomputed, stored, sum_anew
from llmprof_addon.store.trends import TrendSums, trends
from tests.store.building import conversation, exchange, money, record, text, tool_call, tool_result

DAY = 86_400


def fill(store: Store, calls: int = 6) -> None:
    """Calls of two models on the days 0, 0, 1, 1, 2, 2 from 2026-09-21, the last one unpriced."""
    for number in range(calls):
        usage = Usage(input_tokens=100, cache_read_input_tokens=40 if number % 2 else None, output_tokens=10)
        cost = money() if number != calls - 1 else None
        made = exchange(f"{number:032x}", at=(number // 2) * DAY, session=f"s{number}")
        said = [text("user", f"Question {number}")]
        system = [text("system", f"You are helper {number}.\nMore.")] if number % 2 else []
        assert store.write(record(store, made, said, system=system, usage=usage, cost=cost))


def test_all_calls_by_day(store: Store) -> None:
    fill(store)
    found = trends(store)
    assert found.starts == (date(2026, 9, 21), date(2026, 9, 22), date(2026, 9, 23))
    (row,) = found.rows
    assert row == found.whole
    assert (row.total.calls, row.total.unpriced_calls, row.total.error_calls) == (6, 1, 0)
    assert (row.total.input_tokens, row.total.cache_read_input_tokens, row.total.hit_ratio) == (600, 120, 0.2)
    assert row.total.reasoning_output_tokens is None
    assert row.total.cost == 5 * 127
    assert row.total.wasted is None
    assert [point.cost for point in row.points] == [254, 254, 127]
    assert found.projection is None
    assert "50 calls on 2 days" in found.no_projection


def test_by_template_and_period(store: Store) -> None:
    fill(store)
    found = trends(store, "template", "month")
    assert found.starts == (date(2026, 9, 1),)
    assert {row.name: row.total.calls for row in found.rows} == {"": 3, "You are helper #.": 3}
    assert trends(store, "app", "week").starts == (date(2026, 9, 21),)
    assert [row.name for row in trends(store, "model").rows] == ["gpt-test"]
    assert trends(store, since=date(2026, 9, 23)).whole.total.calls == 2
    assert trends(store, since=date(2030, 1, 1)).rows == ()


def test_gaps_are_points_without_numbers(store: Store) -> None:
    for number, day in enumerate((0, 3)):
        store.write(record(store, exchange(f"{number:032x}", at=day * DAY, session=str(day)), [text("user", "Hi")]))
    (row,) = trends(store).rows
    assert [point.calls for point in row.points] == [1, 0, 0, 1]
    assert row.points[1].cost is None


def test_tools_and_servers(store: Store) -> None:
    for turn, (messages, answer) in enumerate(conversation(3)):
        store.write(record(store, exchange(f"{turn:032x}", at=turn), messages, answer))
    talk = [text("user", "List them."), tool_call("mcp__files__list", "{}", "x"), tool_result("a b c d", "x")]
    answer = [tool_call("mcp__files__list", "{}", "y"), tool_call("mcp__files__read", "{}", "z")]
    store.write(record(store, exchange("f" * 32, at=9, session="other"), talk, answer))
    found = trends(store, "tool")
    rows = {row.name: row.total for row in found.rows}
    # The stand-in for counting does not name results: they are of a tool without a name.
    assert (rows["read"].uses, rows["read"].calls) == (3, 3)
    assert rows["mcp__files__list"].uses == 1
    assert rows["(unnamed)"].uses == 0
    assert (rows["(unnamed)"].result_tokens or 0) > 0
    (server,) = trends(store, "server").rows
    assert (server.name, server.total.uses, server.total.calls) == ("files", 2, None)
    assert found.whole.total.calls == 4


def test_a_projection_needs_calls_and_days(store: Store) -> None:
    fill(store, 60)
    found = trends(store)
    assert found.projection is not None
    assert found.projection.days == 30
    assert found.projection.cost == 59 * 127
    assert found.projection.at_least


def test_an_empty_store(store: Store) -> None:
    found = trends(store, "tool", "week")
    assert (found.rows, found.starts, found.whole.points) == ((), (), ())
    assert found.whole.total == TrendSums(calls=0, error_calls=0, estimated_calls=0, unpriced_calls=0)


def older(store: Store) -> None:
    """Make the store one whose calls were stored before there were sums."""
    with store.db.atomic():
        for table in (TrendDay, ToolDay, ToolUse):
            store.db.execute(table.delete())
        store.db.execute(Call.update(template=None, facets=None))
        store.db.execute(Fact.insert(name="trends", value="0 0"))


def test_calls_of_an_older_store_are_counted_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trend_fill, "CALLS_AT_ONCE", 2)
    fill(store)
    for turn, (messages, answer) in enumerate(conversation(3)):
        store.write(record(store, exchange(f"c{turn:031x}", at=turn), messages, answer))
    before, tools = stored(store), trends(store, "tool")
    older(store)
    assert trends(store).uncounted_calls == 9
    found = search(store, parse_query("has:error"))
    assert "older llmprof" in found.notes[0]
    assert trend_fill.catch_up(store)
    edits.delete_call(store, f"{0:032x}")  # counted
    edits.delete_call(store, f"c{2:031x}")  # not yet
    store.write(record(store, exchange("e" * 32, at=5, session="new"), [text("user", "Hi")], cost=money()))
    assert stored(store) == recomputed(store)
    while trend_fill.catch_up(store):
        pass
    assert stored(store) == recomputed(store)
    assert trends(store).whole.total.calls == 8
    assert trends(store).uncounted_calls == 0
    older(store)
    for number in (0,):
        made = exchange(f"{number:032x}", at=0, session="s0")
        assert store.write(record(store, made, [text("user", "Question 0")], cost=money()))
    while trend_fill.catch_up(store):
        pass
    assert stored(store) == recomputed(store)
    assert len(before) > 0
    assert {row.name for row in trends(store, "tool").rows} <= {row.name for row in tools.rows}


def test_sums_can_be_made_anew(store: Store) -> None:
    fill(store)
    before = stored(store)
    store.db.execute(TrendDay.update(calls=99))
    assert stored(store) != recomputed(store)
    sum_anew(store)
    assert stored(store) == recomputed(store) == before


def test_nothing_is_left_of_deleted_calls(store: Store) -> None:
    fill(store)
    for number in range(6):
        edits.delete_call(store, f"{number:032x}")
    assert stored(store) == {}
    assert store.db.execute_sql("SELECT COUNT(*) FROM template").fetchone() == (0,)


def test_a_verdict_that_is_given_later_is_summed(store: Store) -> None:
    fill(store)
    verdict = CacheVerdict(status=CacheStatus.BREAK, expected=100, lost=60, wasted=7)
    verdicts.put(store, {1: verdict})
    assert stored(store) == recomputed(store)
    assert trends(store).whole.total.wasted == 7
    assert len(search(store, parse_query("has:break")).hits) == 1
