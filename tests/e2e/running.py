"""A real proxy process with its real worker on free ports, read through the command line as a user reads it."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from llmprof_addon import cli
from llmprof_addon.errors import StoreError
from llmprof_addon.spool.proxies import living
from llmprof_addon.store import queries
from llmprof_addon.store.open import open_store

ROOT = Path(__file__).parents[2]
START_SECONDS = 120
STOP_SECONDS = 120
WAIT_SECONDS = 120
"""The worker runs niced: on a busy machine it may get little."""

_OTHERS = (
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"),
    # A terminal's size, for who asks the environment first: it would stay so, whatever becomes of the terminal.
    *("COLUMNS", "LINES"),
)


def clean_environ(**more: str) -> dict[str, str]:
    """This process's variables without those that would change how llmprof runs, and `more`."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("LLMPROF_") and not name.lower().endswith("_proxy") and name not in _OTHERS
    }
    return kept | more


def llmprof(home: Path | str, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run one command to its end; `home` stands behind the command's name."""
    command, *rest = arguments
    return subprocess.run(
        [sys.executable, "-m", "llmprof_addon", command, "--home", str(home), *rest],
        cwd=ROOT,
        env=clean_environ(**{"LLMPROF_LOCAL_DISCOVERY": "0"} | environ),
        capture_output=True,
        text=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
    )


def stored(home: Path) -> int:
    """How many calls are in a store by now."""
    try:
        with open_store(f"sqlite:///{home}/llmprof.db", read_only=True) as store:
            return queries.count(store)[1]
    except StoreError:  # the worker is about to make it, or another process holds it
        return 0


def rows(home: Path, calls: int = 0) -> list[dict[str, Any]]:
    """All calls of a store, in the order in which they started; waits until there are so many of them.

    Asked in this process, since nearly every test asks.
    """
    until(lambda: stored(home) >= calls, WAIT_SECONDS)
    said = io.StringIO()
    with patch.dict(os.environ, clean_environ(), clear=True), redirect_stdout(said):
        assert cli.main(["calls", "--home", str(home), "--json"]) == 0
    return [json.loads(line) for line in reversed(said.getvalue().splitlines())]


@dataclass(kw_only=True)
class Proxy:
    """A running proxy."""

    process: subprocess.Popen[bytes]
    home: Path
    reverse_port: int
    forward_port: int

    @property
    def reverse_url(self) -> str:
        """What clients take as their base URL."""
        return f"http://127.0.0.1:{self.reverse_port}"

    @property
    def forward_url(self) -> str:
        """What clients take as their `HTTPS_PROXY`."""
        return f"http://127.0.0.1:{self.forward_port}"

    @property
    def bundle(self) -> Path:
        """The usual authorities and the proxy's own."""
        return self.home / "ca" / "bundle.pem"

    @property
    def log(self) -> str:
        """What the proxy has printed so far."""
        return (self.home / "up.log").read_text(encoding="utf-8", errors="replace")

    def stored(self) -> int:
        """How many calls are in the store by now."""
        return stored(self.home)

    def settle(self, calls: int, seconds: float = WAIT_SECONDS) -> None:
        """Wait until so many calls are in the store and nothing is in the spool."""
        spool = self.home / "spool"
        until(lambda: self.stored() >= calls and not any(spool.glob("*.exchange")), seconds, self._state)
        assert self.stored() == calls

    def rows(self, calls: int | None = None) -> list[dict[str, Any]]:
        """All stored calls, in the order in which they started; waits until there are so many of them."""
        if calls is not None:
            self.settle(calls)
        return rows(self.home)

    def tagged(self, case: str, calls: int) -> list[dict[str, Any]]:
        """The calls that were sent with `x-llmprof-tag: case:…`, in the order in which they started."""

        seen = 0

        def arrived() -> bool:
            nonlocal seen
            before, seen = seen, self.stored()
            if seen in (0, before):  # reading all of them takes far longer than counting them
                return False
            with open_store(f"sqlite:///{self.home}/llmprof.db", read_only=True) as store:
                return sum(row.tags.get("case") == case for row in queries.calls(store)) >= calls

        until(arrived, WAIT_SECONDS, self._state)
        found = [row for row in rows(self.home) if row["tags"].get("case") == case]
        assert len(found) == calls
        return found

    def _state(self) -> str:
        failed = [path.read_text()[-2000:] for path in (self.home / "spool" / "failed").glob("*.txt")]
        worker_logs = [path.read_text()[-2000:] for path in self.home.glob("*.log")]
        return "\n".join([f"{self.stored()} calls are stored", *failed, *worker_logs])


def until(holds: Callable[[], bool], seconds: float, state: Callable[[], str] = lambda: "") -> None:
    """Wait until something holds; fail with the state if it does not in time."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not so within {seconds} s: {state()}"
        time.sleep(0.05)


@contextmanager
def running(home: Path, *arguments: str, **environ: str) -> Iterator[Proxy]:
    """`llmprof up` with these settings (`upstream="…"`), and `LLMPROF_…` variables (upper case); stopped by SIGTERM."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    command = [sys.executable, "-m", "llmprof_addon", "up", "--home", str(home)]
    command += ["--port", "0", "--forward-port", "0", *arguments]
    settings = {f"LLMPROF_{name.upper()}" if name.islower() else name: value for name, value in environ.items()}
    settings = {"LLMPROF_LOCAL_DISCOVERY": "0"} | settings
    with (home / "up.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=clean_environ(**settings), stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        yield _wait(process, home)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise


def _wait(process: subprocess.Popen[bytes], home: Path) -> Proxy:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        for record in living(home):
            if record.pid == process.pid and {"reverse", "forward"} <= record.ports.keys():
                ports = record.ports
                return Proxy(process=process, home=home, reverse_port=ports["reverse"], forward_port=ports["forward"])
        time.sleep(0.05)
    raise AssertionError(f"the proxy did not come up: {(home / 'up.log').read_text()[-3000:]}")
