"""Every screen over calls that nobody expects: they show what there is, and nothing of it drives the terminal."""

import base64
import sqlite3
import unicodedata
from array import array
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from llmprof_tui.app import LlmprofApp
from llmprof_tui.screens.call import CallScreen
from llmprof_tui.screens.compare import CompareScreen
from llmprof_tui.screens.run import RunScreen
from llmprof_tui.screens.runs import RunsScreen
from llmprof_tui.source import Source
from llmprof_tui.widgets.flame import FlameGraph
from llmprof_tui.widgets.messages_pane import MessagesPane
from llmprof_tui.widgets.notice import Notice
from llmprof_tui.widgets.window_table import WindowTable
from textual.pilot import Pilot

from llmprof_addon.model.exchange import Exchange
from llmprof_addon.model.part import Json
from llmprof_addon.store.listing import RunFilter
from llmprof_addon.store.migrate import HISTORY
from llmprof_addon.store.rows import RunRow
from tests.factories import make_exchange
from tests.tui.recording import agent, awkward, call_id, local, record
from tests.tui.settling import settled

LINE = "one line of ten megabytes, which never ends "
SEEN_AS_BLANK = {"Cc", "Cf", "Cs"}
"""Categories of characters that a terminal acts on instead of showing them."""


def asked(*content: Json, **fields: Json) -> Exchange:
    """A call whose prompt is this."""
    made = local()
    request: dict[str, Json] = {"model": "tiny-local-7b", "messages": [{"role": "user", "content": list(content)}]}
    return _sent(made, request | fields)


def _sent(made: Exchange, request: Json) -> Exchange:
    choice = {"index": 0, "message": {"role": "assistant", "content": "Yes."}}
    reply = {"object": "chat.completion", "choices": [choice]}
    fresh = make_exchange(request, reply, url="http://localhost:8000/v1/chat/completions")
    return replace(fresh, id=call_id(3, 0), started_ns=made.started_ns, ended_ns=made.ended_ns)


def text(words: str) -> Json:
    return {"type": "text", "text": words}


def image(size: int) -> Json:
    data = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(size)).decode()
    return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}


def tool(name: str) -> Json:
    return {"type": "function", "function": {"name": name, "description": f"The tool {name}.", "parameters": {}}}


def no_model() -> Exchange:
    return _sent(local(), {"messages": [{"role": "user", "content": "Who are you?"}]})


CASES = {
    "no_usage": lambda: replace(local(usage=False), id=call_id(3, 0)),
    "no_model": no_model,
    "long_line": lambda: asked(text(LINE * (10_000_000 // len(LINE)))),
    "large_image": lambda: asked(text("What is this?"), image(20_000_000)),
    "many_tools": lambda: asked(text("Pick one."), tools=[tool(""), *(tool(f"tool_{at}") for at in range(399))]),
    "nothing": lambda: asked(),
    "odd_texts": lambda: replace(awkward(), id=call_id(3, 0)),
}


@pytest.fixture(scope="module", params=CASES)
def odd(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one such call."""
    home = tmp_path_factory.mktemp("odd")
    record(home, [CASES[request.param]()])
    return home


@pytest.fixture
def odd_app(odd: Path) -> Iterator[LlmprofApp]:
    with closing(Source(f"sqlite:///{odd}/llmprof.db", odd)) as source:
        yield LlmprofApp(source)


def drawn(app: LlmprofApp) -> str:
    """What stands on the screen; nothing of it may be an order to the terminal."""
    seen = "\n".join("".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips())
    odd = {unicodedata.name(each, hex(ord(each))) for each in seen if unicodedata.category(each) in SEEN_AS_BLANK}
    assert odd - {"0xa", "ZERO WIDTH JOINER"} == set()
    return seen


async def look(app: LlmprofApp, pilot: Pilot[Any], *keys: str) -> str:
    """Press keys; what is on the screen then."""
    await pilot.press(*keys)
    await settled(pilot)
    return drawn(app)


async def test_every_screen_shows_it(odd_app: LlmprofApp) -> None:
    app = odd_app
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert app.screen.query_one("#runs", WindowTable).row_count == 1
        await look(app, pilot, "s", "S", "enter")
        assert isinstance(app.screen, RunScreen)
        await look(app, pilot, "t", "w", "2")
        await pilot.resize_terminal(160, 45)
        await look(app, pilot, "1", "enter")
        assert isinstance(app.screen, CallScreen)
        await look(app, pilot, "down", "right", "v", "s", "m", "a")
        await look(app, pilot, "a", "2", "z", "end")
        await look(app, pilot, "z", "home", "m")
        await pilot.resize_terminal(80, 24)
        for tab in "345":
            await look(app, pilot, tab, "end")
        await look(app, pilot, "r")
        await look(app, pilot, "2", "slash", "e", "enter", "n")
        await look(app, pilot, "escape")
        app.open_compare(call_id(3, 0), call_id(3, 0))
        await settled(pilot)
        assert isinstance(app.screen, CompareScreen)
        await look(app, pilot, "n", "x")
        for keys in (["escape"] * 3, ["r"], ["escape", "x"], ["escape", "f"], ["escape", "question_mark"]):
            await look(app, pilot, *keys)
        assert app._exception is None


async def test_a_long_line_is_there_to_its_end(tmp_path: Path) -> None:
    record(tmp_path, [asked(text(LINE * 20_000 + "the last words"))])
    with closing(Source(f"sqlite:///{tmp_path}/llmprof.db", tmp_path)) as source:
        app = LlmprofApp(source)
        async with app.run_test(size=(80, 24)) as pilot:
            await settled(pilot)
            app.open_call(call_id(3, 0))
            await settled(pilot)
            assert "the last words" in await look(app, pilot, "2", "end")


async def test_four_hundred_tools_are_listed_and_searched(tmp_path: Path) -> None:
    record(tmp_path, [CASES["many_tools"]()])
    with closing(Source(f"sqlite:///{tmp_path}/llmprof.db", tmp_path)) as source:
        app = LlmprofApp(source)
        async with app.run_test(size=(120, 40)) as pilot:
            await settled(pilot)
            await look(app, pilot, "enter", "2")
            assert app.screen.query_one("#tools", WindowTable).row_count == 400
            app.open_call(call_id(3, 0))
            await settled(pilot)
            await look(app, pilot, "slash", *"tool_39")
            found = app.screen.query_one("#flame FlameGraph", FlameGraph).found
            assert found is not None
            assert len(found) == 10, "tool_39, and tool_390 to tool_398"


async def test_an_image_is_its_size_and_never_its_data(tmp_path: Path) -> None:
    record(tmp_path, [CASES["large_image"]()])
    with closing(Source(f"sqlite:///{tmp_path}/llmprof.db", tmp_path)) as source:
        app = LlmprofApp(source)
        async with app.run_test(size=(120, 40)) as pilot:
            await settled(pilot)
            app.open_call(call_id(3, 0))
            await settled(pilot)
            said = await look(app, pilot, "2")
            assert "image/png" in said
            assert "19.1 MB" in said
            assert "AAAAAAAA" not in said
            assert "AAAAAAAAAAAAAAAA" * 9 not in await look(app, pilot, "6", "end")
            assert app.screen.query_one("#raw", MessagesPane).view.has_focus


async def test_a_hundred_thousand_runs(app: LlmprofApp, monkeypatch: pytest.MonkeyPatch) -> None:
    count = 100_000
    listed = app.source.list_runs(RunFilter(), "started", True)
    (template,) = app.source.runs(listed.numbers[:1]).values()
    asked_for: list[int] = []

    def runs(source: Source, numbers: Any) -> dict[int, RunRow]:
        asked_for.extend(numbers)
        return {number: replace(template, number=number, label=f"run {number}") for number in numbers}

    numbers = array("q", range(count, 0, -1))
    monkeypatch.setattr(Source, "list_runs", lambda *_, **__: replace(listed, numbers=numbers))
    monkeypatch.setattr(Source, "runs", runs)
    monkeypatch.setattr(Source, "growth", lambda *_, **__: {})
    async with app.run_test(size=(120, 30)) as pilot:
        await settled(pilot)
        assert isinstance(app.screen, RunsScreen)
        assert f"run {count}" in drawn(app)
        assert "run 1 " in await look(app, pilot, "end")
        assert f"run {count} " in await look(app, pilot, "home", "pagedown", "pageup")
        assert len(set(asked_for)) < 1000


async def test_a_store_that_is_being_written(app: LlmprofApp, home: Path) -> None:
    """Readers go on, from before what is written."""
    with closing(sqlite3.connect(home / "llmprof.db", isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM call")
        async with app.run_test(size=(120, 30)) as pilot:
            await settled(pilot)
            assert app.screen.query_one("#runs", WindowTable).row_count == 6
            app.open_call(call_id(1, 7))
            await settled(pilot)
            assert "claude-sonnet-4-5" in drawn(app)
        writer.execute("ROLLBACK")


async def test_a_store_of_an_older_schema(app: LlmprofApp, home: Path) -> None:
    with closing(sqlite3.connect(home / "llmprof.db")) as db:
        db.execute(f'DELETE FROM "{HISTORY}" WHERE name = (SELECT MAX(name) FROM "{HISTORY}")')
        db.commit()
    async with app.run_test(size=(120, 30)) as pilot:
        await settled(pilot)
        assert "older llmprof" in str(app.screen.query_one(Notice).text)


async def test_a_call_that_comes_while_its_run_is_read(app: LlmprofApp, home: Path) -> None:
    async with app.run_test(size=(120, 30)) as pilot:
        await settled(pilot)
        await look(app, pilot, "down", "enter")
        record(home, [list(agent(13))[-1]])
        app.screen.store_changed()  # type: ignore[attr-defined]  # as the watch does
        await settled(pilot)
        assert "13 calls" in drawn(app)
