"""Cells -> the segments of one line of a table, each cut or padded to its column's slot."""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from llmprof_tui.widgets.columns import GAP, Column, Slot


def segments(
    cells: Sequence[Text | str], columns: Sequence[Column], slots: Sequence[Slot], style: Style, console: Console
) -> Iterator[Segment]:
    """The cells of the columns that have a slot, with gaps between them."""
    for place, slot in enumerate(slots):
        if place:
            yield Segment(" " * GAP, style)
        yield from _fitted(cells[slot.index], slot.width, columns[slot.index].left, style, console)


def _fitted(cell: Text | str, width: int, left: bool, style: Style, console: Console) -> Iterator[Segment]:
    text = Text(cell) if isinstance(cell, str) else cell.copy()
    style += console.get_style(text.style)  # which `render` leaves out
    text.no_wrap, text.end = True, ""
    if text.cell_len > width:
        text.truncate(width, overflow="ellipsis")
    if left:
        text.pad_right(width - text.cell_len)
    else:
        text.pad_left(width - text.cell_len)
    for segment in text.render(console):
        yield Segment(segment.text, style + segment.style if segment.style else style)
