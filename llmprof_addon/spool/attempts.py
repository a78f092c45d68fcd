"""Which file is being processed, on disk: a file on which process after process dies must not be tried for ever."""

import os
from pathlib import Path

_RECORD_BYTES = 512
"""A note is as long as every other, so that it is replaced by one write."""


class Attempts:
    """The note of one worker; where it cannot be written, no deaths are counted."""

    def __init__(self, path: Path):
        self._path = path
        self._handle: int | None = None
        self._left: tuple[str, int] = ("", 0)
        """What a process that died left: the name of its file and how often that was begun."""

    def deaths(self, name: str) -> int:
        """How many processes have died while they processed this file."""
        try:
            self._open()
        except OSError:
            return 0
        return self._left[1] if self._left[0] == name else 0

    def begin(self, name: str) -> None:
        """Note that this file is being processed."""
        note = f"{self.deaths(name) + 1} {name}".encode("utf-8", "surrogateescape").ljust(_RECORD_BYTES)
        try:
            handle = self._open()
            os.lseek(handle, 0, os.SEEK_SET)
            os.write(handle, note)
        except OSError:  # a full disk must not keep the worker from emptying it
            pass

    def _open(self) -> int:
        if self._handle is None:
            self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
            self._left = _read(os.read(self._handle, _RECORD_BYTES))
        return self._handle

    def end(self) -> None:
        """Note that nothing is being processed."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle, self._left = None, ("", 0)
        try:
            self._path.unlink(missing_ok=True)
        except OSError:
            pass


def _read(record: bytes) -> tuple[str, int]:
    begun, _, name = record.decode("utf-8", "surrogateescape").rstrip().partition(" ")
    return (name, int(begun)) if begun.isascii() and begun.isdigit() else ("", 0)
