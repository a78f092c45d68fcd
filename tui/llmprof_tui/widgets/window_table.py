"""A table of any length: `WindowRows` as lines of cells in columns, with a header that sorts, marks and a tint."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.cache import LRUCache
from textual.strip import Strip

from llmprof_tui.widgets.columns import Column, Slot, fit, slot_at
from llmprof_tui.widgets.table_line import segments
from llmprof_tui.widgets.window_rows import HEADER, RowsMessage, WindowRows

GUTTER = 2
"""Cells on the left for the cursor and the mark, which thus need no colour."""

MARGIN = 1
"""Cells that stay empty on the right, beside a border or a scroll bar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """By which column rows are sorted."""

    key: str
    descending: bool = True


class WindowTable[R](WindowRows[R]):
    """Rows of type `R` as lines of cells."""

    DEFAULT_CSS = """
    WindowTable {
        height: 1fr;
        overflow-x: hidden;
        background: $surface;
        color: $foreground;
        & > .window-table--header { color: $foreground 60%; background: $panel; text-style: bold; }
        & > .window-table--cursor { background: $foreground 10%; }
        & > .window-table--cursor-mark { color: $foreground 60%; }
        & > .window-table--hover { background: $foreground 5%; }
        & > .window-table--marked { color: $accent; text-style: bold; }
        & > .window-table--waiting { color: $foreground 40%; }
        &:focus > .window-table--cursor { background: $primary 22%; }
        &:focus > .window-table--cursor-mark { color: $primary; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "window-table--header",
        "window-table--cursor",
        "window-table--cursor-mark",
        "window-table--hover",
        "window-table--marked",
        "window-table--waiting",
    }

    class SortAsked(RowsMessage):
        """A person asks for the order of this column by a click on its title."""

        def __init__(self, table: "WindowTable[Any]", key: str) -> None:
            super().__init__(table)
            self.key = key

    def __init__(
        self,
        columns: Sequence[Column],
        cells: Callable[[R], Sequence[Text | str]],
        *,
        exact: Callable[[R, str], str | None] | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """A table that shows nothing yet.

        Args:
            columns: From left to right.
            cells: The cells of a row, one for each column; texts of the wire made plain. Called once for a row, and
                again after a change of theme.
            exact: What a cell says under the mouse, by its column's key; `None` for nothing.
        """
        super().__init__(id=id, classes=classes)
        self.columns = tuple(columns)
        self.order: Order | None = None
        self.marked: tuple[int, ...] = ()
        self._cells, self._exact = cells, exact
        self._hovered: int | None = None
        self._slots: tuple[Slot, ...] = ()
        self._width = -1
        """For which the slots are."""
        self._strips: LRUCache[tuple[int, bool, bool], Strip] = LRUCache(512)

    # What the owner does

    def show(self, numbers: Sequence[int], *, order: Order | None = None) -> None:
        """Show these rows, which are in this order."""
        self.order = order
        super().show(numbers)

    def show_rows(self, rows: Sequence[R], *, order: Order | None = None) -> None:
        """Show these rows, which are in this order."""
        self.order = order
        self._strips.clear()
        super().show_rows(rows)

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Show these columns, of which `cells` gives the cells."""
        self.columns = tuple(columns)
        self._width = -1
        self._strips.clear()

    def redraw(self) -> None:
        """Make all cells anew."""
        self._strips.clear()
        super().redraw()

    def mark(self, numbers: Collection[int]) -> None:
        """Mark these rows and no others."""
        self.marked = tuple(numbers)
        self.redraw()

    # Mouse

    def on_click(self, event: events.Click) -> None:
        """A title asks for its order; a row takes the cursor, and opens at the second click."""
        at = event.get_content_offset(self)
        if at is None:
            return
        if at.y < HEADER:
            slot = slot_at(self._slots, at.x - GUTTER)
            if slot is not None and self.columns[slot.index].sorts:
                self.post_message(self.SortAsked(self, self.columns[slot.index].key))
        elif (index := self._index_at(at.y)) is not None:
            self._point(index)
            if event.chain == 2:
                self.action_choose()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Tint the row under the mouse and say its cell exactly."""
        at = event.get_content_offset(self)
        index = None if at is None or at.y < HEADER else self._index_at(at.y)
        self._hover(index)
        tip: str | None = None
        if index is not None and at is not None and self._exact is not None:
            slot, row = slot_at(self._slots, at.x - GUTTER), self.row(self._numbers[index])
            if slot is not None and row is not None:
                tip = self._exact(row, self.columns[slot.index].key)
        content = Text(tip) if tip else None
        if self.tooltip != content:
            self.tooltip = content

    def on_leave(self, event: events.Leave) -> None:
        """Take the tint away."""
        self._hover(None)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Another row comes under the mouse, which says so only when it moves."""
        super().watch_scroll_y(old_value, new_value)
        self._hover(None)

    def _hover(self, index: int | None) -> None:
        if index != self._hovered:
            before, self._hovered = self._hovered, index
            self._refresh_rows(*(one for one in (before, index) if one is not None))

    def notify_style_update(self) -> None:
        """Draw anew after a change of theme or focus."""
        super().notify_style_update()
        self._strips.clear()
        self.refresh()

    # Drawing

    def render_line(self, y: int) -> Strip:
        """The header, or one row."""
        width = self.scrollable_content_region.width
        if width != self._width:  # also a scroll bar takes cells, without a resize
            self._width = width
            self._slots = fit(self.columns, max(0, width - GUTTER - MARGIN))
            self._strips.clear()
        if y < HEADER:
            return self._header()
        index = self._index_at(y)
        if index is None:
            return Strip.blank(width, self.rich_style)
        number = self._numbers[index]
        key = (number, index == self._index, index == self._hovered)
        strip = self._strips.get(key)
        if strip is None:
            strip = self._line(number, *key[1:])
            self._strips[key] = strip
        return strip

    def _header(self) -> Strip:
        style = self.get_component_rich_style("window-table--header")
        titles = []
        for column in self.columns:
            arrow = ("▾" if self.order.descending else "▴") if self.order and self.order.key == column.key else ""
            titles.append(Text(f"{column.title}{arrow}" if column.left else f"{arrow}{column.title}"))
        return self._join(Segment(" " * GUTTER, style), titles, style)

    def _line(self, number: int, on: bool, hovered: bool) -> Strip:
        style = self.rich_style
        if on or hovered:
            ground = self.get_component_rich_style(f"window-table--{'cursor' if on else 'hover'}")
            style += Style(bgcolor=ground.bgcolor)
        marked = number in self.marked
        sign = ("▌" if on else " ") + ("✓" if marked else " ")
        gutter = Segment(sign, style + self._ink("marked" if marked else "cursor-mark"))
        if (row := self._rows.get(number)) is not None:
            return self._join(gutter, self._cells(row), style)
        cells = [""] * len(self.columns)
        cells[self._slots[0].index] = "gone" if number in self._rows else "·"
        return self._join(gutter, cells, style + self._ink("waiting"))

    def _ink(self, name: str) -> Style:
        style = self.get_component_rich_style(f"window-table--{name}")
        return Style(color=style.color, bold=style.bold)

    def _join(self, gutter: Segment, cells: Sequence[Text | str], style: Style) -> Strip:
        line = segments(cells, self.columns, self._slots, style, self.app.console)
        return Strip([gutter, *line]).adjust_cell_length(self._width, style)
