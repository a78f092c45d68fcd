"""Two texts that part somewhere -> lines of pieces, side by side or one below the other. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len, chop_cells

from llmprof_addon.export.cache import Excerpt
from llmprof_addon.export.text import plain

TAB = 4


class Piece(NamedTuple):
    """Some text and what it is: `same` in both texts, or `own`."""

    text: str
    look: str


type Line = tuple[Piece, ...]


class Side(NamedTuple):
    """One of the texts: its mark, `-` or `+`, and its lines."""

    mark: str
    lines: tuple[Line, ...]


def sides(found: Excerpt, width: int, *, brief: bool = False) -> tuple[Side, ...]:
    """The texts that are there, the earlier one first, each broken into lines of at most so many cells.

    They begin with the line in which they part; if `brief` they end with the line after the one in which they meet.
    """
    shown = []
    for mark, text, own in (("-", found.before, found.differ[0]), ("+", found.after, found.differ[1])):
        if text is None:
            continue
        start, end = text.rfind("\n", 0, found.same) + 1, found.same + own
        pieces = (Piece(text[start : found.same], "same"), Piece(text[found.same : end], "own"))
        rest = (Piece(text[end:], "same"),)
        broken = lines((*pieces, *rest), width)
        shown.append(Side(mark, broken[: len(lines(pieces, width)) + 1] if brief else broken))
    return tuple(shown)


def lines(pieces: Sequence[Piece], width: int) -> tuple[Line, ...]:
    """Pieces one after the other, broken at line ends and where the width ends."""
    done: list[Line] = []
    line: list[Piece] = []
    room = width = max(2, width)
    for text, look in pieces:
        for at, paragraph in enumerate(text.replace("\r\n", "\n").split("\n")):
            if at:
                done.append(tuple(line))
                line, room = [], width
            rest = plain(paragraph.expandtabs(TAB))
            while rest:
                now = _fitting(rest, room)
                if not now:
                    done.append(tuple(line))
                    line, room = [], width
                    continue
                line.append(Piece(now, look))
                room -= cell_len(now)
                rest = rest[len(now) :]
    return (*done, tuple(line)) if line or not done else tuple(done)


def _fitting(text: str, room: int) -> str:
    """As much of the start of a text as fits into so many cells."""
    if room <= 0:
        return ""
    head = text[:room]
    return head if cell_len(head) <= room else next(iter(chop_cells(head, room)), "") if room > 1 else ""
