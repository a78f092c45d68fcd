"""The terminal that reports are written to, and texts from the wire made safe for it."""

import re
from functools import cache

from rich.console import Console
from rich.text import Text

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")


@cache
def console() -> Console:
    """Standard output; as wide as the terminal, 100 columns where it is none."""
    screen = Console(highlight=False)
    return screen if screen.is_terminal else Console(highlight=False, width=100)


def plain(text: str) -> Text:
    """Text from the wire on one line: no markup, no control characters that would drive the terminal."""
    return Text(_CONTROL.sub(" ", text))
