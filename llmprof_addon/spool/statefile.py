"""Small JSON files in which a process says how it is doing, replaced as a whole: readers never see half of one."""

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

INTERVAL_SECONDS = 1.0


def make_private(folder: Path) -> None:
    """Create the folder, and those above it, readable by nobody else; one that exists stays as it is."""
    if not folder.is_dir():
        make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def alive(pid: int) -> bool:
    """Whether a process of this id runs on this machine."""
    if pid <= 0:
        return False
    if os.name == "nt":  # signal 0 is no question there, it ends the process
        return _alive_on_windows(pid)
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True


def _alive_on_windows(pid: int) -> bool:
    import ctypes

    kernel = ctypes.windll.kernel32  # type: ignore[attr-defined,unused-ignore]
    handle = kernel.OpenProcess(0x1000, False, pid)  # PROCESS_QUERY_LIMITED_INFORMATION
    if not handle:
        return False
    code = ctypes.c_ulong()
    known = kernel.GetExitCodeProcess(handle, ctypes.byref(code))
    kernel.CloseHandle(handle)
    return bool(known) and code.value == 259  # STILL_ACTIVE


class StateFile:
    """One such file; writing it is throttled and never raises, since it is only a view of the process."""

    def __init__(self, path: Path):
        self.path = path
        self._written = 0.0
        self._last: dict[str, Any] | None = None

    def write(self, state: Mapping[str, Any], *, now: bool = False) -> bool:
        """Write the state unless it is unchanged or, without `now`, a write is less than a second old."""
        at = time.monotonic()
        if not now and self._last is not None and at - self._written < INTERVAL_SECONDS:
            return False
        if self._last == state and self.path.exists():
            return False
        draft = self.path.with_name(f".{self.path.name}.{os.getpid()}.tmp")
        try:
            make_private(self.path.parent)
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with open(handle, "w", encoding="utf-8") as file:
                json.dump(state, file)
            os.replace(draft, self.path)
        except OSError:
            return False
        self._written, self._last = at, dict(state)
        return True

    def remove(self) -> None:
        """Take the file away."""
        try:
            self.path.unlink()
        except OSError:
            pass


def read_state(path: Path) -> dict[str, Any] | None:
    """What such a file says; `None` where it is missing or no such file."""
    try:
        state = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return state if isinstance(state, dict) else None
