"""The run screen on a real store, by keys and mouse."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from llmprof_tui.app import LlmprofApp
from llmprof_tui.screens.run import RunScreen
from llmprof_tui.source import Source
from llmprof_tui.widgets.call_line import CallLine
from llmprof_tui.widgets.run_header import RunHeader
from llmprof_tui.widgets.timeline import Timeline
from llmprof_tui.widgets.window_table import WindowTable
from textual.pilot import Pilot
from textual.widgets import Static

from llmprof_addon.store import edits
from llmprof_addon.store.listing import RunFilter
from llmprof_addon.store.open import open_store
from tests.tui.recording import AGENT_TURNS, SECOND, agent, call_id, record
from tests.tui.settling import settled

AGENT, FAILED, AWKWARD = 1, 5, 6


def run_of(source: Source, call: str) -> str:
    return source.call(call).run_id


async def opened(pilot: Pilot[int], app: LlmprofApp, run: int = AGENT) -> RunScreen:
    """The screen of a run of the varied store."""
    app.open_run(run_of(app.source, call_id(run, 0)))
    await settled(pilot)
    assert isinstance(app.screen, RunScreen)
    return app.screen


def said(screen: RunScreen, of: type[Static]) -> str:
    return str(screen.query_one(of).render())


def lines(table: WindowTable[object]) -> list[str]:
    return [table.render_line(y).text.rstrip() for y in range(table.size.height)]


async def test_it_says_what_the_run_was(app: LlmprofApp) -> None:
    async with app.run_test(size=(140, 40)) as pilot:
        screen = await opened(pilot, app)
        header = said(screen, RunHeader)
        assert "Fix the flaky upload test" in header
        assert f"{AGENT_TURNS} calls" in header
        assert "claude-sonnet-4-5" in header
        assert "peak 8.3k 4% of 200k" in header
        assert "cached 85%" in header
        timeline = screen.query_one(Timeline)
        assert len(timeline.calls) == AGENT_TURNS
        assert timeline.has_focus
        assert " 12   08:43:40  in 8,280  90% cached" in said(screen, CallLine)
        assert "end_turn" in said(screen, CallLine)


async def test_timeline_and_table_are_one_selection(app: LlmprofApp) -> None:
    async with app.run_test(size=(140, 40)) as pilot:
        screen = await opened(pilot, app)
        timeline, table = screen.query_one(Timeline), screen.query_one("#calls", WindowTable)
        await pilot.press("left", "left")
        await settled(pilot)
        assert table.cursor == timeline.calls[9].number
        assert " 10 " in said(screen, CallLine)
        await pilot.press("1", "up", "up", "up")
        await settled(pilot)
        assert timeline.selected == 6
        assert " 7 " in said(screen, CallLine)
        assert "▌" in lines(table)[7]


async def test_a_call_opens_from_timeline_and_table(app: LlmprofApp, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr(LlmprofApp, "open_call", lambda self, id: seen.append(id))
    async with app.run_test(size=(140, 40)) as pilot:
        screen = await opened(pilot, app)
        await pilot.press("left", "enter")
        await pilot.press("1", "up", "enter")
        await settled(pilot)
        await pilot.click("#calls", offset=(20, 3), times=2)
        await settled(pilot)
        place = screen.query_one(Timeline).view.zoom.width * 4 + 9
        await pilot.click(Timeline, offset=(place, 15), times=2)
        await settled(pilot)
        assert seen == [call_id(AGENT, call) for call in (10, 9, 2, 4)]


async def test_a_call_is_compared_with_the_one_before_it(app: LlmprofApp, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Sequence[str]] = []
    monkeypatch.setattr(LlmprofApp, "open_compare", lambda self, *ids: seen.append(ids))
    async with app.run_test(size=(140, 40)) as pilot:
        await opened(pilot, app)
        await pilot.press("left", "d", "home", "d")
        await settled(pilot)
        assert seen == [(None, call_id(AGENT, 10))]


async def test_hovering_says_another_call_exactly(app: LlmprofApp) -> None:
    async with app.run_test(size=(140, 40)) as pilot:
        screen = await opened(pilot, app)
        timeline = screen.query_one(Timeline)
        bottom = timeline.size.height - 2
        await pilot.hover(Timeline, offset=(9 + timeline.view.zoom.width * 2, bottom))
        await settled(pilot)
        assert said(screen, CallLine).startswith(" 3 ")
        assert "fresh" in said(screen, CallLine)
        await pilot.hover(RunHeader)
        await settled(pilot)
        assert said(screen, CallLine).startswith(" 12 ")


async def test_on_a_low_screen_the_kind_under_the_mouse_is_said(app: LlmprofApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, app)
        assert screen.query_one(CallLine).size.height == 1
        timeline = screen.query_one(Timeline)
        await pilot.hover(Timeline, offset=(9 + timeline.view.zoom.width * 11, 6))
        await settled(pilot)
        assert "tool results ≈" in said(screen, CallLine)


async def test_metric_and_scale_are_kept(app: LlmprofApp, source: Source) -> None:
    async with app.run_test(size=(140, 40)) as pilot:
        screen = await opened(pilot, app)
        await pilot.press("t", "w")
        assert "dollars" in screen.query_one(Timeline).render_line(0).text
    again = LlmprofApp(source)
    async with again.run_test(size=(140, 40)) as pilot:
        screen = await opened(pilot, again)
        timeline = screen.query_one(Timeline)
        assert (timeline.metric, timeline.to_limit) == ("dollars", True)
        await pilot.press("t")
        assert "200k ╌╌" in timeline.render_line(0).text


async def test_zoom_by_keys(app: LlmprofApp) -> None:
    async with app.run_test(size=(140, 40)) as pilot:
        screen = await opened(pilot, app)
        timeline = screen.query_one(Timeline)
        await pilot.press("minus", "minus")
        assert timeline.view.zoom.width == 4
        await pilot.press("plus")
        assert timeline.view.zoom.width == 6
        await pilot.press("0")
        assert timeline.view.zoom.width == 8


async def test_calls_sort_by_their_titles(app: LlmprofApp) -> None:
    async with app.run_test(size=(140, 40)) as pilot:
        screen = await opened(pilot, app)
        table = screen.query_one("#calls", WindowTable)

        def places() -> list[str]:
            return [line.replace("▌", " ").split()[0] for line in lines(table)[1:] if line.strip()]

        assert places()[:3] == ["1", "2", "3"]
        await pilot.click("#calls", offset=(table.render_line(0).text.index("cost"), 0))
        await settled(pilot)
        costs = [line.split("$")[1].split()[0] for line in lines(table)[1:13]]
        assert costs == sorted(costs, reverse=True)
        await pilot.click("#calls", offset=(table.render_line(0).text.index("cost"), 0))
        await settled(pilot)
        assert places()[0] == "2"
        await pilot.click("#calls", offset=(5, 0))
        await settled(pilot)
        assert places()[:3] == ["1", "2", "3"]


async def test_the_tools_of_a_run(app: LlmprofApp) -> None:
    async with app.run_test(size=(140, 40)) as pilot:
        screen = await opened(pilot, app)
        await pilot.press("2")
        await settled(pilot)
        table = screen.query_one("#tools", WindowTable)
        assert table.has_focus
        shown = lines(table)
        assert [line.replace("▌", " ").split()[0] for line in shown[1:6]] == [
            "read_file", "run_tests", "▾", "list_issues", "create_issue",
        ]  # fmt: skip
        assert "never called in 12 calls" in shown[3]
        assert "github  2 tools" in shown[3]
        # All that is said of tokens is estimated.
        assert "≈" in shown[1]
        await pilot.press("down", "down", "space")
        await settled(pilot)
        assert "▸ github" in lines(table)[3]
        assert not any("list_issues" in line for line in lines(table))
        await pilot.press("enter")
        await settled(pilot)
        assert any("list_issues" in line for line in lines(table))
        await pilot.click("#tools", offset=(table.render_line(0).text.index("calls"), 0))
        await settled(pilot)
        assert "read_file" in lines(table)[1]
        await pilot.click("TabBar", offset=(5, 0))
        await settled(pilot)
        assert screen.tab == "calls"


async def test_a_call_that_arrives_is_appended_and_nothing_moves(app: LlmprofApp, home: Path) -> None:
    more = list(agent(turns=AGENT_TURNS + 3))[AGENT_TURNS:]
    async with app.run_test(size=(140, 40)) as pilot:
        screen = await opened(pilot, app)
        timeline = screen.query_one(Timeline)
        await pilot.press("left", "left", "left", "2")
        level = timeline.level
        record(home, more)
        screen.store_changed()
        await settled(pilot)
        assert len(timeline.calls) == AGENT_TURNS + 3
        assert (timeline.selected, timeline.level) == (8, level)
        assert f"{AGENT_TURNS + 3} calls" in said(screen, RunHeader)
        assert any("15" in line for line in lines(screen.query_one("#tools", WindowTable)))


async def test_the_newest_call_is_followed_if_it_was_selected(app: LlmprofApp, home: Path) -> None:
    more = list(agent(turns=AGENT_TURNS + 1))[AGENT_TURNS:]
    async with app.run_test(size=(140, 40)) as pilot:
        screen = await opened(pilot, app)
        record(home, more)
        screen.store_changed()
        await settled(pilot)
        assert screen.query_one(Timeline).selected == AGENT_TURNS
        assert said(screen, CallLine).startswith(f" {AGENT_TURNS + 1} ")


async def test_a_call_that_is_deleted_leaves(app: LlmprofApp) -> None:
    async with app.run_test(size=(140, 40)) as pilot:
        screen = await opened(pilot, app)
        app.source.delete_call(call_id(AGENT, 3))
        screen.store_changed()
        await settled(pilot)
        timeline = screen.query_one(Timeline)
        assert len(timeline.calls) == AGENT_TURNS - 1
        assert timeline.selected == AGENT_TURNS - 2
        assert said(screen, CallLine).startswith(f" {AGENT_TURNS - 1} ")


async def test_a_run_that_is_deleted_while_it_is_shown(app: LlmprofApp) -> None:
    async with app.run_test(size=(140, 40)) as pilot:
        screen = await opened(pilot, app)
        app.source.delete_run(screen.run_id)
        screen.store_changed()
        await settled(pilot)
        assert "deleted from the store" in said(screen, RunHeader)
        assert len(screen.query_one(Timeline).calls) == AGENT_TURNS
        await pilot.press("left", "2")
        await settled(pilot)
        await pilot.press("escape")
        await settled(pilot)
        assert app.screen is not screen


async def test_a_run_that_is_none(app: LlmprofApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        app.open_run("nobody")
        await settled(pilot)
        state = app.screen.query_one("#state")
        assert "there is no run nobody" in str(state.text)
        assert state.display
        await pilot.press("t", "d", "plus", "0", "2", "space", "left")
        await pilot.press("escape")
        assert not isinstance(app.screen, RunScreen)


@pytest.mark.parametrize("run", [3, 4, FAILED, AWKWARD])
@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
async def test_runs_of_one_odd_call(app: LlmprofApp, run: int, size: tuple[int, int]) -> None:
    async with app.run_test(size=size) as pilot:
        screen = await opened(pilot, app, run)
        assert "1 call" in said(screen, RunHeader)
        assert said(screen, CallLine).startswith(" 1 ")
        await pilot.press("t", "w", "left", "right", "d", "2")
        await settled(pilot)
        await pilot.press("down", "space", "1", "minus", "plus")
        await settled(pilot)
        shown = "\n".join(lines(screen.query_one("#calls", WindowTable)))
        assert "\x1b" not in shown + said(screen, RunHeader) + said(screen, CallLine)
        if run == FAILED:
            assert "✗ 529" in shown
            assert "1 failed" in said(screen, RunHeader)


async def test_an_unpriced_run_is_a_dash_and_its_columns_are_marked(app: LlmprofApp) -> None:
    async with app.run_test(size=(140, 40)) as pilot:
        screen = await opened(pilot, app, 3)
        assert "–" in said(screen, RunHeader)
        await pilot.press("t")
        timeline = screen.query_one(Timeline)
        assert "–" in timeline.render_line(timeline.size.height - 2).text


async def test_a_run_with_one_unpriced_call_costs_at_least(app: LlmprofApp, home: Path) -> None:
    (last,) = list(agent(turns=AGENT_TURNS + 1))[AGENT_TURNS:]
    body = last.request_body.replace(b"claude-sonnet-4-5", b"claude-of-nobody")
    answer = last.response_body.replace(b"claude-sonnet-4-5", b"claude-of-nobody")
    record(home, [replace(last, request_body=body, response_body=answer, ended_ns=last.ended_ns + SECOND)])
    async with app.run_test(size=(140, 40)) as pilot:
        screen = await opened(pilot, app)
        assert "≥$0.0550" in said(screen, RunHeader)
        assert "1 call unpriced" in said(screen, RunHeader)


async def test_resize_lays_out_anew(app: LlmprofApp) -> None:
    async with app.run_test(size=(160, 45)) as pilot:
        screen = await opened(pilot, app)
        for size in ((80, 24), (200, 60), (40, 12), (160, 45)):
            await pilot.resize_terminal(*size)
            await settled(pilot)
            timeline = screen.query_one(Timeline)
            assert timeline.view.width <= timeline.size.width
            assert timeline._in_view(timeline.selected or 0)


async def test_a_run_of_many_calls(tmp_path: Path) -> None:
    from tests.store.building import exchange, text
    from tests.store.building import record as stored

    url = f"sqlite:///{tmp_path}/llmprof.db"
    with open_store(url) as store:
        for turn in range(600):
            made = exchange(f"{turn:032x}", at=turn, session="long")
            store.write(stored(store, made, [text("user", f"Question {turn}")]))
    source = Source(url, tmp_path)
    app = LlmprofApp(source)
    async with app.run_test(size=(160, 45)) as pilot:
        (number,) = source.list_runs(RunFilter(), "started", True).numbers
        app.open_run(source.runs([number])[number].id)
        await settled(pilot)
        screen = app.screen
        timeline = screen.query_one(Timeline)
        assert timeline.view.zoom.calls == 4
        await pilot.press("home", "right", "1", "end")
        await settled(pilot)
        assert timeline.selected == 599
        assert lines(screen.query_one("#calls", WindowTable))[-1].replace("▌", " ").split()[0] == "600"
        with open_store(url) as store:
            edits.delete_call(store, f"{7:032x}")
        screen.store_changed()  # type: ignore[attr-defined]  # a run's screen
        await settled(pilot)
        assert timeline.selected == 598
