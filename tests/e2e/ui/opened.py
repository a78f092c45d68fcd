"""The UI opened in a terminal, and left again."""

import shlex
import sys
from pathlib import Path

from tests.e2e.tmux import CLEAN, Terminal

AGENT = "Fix the f"
"""How the task of the newest recorded run begins."""


def tui(home: Path, *words: str) -> str:
    """The command line that opens the UI."""
    return shlex.join([sys.executable, "-m", "llmprof_addon", "tui", "--home", str(home), *words])


def left_clean(there: Terminal) -> None:
    """The terminal is as it was: nothing of the UI on screen, and it takes what is typed."""
    assert there.state == CLEAN
    assert "─" not in there.screen()
    assert "Traceback" not in there.screen()
    there.type("echo $((6 * 7)) is said")
    there.wait("42 is said")


def quit_by_key(there: Terminal) -> None:
    there.press("q")
    assert there.code() == 0
    left_clean(there)
