"""A lock on a file, which the system releases however its holder ends; one worker per spool by it."""

import os
import sys
from pathlib import Path

from llmprof_addon.errors import SpoolError
from llmprof_addon.spool.statefile import make_private


class FileLock:
    """A right that one process has at a time."""

    def __init__(self, path: Path):
        self.path = path
        self._handle: int | None = None

    @property
    def held(self) -> bool:
        """Whether it is ours."""
        return self._handle is not None

    def acquire(self) -> bool:
        """Take the lock if it is free; whether it is ours. Raises `SpoolError` where nobody could take it."""
        if self._handle is not None:
            return True
        try:
            make_private(self.path.parent)
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise SpoolError(f"cannot lock {self.path}: {error.strerror or error}") from error
        try:
            _try_lock(handle)
        except OSError:
            os.close(handle)
            return False
        self._handle = handle
        try:
            os.ftruncate(handle, 0)
            os.lseek(handle, 0, os.SEEK_SET)
            os.write(handle, str(os.getpid()).encode())
        except OSError:  # a full disk; who holds it is then said to nobody
            pass
        return True

    def release(self) -> None:
        """Give it back."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def holder(self) -> int | None:
        """Process id of whoever held it last."""
        try:
            text = self.path.read_text(encoding="ascii")
        except (OSError, ValueError):
            return None
        return int(text) if text.isdigit() else None


def worker_lock(folder: Path) -> FileLock:
    """The right to process the files of one spool."""
    return FileLock(folder / ".worker.lock")


def _try_lock(handle: int) -> None:
    """Lock the open file or raise `OSError`; each system has a module of its own for it."""
    if sys.platform == "win32":
        import msvcrt

        os.lseek(handle, 1 << 30, os.SEEK_SET)  # a byte far behind the pid, which stays readable
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
