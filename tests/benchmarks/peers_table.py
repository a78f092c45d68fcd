"""Tables of what was measured, as text for a terminal or as Markdown; a row that has no numbers says why."""

import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Its name, and either its cells or the reason why there are none."""

    name: str
    cells: tuple[str, ...] = ()
    failure: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One part's figures."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[Row]
    notes: list[str] = field(default_factory=list)

    def text(self) -> str:
        """Columns in line; what has no cells says so behind its name."""
        cells = [row.cells for row in self.rows if not row.failure]
        widths = [max(map(len, column)) + 2 for column in zip(self.columns, *cells, strict=True)]
        first = max(len(row.name) for row in self.rows) + 2
        lines = [self.title, f"{'':<{first}}" + _line(self.columns, widths)]
        for row in self.rows:
            said = f"  {row.failure}" if row.failure else _line(row.cells, widths)
            lines.append(f"{row.name:<{first}}{said}")
        return "\n".join([*lines, *self.notes, ""])

    def markdown(self) -> str:
        """The same, with the notes as a paragraph each."""
        empty = ("",) * (len(self.columns) - 1)
        lines = [f"**{self.title}**", "", _cells(("", *self.columns)), _cells(["---", *["---:"] * len(self.columns)])]
        lines += [_cells((row.name, *((row.failure, *empty) if row.failure else row.cells))) for row in self.rows]
        return "\n".join([*lines, "", *(f"{note}  " for note in self.notes), ""])


def _line(cells: Sequence[str], widths: list[int]) -> str:
    return "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))


def _cells(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def ratio(over: Sequence[float], under: Sequence[float]) -> str:
    """The median of the rounds' ratios, and the least and the largest of them."""
    ratios = [one / other for one, other in zip(over, under, strict=True) if other]
    if not ratios:
        return "–"
    return f"{statistics.median(ratios):.2f}x ({min(ratios):.2f}..{max(ratios):.2f})"


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of all lie."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def rounds(most: int, seconds: float) -> Iterator[int]:
    """Numbers of rounds: as many as were asked for, unless the next one would end later than after so many seconds."""
    began = time.monotonic()
    for number in range(most):
        if number and (time.monotonic() - began) * (number + 1) / number > seconds:
            return
        yield number


def turned[Item](items: Sequence[Item], number: int) -> list[Item]:
    """They, from another one on each time, so that nobody always comes behind the same one."""
    at = number % len(items)
    return [*items[at:], *items[:at]]
