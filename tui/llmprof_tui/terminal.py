"""The terminal that the UI draws on, which may be closed at any moment.

Textual's thread that writes ends with the first error of a closed terminal. Nobody then empties its queue, and the
application waits for room in it without end, instead of leaving.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO


class Enduring:
    """A terminal's file that takes what is written also when the terminal is gone."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, text: str) -> int:
        """Write, or not."""
        with suppress(OSError):
            self._file.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush, or not."""
        with suppress(OSError):
            self._file.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@contextmanager
def enduring() -> Iterator[None]:
    """Let what is drawn meanwhile go to a file that outlives its terminal."""
    file = sys.__stderr__
    if file is None:
        yield
        return
    sys.__stderr__ = Enduring(file)  # type: ignore[misc,assignment]  # which Textual draws on
    try:
        yield
    finally:
        sys.__stderr__ = file  # type: ignore[misc]
