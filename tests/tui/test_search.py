"""The search, by keys and mouse: hits as they are typed, each opened where it stands in its call."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path

import pytest
from llmprof_tui.app import LlmprofApp
from llmprof_tui.screens import loading
from llmprof_tui.screens import search as screen_of_search
from llmprof_tui.screens.call import CallScreen
from llmprof_tui.screens.runs import RunsScreen
from llmprof_tui.screens.search import SearchScreen
from llmprof_tui.source import SWITCHED_OFF, Source
from llmprof_tui.widgets.find_bar import FindBar
from llmprof_tui.widgets.key_bar import KeyBar
from llmprof_tui.widgets.messages_pane import MessagesPane
from llmprof_tui.widgets.notice import Notice
from llmprof_tui.widgets.remark import Remark
from textual.pilot import Pilot
from textual.widgets import Input, Static

from llmprof_addon.errors import StoreError
from llmprof_addon.store.open import open_store
from llmprof_addon.store.upkeep import upkeep
from tests.factories import STARTED_NS
from tests.tui.recording import MINUTE, agent, record
from tests.tui.settling import settled

FLAKY = "Fix the flaky upload"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting for a typing person."""
    monkeypatch.setattr(loading, "SETTLE_SECONDS", 0.001)
    monkeypatch.setattr("llmprof_addon.clock.now_ns", lambda: STARTED_NS + 60 * MINUTE)


@pytest.fixture(scope="module")
def indexed(recorded: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The varied store with its texts indexed."""
    home = Path(shutil.copytree(recorded, tmp_path_factory.mktemp("indexed") / "home"))
    index(home)
    return home


def index(home: Path) -> None:
    with open_store(f"sqlite:///{home}/llmprof.db") as store:
        while upkeep(store):
            pass


@pytest.fixture
def home(indexed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(indexed, tmp_path / "home"))


class Searching:
    """Someone who looks for something."""

    def __init__(self, app: LlmprofApp, pilot: Pilot[int]) -> None:
        self.app, self.pilot = app, pilot

    @property
    def screen(self) -> SearchScreen:
        assert isinstance(self.app.screen, SearchScreen)
        return self.app.screen

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)
            await settled(self.pilot)

    async def type(self, query: str) -> None:
        self.app.screen.query_one(Input).value = query
        await settled(self.pilot)

    def lines(self) -> list[str]:
        table = self.screen.table
        return [table.render_line(y).text.strip() for y in range(1, min(table.row_count, 14) + 1)]

    def count(self) -> str:
        return str(self.app.screen.query_one(FindBar).query_one(".find--count", Static).render())

    def remark(self) -> str:
        remark = self.app.screen.query_one(Remark)
        return remark.render().plain if remark.display else ""


@asynccontextmanager
async def searching(app: LlmprofApp, query: str = "", size: tuple[int, int] = (120, 30)) -> AsyncIterator[Searching]:
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        they = Searching(app, pilot)
        await they.press("F")
        if query:
            await they.type(query)
        yield they


async def test_hits_come_as_they_are_typed(app: LlmprofApp) -> None:
    async with searching(app) as they:
        assert "Search prompts, answers and tools" in they.screen.query_one(Notice).text.plain
        await they.press(*"retry")
        assert they.count() == "1 hit"
        (line,) = they.lines()
        assert "user" in line
        assert line.endswith("3")  # calls carried it
        await they.press("enter", "slash", *" zebra")
        assert they.count() == "0 hits"
        assert "Nothing found" in they.screen.query_one(Notice).text.plain
        await they.type("")
        assert "Search prompts" in they.screen.query_one(Notice).text.plain


async def test_a_hit_opens_where_it_stands(app: LlmprofApp) -> None:
    async with searching(app, '"flaky upload"') as they:
        await they.press("down", "enter")
        call = they.app.screen
        assert isinstance(call, CallScreen)
        assert call.tab == "messages"
        pane = call.query_one("#messages", MessagesPane)
        assert pane.bar.word == "flaky upload"
        assert pane.view.brush.here is not None
        entry = pane.view.outline.entries[pane.view.brush.here.entry]
        assert FLAKY in entry.text
        await they.press("n", "N", "escape", "escape")
        assert isinstance(they.app.screen, SearchScreen)


async def test_a_hit_in_an_answer_opens_the_answer(app: LlmprofApp) -> None:
    async with searching(app, '"Step 12"') as they:
        await they.press("enter", "enter")
        call = they.app.screen
        assert isinstance(call, CallScreen)
        assert call.tab == "answer"
        assert call.query_one("#answer", MessagesPane).view.brush.here is not None


async def test_filters_alone_list_calls(app: LlmprofApp) -> None:
    async with searching(app, "status:529") as they:
        (line,) = they.lines()
        assert "529" in line
        assert they.screen.table.border_title == "Calls"
        await they.press("enter", "enter")
        assert isinstance(they.app.screen, CallScreen)
        assert they.app.screen.tab == "flame"


async def test_a_broken_query_is_said_in_place(app: LlmprofApp) -> None:
    async with searching(app, "upload") as they:
        before = they.lines()
        await they.type("upload cost>much")
        assert "is no amount of cost" in they.remark()
        assert they.lines() == before
        await they.type("upload has:")
        assert "has: needs a value" in they.remark()
        await they.type("upload has:nothing")
        assert "nothing is known of has:nothing" in they.remark()
        await they.type("upload")
        assert they.remark() == ""


async def test_the_next_page_comes_when_the_end_is_near(app: LlmprofApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen_of_search, "PAGE", 4)
    monkeypatch.setattr(screen_of_search, "AHEAD", 1)
    async with searching(app, "upload") as they:
        assert they.count() == "4+ hits"
        await they.press("enter", "end")
        assert they.count() == "8+ hits"
        await they.press("end", "end", "end")
        assert they.count() == "13 hits"
        assert len(set(they.lines())) == 13


async def test_keys_and_mouse_go_through_hits(app: LlmprofApp) -> None:
    async with searching(app, "upload") as they:
        await they.press("enter", "n", "n", "N")
        assert they.lines()[1].startswith("▌")
        await they.pilot.click("#hits", offset=(10, 5))
        await settled(they.pilot)
        assert they.lines()[3].startswith("▌")
        assert "Step 9" in they.screen.query_one("#hit", Static).render_line(1).text
        await they.pilot.click("#hits", offset=(10, 5), times=2)
        await settled(they.pilot)
        assert isinstance(they.app.screen, CallScreen)
        await they.press("escape", "escape", "escape")
        assert isinstance(they.app.screen, RunsScreen)


async def test_texts_come_in_live_and_the_cursor_stays(app: LlmprofApp, home: Path) -> None:
    async with searching(app, "upload") as they:
        await they.press("enter", "down")
        assert "Step 11" in they.lines()[1]
        (new,) = agent(1, STARTED_NS + 50 * MINUTE, run=9)
        record(home, [replace(new, request_body=new.request_body.replace(b"flaky", b"quick"))])
        index(home)
        they.screen.store_changed()
        await settled(they.pilot)
        assert they.count() == "14 hits"
        assert "quick" in they.lines()[0]
        assert they.lines()[2].startswith("▌")


async def test_what_is_not_indexed_is_said(app: LlmprofApp, recorded: Path) -> None:
    with closing(Source(f"sqlite:///{recorded}/llmprof.db", recorded)) as source:
        async with searching(LlmprofApp(source), "upload") as they:
            assert "no text is indexed yet" in they.remark()
    off = Source(app.source.url, app.source.home, indexed=False)
    async with searching(LlmprofApp(off), "upload") as they:
        assert they.remark() == f"! {SWITCHED_OFF}"


async def test_the_list_of_runs_is_narrowed_by_texts_and_filters(app: LlmprofApp) -> None:
    async with app.run_test(size=(120, 30)) as pilot:
        await settled(pilot)
        they, table = Searching(app, pilot), app.screen.query_one("#runs")
        await they.press("slash")
        for query, found in (("careful engineer", 1), ("laude-co", 1), ("tool:shell", 1), ("keel", 2), ("zebra", 0)):
            await they.type(query)
            assert len(table._numbers) == found, query  # type: ignore[attr-defined]
        await they.type("cost>much")
        assert "is no amount of cost" in they.remark()
        await they.type("careful")
        await they.press("enter", "F")
        assert they.count() == "1 hit"


async def test_a_store_that_fails_and_a_home_without_one(
    app: LlmprofApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = LlmprofApp(Source(f"sqlite:///{tmp_path}/none.db", tmp_path))
    async with empty.run_test(size=(80, 24)) as pilot:
        empty.open_search("word")
        await settled(pilot)
        assert "Nothing is recorded yet" in empty.screen.query_one(Notice).text.plain

    def refuse(*_: object) -> None:
        raise StoreError("the store is locked", hint="try again")

    monkeypatch.setattr(Source, "search", refuse)
    async with searching(app, "word") as they:
        assert "the store is locked" in they.screen.query_one(Notice).text.plain


async def test_escape_and_the_key_bar_lead_back(app: LlmprofApp) -> None:
    async with searching(app, "upload", (60, 12)) as they:
        assert not they.screen.query_one("#hit").display
        await they.press("escape")
        assert isinstance(they.app.screen, RunsScreen)
        assert they.app.screen.query_one(KeyBar)
