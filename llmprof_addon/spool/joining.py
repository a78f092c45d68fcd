"""Find the proxy that records into a home, or start one that lives as long as somebody needs it."""

import os
import subprocess
import sys
import time
from pathlib import Path

from llmprof_addon.errors import StartError
from llmprof_addon.spool.proxies import ProxyRecord, living

START_SECONDS = 30.0
LEASED = "--leased"
"""Flag of `llmprof up`: end when nobody needs it any more."""


def join(home: Path, *, start: bool = True, db_url: str | None = None) -> ProxyRecord | None:
    """A proxy of this home with both listeners; with `start`, a new one where there is none.

    Called under the launch lock, after a lease was taken. Raises `StartError` with what the proxy said.
    """
    for record in living(home):
        if {"reverse", "forward"} <= record.ports.keys():
            return record
    return _start(home, db_url) if start else None


def _start(home: Path, db_url: str | None) -> ProxyRecord:
    log = home / "up.log"
    command = [sys.executable, "-m", "llmprof_addon", "up", "--home", str(home), LEASED]
    command += ["--port", "0", "--forward-port", "0", *(["--db-url", db_url] if db_url else [])]
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        # A session of its own: ctrl-C in the terminal is for the program that is recorded.
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        for record in living(home):
            if record.pid == process.pid and {"reverse", "forward"} <= record.ports.keys():
                process.returncode = 0  # it outlives us, of which Python would warn
                return record
        time.sleep(0.02)
    said = [line for line in log.read_text("utf-8", "replace").splitlines() if line.startswith("llmprof: ")]
    reason = said[-1].removeprefix("llmprof: ") if said else "it did not come up"
    if process.poll() is None:
        process.terminate()
    raise StartError(f"the proxy cannot start: {reason}", hint=f"{log} says more")
