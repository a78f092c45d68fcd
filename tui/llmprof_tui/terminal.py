"""The terminal that the UI draws on, which may be closed at any moment, and its escape key.

Textual's thread that writes ends with the first error of a closed terminal. Nobody then empties its queue, and the
application waits for room in it without end, instead of leaving.
"""

import os
import selectors
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import SimpleNamespace
from typing import Any, TextIO

from textual import constants

ESCAPE_SECONDS = 0.025
"""What a terminal sends for one key comes together, also over a network; editors wait for 10 to 50 ms."""


def quick_escape() -> None:
    """Take an escape that nothing follows for the key as soon as that is sure; ESCDELAY, in ms, says when as usual.

    Textual 8.2 waits for 100 ms and looks every 100 ms, by which every way back is up to 200 ms late.
    """
    try:
        from textual.drivers import linux_driver
    except ImportError:  # Windows, whose console says which key it was
        return
    if "ESCDELAY" not in os.environ:
        vars(constants)["ESCAPE_DELAY"] = ESCAPE_SECONDS
    vars(linux_driver)["selectors"] = SimpleNamespace(
        SelectSelector=_AfterInput, EVENT_READ=selectors.EVENT_READ, EVENT_WRITE=selectors.EVENT_WRITE
    )


class _AfterInput(selectors.SelectSelector):
    """Waits for no longer than an escape behind input, and as long as it is asked to otherwise."""

    _came = False

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if self._came and timeout is not None:
            timeout = min(timeout, constants.ESCAPE_DELAY + 0.001)
        found = super().select(timeout)
        self._came = bool(found)
        return found


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
