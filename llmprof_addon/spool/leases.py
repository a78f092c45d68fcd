"""Who needs a proxy that was started for its users alone: one empty file each, named by process id.

Such a proxy ends when nobody needs it any more. Whoever joins holds the launch lock while it leaves its lease and looks
for a proxy, and the proxy holds it while it finds that there is none left: so nobody joins one that is about to end.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from llmprof_addon.errors import StartError
from llmprof_addon.spool.lock import FileLock
from llmprof_addon.spool.statefile import alive, make_private

WAIT_SECONDS = 60.0


def folder_of(home: Path) -> Path:
    """Where the leases of a home lie."""
    return home / "leases"


def living_leases(home: Path) -> list[int]:
    """Process ids of those who need a proxy; the files of dead ones are removed."""
    found = []
    for path in folder_of(home).glob("*"):
        if not path.name.isdigit():
            continue
        if alive(int(path.name)):
            found.append(int(path.name))
        else:
            path.unlink(missing_ok=True)
    return sorted(found)


@contextmanager
def lease(home: Path) -> Iterator[None]:
    """Need a proxy, until the block or the process ends."""
    path = folder_of(home) / str(os.getpid())
    make_private(path.parent)
    path.touch(mode=0o600)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def launch_lock(home: Path) -> FileLock:
    """The lock of the home's launches."""
    return FileLock(home / ".launch.lock")


@contextmanager
def launching(home: Path) -> Iterator[None]:
    """Hold the launch lock. Raises `StartError` if another launch keeps it for a minute."""
    lock = launch_lock(home)
    until = time.monotonic() + WAIT_SECONDS
    while not lock.acquire():
        if time.monotonic() > until:
            raise StartError(f"another launch in {home} takes too long", hint=f"see process {lock.holder()}")
        time.sleep(0.05)
    try:
        yield
    finally:
        lock.release()
