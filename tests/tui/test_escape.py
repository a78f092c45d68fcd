"""An escape is taken for the key as soon as it is sure that nothing follows."""

import os
import sys
import threading
from collections.abc import Iterator
from selectors import SelectSelector

import pytest
from llmprof_tui import terminal
from textual import constants, events
from textual.message import Message

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows says which key it was")


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float | None]:
    """For how long a selector was asked to wait, each time."""
    from textual.drivers import linux_driver

    asked: list[float | None] = []
    usual = SelectSelector.select

    def select(self: SelectSelector, timeout: float | None = None) -> object:
        asked.append(timeout)
        return usual(self, timeout)

    monkeypatch.setattr(SelectSelector, "select", select)
    monkeypatch.setitem(vars(constants), "ESCAPE_DELAY", constants.ESCAPE_DELAY)
    monkeypatch.setitem(vars(linux_driver), "selectors", linux_driver.selectors)
    return asked


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def keys(pipe: tuple[int, int], *sent: bytes) -> list[str]:
    """What Textual's own thread makes of these, each sent when the one before was understood."""
    from textual.drivers.linux_driver import LinuxDriver

    driver = object.__new__(LinuxDriver)
    driver.fileno, driver.exit_event, driver._debug = pipe[0], threading.Event(), False
    waiting, came = list(sent), []

    def process(message: Message) -> None:
        if isinstance(message, events.Key):
            came.append(message.key)
            if waiting:
                os.write(pipe[1], waiting.pop(0))
            else:
                driver.exit_event.set()

    driver.process_message = process  # type: ignore[method-assign]
    os.write(pipe[1], waiting.pop(0))
    driver.run_input_thread()
    return came


@pytest.mark.parametrize(("asked", "seconds"), [(None, terminal.ESCAPE_SECONDS), ("100", 0.1)])
def test_a_lone_escape(
    waits: list[float | None],
    pipe: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
    asked: str | None,
    seconds: float,
) -> None:
    monkeypatch.delenv("ESCDELAY", raising=False)
    if asked:
        monkeypatch.setenv("ESCDELAY", asked)
    terminal.quick_escape()
    assert seconds == constants.ESCAPE_DELAY
    assert keys(pipe, b"\x1b", b"\x1b[A", b"x") == ["escape", "up", "x"]
    assert waits[0] == 0.1  # nothing has come
    assert waits[1] == min(0.1, seconds + 0.001)  # behind it
    assert 0.1 in waits[2:]  # and no busy waiting when it is over
