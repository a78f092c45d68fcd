"""Disks that fail on demand, by the strongest means that this account has.

Full is a tmpfs that shrinks to what it holds where one may be mounted, else a limit on what a process may write
(`RLIMIT_FSIZE`, set from outside). Read-only is a folder without the right to write, for root a read-only mount.
"""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class SmallDisk:
    """A tmpfs."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self.folder = folder
        self._size = megabytes * 2**20

    def fill(self) -> None:
        """Leave no byte free: it is made as small as what it holds."""
        for _ in range(20):  # which may have grown in between
            now = os.statvfs(self.folder)
            if self._resize(max(now.f_blocks - now.f_bfree, 1) * now.f_frsize):
                return
        raise RuntimeError(f"{self.folder} cannot be made smaller")

    def free(self) -> None:
        """Make room again."""
        assert self._resize(self._size)

    def _resize(self, size: int) -> bool:
        return _run("mount", "-o", f"remount,size={size}", str(self.folder))


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[SmallDisk | None]:
    """A file system of this size on a new folder; `None` where none may be mounted."""
    folder.mkdir(mode=0o700, parents=True)
    size = f"size={megabytes}m,mode=0700"
    if sys.platform != "linux" or not _run("mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)):
        yield None
        return
    try:
        yield SmallDisk(folder, megabytes)
    finally:
        _run("umount", "--lazy", str(folder))


def may_write(pid: int, yes: bool) -> None:
    """Let a process write files, or have each write of it fail. Linux only."""
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard if yes else 0, hard))


@contextmanager
def read_only(folder: Path) -> Iterator[bool]:
    """A folder in which nothing can be made or removed; whether that could be done."""
    if os.geteuid():
        folder.chmod(0o500)
        try:
            yield True
        finally:
            folder.chmod(0o700)
        return
    # Another mount of the same folder: what is open stays open, what is opened from here on cannot be written.
    bound = _run("mount", "--bind", str(folder), str(folder))
    try:
        yield bound and _run("mount", "-o", "remount,bind,ro", str(folder))
    finally:
        if bound:
            _run("umount", "--lazy", str(folder))


def _run(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=20).returncode == 0
    except FileNotFoundError:
        return False
