"""Stores that others hold, take away or change while they are shown: one line says so, and what was read stays."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import llmprof_tui
import pytest
import textual
from llmprof_tui.app import LlmprofApp
from llmprof_tui.screens import call as _call
from llmprof_tui.screens import run as _run
from llmprof_tui.source import Source
from llmprof_tui.widgets.call_header import CallHeader
from llmprof_tui.widgets.notice import Notice
from llmprof_tui.widgets.run_header import RunHeader
from llmprof_tui.widgets.window_table import WindowTable
from textual.pilot import Pilot
from textual.widgets import Input

from llmprof_addon.store import database
from llmprof_addon.store.migrate import HISTORY
from tests.tui.recording import call_id
from tests.tui.settling import settled

LOADED = (_call, _run)
"""Screens, imported before the rights to read are given up."""
NOBODY = 65534
SIZE = (120, 30)


def notice(app: LlmprofApp) -> str:
    return str(app.screen.query_one(Notice).text)


def told(app: LlmprofApp) -> list[str]:
    """Titles of the messages in the corner."""
    return [str(each.title) for each in app._notifications]


async def shows(app: LlmprofApp, pilot: Pilot[int], rows: int) -> None:
    """Wait until the list has so many rows, which nobody but the watch for changes brings."""
    for _ in range(300):
        await pilot.pause(0.02)
        table = app.screen.query_one("#runs", WindowTable)
        if app.screen.has_class("-listing") and table.row_count == rows:
            return
    raise AssertionError(notice(app))


@contextmanager
def held(home: Path) -> Iterator[None]:
    """The whole store is one process's, which lets nobody read."""
    with closing(sqlite3.connect(home / "llmprof.db", isolation_level=None)) as db:
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute("BEGIN EXCLUSIVE")
        db.execute("UPDATE run SET label = label")
        yield
        db.execute("ROLLBACK")


async def test_a_store_that_is_held_when_it_is_opened(
    app: LlmprofApp, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_S", 0.05)
    with ExitStack() as holding:
        holding.enter_context(held(home))
        async with app.run_test(size=SIZE) as pilot:
            await settled(pilot)
            assert "the store is locked by another process" in notice(app)
            assert told(app) == []
            await pilot.press("s", "p", "down", "enter", "r")
            await settled(pilot)
            holding.close()
            await shows(app, pilot, 6)


async def test_a_change_while_another_writes_is_refused_in_a_line(
    app: LlmprofApp, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_S", 0.05)
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        with closing(sqlite3.connect(home / "llmprof.db", isolation_level=None)) as db:
            db.execute("BEGIN EXCLUSIVE")
            await pilot.press("down", "r")
            app.screen.query_one(Input).value = "late"
            await pilot.press("enter")
            await settled(pilot)
            (line,) = told(app)
            assert line.startswith("the store is locked by another process")
            await pilot.press("enter")
            await settled(pilot)
            assert "12 calls" in str(app.screen.query_one(RunHeader).render())
            db.execute("ROLLBACK")


async def test_a_store_that_is_taken_away_and_comes_back(app: LlmprofApp, home: Path, tmp_path: Path) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        away = tmp_path / "away"
        away.mkdir()
        for file in home.glob("llmprof.db*"):
            shutil.move(file, away)
        for _ in range(300):
            await pilot.pause(0.02)
            if "Nothing is recorded yet." in notice(app):
                break
        assert "Nothing is recorded yet." in notice(app)
        assert told(app) == []
        for file in away.iterdir():
            shutil.move(file, home)
        await shows(app, pilot, 6)


@pytest.mark.parametrize("place", ["run", "call"])
async def test_what_was_read_stays_when_the_store_is_gone(app: LlmprofApp, home: Path, place: str) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        if place == "run":
            await pilot.press("down", "enter")
        else:
            app.open_call(call_id(1, 7))
        await settled(pilot)
        for file in home.glob("llmprof.db*"):
            file.unlink()
        app._changed()  # as the watch does
        await settled(pilot)
        header = app.screen.query_one(RunHeader if place == "run" else CallHeader)
        assert "nothing is recorded in" in str(header.render())
        await pilot.press("2", "1", "left", "escape")
        await settled(pilot)
        app.screen.store_changed()  # type: ignore[attr-defined]  # as above: the list asks when it is told
        await settled(pilot)
        assert "Nothing is recorded yet." in notice(app)


@pytest.mark.parametrize("place", ["run", "call"])
async def test_a_newer_store_is_said_on_every_screen(app: LlmprofApp, home: Path, place: str) -> None:
    with closing(sqlite3.connect(home / "llmprof.db")) as db, db:
        db.execute(f"INSERT INTO \"{HISTORY}\" (name, applied) VALUES ('9999_later', '2030-01-01')")
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        if place == "run":
            app.open_run("anything")
        else:
            app.open_call(call_id(1, 7))
        await settled(pilot)
        assert "newer llmprof" in notice(app)
        await pilot.press("1", "2", "d", "t", "escape")
        await settled(pilot)
        assert "newer llmprof" in notice(app)


CODE = (Path(llmprof_tui.__file__), Path(textual.__file__))


@contextmanager
def unwritable(home: Path) -> Iterator[Path]:
    """A copy of a home that this process may read, and nothing more."""
    with tempfile.TemporaryDirectory(prefix="llmprof-") as folder:
        copied = Path(shutil.copytree(home, Path(folder) / "home"))
        with closing(sqlite3.connect(copied / "llmprof.db")) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for beside in copied.glob("llmprof.db-*"):
            beside.unlink()
        root = os.geteuid() == 0  # who may write whatever the rights say
        if root and not all(folder.stat().st_mode & 0o001 for code in CODE for folder in code.parents):
            pytest.skip("the code lies where only this user can read it, and another one has to run it")
        for path, mode in ((Path(folder), 0o755), (copied / "llmprof.db", 0o444), (copied, 0o555)):
            path.chmod(mode)
        if root:
            os.seteuid(NOBODY)
        try:
            yield copied
        finally:
            if root:
                os.seteuid(0)
            copied.chmod(0o755)


async def test_a_store_and_a_folder_that_nobody_may_write(home: Path) -> None:
    with unwritable(home) as copied, closing(Source(f"sqlite:///{copied}/llmprof.db", copied)) as source:
        app = LlmprofApp(source)
        async with app.run_test(size=SIZE) as pilot:
            await settled(pilot)
            assert app.screen.query_one("#runs", WindowTable).row_count == 6
            await pilot.press("s", "down", "r")  # an order, which cannot be kept
            await settled(pilot)
            app.screen.query_one(Input).value = "mine"
            await pilot.press("enter")
            await settled(pilot)
            assert len(told(app)) == 1
            assert told(app)[0].startswith(f"cannot write {copied}/llmprof.db")
            await pilot.press("enter")
            await settled(pilot)
            assert "1 call" in str(app.screen.query_one(RunHeader).render())
