"""The worker as a real process, with a small store of its own in place of the pipeline."""

import gzip
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

from llmprof_addon import settings
from llmprof_addon import worker as worker_module
from llmprof_addon.errors import StoreError
from llmprof_addon.model.exchange import Exchange
from llmprof_addon.settings import Settings
from llmprof_addon.spool.drain import MAX_DEATHS
from llmprof_addon.spool.folder import Spool
from llmprof_addon.spool.redaction import redact
from llmprof_addon.spool.statefile import read_state
from llmprof_addon.worker import Bell, settle
from tests.unit.spool.exchanges import make_exchange

pytestmark = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")

SCRIPT = """
import sqlite3, sys, time
from llmprof_addon import settings, worker
from llmprof_addon.errors import StoreError

class Pipeline:
    counters = {"rows_written": 7}
    findings_error = None
    def __init__(self, at):
        self.db = sqlite3.connect(at.home / "rows.db", timeout=30, isolation_level=None)
        self.db.execute("create table if not exists rows (id text primary key, pid int)")
    def open(self): pass
    def ready(self): pass
    def close(self): self.db.close()
    def keep_up(self): return False
    def look(self, *, at_once): return False
    def __call__(self, exchange):
        import os
        if exchange.request_body == b"poison":
            raise ValueError("poisoned")
        if exchange.request_body == b"deadly":
            os.kill(os.getpid(), 9)
        if exchange.request_body == b"away" and (at.home / "away").exists():
            raise StoreError("the store is away")
        time.sleep(float(sys.argv[2]))
        self.db.execute("insert or ignore into rows values (?, ?)", (exchange.id, os.getpid()))

at = settings.load({"home": sys.argv[1]}, {})
worker.PATIENCE_SECONDS = float(sys.argv[3])
sys.exit(worker.run(at, worker.Bell(0), Pipeline))
"""


class Home:
    """A home with a spool and the workers that a test starts in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.spool = Spool(path / "spool")
        self.workers: list[subprocess.Popen[bytes]] = []

    def start(self, seconds: float = 0.0, patience: float = 10.0) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", SCRIPT, str(self.path), str(seconds), str(patience)]
        self.workers.append(subprocess.Popen(command, stdin=subprocess.PIPE))
        return self.workers[-1]

    def rows(self) -> dict[str, int]:
        if not (self.path / "rows.db").exists():
            return {}
        try:
            return dict(sqlite3.connect(self.path / "rows.db").execute("select id, pid from rows").fetchall())
        except sqlite3.OperationalError:  # the table is not there yet
            return {}

    def fill(self, count: int, first: int = 0) -> set[str]:
        ids = {f"e{number}" for number in range(first, first + count)}
        for number in range(first, first + count):
            self.spool.add(make_exchange(id=f"e{number}", ended_ns=number + 1))
        return ids


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    yield home
    for worker in home.workers:
        worker.kill()
        worker.wait()
        pipe(worker).close()


def pipe(worker: subprocess.Popen[bytes]) -> IO[bytes]:
    assert worker.stdin is not None
    return worker.stdin


def until(condition: Callable[[], bool], seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_eof_means_drain_and_exit(home: Home) -> None:
    ids = home.fill(30)
    worker = home.start()
    pipe(worker).close()
    assert worker.wait(15) == 0
    assert home.rows().keys() == ids
    assert home.spool.scan() == []
    state = read_state(home.path / "worker.json")
    assert state is not None
    assert (state["pid"], state["processed"], state["failed"]) == (worker.pid, 30, 0)
    assert state["counters"] == {"rows_written": 7}


def test_a_nudge_is_heard_at_once_and_no_nudge_within_a_second(home: Home) -> None:
    worker = home.start()
    until(lambda: (home.path / "worker.json").exists())
    time.sleep(0.1)
    began = time.monotonic()
    home.fill(1)
    pipe(worker).write(b"\n")
    pipe(worker).flush()
    until(lambda: len(home.rows()) == 1, 0.8)
    home.fill(1, first=1)
    until(lambda: len(home.rows()) == 2, 2.5)
    assert time.monotonic() - began < 4


def test_kill_in_the_middle_loses_and_doubles_nothing(home: Home) -> None:
    ids = home.fill(60)
    pids: set[int] = set()
    for goal in (8, 20, 33):
        worker = home.start(0.01)
        pids.add(worker.pid)
        until(lambda goal=goal: len(home.rows()) >= goal)  # type: ignore[misc]
        worker.kill()
        worker.wait()
    assert 33 <= len(home.rows()) < 60
    worker = home.start()
    pipe(worker).close()
    assert worker.wait(15) == 0
    assert home.rows().keys() == ids
    assert set(home.rows().values()) == pids | {worker.pid}
    assert home.spool.scan() == []
    assert home.spool.failed().files == 0


def test_two_workers_share_one_spool_without_sharing_a_file(home: Home) -> None:
    one = home.start(0.005)
    until(lambda: (home.path / "worker.json").exists())
    two = home.start(0.005)
    ids = home.fill(50)
    until(lambda: len(home.rows()) >= 20)
    assert set(home.rows().values()) == {one.pid}
    one.kill()
    one.wait()
    until(lambda: home.rows().keys() == ids)
    assert set(home.rows().values()) == {one.pid, two.pid}
    pipe(two).close()
    assert two.wait(15) == 0


def test_a_standing_by_worker_exits_at_eof_when_nothing_waits(home: Home) -> None:
    one = home.start()
    until(lambda: (home.path / "worker.json").exists())
    two = home.start()
    pipe(two).close()
    assert two.wait(15) == 0
    assert one.poll() is None


def test_poison_is_quarantined_and_the_rest_goes_on(home: Home) -> None:
    home.fill(3)
    home.spool.add(make_exchange(id="bad", ended_ns=2, request_body=b"poison"))
    worker = home.start()
    pipe(worker).close()
    assert worker.wait(15) == 0
    assert len(home.rows()) == 3
    (report,) = home.spool.failed_folder.glob("*.traceback.txt")
    assert "ValueError: poisoned" in report.read_text()


def test_a_file_that_kills_every_worker_is_set_aside(home: Home) -> None:
    home.spool.add(make_exchange(id="deadly", ended_ns=0, request_body=b"deadly"))
    ids = home.fill(3)
    codes = []
    for _ in range(MAX_DEATHS + 1):
        worker = home.start()
        pipe(worker).close()
        codes.append(worker.wait(15))
    assert codes == [-9] * MAX_DEATHS + [0]
    assert home.rows().keys() == ids
    assert home.spool.failed().files == 1


def test_sigterm_finishes_the_current_file(home: Home) -> None:
    home.fill(20)
    worker = home.start(0.2)
    until(lambda: len(home.rows()) >= 2)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(5) == 0
    assert len(home.rows()) + len(home.spool.scan()) == 20


def test_ctrl_c_is_left_to_the_proxy(home: Home) -> None:
    worker = home.start()
    until(lambda: (home.path / "worker.json").exists())
    worker.send_signal(signal.SIGINT)
    home.fill(1)
    until(lambda: len(home.rows()) == 1)
    assert worker.poll() is None


def test_a_store_that_is_away_keeps_the_files_and_is_said(home: Home) -> None:
    (home.path / "away").touch()
    home.spool.add(make_exchange(id="first", ended_ns=0, request_body=b"away"))
    ids = home.fill(2) | {"first"}
    worker = home.start()
    until(lambda: (read_state(home.path / "worker.json") or {}).get("store_error") == "the store is away")
    assert home.rows() == {}
    (home.path / "away").unlink()
    until(lambda: home.rows().keys() == ids)
    pipe(worker).close()
    assert worker.wait(15) == 0
    assert (read_state(home.path / "worker.json") or {})["store_error"] is None
    assert home.spool.failed().files == 0


def test_eof_with_a_store_that_is_away_ends_in_time_and_keeps_the_files(home: Home) -> None:
    (home.path / "away").touch()
    home.spool.add(make_exchange(request_body=b"away"))
    worker = home.start(0.0, patience=0.5)
    until(lambda: (read_state(home.path / "worker.json") or {}).get("store_error") is not None)
    pipe(worker).close()
    assert worker.wait(8) == 3
    assert len(home.spool.scan()) == 1
    assert not (home.spool.folder / ".current").exists()


class FakePipeline:
    """Takes note of what is processed in this process."""

    def __init__(self, at: Settings) -> None:
        self.at = at
        self.closed = False

    def ready(self) -> None:
        """The store takes everything."""

    def close(self) -> None:
        self.closed = True

    def keep_up(self) -> bool:
        return False

    def look(self, *, at_once: bool = False) -> bool:
        return False

    def __call__(self, exchange: Exchange) -> None:
        if exchange.request_body == b"poison":
            raise ValueError("poisoned")
        if exchange.request_body == b"away":
            raise StoreError("the store is away")


def test_settle_processes_what_waits_where_no_worker_runs(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "Pipeline", FakePipeline)
    at = settings.load({"home": str(home.path)}, {})
    home.fill(3)
    home.spool.add(make_exchange(id="bad", ended_ns=9, request_body=b"poison"))
    assert settle(at) == 1
    assert home.spool.scan() == []
    assert settle(at) == 0
    home.spool.add(make_exchange(request_body=b"away"))
    with pytest.raises(StoreError, match="the store is away"):
        settle(at, patience_seconds=0.1)
    assert len(home.spool.scan()) == 1


def test_settle_waits_for_the_worker_that_runs(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(at: Settings) -> None:
        raise AssertionError("processed beside the worker")

    monkeypatch.setattr(worker_module, "Pipeline", refuse)
    at = settings.load({"home": str(home.path)}, {})
    worker = home.start(0.02)
    until(lambda: (home.path / "worker.json").exists())
    ids = home.fill(20)
    assert settle(at) == 0
    assert home.rows().keys() == ids
    (home.path / "away").touch()
    home.spool.add(make_exchange(request_body=b"away"))
    with pytest.raises(StoreError, match="the store is away"):
        settle(at, patience_seconds=0.2)
    assert worker.poll() is None


def test_bell_rings_and_closes() -> None:
    reading, writing = os.pipe()
    bell = Bell(reading)
    os.write(writing, b"\n" * 10)
    began = time.monotonic()
    bell.wait(5)
    assert not bell.closed
    os.close(writing)
    until(lambda: bell.closed)
    bell.wait(5)
    bell.wait(5)
    assert time.monotonic() - began < 2
    os.close(reading)


def test_failed_files_are_searched_for_secrets_inside_encoded_bodies() -> None:
    secret = b'{"note": "my key is sk-ant-fake-0123456789abcdef"}'
    exchange = make_exchange(
        request_body=b"{}",
        response_body=gzip.compress(secret),
        response_headers=(("Content-Encoding", "gzip"), ("Content-Type", "application/json")),
    )
    clean = redact(exchange)
    assert json.loads(clean.response_body) == {"note": "my key is [redacted]"}
    assert clean.response_headers == (("Content-Type", "application/json"),)
    assert (clean.request_body, clean.redactions) == (b"{}", 1)
    assert redact(make_exchange(id="a")) == make_exchange(id="a")


def test_wrong_settings_are_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "llmprof_addon.worker", "--home", str(tmp_path), "--db", "oracle://x"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
    assert done.returncode == 3
    assert done.stderr.startswith("llmprof worker: ")
    assert done.stderr.count("\n") == 1
    assert settings.load({"home": str(tmp_path)}, {}).spool_dir == tmp_path / "spool"
