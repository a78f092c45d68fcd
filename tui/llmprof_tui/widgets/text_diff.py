"""The difference of two texts, line by line; side by side where there is room for both."""

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len, chop_cells, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from llmprof_addon.export.text import plain
from llmprof_tui.widgets.text_diff_layout import Line, Row, side_by_side

SPLIT_WIDTH = 138
"""From here on both texts stand side by side."""
NUMBER = 5
"""Cells of a line number."""


class TextDiff(ScrollView, can_focus=True):
    """`show` gives it the rows of a difference."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "text-diff--gone",
        "text-diff--come",
        "text-diff--note",
        "text-diff--number",
    }
    DEFAULT_CSS = """
    TextDiff { height: 1fr; background: $surface; overflow-x: hidden; scrollbar-size-vertical: 1; }
    TextDiff > .text-diff--gone { background: $error 22%; color: $foreground; }
    TextDiff > .text-diff--come { background: $success 22%; color: $foreground; }
    TextDiff > .text-diff--note { color: $foreground 60%; background: $surface; }
    TextDiff > .text-diff--number { color: $foreground 40%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_up", "Up", id="text-diff.up", show=False, tooltip="One line up"),
        Binding("down,j", "scroll_down", "Down", id="text-diff.down", show=False, tooltip="One line down"),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._rows: Sequence[Row] = ()
        self._said = ""
        self._lines: list[Strip] = []
        self._laid_out: object = None

    def show(self, rows: Sequence[Row], *, said: str = "") -> None:
        """Show these rows; `said` stands where there are none."""
        self._rows, self._said = rows, said
        self._laid_out = None
        self._fit()
        self.scroll_to(0, 0, animate=False)

    def on_resize(self) -> None:
        """Lines break elsewhere."""
        self._fit()

    def notify_style_update(self) -> None:
        """Another theme."""
        super().notify_style_update()
        self._laid_out = None
        if self.is_mounted:
            self._fit()

    def render_line(self, y: int) -> Strip:
        """A line."""
        at = y + self.scroll_offset.y
        width = self.size.width
        if at >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        return self._lines[at].extend_cell_length(width, self.rich_style)

    def _fit(self) -> None:
        # With room for a scroll bar, whether there is one or not: otherwise lines would break anew when it comes.
        width = self.size.width - 1
        if self._laid_out == width or width <= 0:
            return
        self._laid_out = width
        # A text that is all new or all gone has no other side.
        split = width >= SPLIT_WIDTH and len({row.mark for row in self._rows} - {"@"}) > 1
        rows = side_by_side(self._rows) if split else self._rows
        self._lines = [strip for row in rows for strip in (self._split(row, width) if split else self._one(row, width))]
        if not rows and self._said:
            self._lines = [self._note(self._said, width)]
        self.virtual_size = Size(0, len(self._lines))
        self.refresh()

    def _note(self, words: str, width: int) -> Strip:
        return Strip([Segment(set_cell_size(f" {words}", width), self._style("note"))], width)

    def _one(self, row: Row, width: int) -> list[Strip]:
        if row.mark == "@":
            return [self._note(f"⋯ {row.note}", width)]
        line = row.after or row.before
        assert line is not None
        return [Strip(segments, width) for segments in self._cells(line, row.mark, width)]

    def _split(self, row: Row, width: int) -> list[Strip]:
        if row.mark == "@":
            return [self._note(f"⋯ {row.note}", width)]
        half = (width - 1) // 2
        marks = (" ", " ") if row.mark == " " else ("-", "+")
        sides = [
            self._cells(line, mark, cells) if line else []
            for line, mark, cells in zip((row.before, row.after), marks, (half, width - 1 - half), strict=True)
        ]
        out = []
        for index in range(max(map(len, sides))):
            left = sides[0][index] if index < len(sides[0]) else [Segment(" " * half, self.rich_style)]
            right = sides[1][index] if index < len(sides[1]) else [Segment(" " * (width - 1 - half), self.rich_style)]
            out.append(Strip([*left, Segment("│", self._style("note")), *right], width))
        return out

    def _cells(self, line: Line, mark: str, width: int) -> list[list[Segment]]:
        """A line of a text in so many cells, broken where it is longer."""
        style = self.rich_style if mark == " " else self._style("gone" if mark == "-" else "come")
        number = style + self.get_component_rich_style("text-diff--number", partial=True)
        room = max(4, width - NUMBER - 3)
        text = plain(line.text.expandtabs(4))
        pieces = [text] if cell_len(text) <= room else chop_cells(text, room)
        out = []
        for index, piece in enumerate(pieces or [""]):
            shown = f"{line.number:>{NUMBER}} " if not index else " " * (NUMBER + 1)
            body = f"{mark} {piece}"
            out.append([Segment(shown, number), Segment(set_cell_size(body, width - NUMBER - 1), style)])
        return out

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"text-diff--{name}")
