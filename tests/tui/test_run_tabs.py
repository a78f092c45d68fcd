"""The tabs of a run with helpers, cache breaks, an expiry and a compaction, by keys and mouse."""

from collections.abc import Sequence

import pytest
from llmprof_tui.app import LlmprofApp
from llmprof_tui.commands import entries
from llmprof_tui.panes.cache import CachePane
from llmprof_tui.panes.table import TABS
from llmprof_tui.screens.help import HelpScreen, groups
from llmprof_tui.screens.run import RunScreen
from llmprof_tui.widgets.call_line import CallLine
from llmprof_tui.widgets.facts import FactLines
from llmprof_tui.widgets.parted_texts import PartedTexts
from llmprof_tui.widgets.run_header import RunHeader
from llmprof_tui.widgets.tab_bar import TabBar
from llmprof_tui.widgets.timeline import Timeline
from llmprof_tui.widgets.window_table import WindowTable
from textual.pilot import Pilot

from tests.tui.crew import RUN
from tests.tui.recording import call_id
from tests.tui.settling import settled
from tests.tui.test_run import lines, opened, said


def call(place: int) -> str:
    """Id of a call by its number in the run."""
    return call_id(RUN, place - 1)


async def on_tab(pilot: Pilot[int], app: LlmprofApp, name: str) -> RunScreen:
    """The run's screen with this tab open."""
    screen = await opened(pilot, app, RUN)
    await pilot.press(str([tab.name for tab in TABS].index(name) + 1))
    await settled(pilot)
    return screen


def rows(screen: RunScreen, id: str) -> list[str]:
    """The rows of a table, without cursor and mark."""
    return [line[2:].strip() for line in lines(screen.query_one(f"#{id}", WindowTable))[1:] if line[2:].strip()]


def texts(screen: RunScreen) -> list[str]:
    widget = screen.query_one(PartedTexts)
    return [widget.render_line(y).text.rstrip() for y in range(widget.size.height)]


async def test_every_tab_opens_by_its_key_by_a_click_and_is_in_the_help(crew_app: LlmprofApp) -> None:
    async with crew_app.run_test(size=(140, 45)) as pilot:
        screen = await opened(pilot, crew_app, RUN)
        for at, tab in enumerate(TABS):
            await pilot.press(str(at + 1))
            await settled(pilot)
            assert (screen.tab, screen.pane.id) == (tab.name, tab.pane_id)
            assert isinstance(screen.pane, tab.pane)
            assert screen.focused is not None
            assert screen.pane in screen.focused.ancestors
        helped = {name: about for _, shown in groups(screen) for _, name, about in shown}
        assert {tab.title: tab.about for tab in TABS}.items() <= helped.items()
        offered = {entry.title: entry.about for entry in entries(screen)}
        assert all(offered[tab.title].startswith(tab.about) for tab in TABS)
        place = str(screen.query_one(TabBar).render()).index("2 Tools")
        await pilot.click(TabBar, offset=(place + 2, 0))
        await settled(pilot)
        assert screen.tab == "tools"
        await pilot.press("question_mark")
        await settled(pilot)
        assert isinstance(crew_app.screen, HelpScreen)
        assert "⤓ compaction" in str(crew_app.screen.query_one("Static").render())


async def test_the_header_says_where_the_time_went(crew_app: LlmprofApp) -> None:
    async with crew_app.run_test(size=(160, 45)) as pilot:
        screen = await opened(pilot, crew_app, RUN)
        header = " ".join(said(screen, RunHeader).split())
        assert "model 3m 06s tools 2m 39s idle 47m 59s first byte 1.5 s, then 21 tokens/s" in header
        assert "12 tokens/s" in said(screen, CallLine)


async def test_the_cache_of_a_run(crew_app: LlmprofApp) -> None:
    async with crew_app.run_test(size=(160, 45)) as pilot:
        screen = await on_tab(pilot, crew_app, "cache")
        sums = str(screen.query_one("#cache-sums", FactLines).render())
        for words in (
            *("read from cache 71.8%", "✂ 2 breaks", "⏱ 1 expiry", "22.9k", "wasted $0.0790"),
            *("re-write factor 1.85", "$0.2680, with a perfect cache $0.1890", "the prefix had expired 1×"),
        ):
            assert words in sums
        # The worst first.
        assert [row.split()[0] for row in rows(screen, "losses")] == ["26", "24", "20"]
        assert "47m 13s" in rows(screen, "losses")[1]
        assert "tools[1] search" in rows(screen, "losses")[2]
        left, _, right = texts(screen)[0].partition("│")
        assert left.startswith(" − Today is Monday.")
        assert right.startswith(" + Today is Tuesday.")
        await pilot.press("down")
        await settled(pilot)
        assert screen.selected is not None
        assert screen.selected.id == call(24)
        assert texts(screen)[0] == " The prefix had not been used for 47m 13s; unused it is kept for 5m."
        await pilot.press("s", "S", "S")
        await settled(pilot)
        assert [row.split()[0] for row in rows(screen, "losses")] != ["26", "24", "20"]
        table = screen.query_one("#losses", WindowTable)
        await pilot.click("#losses", offset=(table.render_line(0).text.index("call"), 0))
        await settled(pilot)
        assert [row.split()[0] for row in rows(screen, "losses")] == ["20", "24", "26"]
        # The cursor stayed on its call.
        assert "the prefix had expired" in str(screen.query_one("#loss", FactLines).render())


async def test_what_is_done_with_a_break(crew_app: LlmprofApp, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Sequence[str | None]] = []
    copied: list[str] = []
    monkeypatch.setattr(LlmprofApp, "open_call", lambda self, id: seen.append((id,)))
    monkeypatch.setattr(LlmprofApp, "open_compare", lambda self, *ids: seen.append(ids))
    monkeypatch.setattr(LlmprofApp, "copy_to_clipboard", lambda self, text: copied.append(text))
    async with crew_app.run_test(size=(160, 45)) as pilot:
        screen = await on_tab(pilot, crew_app, "cache")
        await pilot.press("enter", "d", "y")
        await settled(pilot)
        await pilot.click("#losses", offset=(20, 3), times=2)
        await settled(pilot)
        assert seen == [(call(26),), (call(25), call(26)), (call(20),)]
        head, before, *_ = copied[0].splitlines()
        assert head == f"call 26 {call(26)}: the system prompt changed: system[0]"
        assert before == "- …what you saw."
        assert "Today is Monday" in copied[0]
        assert "Today is Tuesday" in copied[0]
        # The timeline leads as well.
        await pilot.press("d")
        screen.query_one(Timeline).selected = 25
        await settled(pilot)
        assert "call 26" in str(screen.query_one("#loss", FactLines).render())


async def test_a_run_without_breaks_and_one_without_verdicts(app: LlmprofApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, app, 2)
        await pilot.press("4")
        await settled(pilot)
        assert "nothing lost" in str(screen.query_one("#cache-sums", FactLines).render())
        assert texts(screen)[0].startswith(" Every call read from the cache")
        await pilot.press("y", "d", "enter", "s", "down")
        await pilot.press("escape")
        screen = await opened(pilot, app, 3)
        await pilot.press("4")
        await settled(pilot)
        assert texts(screen)[0] == " No verdict on 1 call: how their provider caches is not known."


async def test_one_text_below_the_other_where_it_is_narrow(crew_app: LlmprofApp) -> None:
    async with crew_app.run_test(size=(80, 24)) as pilot:
        screen = await on_tab(pilot, crew_app, "cache")
        assert [line[:22] for line in texts(screen) if "Today" in line] == [
            " − Today is Monday. Th",
            " + Today is Tuesday. T",
        ]
        assert screen.query_one(CachePane).query_one("#losses").size.height == 4
        for size in ((160, 45), (40, 12), (80, 24)):
            await pilot.resize_terminal(*size)
            await settled(pilot)
            texts(screen)


async def test_the_agents_of_a_run_are_a_tree(crew_app: LlmprofApp) -> None:
    async with crew_app.run_test(size=(160, 45)) as pilot:
        screen = await on_tab(pilot, crew_app, "agents")
        shown = rows(screen, "agents")
        assert [row.split("  ")[0] for row in shown] == [
            "▾ main", "▾ Explore", "Explore", "general-purpose", "compaction", "auxiliary",
        ]  # fmt: skip
        assert " ".join(shown[1].split()).endswith("call 5 5 5.6k 25.3k 78% 495 $0.0345 13% 30.0 s 24.0 s 15.0 s 22")
        assert "call 11 " in shown[2]
        assert shown[4].split()[-3:] == ["–", "–", "11"]  # it stands beside the turns: there is no time in between
        # Folded it has the sums of its helpers.
        await pilot.press("home", "down", "space")
        await settled(pilot)
        folded = rows(screen, "agents")
        assert len(folded) == 5
        assert folded[1].startswith("▸ Explore +1")
        assert "$0.0560" in folded[1]
        await pilot.press("space", "s", "S")
        await settled(pilot)
        table = screen.query_one("#agents", WindowTable)
        await pilot.click("#agents", offset=(table.render_line(0).text.index("cost"), 0))
        await settled(pilot)
        # By dollars, each below the one that it works for.
        assert [row.split("  ")[0] for row in rows(screen, "agents")][1:4] == [
            "▾ Explore",
            "Explore",
            "general-purpose",
        ]
        await pilot.click("#agents", offset=(table.render_line(0).text.index("cost"), 0))
        await settled(pilot)
        assert [row.split("  ")[0] for row in rows(screen, "agents")] == [
            "▾ main", "auxiliary", "compaction", "general-purpose", "▾ Explore", "Explore",
        ]  # fmt: skip


async def test_enter_selects_the_lane_in_the_chart(crew_app: LlmprofApp) -> None:
    async with crew_app.run_test(size=(160, 45)) as pilot:
        screen = await on_tab(pilot, crew_app, "agents")
        timeline = screen.query_one(Timeline)
        assert len(timeline.folded) == 5
        await pilot.press("home", "down", "enter")
        await settled(pilot)
        assert screen.selected is not None
        assert (screen.selected.id, screen.selected.lane) == (call(6), "a1f0c0de")
        assert len(timeline.folded) == 4
        # And back: the cursor follows the chart.
        timeline.focus()
        await pilot.press("up")
        await settled(pilot)
        table = screen.query_one("#agents", WindowTable)
        assert table.row(table.cursor).lane.id == "main"
        await pilot.press("down", "space")
        assert len(timeline.folded) == 5


async def test_a_call_that_arrives_is_in_the_open_tab(crew_app: LlmprofApp) -> None:
    async with crew_app.run_test(size=(160, 45)) as pilot:
        screen = await on_tab(pilot, crew_app, "agents")
        timeline = screen.query_one(Timeline)
        await pilot.press("down", "enter")
        crew_app.source.delete_call(call(32))
        screen.store_changed()
        await settled(pilot)
        assert rows(screen, "agents")[0].split("  ")[0] == "▾ main"
        assert " 17 " in rows(screen, "agents")[0]
        assert len(timeline.folded) == 4
        await pilot.press("4")
        await settled(pilot)
        crew_app.source.delete_call(call(26))
        screen.store_changed()
        await settled(pilot)
        assert [row.split()[0] for row in rows(screen, "losses")] == ["24", "20"]
