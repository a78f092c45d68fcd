"""The list of runs, by keys and mouse, on a recorded store."""

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from llmprof_tui.app import LlmprofApp
from llmprof_tui.preferences import FILE
from llmprof_tui.screens import loading
from llmprof_tui.screens.dialogs import Ask, Confirm
from llmprof_tui.screens.filter_dialog import FilterDialog
from llmprof_tui.screens.help import HelpScreen
from llmprof_tui.screens.runs import RunsScreen
from llmprof_tui.source import Source
from llmprof_tui.widgets import run_cells
from llmprof_tui.widgets.chips import Chips
from llmprof_tui.widgets.composition import CompositionBar
from llmprof_tui.widgets.notice import Notice
from llmprof_tui.widgets.run_cells import RunLine
from llmprof_tui.widgets.status_bar import StatusBar
from llmprof_tui.widgets.window_table import WindowTable
from textual.command import CommandPalette
from textual.pilot import Pilot
from textual.widgets import Input, Select, Static

from llmprof_addon.store import edits
from llmprof_addon.store.open import open_store
from tests.factories import STARTED_NS
from tests.tui.recording import MINUTE, agent, record
from tests.tui.settling import settled

AGENT, AWKWARD, CODEX = "Fix the flaky upload", "red", "Add a retry"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting for a typing person."""
    monkeypatch.setattr(loading, "SETTLE_SECONDS", 0.001)


class Looking:
    """Someone before the list."""

    def __init__(self, app: LlmprofApp, pilot: Pilot[int]) -> None:
        self.app, self.pilot = app, pilot

    @property
    def screen(self) -> RunsScreen:
        assert isinstance(self.app.screen, RunsScreen)
        return self.app.screen

    @property
    def table(self) -> WindowTable[RunLine]:
        return self.screen.table

    async def rest(self) -> None:
        await settled(self.pilot)

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)
            await self.rest()

    async def changed(self) -> None:
        """What the watch says after a change of the store."""
        self.screen.store_changed()
        await self.rest()

    def lines(self) -> list[str]:
        return [self.table.render_line(y).text for y in range(1, min(self.table.row_count, 15) + 1)]

    def labels(self) -> list[str]:
        rows = [self.table.row(number) for number in self.table._numbers]
        return [(line.row.label or "") if line else "gone" for line in rows]

    def ids(self) -> list[str]:
        rows = [self.table.row(number) for number in self.table._numbers]
        return [line.row.id for line in rows if line]

    def said(self, kind: type[Notice] | type[StatusBar]) -> str:
        if kind is StatusBar:
            return str(self.screen.query_one(StatusBar).render())
        return str(self.screen.query_one(Notice).text)


@asynccontextmanager
async def looking(app: LlmprofApp, size: tuple[int, int] = (120, 30)) -> AsyncIterator[Looking]:
    async with app.run_test(size=size) as pilot:
        found = Looking(app, pilot)
        await found.rest()
        yield found


async def test_the_newest_run_comes_first_with_all_its_numbers(app: LlmprofApp) -> None:
    async with looking(app) as at:
        lines = at.lines()
        assert len(lines) == 6
        assert AWKWARD in lines[0]
        assert "\x1b" not in "".join(lines)
        assert AGENT in lines[1]
        assert [word for word in ("12", "57.9k", "85%", "$0.0550", "$0") if word not in lines[1]] == []
        assert "✗" in lines[3]
        assert "≈13" in lines[4]
        assert at.table.border_subtitle == "6 runs by start"
        assert "○ not recording" in at.said(StatusBar)
        assert "all time ≥$0.0597 · ≈60.2k in · 84% cached · $0.0015 reclaimable · 19 calls" in at.said(StatusBar)


async def test_the_selected_run_shows_what_it_is_made_of(app: LlmprofApp) -> None:
    async with looking(app) as at:
        await at.press("down")
        made_of = app.source.composition(at.ids()[1])
        assert at.screen.query_one(CompositionBar).whole == sum(total.tokens for total in made_of)
        await at.press("down", "down")
        notes = str(at.screen.query_one(".notes", Static).content)
        assert "1 of 1 call failed: 529" in notes


async def test_enter_and_a_double_click_open_a_run(app: LlmprofApp, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(app, "open_run", opened.append)
    async with looking(app) as at:
        await at.press("down", "enter")
        await at.pilot.click(WindowTable, offset=(20, 4), times=2)
        await at.rest()
        assert opened == at.ids()[1:3]


async def test_orders_by_keys_titles_and_palette(app: LlmprofApp, home: Path) -> None:
    async with looking(app) as at:
        await at.press("S")
        assert CODEX in at.labels()[3]
        assert at.labels()[0].startswith("Question 1")
        await at.pilot.click(WindowTable, offset=(at.table.size.width - 2, 1))
        await at.rest()
        assert at.screen.order.key == "waste"
        await at.pilot.click(WindowTable, offset=(at.table.render_line(0).text.index("cost") + 1, 1))
        await at.rest()
        assert at.screen.order.key == "cost"
        assert [AGENT in at.labels()[0], CODEX in at.labels()[1]] == [True, True]
        assert "▾cost" in at.table.render_line(0).text
        at.screen.action_order("label")
        await at.rest()
        assert CODEX in at.labels()[1], "escapes come before letters"
        kept = json.loads((home / FILE).read_text())
        assert (kept["runs.order"], kept["runs.descending"]) == ("label", False)
    async with looking(LlmprofApp(app.source)) as again:
        assert CODEX in again.labels()[1]


async def test_every_column_sorts(app: LlmprofApp) -> None:
    async with looking(app) as at:
        seen = set()
        for _ in run_cells.ORDERS:
            await at.press("s")
            seen.add(at.screen.order.key)
            assert len(set(at.labels())) == 6
        assert seen == set(run_cells.ORDERS)


async def test_typing_narrows_the_list_at_once(app: LlmprofApp) -> None:
    async with looking(app) as at:
        await at.press("slash", *"KEEL")
        assert at.table.row_count == 2
        await at.press("enter")
        assert at.table.has_focus
        assert at.screen.query_one(Chips).display
        await at.press("escape")
        assert at.table.row_count == 6
        await at.press("slash", *"zzz")
        assert "No run fits." in at.said(Notice)
        await at.press("escape")
        assert at.table.row_count == 6
        assert at.table.has_focus


async def test_filters_of_what_the_store_holds(app: LlmprofApp) -> None:
    async with looking(app) as at:
        await at.press("f")
        dialog = app.screen
        assert isinstance(dialog, FilterDialog)
        dialog.query_one("#app", Select).value = "=claude-code"
        await at.pilot.click("#yes")
        await at.rest()
        assert [AGENT in label for label in at.labels()] == [True]
        assert at.screen.query_one(Chips).render().plain.strip() == "app claude-code ×"
        await at.pilot.click(Chips, offset=(3, 0))
        await at.rest()
        assert at.table.row_count == 6
        await at.press("f")
        app.screen.query_one("#status", Select).value = "failed"
        await at.pilot.click("#yes")
        await at.rest()
        assert at.labels() == ["Are you up?"]


async def test_periods_by_key_and_dates(app: LlmprofApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmprof_addon.clock.now_ns", lambda: STARTED_NS + 60 * MINUTE)
    async with looking(app) as at:
        await at.press("p")
        assert at.table.row_count == 6
        assert "today ≥$0.0597" in at.said(StatusBar)
        await at.press("f")
        app.screen.query_one("#period", Select).value = "dates"
        await settled(at.pilot)
        app.screen.query_one("#first", Input).value = "2026-13-01"
        await at.pilot.click("#yes")
        await at.rest()
        hint = app.screen.query_one(".dialog-hint", Static)
        assert "no date" in str(hint.content)
        app.screen.query_one("#first", Input).value = "2001-01-01"
        app.screen.query_one("#last", Input).value = "2001-12-31"
        app.screen.query_one("#last", Input).focus()
        await at.press("enter")
        assert "No run fits." in at.said(Notice)
        assert "2001-01-01 to 2001-12-31" in at.screen.query_one(Chips).render().plain
        await at.press("escape")
        assert at.table.row_count == 6


async def test_two_marks_are_compared(app: LlmprofApp, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[str, str]] = []
    monkeypatch.setattr(app, "open_compare_runs", lambda before, after: compared.append((before, after)))
    async with looking(app) as at:
        await at.press("c")
        assert compared == []
        await at.press("space", "down", "c")
        await at.press("space", "down", "space")
        assert len(at.table.marked) == 2, "the third mark replaces the first"
        await at.press("c", "space", "escape", "c")
        ids = at.ids()
        assert compared == [(ids[0], ids[1]), (ids[1], ids[2])]
        assert not at.table.marked


async def test_rename_tag_and_delete(app: LlmprofApp, source: Source) -> None:
    async with looking(app) as at:
        await at.press("down", "r")
        assert isinstance(app.screen, Ask)
        app.screen.query_one(Input).value = "upload"
        await at.press("enter")
        assert at.labels()[1] == "upload"
        await at.press("t")
        app.screen.query_one(Input).value = ":x"
        await at.press("enter")
        assert isinstance(app.screen, Ask), "a tag without a key is refused"
        app.screen.query_one(Input).value = "team:search, draft"
        await at.press("enter")
        row = at.screen.selected
        assert row is not None
        assert row.tags == {"team": "search", "draft": ""}
        await at.press("t")
        app.screen.query_one(Input).value = "draft"
        await at.press("enter")
        assert at.screen.selected is not None
        assert at.screen.selected.tags == {"draft": ""}
        await at.press("x")
        assert isinstance(app.screen, Confirm)
        await at.press("enter")
        assert at.table.row_count == 6, "enter stands on no"
        await at.press("x", "y")
        assert at.table.row_count == 5
        assert "upload" not in at.labels()


async def test_what_cannot_be_written_is_said_once(app: LlmprofApp, home: Path) -> None:
    async with looking(app) as at:
        deleted = at.screen.selected
        assert deleted is not None
        with open_store(app.source.url) as store:
            edits.delete_run(store, deleted.id)
        await at.press("r")
        app.screen.query_one(Input).value = "late"
        await at.press("enter")
        (note,) = app._notifications
        assert "no longer in the store" in str(note.title)


async def test_live_runs_come_in_above_and_move_nothing(app: LlmprofApp, home: Path) -> None:
    async with looking(app) as at:
        await at.press("down")
        before = at.screen.selected
        record(home, agent(3, started_ns=STARTED_NS + 90 * MINUTE, run=9))
        await at.changed()
        assert at.table.row_count == 7
        assert at.screen.selected == before
        assert at.lines()[2].startswith("▌")
        assert " 3 " in at.lines()[0]


async def test_the_watch_sees_what_is_stored(app: LlmprofApp, home: Path) -> None:
    async with looking(app) as at:
        record(home, agent(1, started_ns=STARTED_NS + 90 * MINUTE, run=9))
        for _ in range(300):
            await at.pilot.pause(0.02)
            if at.table.row_count == 7:
                break
        assert at.table.row_count == 7


async def test_a_home_without_a_store_says_how_to_begin(tmp_path: Path) -> None:
    empty = LlmprofApp(Source(f"sqlite:///{tmp_path}/llmprof.db", tmp_path))
    async with looking(empty) as at:
        said = at.said(Notice)
        assert said.startswith("Nothing is recorded yet.")
        for line in (
            "llmprof run",
            "llmprof up",
            "export OPENAI_BASE_URL=http://127.0.0.1:4000/v1",
            "llmprof tui --demo",
        ):
            assert line in said
        assert not at.table.display
        await at.press("enter", "x", "r", "t", "space", "c", "s", "p", "p", "p", "p", "p", "escape")
        record(tmp_path, agent(1))
        await at.changed()
        assert at.table.row_count == 1
        assert at.table.display


@pytest.mark.parametrize("trouble", ["truncated", "text", "newer"])
async def test_a_store_that_cannot_be_read_says_why(app: LlmprofApp, home: Path, trouble: str) -> None:
    path = home / "llmprof.db"
    if trouble == "newer":
        with closing(sqlite3.connect(path)) as db, db:
            db.execute("INSERT INTO llmprof_migration (name, applied) VALUES ('9999_later', '2030-01-01')")
    elif trouble == "text":
        path.write_text("this is no database, but long enough to look like one " * 100)
    else:
        path.write_bytes(path.read_bytes()[:6000])
    async with looking(app) as at:
        said = at.said(Notice)
        assert "Nothing is recorded" not in said
        assert {"truncated": "damaged", "text": "not a database", "newer": "newer"}[trouble] in said
        await at.press("s", "p", "slash", "x", "escape", "f")
        assert isinstance(app.screen, RunsScreen | FilterDialog)


async def test_help_lists_the_keys_that_work(app: LlmprofApp) -> None:
    async with looking(app) as at:
        await at.press("question_mark")
        assert isinstance(app.screen, HelpScreen)
        said = str(app.screen.query_one(Static).content)
        for words in ("In the list", "One row down", "Narrow the list as you type", "Leave llmprof", "x del"):
            assert words in said
        await at.press("escape")
        assert at.table.has_focus


async def test_the_palette_offers_the_screens_actions(app: LlmprofApp) -> None:
    async with looking(app) as at:
        await at.press("ctrl+p")
        assert isinstance(app.screen, CommandPalette)
        await at.press(*"sort by cost")
        for _ in range(100):
            await at.pilot.pause(0.02)
            if app.screen.query_one("CommandList").option_count:  # type: ignore[attr-defined]
                break
        await at.press("enter")
        await at.press("enter") if isinstance(app.screen, CommandPalette) else None
        await at.rest()
        assert at.screen.order.key == "cost"


async def test_the_theme_is_kept(app: LlmprofApp, home: Path) -> None:
    async with looking(app) as at:
        app.theme = "llmprof-light"
        await at.rest()
    assert LlmprofApp(app.source).theme == "llmprof-light"


@pytest.mark.parametrize("size", [(80, 24), (200, 60), (60, 12)])
async def test_it_fits_and_follows_the_terminal(app: LlmprofApp, size: tuple[int, int]) -> None:
    async with looking(app) as at:
        await at.pilot.resize_terminal(*size)
        await at.rest()
        assert at.table.size.height > 3
        assert max(len(line) for line in at.lines()) <= size[0]
        assert "Fix" in at.lines()[1]


async def test_no_colour_leaves_letters(app: LlmprofApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with looking(app) as at:
        await at.press("down")
        assert app.monochrome
        assert "oooo" in at.screen.query_one(CompositionBar).render().plain


async def test_a_long_name_is_seen_while_it_is_changed(app: LlmprofApp) -> None:
    async with looking(app) as at:
        await at.press("r", "home")
        line = at.app.screen.query_one(Input)
        assert len(line.value) > line.content_size.width
        assert line.content_size.height == 1
        assert "red" in line.render_line(0).text
