"""The colours and characters of a timeline: a cell of the layout -> what a terminal shows of it, each made once."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from rich.style import Style
from textual.color import Color

from llmprof_tui.themes import KIND_MARKS, kind_colour
from llmprof_tui.widgets.timeline_layout import EIGHTHS, EMPTY, Cell
from llmprof_tui.widgets.timeline_stacks import is_cached, kind_of_paint

CACHED_FADES = 0.45
"""How far the colour of cached tokens goes towards the background."""

_BARS = " ▁▂▃▄▅▆▇█"
_RULES = {"grid": "┈", "limit": "╌"}

type Piece = tuple[str, Style]
"""Neighbours of one style hold the same object, so that they are joined by identity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The colours of a theme, and whether colours can be told apart at all."""

    theme: str
    background: Color
    colours: Mapping[str, Color]
    """By name: `text`, `caption`, `grid`, `limit`, `selected`, `hovered`, and those of signs."""
    monochrome: bool = False

    def style(self, name: str, *, bold: bool | None = None, reverse: bool | None = None) -> Style:
        """Text of this colour on the background."""
        ink, ground = self.colours[name].rich_color, self.background.rich_color
        return Style(color=ink, bgcolor=ground, bold=bold, reverse=reverse)


@dataclass(slots=True, eq=False)
class Inks:
    """Pieces of one look. `state` is `selected`, `hovered` or empty: it tints what no amount reaches."""

    look: Look
    _colours: dict[int, Color] = field(default_factory=dict)
    _styles: dict[tuple[int, int, str], Style] = field(default_factory=dict)
    _pieces: dict[tuple[Cell, str, int], Piece] = field(default_factory=dict)

    def colour(self, number: int) -> Color:
        """The colour of a paint: what came from the cache is nearer to the background."""
        found = self._colours.get(number)
        if found is None:
            found = Color.parse(kind_colour(kind_of_paint(number), self.look.theme))
            if is_cached(number):
                found = found.blend(self.look.background, CACHED_FADES)
            self._colours[number] = found
        return found

    def piece(self, cell: Cell, state: str, width: int) -> Piece:
        """A cell that holds some of a stack, as often as the column is wide."""
        key = cell, state, width
        found = self._pieces.get(key)
        if found is None:
            found = self._pieces[key] = self._glyph(cell) * width, self._style(cell, state)
        return found

    def blank(self, rule: str, state: str, width: int) -> Piece:
        """Cells above a stack, with a line through them if there is a `rule` (`grid` or `limit`)."""
        key = EMPTY, EMPTY, f"{rule} {state}"
        style = self._styles.get(key)
        if style is None:
            ink = self.look.colours[rule or "caption"].rich_color
            style = self._styles[key] = Style(color=ink, bgcolor=self._ground(state).rich_color)
        return _RULES.get(rule, " ") * width, style

    def _style(self, cell: Cell, state: str) -> Style:
        ends = cell.upper == EMPTY
        key = cell.lower, cell.upper, state if ends or self.look.monochrome else ""
        style = self._styles.get(key)
        if style is None:
            plain = self.look.monochrome
            ink = self.look.colours["text"] if plain else self.colour(cell.lower)
            ground = self._ground(state) if plain or ends else self.colour(cell.upper)
            style = self._styles[key] = Style(color=ink.rich_color, bgcolor=ground.rich_color)
        return style

    def _ground(self, state: str) -> Color:
        return self.look.colours[state] if state else self.look.background

    def _glyph(self, cell: Cell) -> str:
        if not self.look.monochrome:
            return _BARS[cell.level] if cell.lower != cell.upper else " "
        if cell.upper == EMPTY:
            return _BARS[cell.level]
        return _letter(cell.lower if cell.level >= EIGHTHS // 2 else cell.upper)


def _letter(number: int) -> str:
    """A kind's letter; a capital where it did not come from the cache."""
    mark = KIND_MARKS[kind_of_paint(number)]
    return mark if is_cached(number) else mark.upper()
