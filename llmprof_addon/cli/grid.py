"""Rows laid out for a given width: texts give way first, then whole columns; a number is never cut."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

GAP = "  "


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a grid."""

    name: str
    least: int | None = None
    """Cells to which its texts may be cut; `None` for what is never cut."""
    left: bool = False
    """Stands to the left; texts always do, numbers do not."""
    leaves: int = 0
    """Where it is too narrow for all, the column with the highest number leaves first; 0 stays."""


def grid(columns: Sequence[Column], rows: Sequence[Sequence[str | Text]], width: int) -> Iterator[Text]:
    """The header and the rows, one text each. Wider than `width` only if the numbers alone are."""
    cells = [[cell if isinstance(cell, Text) else Text(cell) for cell in row] for row in rows]
    natural = [
        max([cell_len(column.name), *(row[index].cell_len for row in cells)]) for index, column in enumerate(columns)
    ]
    narrow = [
        size if column.least is None else min(size, column.least) for column, size in zip(columns, natural, strict=True)
    ]
    shown = list(range(len(columns)))

    def spare() -> int:
        return width - sum(narrow[index] for index in shown) - len(GAP) * (len(shown) - 1)

    while spare() < 0 and (able := [index for index in shown if columns[index].leaves]):
        shown.remove(max(able, key=lambda index: columns[index].leaves))
    left = max(0, spare())
    # The texts that lack least are filled first, so that what they do not need goes to the others.
    texts = sorted((index for index in shown if columns[index].least is not None), key=lambda i: natural[i] - narrow[i])
    sizes = list(narrow)
    for position, index in enumerate(texts):
        more = min(natural[index] - narrow[index], left // (len(texts) - position))
        sizes[index] += more
        left -= more
    for row in ([Text(column.name, style="dim") for column in columns], *cells):
        yield _line([_fitted(row[index], sizes[index], columns[index]) for index in shown])


def _fitted(cell: Text, size: int, column: Column) -> Text:
    fitted = cell.copy()
    if column.least is None and not column.left:
        fitted.pad_left(max(0, size - cell.cell_len))
    else:
        fitted.truncate(size, overflow="ellipsis", pad=True)
    return fitted


def _line(cells: Sequence[Text]) -> Text:
    line = Text(GAP).join(cells)
    line.rstrip()
    line.no_wrap, line.overflow = True, "ignore"
    return line
