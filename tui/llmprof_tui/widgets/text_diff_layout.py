"""Two texts -> the lines of their difference, one below the other or side by side. Pure.

Lines are aligned in n log n, so a text of any length costs what its length costs. Long lines (JSON, minified code) are
compared in pieces, since one changed word would otherwise be a changed text.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from llmprof_addon.export.alignment import aligned

MOST_CHARS = 400_000
"""Of either text; what is behind is not compared, and the layout says so."""
LONG_LINE = 240
CONTEXT = 3
"""Unchanged lines shown around a change."""

_PIECE = re.compile(r".{0,120}?[,;.!?>}\]]+\s*|.{1,200}", re.DOTALL)

type Mark = Literal[" ", "-", "+", "@"]


class Line(NamedTuple):
    """One line of a text: its number, its words; a piece of a long line has the number of that line."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the difference: a line of the earlier text, of the later one, or of both. `@` stands for lines left out,
    which `note` counts."""

    mark: Mark
    before: Line | None = None
    after: Line | None = None
    note: str = ""


def text_diff(before: str, after: str) -> tuple[Row, ...]:
    """Rows of the difference with `CONTEXT` unchanged lines around each change."""
    old, new = lines_of(before), lines_of(after)
    rows = list(_rows(old, new))
    near = [False] * len(rows)
    for index, row in enumerate(rows):
        if row.mark != " ":
            near[max(0, index - CONTEXT) : index + CONTEXT + 1] = [True] * len(
                near[max(0, index - CONTEXT) : index + CONTEXT + 1]
            )
    out: list[Row] = []
    left_out = 0
    for row, shown in zip(rows, near, strict=True):
        if shown:
            out += _note(left_out)
            left_out = 0
            out.append(row)
        else:
            left_out += 1
    out += _note(left_out)
    for name, text in (("earlier", before), ("later", after)):
        if len(text) > MOST_CHARS:
            out.append(Row("@", note=f"{len(text) - MOST_CHARS:,} more characters of the {name} text are not compared"))
    return tuple(out)


def side_by_side(rows: Sequence[Row]) -> tuple[Row, ...]:
    """The rows with each run of removed lines beside the run of added ones that follows it."""
    out: list[Row] = []
    gone: list[Row] = []
    come: list[Row] = []
    for row in (*rows, Row(" ")):
        if row.mark == "-" and not come:
            gone.append(row)
        elif row.mark == "+":
            come.append(row)
        else:
            for index in range(max(len(gone), len(come))):
                was = gone[index].before if index < len(gone) else None
                out.append(Row("-" if was else "+", was, come[index].after if index < len(come) else None))
            gone, come = ([row], []) if row.mark == "-" else ([], [])
            if row.mark != "-":
                out.append(row)
    out.pop()
    return tuple(out)


def lines_of(text: str) -> list[Line]:
    """The lines of a text as they are compared, long ones in pieces."""
    out: list[Line] = []
    for number, line in enumerate(text[:MOST_CHARS].splitlines(), 1):
        if len(line) <= LONG_LINE:
            out.append(Line(number, line))
        else:
            out += [Line(number, piece) for piece in _PIECE.findall(line)]
    return out


def _rows(old: Sequence[Line], new: Sequence[Line]) -> Iterator[Row]:
    here = there = 0
    pairs = aligned([line.text for line in old], [line.text for line in new])
    for was, is_ in (*pairs, (len(old), len(new))):
        yield from (Row("-", before=line) for line in old[here:was])
        yield from (Row("+", after=line) for line in new[there:is_])
        if was < len(old):
            yield Row(" ", old[was], new[is_])
        here, there = was + 1, is_ + 1


def _note(count: int) -> list[Row]:
    return [Row("@", note="1 line" if count == 1 else f"{count:,} lines")] if count else []
