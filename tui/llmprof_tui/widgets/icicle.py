"""A laid out tree drawn as an icicle: root on top, width is weight.

Lines are drawn one by one and remembered, so that a frame of the screen costs the same for ten nodes as for a million.
What a node is called, how it is coloured and what the line above the root says is left to subclasses.
"""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.cache import LRUCache
from textual.color import Color
from textual.geometry import Size
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip

from llmprof_tui.widgets.flame_layout import Chart, Frame, Run, View

LABEL_CELLS = 4
"""Narrower frames have no label."""
TALL = 2
"""Most rows of a layer, where there is room."""
NARROW = "┊"
"""Stands for frames that are narrower than its cell."""


class Icicle[N](ScrollView, can_focus=True):
    """The drawing; `explorable` moves in it."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"icicle--cursor", "icicle--axis", "icicle--boundary"}
    DEFAULT_CSS = """
    Icicle { height: 1fr; overflow-x: hidden; scrollbar-size-vertical: 1; background: $surface; }
    Icicle > .icicle--cursor { background: $foreground; color: $background; text-style: bold; }
    Icicle > .icicle--axis { color: $foreground 60%; background: $surface; }
    Icicle > .icicle--boundary { color: $foreground; text-style: bold; }
    """
    cursor: var[Frame | None] = var(None, init=False)
    """The selected frame."""
    hover: var[Frame | None] = var(None, init=False)
    """The frame under the mouse."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.chart: Chart[N] | None = None
        self.view = View(0, 1)
        self.found: frozenset[Frame] | None = None
        """What was found; `None` while nothing is looked for."""
        self._strips: LRUCache[tuple[object, ...], list[Strip]] = LRUCache(1024)
        self._styles: dict[tuple[object, ...], Style] = {}

    # -- what subclasses say

    def label(self, node: N) -> str:
        """What stands in a node's frame, safe to show."""
        raise NotImplementedError

    def amount(self, node: N) -> str:
        """Its weight, for the frame."""
        raise NotImplementedError

    def hue(self, node: N, frame: Frame) -> str:
        """Its colour, as #rrggbb."""
        raise NotImplementedError

    def mark(self, node: N) -> str:
        """One cell that says what its colour says; empty where the colour is enough."""
        return ""

    def tones(self, node: N, frame: Frame, run: Run, width: int) -> Iterable[tuple[int, float]]:
        """(end cell, how far its colour is faded) of the stretches of a frame; the last one ends with the run."""
        return ((run.end, 0.0),)

    def axis(self, width: int) -> str:
        """The line above the root."""
        return ""

    def boundaries(self, width: int) -> Sequence[int]:
        """Cells that a vertical line goes through."""
        return ()

    # -- drawing

    def redraw(self) -> None:
        """Draw all lines anew."""
        self._strips.clear()
        self.refresh()

    @property
    def rows(self) -> int:
        """Rows of a layer."""
        layers = len(self.chart.layers) if self.chart else 1
        return max(1, min(TALL, (self.size.height - 1) // max(1, layers)))

    @property
    def cells(self) -> int:
        """Cells of a line: a scroll bar takes one."""
        return self.scrollable_content_region.width

    def _fit(self) -> None:
        layers = len(self.chart.layers) if self.chart else 0
        self.virtual_size = Size(0, layers * self.rows + 1)

    def on_resize(self) -> None:
        """The layers get the rows that there are."""
        self._fit()
        self.redraw()

    def notify_style_update(self) -> None:
        """Another theme."""
        super().notify_style_update()
        self._styles.clear()
        self._strips.clear()

    def render_line(self, y: int) -> Strip:
        """The axis, or a row of a layer."""
        width = self.cells
        if y == 0:
            style = self.get_component_rich_style("icicle--axis")
            return Strip([Segment(set_cell_size(self.axis(width), width), style)], width)
        depth, row = divmod(y - 1 + self.scroll_offset.y, self.rows)
        if self.chart is None or depth >= len(self.chart.layers) or width <= 0:
            return Strip.blank(width, self._ground)
        hovered, selected = (
            frame.place if frame and frame.depth == depth else -1 for frame in (self.hover, self.cursor)
        )
        key = (depth, self.view, width, hovered, selected, self.rows)
        strips = self._strips.get(key)
        if strips is None:
            strips = self._strips[key] = self._draw_layer(self.chart, depth, width, hovered, selected)
        return strips[row]

    @property
    def neutral(self) -> str:
        """The colour of a frame that has nothing to say by it."""
        shade = "lighten" if self.app.current_theme.dark else "darken"
        return self.app.theme_variables.get(f"panel-{shade}-1", "#808080")

    @property
    def _ground(self) -> Style:
        """Where there are no frames."""
        style = self._styles.get(())
        if style is None:
            style = self._styles[()] = self.rich_style
        return style

    def _draw_layer(self, chart: Chart[N], depth: int, width: int, hovered: int, selected: int) -> list[Strip]:
        """The rows of a layer. Everything that costs is asked for once a layer, or remembered: this is drawn often."""
        lines: list[list[Segment]] = [[] for _ in range(self.rows)]
        blank, cursor = self._ground, self.get_component_rich_style("icicle--cursor")
        layer = chart.layers[depth]
        nodes, starts = layer.nodes, layer.starts
        first, span = self.view.start, self.view.span
        marked = {
            (starts[place] - first) * width // span: style
            for place, style in ((hovered, blank + Style(bold=True)), (selected, cursor))
            if place >= 0
        }
        crowd: list[Style] = []

        def flush() -> None:
            if crowd:
                segment = Segment(NARROW * len(crowd), crowd[0])
                crowd.clear()
                for line in lines:
                    line.append(segment)

        for run in chart.runs(depth, self.view, width):
            if run.frame < 0:
                flush()
                for line in lines:
                    line.append(Segment(" " * (run.end - run.start), blank))
                continue
            frame, node = Frame(depth, run.frame), nodes[run.frame]
            if run.narrow:
                style = marked.get(run.start) or self._narrow_style(node, frame)
                if crowd and crowd[-1] is not style:
                    flush()
                crowd.append(style)
                continue
            flush()
            cells = run.end - run.start
            if run.frame == selected:
                for row, line in enumerate(lines):
                    line.append(Segment(self._text(node, row, cells), cursor))
                continue
            hue, start = self.hue(node, frame), run.start
            rests = [Segment(self._text(node, row, cells)) for row in range(len(lines))]
            for end, fade in self.tones(node, frame, run, width):
                if end <= start:
                    continue
                style = self._style(chart, frame, hue, fade, run.frame == hovered)
                for row, line in enumerate(lines):
                    piece, rests[row] = (
                        (rests[row], rests[row]) if end == run.end else rests[row].split_cells(end - start)
                    )
                    line.append(Segment(piece.text, style))
                start = end
        flush()
        strips = [Strip(line, width) for line in lines]
        for x in self.boundaries(width):
            strips = [self._ruled(strip, x, width) for strip in strips]
        return strips

    def _text(self, node: N, row: int, cells: int) -> str:
        mark = self.mark(node)
        if cells < LABEL_CELLS:
            return (mark if not row else "").ljust(cells)
        label = f" {mark} {self.label(node)}" if mark else f" {self.label(node)}"
        if row:
            amount = f" {self.amount(node)}"
            # Half a number would be another number.
            return amount.ljust(cells) if row == 1 and len(amount) <= cells else " " * cells
        if self.rows == 1 and cell_len(both := f"{label} {self.amount(node)}") <= cells:
            return set_cell_size(both, cells)
        if cell_len(label) <= cells:
            return set_cell_size(label, cells)
        return set_cell_size(label, cells - 1) + "…"

    def _narrow_style(self, last: N, frame: Frame) -> Style:
        """Of the mark of a cell full of frames."""
        faded = self.found is not None and frame not in self.found
        hue = self.hue(last, frame)
        key = (hue, faded)
        style = self._styles.get(key)
        if style is None:
            ground = self.background_colors[1]
            colour = Color.parse(hue).blend(ground, 0.7 if faded else 0.25)
            style = self._styles[key] = Style(color=colour.rich_color, bgcolor=ground.rich_color)
        return style

    def _style(self, chart: Chart[N], frame: Frame, hue: str, fade: float, hovered: bool) -> Style:
        outer = False
        if self.view is not chart.whole:
            start, end = chart.view(frame)
            outer = start <= self.view.start and end >= self.view.end and end - start > self.view.span
        faded = self.found is not None and frame not in self.found
        odd = (frame.place + frame.depth) % 2
        key = (hue, fade, odd, outer, faded, hovered, self.found is not None)
        style = self._styles.get(key)
        if style is None:
            ground = self.background_colors[1]
            colour = Color.parse(hue).blend(ground, fade)
            if odd:
                colour = colour.blend(ground, 0.12)
            if outer or faded:
                colour = colour.blend(ground, 0.75 if faded else 0.45)
            ink = colour.get_contrast_text(0.95)
            if hovered:
                colour = colour.blend(ink, 0.25)
            text = colour.blend(colour.get_contrast_text(1), 0.6) if faded else colour + ink
            style = self._styles[key] = Style(
                color=text.rich_color, bgcolor=colour.rich_color, bold=(self.found is not None and not faded) or None
            )
        return style

    def _ruled(self, strip: Strip, x: int, width: int) -> Strip:
        """The strip with a line through one of its cells."""
        if not 0 < x < width:
            return strip
        before, cell, after = strip.divide([x, x + 1, width])
        under = next((segment.style for segment in cell if segment.style), Style())
        line = Strip([Segment("▏", under + self.get_component_rich_style("icicle--boundary", partial=True))], 1)
        return Strip.join([before, line, after])
