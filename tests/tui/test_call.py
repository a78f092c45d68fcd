"""The screen of a call, by keys and mouse, on a recorded store."""

import os
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from llmprof_tui import pager
from llmprof_tui.app import LlmprofApp
from llmprof_tui.screens.call import CallScreen
from llmprof_tui.widgets.call_header import CallHeader
from llmprof_tui.widgets.cost_table import CostTable
from llmprof_tui.widgets.entry import HEAD, Level, Place
from llmprof_tui.widgets.flame_pane import FlamePane
from llmprof_tui.widgets.level_bar import LevelBar
from llmprof_tui.widgets.messages import MessagesView
from llmprof_tui.widgets.messages_pane import MessagesPane
from llmprof_tui.widgets.node_detail import NodeDetail
from llmprof_tui.widgets.notice import Notice
from llmprof_tui.widgets.tab_bar import TabBar
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import ContentSwitcher, Static

from llmprof_addon.model.component import Kind
from tests.tui.recording import call_id
from tests.tui.settling import settled

AGENT = call_id(1, 7)
AWKWARD = call_id(6, 0)


class Opening:
    """A call that is shown, and the one who looks at it."""

    def __init__(self, app: LlmprofApp, pilot: Pilot[int]) -> None:
        self.app, self.pilot = app, pilot

    @property
    def screen(self) -> CallScreen:
        assert isinstance(self.app.screen, CallScreen)
        return self.app.screen

    def pane(self, id: str = "messages") -> MessagesPane:
        return self.screen.query_one(f"#{id}", MessagesPane)

    @property
    def view(self) -> MessagesView:
        return self.pane().view

    async def rest(self) -> None:
        await settled(self.pilot)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.rest()

    def shown(self, id: str = "messages") -> list[str]:
        """The rows on the screen, as text."""
        view = self.pane(id).view
        return [view.render_line(y).text.rstrip() for y in range(view.size.height)]

    def header(self) -> str:
        return str(self.screen.query_one(CallHeader).render())


@asynccontextmanager
async def opened(
    app: LlmprofApp, call: str = AGENT, size: tuple[int, int] = (120, 40), *keys: str
) -> AsyncIterator[Opening]:
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        app.open_call(call)
        await settled(pilot)
        opening = Opening(app, pilot)
        await opening.rest()
        await opening.press(*keys)
        yield opening


async def test_the_header_says_what_there_is(app: LlmprofApp) -> None:
    async with opened(app) as it:
        said = it.header()
        for fact in ("claude-sonnet-4-5", "anthropic.messages", "200 · tool_use", "5,720", "4,920 86%", "770 written",
                     "$0.0052", "first byte 500 ms", "counted/reported", AGENT):  # fmt: skip
            assert fact in said


async def test_digits_and_clicks_open_tabs(app: LlmprofApp) -> None:
    async with opened(app) as it:
        switcher = it.screen.query_one(ContentSwitcher)
        for key, tab in (
            *(("2", "messages"), ("3", "answer"), ("4", "findings"), ("5", "cost"), ("6", "raw"), ("1", "flame")),
        ):
            await it.press(key)
            assert switcher.current == it.screen.tab == tab
            assert it.app.focused is not None
        await it.pilot.click(TabBar, offset=(14, 0))
        await it.rest()
        assert it.screen.tab == "messages"


async def test_the_flame_shows_the_text_behind_the_node(app: LlmprofApp) -> None:
    async with opened(app) as it:
        everything = len(it.pane("node").view.outline.entries)
        await it.press("j")  # the largest: tool results
        kinds = {entry.kind for entry in it.pane("node").view.outline.entries}
        assert kinds == {Kind.TOOL_RESULTS}
        assert len(it.pane("node").view.outline.entries) < everything
        await it.press("j", "j")
        assert any("line of a file" in row for row in it.shown("node"))
        await it.press("a")
        assert it.screen.query_one(FlamePane).graph.root is not None
        assert {entry.kind for entry in it.pane("node").view.outline.entries} <= {
            Kind.TEXT, Kind.TOOL_CALLS, Kind.PROVIDER_OVERHEAD, None,
        }  # fmt: skip


async def test_a_part_says_since_when_it_is_sent(app: LlmprofApp) -> None:
    async with opened(app) as it:
        detail = it.screen.query_one(NodeDetail)
        assert "turn" not in str(detail.content), "the prompt is as old as its call"
        for keys, turn in ((("j",), 2), (("j", "right"), 3), (("k", "left", "left", "left", "left"), 1)):
            await it.press(*keys)  # all results, those of one tool, and what came before any result
            assert f"since turn {turn}" in str(detail.content), keys


async def test_parts_fold_and_unfold(app: LlmprofApp) -> None:
    async with opened(app, AGENT, (120, 40), "2") as it:
        assert "provider overhead framing 44 · tool preamble 504" in it.shown()[0]
        assert "4 tool schemas hidden" in it.shown()[1]
        await it.press("down", "enter")
        assert "tool read_file" in it.shown()[1]
        assert it.shown()[1].lstrip("▎").startswith("▸")
        await it.press("l")
        head = it.view.cursor - it.view.scroll_offset.y
        assert '"name": "read_file",' in it.shown()[head + 2]
        await it.press("down", "down", "h")
        assert it.view.cursor == 1
        await it.press("z")
        assert not any(row.strip("▎ ").startswith("Fix the flaky") for row in it.shown())
        await it.press("z")
        assert any("Read before you edit." in row for row in it.shown()) or it.view.outline.height > 100


async def test_a_click_folds_and_puts_the_cursor(app: LlmprofApp) -> None:
    async with opened(app, AGENT, (120, 40), "2") as it:
        y = next(y for y, row in enumerate(it.shown()) if "tool result run_tests" in row)
        await it.pilot.click(it.view, offset=(10, y))
        await it.rest()
        assert it.view.cursor - it.view.scroll_offset.y == y
        assert "line of a file, number 0" in it.shown()[y + 1]


async def test_levels_of_kinds_are_kept(app: LlmprofApp) -> None:
    async with opened(app, AGENT, (120, 40), "2", "S") as it:
        assert it.view.outline.levels[Kind.SYSTEM] is Level.HIDDEN
        assert any("1 system hidden" in row for row in it.shown())
        bar = it.pane().query_one(LevelBar)
        await it.pilot.click(bar, offset=(2, 0))
        await it.rest()
        assert it.view.outline.levels[Kind.SYSTEM] is Level.FULL
        await it.press("right_square_bracket")
        assert it.screen.call_id == call_id(1, 8)
        assert it.view.outline.levels[Kind.SYSTEM] is Level.FULL


async def test_jumps(app: LlmprofApp) -> None:
    async with opened(app, AGENT, (120, 40), "2") as it:
        outline = it.view.outline

        def title() -> str:
            assert it.view.entry is not None
            return outline.entries[it.view.entry].title

        await it.press("right_curly_bracket", "right_curly_bracket")
        assert title() == "system"
        await it.press("right_curly_bracket", "right_curly_bracket")
        assert title() == "assistant"
        await it.press("full_stop")
        assert title() == "assistant"
        assert it.view.outline.entries[it.view.entry or 0].path == "messages[3].content[0]"
        await it.press("comma", "left_curly_bracket")
        assert title() == "user"
        await it.press("end")
        assert it.view.cursor == outline.height - 1
        await it.press("home")
        assert (it.view.cursor, it.view.scroll_offset.y) == (0, 0)


async def test_find_opens_what_is_folded(app: LlmprofApp) -> None:
    async with opened(app, AGENT, (120, 40), "2", "slash") as it:
        await it.press(*"NUMBER", "space", "3", "enter")
        count = str(it.pane().bar.query_one(".find--count", Static).render())
        assert count.startswith("1 of ")
        total = int(count.split(" of ")[1])
        assert total > 1
        cursor = it.view.cursor
        assert "number 3" in it.view.render_line(cursor - it.view.scroll_offset.y).text
        await it.press("n")
        assert it.view.cursor == cursor + 1
        await it.press("N", "N")
        assert str(it.pane().bar.query_one(".find--count", Static).render()) == f"↺ {total} of {total}"
        await it.press("escape")
        assert isinstance(it.app.screen, CallScreen)
        assert not it.pane().bar.has_class("-open")
        await it.press("escape")
        assert not isinstance(it.app.screen, CallScreen)


async def test_what_is_not_there_is_not_found(app: LlmprofApp) -> None:
    async with opened(app, AGENT, (120, 40), "2", "slash", *"øøø") as it:  # nor is what is typed of it by then
        assert str(it.pane().bar.query_one(".find--count", Static).render()) == "not found"
        await it.press("enter", "n")
        assert it.view.cursor == 0


async def test_as_sent_and_drawn(app: LlmprofApp) -> None:
    async with opened(app, AGENT, (120, 40), "2") as it:
        assert any("look at upload.py." in row for row in it.shown())
        await it.press("m")
        assert any("look at `upload.py`." in row for row in it.shown())


async def test_escapes_are_shown_and_wide_text_is_aligned(app: LlmprofApp) -> None:
    async with opened(app, AWKWARD, (100, 30), "2") as it:
        rows = it.shown()
        assert any("␛[31mred␛[0m bell ␇ שלום עולם 你好世界" in row for row in rows)
        assert not any("\x1b" in row or "\u202e" in row for row in rows)
        for y in range(it.view.size.height):
            assert it.view.render_line(y).cell_length == it.view.scrollable_content_region.width


async def test_the_answer_ends_with_its_reason(app: LlmprofApp) -> None:
    async with opened(app, AWKWARD, (100, 30), "3") as it:
        rows = it.shown("answer")
        assert any("1. one" in row for row in rows)
        assert any("stop reason length" in row for row in rows)


async def test_a_refused_call(app: LlmprofApp) -> None:
    async with opened(app, call_id(5, 0), (80, 24), "3") as it:
        assert "✗ overloaded_error: Overloaded" in it.header()
        assert "error overloaded_error: Overloaded" in it.shown("answer")[0]


async def test_the_bill(app: LlmprofApp) -> None:
    async with opened(app, AGENT, (120, 40), "5") as it:
        table = it.screen.query_one(CostTable)
        bill = table.query_one("#cost-bill", Static)
        said = "\n".join(strip.text for strip in bill.render_lines(bill.size.region))
        for fact in ("4,920", "$0.30", "$0.0014760", "$0.0051585", "the cache saved $0.0127065, 71%"):
            assert fact in said


async def test_unpriced_says_why(app: LlmprofApp) -> None:
    async with opened(app, call_id(4, 0), (80, 24), "5") as it:
        assert "no price is known for tiny-local-7b" in str(it.screen.query_one("#cost-price", Static).render())
        assert "cost –" in it.header()
        assert "≈" in it.header()


async def test_raw_bodies(app: LlmprofApp) -> None:
    async with opened(app, AGENT, (120, 40), "6") as it:
        rows = it.shown("raw")
        assert "POST https://api.anthropic.com/v1/messages" in rows[0]
        assert any(row.split() == ["▎", "2", '"model":', '"claude-sonnet-4-5",'] for row in rows)
        await it.press("r")
        rows = it.shown("raw")
        assert "response 200 complete" in rows[0]
        assert any('"stop_reason": "tool_use"' in row for row in rows)


async def test_neighbours_keep_the_tab(app: LlmprofApp) -> None:
    async with opened(app, call_id(1, 0), (120, 40), "2", "left_square_bracket") as it:
        assert it.screen.call_id == call_id(1, 0)  # the first
        await it.press("right_square_bracket", "right_square_bracket")
        assert (it.screen.call_id, it.screen.tab) == (call_id(1, 2), "messages")
        assert call_id(1, 2) in it.header()
        await it.press("left_square_bracket")
        assert it.screen.call_id == call_id(1, 1)


async def test_going_through_calls_faster_than_they_are_read(app: LlmprofApp) -> None:
    async with opened(app, call_id(1, 0), (120, 40), "2") as it:
        for _ in range(5):
            await it.pilot.press("right_square_bracket")
        await it.rest()
        await it.press("6")
        assert it.screen.row is not None
        assert it.screen.call_id == it.screen.row.id
        assert it.screen.call_id in it.header()


async def test_the_start_of_an_id_is_enough(app: LlmprofApp) -> None:
    async with opened(app, AGENT[:9], (120, 40), "2", "left_square_bracket") as it:
        assert it.screen.call_id == call_id(1, 6)


async def test_diff_opens_the_comparison(app: LlmprofApp, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str | None, str]] = []
    monkeypatch.setattr(app, "open_compare", lambda before, after: asked.append((before, after)))
    async with opened(app, AGENT, (120, 40), "d"):
        assert asked == [(None, AGENT)]


async def test_copying(app: LlmprofApp) -> None:
    async with opened(app, AGENT, (120, 40), "2", *["right_curly_bracket"] * 3, "y") as it:
        assert it.app.clipboard == "Fix the flaky upload test, and say what was wrong."
        await it.press("6", "right_curly_bracket", "y")
        assert it.app.clipboard.startswith('{\n  "model": "claude-sonnet-4-5"')


async def test_what_no_encoding_takes_is_copied_too(app: LlmprofApp) -> None:
    async with opened(app, AWKWARD, (120, 40), "2", "end", "y") as it:
        assert isinstance(it.app.clipboard, str)


async def test_the_pager_gets_the_text_in_a_private_file(
    app: LlmprofApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = tmp_path / "seen"
    script = tmp_path / "pager.py"
    script.write_text(
        "import os, shutil, sys\n"
        f"shutil.copy(sys.argv[1], {str(seen)!r})\n"
        f"open({str(seen) + '.mode'!r}, 'w').write(oct(os.stat(sys.argv[1]).st_mode) + ' ' + sys.argv[1])\n"
    )
    monkeypatch.setenv("PAGER", f"{sys.executable} {script}")
    _suspendable(monkeypatch)
    async with opened(app, AWKWARD, (120, 40), "2") as it:
        user = next(i for i, entry in enumerate(it.view.outline.entries) if entry.title == "user")
        it.view.go_to(Place(user, HEAD))
        await it.press("o")
    assert seen.read_text().startswith("␛[31mred␛[0m")
    mode, name = Path(f"{seen}.mode").read_text().split()
    assert stat.S_IMODE(int(mode, 8)) == 0o600
    assert not os.path.exists(name)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("false", "false ended with code 1"),
        ("no-such-pager", "no-such-pager did not start"),
        ("'", "PAGER cannot be read"),
    ],
    ids=["fails", "missing", "unreadable"],
)
async def test_a_pager_that_fails(app: LlmprofApp, monkeypatch: pytest.MonkeyPatch, command: str, said: str) -> None:
    monkeypatch.setenv("PAGER", command)
    _suspendable(monkeypatch)
    async with opened(app, AWKWARD, (120, 40), "3", "o") as it:
        assert [note.title.startswith(said) for note in it.app._notifications] == [True]


def test_without_pager_the_usual_ones_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PAGER", raising=False)
    monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/more" if name == "more" else None)
    assert pager.command() == ["more"]
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(pager.PagerError, match="no pager"):
        pager.command()


async def test_a_call_that_is_not_there(app: LlmprofApp) -> None:
    async with opened(app, "f" * 32, (80, 24)) as it:
        said = str(it.screen.query_one(Notice).text)
        assert "there is no call" in said
        assert "deleted" in said
        await it.press("2", "y", "o", "d", "r", "escape")
        assert not isinstance(it.app.screen, CallScreen)


async def test_a_call_that_is_deleted_while_it_is_shown(app: LlmprofApp) -> None:
    async with opened(app, AGENT, (120, 40), "2") as it:
        it.app.source.delete_call(AGENT)
        it.screen.store_changed()
        await it.rest()
        assert "deleted from the store" in it.header()
        await it.press("1", "3", "4", "5", "6", "2", "z")
        assert any("Fix the flaky" in str(entry.text) for entry in it.view.outline.entries)


async def test_it_fits_any_size(app: LlmprofApp) -> None:
    async with opened(app, AGENT, (80, 24), "2", "z", "end") as it:
        for size in ((40, 12), (200, 60), (20, 8), (120, 30)):
            await it.pilot.resize_terminal(*size)
            await it.press("1", "4", "5", "6", "pagedown", "3", "2", "pageup", "end", "up")
            assert it.view.outline.height >= it.view.cursor >= 0


def _suspendable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver of tests cannot be left; nothing is drawn by it either."""
    from contextlib import nullcontext

    monkeypatch.setattr(App, "suspend", lambda self: nullcontext())
