"""The terminal UI on stores that are not what they should be: spoilt, held by another, read-only; and on ids."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from llmprof_addon.model.component import Kind
from tests.e2e import tmux
from tests.e2e.tmux import terminal
from tests.e2e.ui.opened import AGENT, left_clean, quit_by_key, tui

pytestmark = pytest.mark.skipif(bool(tmux.MISSING), reason=tmux.MISSING)


def newer(store: Path) -> None:
    with closing(sqlite3.connect(store)) as db, db:
        (name,) = db.execute("SELECT name FROM sqlite_master WHERE name LIKE '%migrat%'").fetchone()
        columns = [row[1] for row in db.execute(f"PRAGMA table_info({name})")]
        row = db.execute(f"SELECT * FROM {name} ORDER BY rowid DESC LIMIT 1").fetchone()
        row = ["9999_from_tomorrow" if isinstance(value, str) and value[:1].isdigit() else value for value in row]
        row[0] = 9999 if isinstance(row[0], int) else row[0]
        db.execute(f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})", row)


def truncated(store: Path) -> None:
    with store.open("r+b") as file:
        file.truncate(store.stat().st_size // 3)


def no_store(store: Path) -> None:
    store.write_bytes(b"not a store, but a text\n" * 400)


def empty_file(store: Path) -> None:
    store.write_bytes(b"")


def folder(store: Path) -> None:
    store.unlink()
    store.mkdir()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (newer, "written by a newer"),
        (truncated, "the store is damaged"),
        (no_store, "not a database"),
        (empty_file, "no store at"),
        (folder, "is a folder"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_spoilt_store_is_said(home: Path, spoil: Callable[[Path], None], said: str) -> None:
    with closing(sqlite3.connect(home / "llmprof.db")) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    spoil(home / "llmprof.db")
    with terminal() as there:
        there.type(tui(home))
        # Where its lines break depends on how long the path is.
        there.wait_for(lambda seen: "not recording" in seen and said in " ".join(seen.split()), said)
        quit_by_key(there)


def test_a_store_that_another_holds_is_read(home: Path) -> None:
    with closing(sqlite3.connect(home / "llmprof.db", isolation_level=None)) as db, terminal() as there:
        db.execute("BEGIN IMMEDIATE")
        db.execute("DELETE FROM call")
        there.type(tui(home))
        there.wait(AGENT)
        there.press("Enter")
        there.wait("1 Calls")
        there.press("Escape")
        there.wait("6 runs by start")
        there.press("r")
        there.wait("An empty name")
        there.rest()
        there.press("Home")
        there.rest()
        there.press("x")
        there.wait("x␛[31mred")
        there.press("Enter")
        there.wait("6 runs by start", without="An empty name")
        there.press("Down")  # while that waits for the other
        there.wait("largest prompt 8.3k")
        db.execute("ROLLBACK")
        there.wait("x␛[31mred")
        quit_by_key(there)


def test_a_store_that_nobody_may_write_is_read(home: Path) -> None:
    with closing(sqlite3.connect(home / "llmprof.db")) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for beside in home.glob("llmprof.db-*"):
        beside.unlink()
    (home / "llmprof.db").chmod(0o400)
    home.chmod(0o500)
    try:
        with terminal() as there:
            there.type(tui(home))
            there.wait(AGENT)
            there.press("Enter")
            there.wait("1 Calls")
            there.press("t")  # a setting, which cannot be kept
            there.wait("$")
            quit_by_key(there)
    finally:
        home.chmod(0o700)


@pytest.mark.parametrize("where", ["nowhere", "home"])
def test_an_unknown_id_is_one_line(home: Path, tmp_path: Path, where: str) -> None:
    with terminal() as there:
        there.type(tui(tmp_path / where, "fff0000"))
        assert there.code() == 3
        seen = there.screen()
        assert "llmprof: " in seen
        assert "Traceback" not in seen
        left_clean(there)


def test_a_call_opens_by_its_id(home: Path) -> None:
    with terminal() as there:
        there.type(tui(home, "00010007"))
        there.wait("1 Flame", Kind.SYSTEM.value)
        quit_by_key(there)
