"""The processes under test: proxies that share a home, each on a port that it keeps, killed and started again."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from llmprof_addon.spool.statefile import read_state
from tests.benchmarks.load import free_port
from tests.e2e.running import ROOT, clean_environ

START_SECONDS = 60.0


class Slot:
    """One place for a proxy. Times are seconds of the monotonic clock."""

    def __init__(self, home: Path, name: str, environ: dict[str, str], program: str = "llmprof_addon") -> None:
        """`program` is the module that is run."""
        self.name = name
        self.port = free_port()
        self.up = asyncio.Event()
        self.kills: list[float] = []
        self.process: subprocess.Popen[bytes] | None = None
        self._home = home
        self._environ = environ
        self._program = program

    async def start(self) -> None:
        """Start the proxy and wait until it listens."""
        command = [sys.executable, "-m", self._program, "up", "--home", str(self._home)]
        command += ["--port", str(self.port), "--forward-port", "0"]
        with (self._home / f"up-{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=clean_environ(LLMPROF_LOCAL_DISCOVERY="0", **self._environ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.close()
                self.up.set()
                return
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"proxy {self.name} does not come up: see {self._home}/up-{self.name}.log")
            await asyncio.sleep(0.05)

    def kill(self) -> None:
        """`kill -9`."""
        if self.process is not None and self.up.is_set():
            self.up.clear()
            self.kills.append(time.monotonic())
            self.process.kill()
            self.process.wait(10)

    def killed(self, start: float, end: float) -> bool:
        """Whether it was killed between two times."""
        return any(start <= at <= end for at in self.kills)

    async def stop(self) -> None:
        """Let it end by itself."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            await asyncio.to_thread(self.process.wait, 60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


def worker_pid(home: Path) -> int | None:
    """The worker that is at work."""
    state = read_state(home / "worker.json") or {}
    pid = state.get("pid")
    return pid if isinstance(pid, int) and is_worker(pid) else None


def is_worker(pid: int) -> bool:
    """Whether a living process is a worker: an id that has been given to another process must not be hit."""
    try:
        return b"llmprof_addon.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def kill_worker(home: Path) -> bool:
    """`kill -9` of the worker that is at work; whether there was one."""
    pid = worker_pid(home)
    if pid is None:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    return True


@contextmanager
def paused(pid: int | None) -> Iterator[None]:
    """Stop a process for a while."""
    if pid is None:
        yield
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
