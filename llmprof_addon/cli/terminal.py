"""The terminal that reports are written to, and texts from the wire made safe for it."""

import json
import os
import re
from collections.abc import Sequence

from rich.console import Console as RichConsole
from rich.text import Text

from llmprof_addon.cli.grid import Column, grid
from llmprof_addon.model.part import Json

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")
COLUMNS = 100
"""Width where standard output is no terminal and the variable `COLUMNS` does not say."""


class Console(RichConsole):
    """Leaves a reader that went away to the command line, as every other way of printing does."""

    def on_broken_pipe(self) -> None:
        """Rich would exit with 1."""
        raise BrokenPipeError


def console() -> Console:
    """Standard output, as wide as the terminal."""
    screen = Console(highlight=False)
    given = os.environ.get("COLUMNS", "").isdigit()
    return screen if screen.is_terminal or given else Console(highlight=False, width=COLUMNS)


def one_line(text: str) -> str:
    """Text on one line, without control characters that would drive the terminal."""
    return _CONTROL.sub(" ", text)


def plain(text: str) -> Text:
    """Text from the wire as `one_line`, and taken literally: no markup."""
    return Text(one_line(text))


def print_grid(columns: Sequence[Column], rows: Sequence[Sequence[str | Text]]) -> None:
    """Rows below their header, laid out for the terminal."""
    screen = console()
    for line in grid(columns, rows, screen.width):
        screen.print(line, soft_wrap=True)


def print_json(value: Json) -> None:
    """One JSON value on one line, ASCII alone: lone surrogates pass, and so does a pipe of any encoding."""
    print(json.dumps(value))
