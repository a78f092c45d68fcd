"""What may be wrong with what a command is given: one clear line that says what to do, and nothing is harmed."""

import socket
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from llmprof_addon.spool.files import encode
from llmprof_addon.store.open import open_store
from tests.e2e.running import llmprof, rows
from tests.factories import fixture_exchange


def assert_one_line(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    """The exit code, and one line on stderr that says these words."""
    assert done.returncode == code, done.stderr
    assert done.stderr.startswith("llmprof: ")
    assert done.stderr.count("\n") == 1, done.stderr
    for word in words:
        assert word in done.stderr


READERS = (("calls", "--json"), ("runs",), ("report",), ("show",), ("selftest",))


def damaged_store(path: Path) -> tuple[str, ...]:
    path.write_bytes(b"SQLite format 3\x00" + bytes(range(256)) * 40)
    return ("llmprof.db",)


def no_store_at_all(path: Path) -> tuple[str, ...]:
    path.write_bytes(b"Dear diary, this is no database.\n" * 100)
    return ("not a database", "move the file away")


def namesake(path: Path) -> tuple[str, ...]:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE traces (id INTEGER)")
    return ("another program", "traces", "--home")


def newer_store(path: Path) -> tuple[str, ...]:
    open_store(f"sqlite:///{path}").close()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("INSERT INTO llmprof_migration (name, applied) VALUES ('9999_later', '2099-01-01')")
    return ("newer llmprof", "upgrade")


@pytest.mark.parametrize("make", [damaged_store, no_store_at_all, namesake, newer_store])
def test_store_of_others_is_left_alone(tmp_path: Path, make: Any) -> None:
    home = tmp_path / "home"
    home.mkdir()
    words = make(home / "llmprof.db")
    before = (home / "llmprof.db").read_bytes()
    exchange = tmp_path / "one.exchange"
    exchange.write_bytes(encode(fixture_exchange("openai.chat", "plain")))
    for command in READERS:
        assert_one_line(llmprof(home, *command), 3, *words)
    assert_one_line(llmprof(home, "import", str(exchange)), 3, *words)
    assert_one_line(llmprof(home, "up", "--port", "0", "--forward-port", "0"), 3, *words)
    status = llmprof(home, "status")
    assert status.returncode == 1
    assert all(word in status.stdout for word in words)
    assert (home / "llmprof.db").read_bytes() == before


def test_unknown_database(tmp_path: Path) -> None:
    for command in ("calls", "up"):
        done = llmprof(tmp_path, command, LLMPROF_DB_URL="mysql://somewhere/else")
        assert_one_line(done, 2, "LLMPROF_DB_URL", "mysql", "sqlite:///", "postgresql://")


def test_unwritable_home(tmp_path: Path) -> None:
    (tmp_path / "file").touch()  # a folder without rights would stop everybody but root
    home = tmp_path / "file" / "home"
    for command in (("up", "--port", "0", "--forward-port", "0"), ("import", "fixtures"), ("demo",)):
        assert_one_line(llmprof(home, *command), 3, "cannot write to", str(home), "--home")
    assert_one_line(llmprof(home, "calls"), 3, "no store at", "llmprof up")


@pytest.mark.parametrize("mode", ["port", "forward-port"])
def test_port_in_use(tmp_path: Path, mode: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        other = "forward-port" if mode == "port" else "port"
        done = llmprof(tmp_path / "home", "up", f"--{mode}", port, f"--{other}", "0")
    assert_one_line(done, 3, port, "in use")


def test_wrong_arguments(tmp_path: Path) -> None:
    assert_one_line(llmprof(tmp_path, "up", "--port", "http"), 2, "--port", "'http'")
    assert_one_line(llmprof(tmp_path, "up", "--upstream", "api.openai.com"), 2, "--upstream", "https://")
    assert_one_line(llmprof(tmp_path, "up", "--pricing", "{cheap}"), 2, "LLMPROF_PRICING")
    assert_one_line(llmprof(tmp_path, "up", "--llm-hosts", "llm.corp.example=openai"), 2, "'openai'", "openai.chat")
    assert_one_line(llmprof(tmp_path, "import", str(tmp_path / "none.exchange")), 2, "there is no file")


def test_import_of_damaged_files(tmp_path: Path) -> None:
    home, folder = tmp_path / "home", tmp_path / "recorded"
    folder.mkdir()
    whole = encode(fixture_exchange("openai.chat", "plain"))
    (folder / "a-cut.exchange").write_bytes(whole[:-20])
    (folder / "b-noise.exchange").write_bytes(bytes(range(256)))
    (folder / "c-newer.exchange").write_bytes(whole.replace(b'{"v":1,', b'{"v":2,', 1))
    (folder / "d-whole.exchange").write_bytes(whole)
    (folder / "e-empty.exchange").touch()
    (folder / "f-noise.har").write_text('{"log": ')
    (folder / "g-noise.flow").write_bytes(b"\x00\x01\x02")
    done = llmprof(home, "import", str(folder))
    assert done.returncode == 1
    assert done.stdout == "1 exchange read, 1 call added\n"
    lines = done.stderr.splitlines()
    assert [Path(line.split(": ")[1]).name[0] for line in lines] == ["a", "b", "c", "e", "f", "g"], done.stderr
    assert all(line.startswith("llmprof: ") for line in lines)
    assert "upgrade llmprof" in lines[2]
    assert len(rows(home)) == 1
