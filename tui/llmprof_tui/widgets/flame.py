"""Component trees of a prompt or an answer as a flame graph: by component or by position, in tokens or dollars.

The cached prefix is the left end of a prompt, and of every component in prompt order: frames are faded as far as they
were read from the cache. By position the ends of what was read and written are lines through all layers.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from llmprof_addon.export import text
from llmprof_addon.export.whole import whole
from llmprof_addon.model.component import Component, Kind
from llmprof_addon.model.usage import Source
from llmprof_tui.themes import KIND_MARKS, kind_colour
from llmprof_tui.widgets.explorable import Explorable
from llmprof_tui.widgets.flame_layout import Chart, Frame, Run
from llmprof_tui.widgets.metrics import METRICS, Metric

READ_FADE = 0.42
"""How far the colour of what was read from the cache is faded."""
MIXED_FADE = 0.25
"""Of what was partly read, where the width does not tell how much."""


class FlameGraph(Explorable[Component]):
    """`show` gives it the components of a prompt or an answer.

    Posts `NodeSelected`, `NodeHovered` and `Zoomed`, whose `node` is a `Component` and whose `trail` has its ancestors.
    """

    DEFAULT_CSS = """
    FlameGraph { height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "m", "next_metric", "Metric", id="flame.metric", tooltip="What width stands for: tokens, dollars, or rent"
        ),
        Binding("v", "next_view", "View", id="flame.view", tooltip="By component, or in the order of the prompt"),
        Binding(
            "s", "next_order", "Order", id="flame.order", tooltip="In the order of the prompt, or the largest first"
        ),
    ]

    class RentWanted(Message):
        """The rents of what is drawn are asked for: answer with `show_rents`."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._rented: tuple[Sequence[Component], Sequence[Component]] | None = None
        """Both trees with rents for costs."""
        self.metric: Metric = METRICS[0]
        self.by_position = False
        self.by_size = False
        self._root_name = ""
        self._components: Sequence[Component] = ()
        self._positions: Sequence[Component] = ()
        self._source: Source | None = None
        self._hues: dict[Kind | None, str] = {}
        """The theme's colours, and that of the root."""
        self._text_of: Callable[[Component], str | None] | None = None

    def show(
        self,
        components: Sequence[Component],
        positions: Sequence[Component] = (),
        *,
        name: str = "prompt",
        source: Source | None = None,
        text_of: Callable[[Component], str | None] | None = None,
    ) -> None:
        """Draw trees that stand side by side.

        Args:
            components: by kind (`Explanation.components`, `.output_components`).
            positions: the same tokens in the order of the prompt (`Explanation.positions`); without them there is no
                such view.
            name: of the root.
            source: of the total, which may be reported where its parts are estimates.
            text_of: the text behind a component, for searches.
        """
        self._root_name = name
        self._components, self._positions = components, positions
        self._source = source
        self._text_of = text_of
        self._rented = None
        self._draw()

    def show_rents(self, components: Sequence[Component], positions: Sequence[Component]) -> None:
        """Take the trees with rents for costs; empty ones if there are none."""
        self._rented = components, positions
        if self.metric.of_run:
            self._draw()

    @property
    def root(self) -> Component | None:
        """The whole, as a component; `None` where nothing is drawn."""
        return self.chart.layers[0].nodes[0] if self.chart else None

    def search(self, words: str) -> tuple[int, int]:
        """Highlight nodes whose name or text holds the words, in any case; none: end it.

        Returns how many there are, and how much of the metric they cover together.
        """
        wanted = words.casefold()
        if not wanted:
            return self.find(None)

        def matches(component: Component) -> bool:
            if wanted in component.name.casefold():
                return True
            held = self._text_of(component) if self._text_of and not component.children else None
            return held is not None and wanted in held.casefold()

        return self.find(matches)

    def select(self, path: str) -> bool:
        """Put the cursor on the node that stands at this JSON path; `False` if none is drawn for it."""
        chart = self.chart
        frame = next((each for each in chart.frames() if chart.node(each).path == path), None) if chart else None
        if frame is not None:
            self.cursor = frame
        return frame is not None

    # -- what is drawn

    def _draw(self) -> None:
        kept = self.chart.node(self.cursor) if self.chart and self.cursor else None
        components, positions = self._components, self._positions
        if self.metric.of_run:
            if self._rented is None:
                self.draw(None)
                self.post_message(self.RentWanted())
                return
            components, positions = self._rented
        trees = positions if self.by_position and positions else components
        root = whole(self._root_name, trees, self._source)
        weigh = self.metric.weigh
        if not weigh(root):
            self.draw(None)
            return
        chart = Chart(root, lambda node: node.children, lambda node: weigh(node) or 0, by_size=self.by_size)
        self.draw(chart, _frame_of(chart, kept) if kept else None)

    def render_line(self, y: int) -> Strip:
        """What is missing, where nothing can be drawn."""
        if self.chart is None and y == 1:
            style = self.get_component_rich_style("icicle--axis")
            waits = self.metric.of_run and self._rented is None
            said = "Reading the run …" if waits else self.metric.missing
            return Strip([Segment(f" {said}", style)]).crop_extend(0, self.cells, self.rich_style)
        return super().render_line(y)

    def label(self, node: Component) -> str:
        return text.plain(shown_name(node))

    def amount(self, node: Component) -> str:
        return self.metric.write(node)

    def hue(self, node: Component, frame: Frame) -> str:
        colour = self._hues.get(node.kind if frame.depth else None)
        if colour is None:
            for kind in Kind:
                self._hues[kind] = kind_colour(kind, self.app.theme)
            self._hues[None] = self.neutral
            colour = self._hues[node.kind if frame.depth else None]
        return colour

    def notify_style_update(self) -> None:
        """Another theme."""
        self._hues.clear()
        super().notify_style_update()

    def mark(self, node: Component) -> str:
        if not self._monochrome:
            return ""
        mark = KIND_MARKS[node.kind]
        return mark if node.read_tokens * 2 > node.tokens else mark.upper()

    @property
    def _monochrome(self) -> bool:
        return bool(getattr(self.app, "monochrome", False))

    def tones(self, node: Component, frame: Frame, run: Run, width: int) -> Iterable[tuple[int, float]]:
        """Faded as far as it was read."""
        if node.read_tokens == node.tokens and node.tokens:
            return ((run.end, READ_FADE),)
        if not node.read_tokens:
            return ((run.end, 0.0),)
        if not self.metric.along_cache or self.chart is None:
            return ((run.end, MIXED_FADE),)
        start = self.chart.view(frame).start
        cut = (start + node.read_tokens - self.view.start) * width // self.view.span
        cut = max(run.start, min(cut, run.end))
        return ((cut, READ_FADE), (run.end, 0.0))

    # -- the cache boundary

    @property
    def _shows_boundary(self) -> bool:
        return self.by_position and bool(self._positions) and not self.by_size and self.metric.along_cache

    def boundaries(self, width: int) -> Sequence[int]:
        root = self.root
        if root is None or not self._shows_boundary:
            return ()
        ends = {root.read_tokens, root.read_tokens + root.write_tokens} - {0, root.tokens}
        return sorted({(end - self.view.start) * width // self.view.span for end in ends})

    def axis(self, width: int) -> str:
        root = self.root
        if root is None:
            return ""
        parts = [
            f"{name} {text.tokens(tokens)}"
            for name, tokens in (
                ("read", root.read_tokens),
                ("written", root.write_tokens),
                ("fresh", root.fresh_tokens),
            )
            if tokens
        ]
        if self._shows_boundary:
            return _ruler(self.boundaries(width), parts, width)
        order = "largest first" if self.by_size else "in prompt order"
        faded = "small letters" if self._monochrome else "faded"
        read = f" · {faded}: cached, {text.share(root.read_tokens, root.tokens)}" if root.read_tokens else ""
        what = f"{self.metric.write(root)} {self.metric.unit}".strip()
        where = "by position" if self.by_position and self._positions else "by component"
        return f" {what} {where}, {order}{read}"

    # -- modes

    def action_next_metric(self) -> None:
        self.metric = METRICS[(METRICS.index(self.metric) + 1) % len(METRICS)]
        self._draw()

    def action_next_view(self) -> None:
        self.by_position = not self.by_position
        self._draw()

    def action_next_order(self) -> None:
        self.by_size = not self.by_size
        self._draw()


def shown_name(component: Component) -> str:
    """What a component is called: the words of legends for a kind's own."""
    name = component.name or text.KIND_NAMES[component.kind]
    return text.KIND_NAMES[component.kind] if name == component.kind.value else name


def _frame_of(chart: Chart[Component], wanted: Component) -> Frame | None:
    """The frame of a component; in another tree, of what stands at the same JSON path."""
    path = None
    for frame in chart.frames():
        node = chart.node(frame)
        if node is wanted:
            return frame
        if path is None and wanted.path is not None and node.path == wanted.path:
            path = frame
    return path


def _ruler(cuts: Sequence[int], names: Sequence[str], width: int) -> str:
    """A line that says what lies between the cuts, which are lines through all layers."""
    edges = [0, *(max(0, min(cut, width)) for cut in cuts), width]
    stretches = [end - start for start, end in pairwise(edges)]
    if len(stretches) == len(names) and all(
        len(name) + 3 <= cells for name, cells in zip(names, stretches, strict=True)
    ):
        said = list(names)
    else:
        said = [""] * len(stretches)
        said[stretches.index(max(stretches))] = " · ".join(names)
    out = ""
    for index, (words, cells) in enumerate(zip(said, stretches, strict=True)):
        lead = "├" if index else " "
        line = f"{lead} {words} " if words else lead
        out += line[:cells].ljust(cells, "─")
    return out
