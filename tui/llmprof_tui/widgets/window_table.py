"""A table of any length that knows the numbers of all its rows, but holds only the rows near the window.

`show` gives it the numbers in order. Where it lacks rows it posts `Wanted`; whoever owns the table reads them in a
worker and answers with `fill`. Cursor and marks are row numbers, not positions, so that rows may come and go around
them. One request is under way at a time, so fast scrolling asks for what is on screen when the last answer arrives.
"""

from array import array
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from llmprof_tui.widgets.columns import Column, Slot, fit, slot_at
from llmprof_tui.widgets.held_rows import HeldRows
from llmprof_tui.widgets.table_line import segments

GUTTER = 2
"""Cells on the left for the cursor and the mark, which thus need no colour."""


MARGIN = 1
"""Cells that stay empty on the right, beside a border or a scroll bar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """By which column rows are sorted."""

    key: str
    descending: bool = True


class TableMessage(Message):
    """What a table tells its owner."""

    def __init__(self, table: "WindowTable[Any]") -> None:
        super().__init__()
        self.table = table

    @property
    def control(self) -> "WindowTable[Any]":
        """The table, by which handlers can be chosen."""
        return self.table


class WindowTable[R](ScrollView, can_focus=True, inherit_bindings=False):
    """Rows of type `R` as lines of cells."""

    HELP_TITLE = "In the list"

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
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="table.up", tooltip="One row up"),
        Binding("down,j", "move(1)", "Down", show=False, id="table.down", tooltip="One row down"),
        Binding("pageup,ctrl+b", "page(-1)", "Page up", show=False, id="table.page-up", tooltip="One window up"),
        Binding("pagedown,ctrl+f", "page(1)", "Page down", show=False, id="table.page-down", tooltip="One window down"),
        Binding("home,g", "edge(0)", "First", show=False, id="table.first", tooltip="To the first row"),
        Binding("end,G", "edge(-1)", "Last", show=False, id="table.last", tooltip="To the last row"),
        Binding("enter", "choose", "Open", id="table.open", tooltip="Open the row under the cursor"),
    ]

    class Wanted(TableMessage):
        """Rows of these numbers are asked for: answer with `fill(numbers, rows)`, also with fewer rows or none."""

        def __init__(self, table: "WindowTable[Any]", numbers: Sequence[int]) -> None:
            super().__init__(table)
            self.numbers = numbers

    class Highlighted(TableMessage):
        """The cursor stands on this row; `None` in an empty table."""

        def __init__(self, table: "WindowTable[Any]", number: int | None) -> None:
            super().__init__(table)
            self.number = number

    class Chosen(TableMessage):
        """A person opens this row."""

        def __init__(self, table: "WindowTable[Any]", number: int) -> None:
            super().__init__(table)
            self.number = number

    class SortAsked(TableMessage):
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
        self.cursor: int | None = None
        """The number of the row under the cursor."""
        self._cells, self._exact = cells, exact
        self._numbers: Sequence[int] = array("q")
        self._index = 0
        """Where the cursor's number stands among all numbers."""
        self._rows = HeldRows[R]()
        self._hovered: int | None = None
        self._slots: tuple[Slot, ...] = ()
        self._width = -1
        """For which the slots are."""
        self._strips: LRUCache[tuple[int, bool, bool], Strip] = LRUCache(512)

    # What the owner does

    def show(self, numbers: Sequence[int], *, order: Order | None = None) -> None:
        """Show the rows of these numbers in this order; rows that are known stay as they are until `renew`.

        The cursor stays on its row, or where that is gone at its place. The window stays at the top if it is there, so
        that new rows are seen; anywhere else its rows stay where they are.
        """
        self._rows.listed()
        self._list(numbers, order)
        self._ask()

    def show_rows(self, rows: Sequence[R], *, order: Order | None = None) -> None:
        """Show rows that are all at hand; their numbers are their positions."""
        self._rows.take_all(rows)
        self._strips.clear()
        self._list(range(len(rows)), order)

    def fill(self, asked: Sequence[int], rows: Mapping[int, R]) -> None:
        """Take the rows of a `Wanted`. Those asked for and not given are shown as gone."""
        self._rows.take(asked, rows)
        self.redraw()
        self._ask()

    def renew(self) -> None:
        """Ask anew for rows: what is shown stays until the answer arrives."""
        self._rows.outdated()
        self._ask()

    def row(self, number: int | None) -> R | None:
        """The row of this number, if it is at hand."""
        return None if number is None else self._rows.get(number)

    def rows_at_hand(self) -> Iterator[R]:
        """All rows in memory."""
        return self._rows.at_hand()

    def redraw(self) -> None:
        """Make all cells anew: they depend on more than their row."""
        self._strips.clear()
        self.refresh()

    def mark(self, numbers: Collection[int]) -> None:
        """Mark these rows and no others."""
        self.marked = tuple(numbers)
        self.redraw()

    def move_to(self, number: int) -> bool:
        """Put the cursor on the row of this number; `False` if it is not among those shown."""
        found = self._find(number)
        if found is not None:
            self._point(found)
            self._reveal()
        return found is not None

    @property
    def row_count(self) -> int:
        """How many rows there are."""
        return len(self._numbers)

    # Keys and mouse

    def action_move(self, by: int) -> None:
        """Move the cursor by so many rows."""
        if self._numbers:
            self._point(max(0, min(len(self._numbers) - 1, self._index + by)))
            self._reveal()

    def action_page(self, by: int) -> None:
        """Move the cursor by so many windows."""
        self.action_move(by * max(1, self.size.height - 2))

    def action_edge(self, place: int) -> None:
        """Move the cursor to the first row (0) or the last (-1)."""
        self.action_move(-len(self._numbers) if place == 0 else len(self._numbers))

    def action_choose(self) -> None:
        """Open the row under the cursor."""
        if self.cursor is not None:
            self.post_message(self.Chosen(self, self.cursor))

    def on_click(self, event: events.Click) -> None:
        """A title asks for its order; a row takes the cursor, and opens at the second click."""
        at = event.get_content_offset(self)
        if at is None:
            return
        if at.y == 0:
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
        index = None if at is None or at.y == 0 else self._index_at(at.y)
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

    def on_resize(self, event: events.Resize) -> None:
        """Ask for the rows that came into the window."""
        self._ask()
        self.refresh()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Ask for the rows that came into the window."""
        super().watch_scroll_y(old_value, new_value)
        self._ask()

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
        if y == 0:
            return self._header()
        index = round(self.scroll_y) + y - 1
        if index >= len(self._numbers):
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

    # Places and windows

    def _list(self, numbers: Sequence[int], order: Order | None) -> None:
        top = round(self.scroll_y)
        holds = self._holding(top)
        self._numbers, self.order = numbers, order
        self.virtual_size = Size(0, len(numbers) + 1)
        found = self._find(self.cursor)
        self._index = found if found is not None else min(self._index, max(0, len(numbers) - 1))
        if holds is not None and (place := self._find(holds)) is not None:
            self._scroll_now(place - (self._held_index - top))
        self._point(self._index)
        self.refresh()

    def _find(self, number: int | None) -> int | None:
        if number is None:
            return None
        try:
            return self._numbers.index(number)
        except ValueError:
            return None

    def _index_at(self, y: int) -> int | None:
        index = round(self.scroll_y) + y - 1
        return index if 0 <= index < len(self._numbers) else None

    def _window(self) -> range:
        top = round(self.scroll_y)
        return range(min(top, len(self._numbers)), min(top + max(0, self.size.height - 1), len(self._numbers)))

    _held_index = 0

    def _holding(self, top: int) -> int | None:
        """The number of the row that shall not move on screen: the cursor's if it is seen, else the topmost."""
        window = self._window()
        if not window:
            return None
        seen = self.cursor is not None and self._index in window
        # At the very top new rows may push the others down, as long as the cursor's stays in sight.
        if top == 0 and not (seen and self._index == window[-1]):
            return None
        self._held_index = self._index if seen else window[0]
        return self._numbers[self._held_index]

    def _scroll_now(self, y: int) -> None:
        self.scroll_to(y=max(0, y), animate=False, force=True)

    def _point(self, index: int) -> None:
        number = self._numbers[index] if self._numbers else None
        moved = number != self.cursor
        self._index, self.cursor = index, number
        if moved:
            self.refresh()
            self.post_message(self.Highlighted(self, number))

    def _reveal(self) -> None:
        window = max(1, self.size.height - 1)
        top = round(self.scroll_y)
        if self._index < top:
            self._scroll_now(self._index)
        elif self._index >= top + window:
            self._scroll_now(self._index - window + 1)

    def _hover(self, index: int | None) -> None:
        if index != self._hovered:
            before, self._hovered = self._hovered, index
            for one in (before, index):
                if one is not None:
                    self.refresh(Region(0, one + 1 - round(self.scroll_y), self.size.width, 1))

    def _ask(self) -> None:
        """Ask for rows of the window that are not at hand."""
        if numbers := self._rows.request(self._numbers, self._window()):
            self.post_message(self.Wanted(self, numbers))
