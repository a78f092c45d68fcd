"""Two texts from where they part: side by side where there is room for both, else one below the other."""

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from llmprof_addon.export.cache import Excerpt
from llmprof_tui.widgets.looks import Looks
from llmprof_tui.widgets.parted_layout import Line, Piece, Side, lines, sides

SPLIT_WIDTH = 100
"""From here on both texts stand side by side."""
GUTTER = 3


class PartedTexts(ScrollView, can_focus=True):
    """`show` gives it the texts."""

    HELP_TITLE = "In the texts"
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *("parted--same", "parted--gone", "parted--come", "parted--gone-mark", "parted--come-mark", "parted--note"),
    }
    DEFAULT_CSS = """
    PartedTexts {
        height: 1fr; background: $surface; color: $foreground; overflow-x: hidden;
        & > .parted--same { color: $foreground 70%; }
        & > .parted--gone { background: $error 25%; color: $foreground; }
        & > .parted--come { background: $success 25%; color: $foreground; }
        & > .parted--gone-mark { color: $error; text-style: bold; }
        & > .parted--come-mark { color: $success; text-style: bold; }
        & > .parted--note { color: $foreground 70%; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_up", "Up", id="parted.up", show=False, tooltip="One line up"),
        Binding("down,j", "scroll_down", "Down", id="parted.down", show=False, tooltip="One line down"),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shown: Excerpt | str = ""
        self._looks = Looks(self, "parted")
        self._strips: list[Strip] = []
        self._fitted = -1

    def show(self, shown: Excerpt | str) -> None:
        """Show two texts, or say why there are none."""
        self._shown = shown
        self._fitted = -1
        self._fit()
        self.scroll_to(0, 0, animate=False)

    def on_resize(self) -> None:
        """Lines break elsewhere."""
        self._fit()

    def notify_style_update(self) -> None:
        """Another theme."""
        super().notify_style_update()
        self._looks.forget()
        self._fitted = -1
        if self.is_mounted:
            self._fit()

    def render_line(self, y: int) -> Strip:
        """A line."""
        at, width = y + self.scroll_offset.y, self.size.width
        if at >= len(self._strips):
            return Strip.blank(width, self.rich_style)
        return self._strips[at].extend_cell_length(width, self.rich_style)

    def _fit(self) -> None:
        width = self.size.width - 1  # with room for a scroll bar
        if width <= GUTTER or self._fitted == width:
            return
        self._fitted = width
        self._strips = self._notes(self._shown, width) if isinstance(self._shown, str) else self._texts(width)
        self.virtual_size = Size(0, len(self._strips))
        self.refresh()

    def _notes(self, said: str, width: int) -> list[Strip]:
        style = self.rich_style + self._looks("note")
        broken = lines([Piece(said, "same")], width - 2)
        return [Strip([Segment(f" {''.join(piece.text for piece in line)}", style)]) for line in broken]

    def _texts(self, width: int) -> list[Strip]:
        assert isinstance(self._shown, Excerpt)
        both = self._shown.before is not None and self._shown.after is not None
        if not both or width < SPLIT_WIDTH:
            found = sides(self._shown, width - GUTTER, brief=both)
            return [self._strip(side, at, width) for side in found for at in range(len(side.lines))]
        half = (width - 1) // 2
        left, right = sides(self._shown, half - GUTTER)
        rule = Strip([Segment("│", self.rich_style + self._looks("note"))])
        return [
            Strip.join([self._strip(left, at, half), rule, self._strip(right, at, width - 1 - half)])
            for at in range(max(len(left.lines), len(right.lines)))
        ]

    def _strip(self, side: Side, at: int, width: int) -> Strip:
        if at >= len(side.lines):
            return Strip.blank(width, self.rich_style)
        name = "gone" if side.mark == "-" else "come"
        mark = f" {'−' if side.mark == '-' else '+'} " if not at else " " * GUTTER
        line: Line = side.lines[at]
        pieces = [Segment(mark, self.rich_style + self._looks(f"{name}-mark"))]
        pieces += [Segment(piece.text, self._ink(piece, name)) for piece in line]
        return Strip(pieces).adjust_cell_length(width, self.rich_style)

    def _ink(self, piece: Piece, name: str) -> Style:
        own = piece.look == "own"
        style = self.rich_style + self._looks(name if own else "same")
        # Without colours what differs has to stand out by itself.
        return style + Style(reverse=True) if own and getattr(self.app, "monochrome", False) else style
