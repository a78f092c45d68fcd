"""A disk that is full or read-only, a store that is locked or damaged, a spool that is long: calls pass and wait.

Long versions by `LLMPROF_FAULTS=long`: a database locked for a minute, 100,000 files in the spool.
"""

import contextlib
import http.client
import json
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmprof_addon.spool.files import encode
from llmprof_addon.spool.folder import file_name
from llmprof_addon.spool.statefile import read_state
from tests.e2e.faults import disk
from tests.e2e.faults.byhand import calls, serving, waiting
from tests.e2e.faults.plans import plan
from tests.e2e.faults.proxies import worker_pid
from tests.e2e.faults.storm import Weather
from tests.e2e.faults.upstream import Upstream
from tests.e2e.faults.verdict import examine
from tests.e2e.running import Proxy, llmprof, running, stored, until
from tests.unit.spool.exchanges import make_exchange

IS_LONG = os.environ.get("LLMPROF_FAULTS") == "long"
LOCKED_SECONDS = 60 if IS_LONG else 3
FILES = 100_000 if IS_LONG else 200
PLANS = [plan(3, number, fault="") for number in range(120)]
numbers = iter(range(len(PLANS)))


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with serving(Upstream(PLANS.__getitem__)) as upstream:
        yield upstream


def up(home: Path, upstream: Upstream) -> contextlib.AbstractContextManager[Proxy]:
    there = f"http://127.0.0.1:{upstream.port}"
    return running(home, upstream=there, anthropic_upstream=there, upstream_proxy="")


class Recorder:
    """Calls through one proxy, and what becomes of them."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.weather = Weather()

    def call(self, count: int) -> None:
        """So many calls, whose answers have to be what the upstream sent."""
        made = calls(self.proxy.home, self.proxy.reverse_port, [PLANS[next(numbers)] for _ in range(count)])
        assert {one.verdict for one in made} == {"fine"}
        self.weather.made += made

    @property
    def last_error(self) -> str:
        """What the proxy says of itself; its log may be on the disk that fails."""
        connection = http.client.HTTPConnection("127.0.0.1", self.proxy.reverse_port, timeout=30)
        with contextlib.closing(connection):
            connection.request("GET", "/llmprof/health")
            return str(json.load(connection.getresponse())["last_error"])

    def all_stored(self, others: int = 0) -> None:
        """Wait until all of them are, and look at everything."""
        wanted = len(self.weather.made) + others
        until(lambda: stored(self.proxy.home) >= wanted and not waiting(self.proxy.home), 300, self._state)
        assert stored(self.proxy.home) == wanted
        result = examine(self.proxy.home, self.weather)
        assert {name: bad for name, bad in result.bad.items() if bad} == {}
        assert "Traceback" not in (self.proxy.home / "worker.log").read_text()
        assert "Traceback" not in self.proxy.log

    def _state(self) -> str:
        state = read_state(self.proxy.home / "worker.json")
        return f"{stored(self.proxy.home)} stored, {waiting(self.proxy.home)} wait, {state}, {self.proxy.log[-500:]}"


@contextlib.contextmanager
def full(recorder: Recorder, small: disk.SmallDisk | None) -> Iterator[None]:
    if small is not None:
        small.fill()
        try:
            yield
        finally:
            small.free()
        return
    pids = [pid for pid in (recorder.proxy.process.pid, worker_pid(recorder.proxy.home)) if pid]
    for pid in pids:
        disk.may_write(pid, False)
    try:
        yield
    finally:
        for pid in pids:
            disk.may_write(pid, True)


def test_what_takes_nothing_for_a_while(tmp_path: Path, upstream: Upstream) -> None:
    """A disk with no room on it, for the store neither; a spool that is read-only; a store that another program locks.

    One proxy bears all of it: to start one takes longer than to try it.
    """
    with disk.small_disk(tmp_path / "disk", 256) as small, up(tmp_path / "disk" / "home", upstream) as proxy:
        recorder = Recorder(proxy)
        recorder.call(3)
        recorder.all_stored()
        with full(recorder, small):
            recorder.call(10)
            until(lambda: "cannot write to" in recorder.last_error, 20)
        recorder.all_stored()
        assert llmprof(proxy.home, "status").returncode == 0
        with disk.read_only(proxy.home / "spool") as done, contextlib.ExitStack() as stack:
            if not done:
                stack.enter_context(full(recorder, None))
            recorder.call(10)
            time.sleep(1.0)
        recorder.all_stored()
        with contextlib.closing(sqlite3.connect(proxy.home / "llmprof.db", isolation_level=None, timeout=20)) as holder:
            holder.execute("BEGIN EXCLUSIVE")
            end = time.monotonic() + LOCKED_SECONDS
            recorder.call(10)
            until(lambda: waiting(proxy.home) == 10, 20)
            time.sleep(max(0.0, end - time.monotonic()))
            holder.execute("ROLLBACK")
        recorder.all_stored()


def test_corrupt_page(tmp_path: Path, upstream: Upstream) -> None:
    """Calls wait until somebody has moved the store away, as the message says; none is lost."""
    home = tmp_path / "home"
    with up(home, upstream) as proxy:
        recorder = Recorder(proxy)
        recorder.call(5)
        recorder.all_stored()
    _damage(home / "llmprof.db")
    with up(home, upstream) as proxy:
        recorder = Recorder(proxy)
        recorder.call(10)
        until(lambda: (read_state(home / "worker.json") or {}).get("store_error") is not None, 60)
        assert waiting(home) == 10
        status = llmprof(home, "status")
        assert status.returncode == 1
        assert "llmprof.db" in status.stdout + status.stderr
        for path in home.glob("llmprof.db*"):
            shutil.move(path, tmp_path / path.name)
        recorder.all_stored()


def _damage(path: Path) -> None:
    """Overwrite the first page of the calls."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (root,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'call'").fetchone()
        (size,) = db.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xa5" * size)


def test_long_spool(tmp_path: Path, upstream: Upstream) -> None:
    """What waits is processed in its order; meanwhile calls pass, and join the end."""
    home = tmp_path / "home"
    (home / "spool").mkdir(mode=0o700, parents=True)
    home.chmod(0o700)
    body = b'{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Number %d."}]}'
    began = time.time_ns() - FILES * 10**6
    for number in range(FILES):
        at = began + number * 10**6
        exchange = make_exchange(started_ns=at, ended_ns=at + 1, request_body=body % number)
        (home / "spool" / file_name(exchange)).write_bytes(encode(exchange))
    started = time.monotonic()
    with up(home, upstream) as proxy:
        ready = time.monotonic() - started
        recorder = Recorder(proxy)
        recorder.call(10)
        passed = time.monotonic() - started - ready
        assert llmprof(home, "status").returncode in (0, 1)
        until(lambda: not waiting(home), 3600)
        seconds = time.monotonic() - started
        recorder.all_stored(others=FILES)
    print(f"{FILES:,} files: ready in {ready:.1f} s, 10 calls in {passed:.2f} s, drained in {seconds:.0f} s")
