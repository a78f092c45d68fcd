"""A terminal that is closed while it is drawn on."""

import os
import sys

from llmprof_tui.terminal import enduring


def test_what_a_closed_terminal_does_not_take_is_let_go(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    reading, writing = os.pipe()
    with open(writing, "w") as file:
        monkeypatch.setattr(sys, "__stderr__", file)
        with enduring():
            there = sys.__stderr__
            assert there is not None
            there.write("drawn")
            there.flush()
            assert os.read(reading, 10) == b"drawn"
            os.close(reading)
            assert there.fileno() == writing
            for _ in range(3):
                there.write("lost")
                there.flush()
        assert sys.__stderr__ is file
        os.dup2(os.open(os.devnull, os.O_WRONLY), writing)  # what is left in it has to go somewhere
