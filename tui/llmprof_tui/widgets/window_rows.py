"""Rows of a list of any length, of which only those near the window are held: cursor, keys, window, requests.

`show` gives the numbers of all rows in order. Where rows are lacking, `Wanted` is posted; whoever owns the list reads
them in a worker and answers with `fill`. The cursor is a row number, not a position, so that rows may come and go
around it. One request is under way at a time: fast scrolling asks for what is on screen when the last answer arrives.
"""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView

from llmprof_tui.widgets.held_rows import HeldRows

HEADER = 1
"""Lines above the rows, which do not scroll."""


class RowsMessage(Message):
    """What a list tells its owner."""

    def __init__(self, table: "WindowRows[Any]") -> None:
        super().__init__()
        self.table = table

    @property
    def control(self) -> "WindowRows[Any]":
        """The list, by which handlers can be chosen."""
        return self.table


class WindowRows[R](ScrollView, can_focus=True, inherit_bindings=False):
    """Rows of type `R`, a line each, which subclasses draw."""

    HELP_TITLE = "In the list"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="table.up", tooltip="One row up"),
        Binding("down,j", "move(1)", "Down", show=False, id="table.down", tooltip="One row down"),
        Binding("pageup,ctrl+b", "page(-1)", "Page up", show=False, id="table.page-up", tooltip="One window up"),
        Binding("pagedown,ctrl+f", "page(1)", "Page down", show=False, id="table.page-down", tooltip="One window down"),
        Binding("home,g", "edge(0)", "First", show=False, id="table.first", tooltip="To the first row"),
        Binding("end,G", "edge(-1)", "Last", show=False, id="table.last", tooltip="To the last row"),
        Binding("enter", "choose", "Open", id="table.open", tooltip="Open the row under the cursor"),
    ]

    class Wanted(RowsMessage):
        """Rows of these numbers are asked for: answer with `fill(numbers, rows)`, also with fewer rows or none."""

        def __init__(self, table: "WindowRows[Any]", numbers: Sequence[int]) -> None:
            super().__init__(table)
            self.numbers = numbers

    class Highlighted(RowsMessage):
        """The cursor stands on this row; `None` in an empty table."""

        def __init__(self, table: "WindowRows[Any]", number: int | None) -> None:
            super().__init__(table)
            self.number = number

    class Chosen(RowsMessage):
        """A person opens this row."""

        def __init__(self, table: "WindowRows[Any]", number: int) -> None:
            super().__init__(table)
            self.number = number

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.cursor: int | None = None
        """The number of the row under the cursor."""
        self._numbers: Sequence[int] = array("q")
        self._index = 0
        """Where the cursor's number stands among all numbers."""
        self._rows = HeldRows[R]()

    # What the owner does

    def show(self, numbers: Sequence[int]) -> None:
        """Show the rows of these numbers in this order; rows that are known stay as they are until `renew`.

        The cursor stays on its row, or where that is gone at its place. The window stays at the top if it is there, so
        that new rows are seen; anywhere else its rows stay where they are.
        """
        self._rows.listed()
        self._list(numbers)
        self._ask()

    def show_rows(self, rows: Sequence[R]) -> None:
        """Show rows that are all at hand; their numbers are their positions."""
        self._rows.take_all(rows)
        self._list(range(len(rows)))

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
        """Draw all rows anew: they depend on more than what they hold."""
        self.refresh()

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

    # Keys

    def action_move(self, by: int) -> None:
        """Move the cursor by so many rows."""
        if self._numbers:
            self._point(max(0, min(len(self._numbers) - 1, self._index + by)))
            self._reveal()

    def action_page(self, by: int) -> None:
        """Move the cursor by so many windows."""
        self.action_move(by * max(1, self.size.height - HEADER - 1))

    def action_edge(self, place: int) -> None:
        """Move the cursor to the first row (0) or the last (-1)."""
        self.action_move(-len(self._numbers) if place == 0 else len(self._numbers))

    def action_choose(self) -> None:
        """Open the row under the cursor."""
        if self.cursor is not None:
            self.post_message(self.Chosen(self, self.cursor))

    def on_resize(self, event: events.Resize) -> None:
        """Ask for the rows that came into the window."""
        self._ask()
        self.refresh()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Ask for the rows that came into the window."""
        super().watch_scroll_y(old_value, new_value)
        self._ask()

    # Places and windows

    def _list(self, numbers: Sequence[int]) -> None:
        top = round(self.scroll_y)
        holds = self._holding(top)
        self._numbers = numbers
        self.virtual_size = Size(0, len(numbers) + HEADER)
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
        index = round(self.scroll_y) + y - HEADER
        return index if 0 <= index < len(self._numbers) else None

    def _window(self) -> range:
        top = round(self.scroll_y)
        return range(min(top, len(self._numbers)), min(top + max(0, self.size.height - HEADER), len(self._numbers)))

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
        before, self._index = self._index, index
        if number != self.cursor:
            self.cursor = number
            self._refresh_rows(before, index)
            self.post_message(self.Highlighted(self, number))

    def _refresh_rows(self, *indexes: int) -> None:
        """Draw these rows anew, and no others."""
        window = self._window()
        for index in indexes:
            if index in window:
                self.refresh(Region(0, index - window.start + HEADER, self.size.width, 1))

    def _reveal(self) -> None:
        window = max(1, self.size.height - HEADER)
        top = round(self.scroll_y)
        if self._index < top:
            self._scroll_now(self._index)
        elif self._index >= top + window:
            self._scroll_now(self._index - window + 1)

    def _ask(self) -> None:
        """Ask for rows of the window that are not at hand."""
        if numbers := self._rows.request(self._numbers, self._window()):
            self.post_message(self.Wanted(self, numbers))
