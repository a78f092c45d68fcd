"""An icicle that is looked at by keys and mouse: cursor, hover, zoom with its history, and what a search has found."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message

from llmprof_tui.widgets.flame_layout import Chart, Frame, View
from llmprof_tui.widgets.icicle import Icicle


class Explorable[N](Icicle[N]):
    """`draw` gives it a tree, `find` highlights; what a person does comes up as messages."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "zoom", "Zoom in", id="flame.zoom", tooltip="Fill the width with the selected node"),
        Binding("backspace", "unzoom", "Zoom out", id="flame.unzoom", show=False, tooltip="Back to the view before"),
        Binding("0", "whole", "All", id="flame.whole", show=False, tooltip="The whole tree again"),
        Binding("left,h", "step(-1)", "Left", id="flame.left", show=False, tooltip="The node to the left"),
        Binding("right,l", "step(1)", "Right", id="flame.right", show=False, tooltip="The node to the right"),
        Binding("up,k", "rise", "Up", id="flame.up", show=False, tooltip="The node around this one"),
        Binding("down,j", "descend", "Down", id="flame.down", show=False, tooltip="The largest node inside this one"),
        Binding("home,g", "end(0)", "First", id="flame.first", show=False, tooltip="The first node of this layer"),
        Binding("end,G", "end(-1)", "Last", id="flame.last", show=False, tooltip="The last node of this layer"),
        Binding(
            "plus", "magnify(2)", "Magnify", id="flame.plus", show=False, tooltip="See half as much, twice as wide"
        ),
        Binding("minus", "magnify(-2)", "Shrink", id="flame.minus", show=False, tooltip="See twice as much"),
        Binding(
            "n", "next_match(1)", "Next match", id="flame.next", show=False, tooltip="The next node that was found"
        ),
        Binding("N", "next_match(-1)", "Previous", id="flame.previous", show=False, tooltip="The one found before it"),
    ]

    class About(Message):
        """Something happened to a node. `trail` has the nodes from the root down to it."""

        def __init__(self, graph: "Explorable[Any]", trail: Sequence[Any]) -> None:
            super().__init__()
            self.graph = graph
            self.trail = tuple(trail)

        @property
        def node(self) -> Any:
            """The node, or `None` (the mouse left)."""
            return self.trail[-1] if self.trail else None

        @property
        def control(self) -> "Explorable[Any]":
            """The sender, for `@on` selectors."""
            return self.graph

    class NodeSelected(About):
        """The cursor is on another node."""

    class NodeHovered(About):
        """The mouse is over another node, or over none."""

    class Zoomed(About):
        """Another stretch fills the width; the node is the smallest one that holds all of it."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._order: list[Frame] = []
        """What was found, from left to right."""
        self._history: list[View] = []

    # -- the tree

    def draw(self, chart: Chart[N] | None, cursor: Frame | None = None) -> None:
        """Show this tree, whole; the cursor is on its root, or on the frame given."""
        self.chart = chart
        self.view = chart.whole if chart else View(0, 1)
        self.found = None
        self._order = []
        self._history = []
        self.set_reactive(Explorable.hover, None)
        self.set_reactive(Explorable.cursor, (cursor or Frame(0, 0)) if chart else None)
        self._fit()
        self.redraw()
        if self.cursor is not None:
            self._keep_in_sight(self.cursor)
            self.post_message(self.NodeSelected(self, self.trail(self.cursor)))

    def trail(self, frame: Frame) -> list[N]:
        """The nodes from the root down to a frame's."""
        chart = self.chart
        return [chart.node(each) for each in chart.trail(frame)] if chart else []

    def find(self, matches: Callable[[N], bool] | None) -> tuple[int, int]:
        """Highlight what matches, the rest fades; `None` ends it. How many nodes, and the weight that they cover."""
        chart = self.chart
        self.found = None
        self._order = []
        if chart is not None and matches is not None:
            self.found = frozenset(frame for frame in chart.frames() if matches(chart.node(frame)))
            self._order = sorted(self.found, key=lambda frame: (chart.view(frame).start, frame.depth))
        self.redraw()
        covered = end = 0
        for frame in self._order:
            assert chart is not None
            view = chart.view(frame)
            covered += max(0, view.end - max(end, view.start))
            end = max(end, view.end)
        return len(self._order), covered

    # -- cursor and mouse

    def watch_cursor(self, old: Frame | None, new: Frame | None) -> None:
        """Redraw two lines, and tell."""
        self._refresh_layers(old, new)
        if new is not None:
            self._keep_in_sight(new)
            self.post_message(self.NodeSelected(self, self.trail(new)))

    def watch_hover(self, old: Frame | None, new: Frame | None) -> None:
        """Redraw two lines, and tell."""
        self._refresh_layers(old, new)
        self.post_message(self.NodeHovered(self, self.trail(new) if new else ()))

    def watch_has_focus(self, focused: bool) -> None:
        """The cursor looks otherwise where keys go elsewhere."""
        super().watch_has_focus(focused)
        self._refresh_layers(self.cursor)

    def _refresh_layers(self, *frames: Frame | None) -> None:
        for frame in frames:
            if frame is not None:
                top = 1 + frame.depth * self.rows - self.scroll_offset.y
                self.refresh(Region(0, top, self.cells, self.rows))

    def _keep_in_sight(self, frame: Frame) -> None:
        chart = self.chart
        if chart is None:
            return
        view = chart.showing(frame, self.view)
        if view != self.view:
            self.view = view
            self.refresh()
        top, room = frame.depth * self.rows, max(1, self.size.height - 1)
        low, high = top + self.rows - room, top
        if not low <= self.scroll_offset.y <= high:
            self.scroll_to(y=min(max(self.scroll_offset.y, low), high), animate=False)

    def _hit(self, event: events.MouseEvent) -> Frame | None:
        y = event.y - 1
        if self.chart is None or y < 0:
            return None
        return self.chart.at(event.x, (y + self.scroll_offset.y) // self.rows, self.view, self.cells)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """What is under the mouse is told about."""
        self.hover = self._hit(event)

    def on_leave(self, event: events.Leave) -> None:
        """Nothing is."""
        self.hover = None

    def on_click(self, event: events.Click) -> None:
        """Select; what is selected already, or clicked twice, is zoomed to. The right button zooms out."""
        if event.button == 3:
            self.action_unzoom()
            return
        frame = self._hit(event)
        if frame is not None:
            if frame == self.cursor:
                self.zoom(frame)
            self.cursor = frame

    # -- zoom

    def zoom(self, frame: Frame) -> None:
        """Fill the width with a frame."""
        if self.chart is not None:
            self._look(self.chart.view(frame))

    def _look(self, view: View, *, back: bool = False) -> None:
        if self.chart is None or view == self.view:
            return
        if not back:
            self._history.append(self.view)
        self.view = view
        self.refresh()
        holding, below = Frame(0, 0), self.chart.at(0, 1, view, max(1, self.cells))
        while below is not None and (span := self.chart.view(below)).start <= view.start and span.end >= view.end:
            holding = below
            below = self.chart.at(0, holding.depth + 1, view, max(1, self.cells))
        self.post_message(self.Zoomed(self, self.trail(holding)))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without a search, the keys for its hits are whoever's else."""
        return self.found is not None if action == "next_match" else True

    def action_zoom(self) -> None:
        if self.cursor is not None:
            self.zoom(self.cursor)

    def action_unzoom(self) -> None:
        if self.chart is not None:
            self._look(self._history.pop() if self._history else self.chart.whole, back=True)

    def action_whole(self) -> None:
        if self.chart is not None:
            self._look(self.chart.whole)

    def action_magnify(self, factor: int) -> None:
        if self.chart is None or self.cursor is None:
            return
        start, end = self.chart.view(self.cursor)
        middle = (max(start, self.view.start) + min(end, self.view.end)) // 2
        span = self.view.span // factor if factor > 0 else self.view.span * -factor
        self._look(self.chart.clamped(middle - span // 2, span))

    def action_step(self, step: int) -> None:
        if self.chart is not None and self.cursor is not None:
            self.cursor = self.chart.neighbour(self.cursor, step) or self.cursor

    def action_end(self, place: int) -> None:
        if self.chart is not None and self.cursor is not None:
            depth = self.cursor.depth
            self.cursor = Frame(depth, len(self.chart.layers[depth].nodes) - 1 if place else 0)

    def action_rise(self) -> None:
        if self.chart is not None and self.cursor is not None:
            self.cursor = self.chart.parent(self.cursor) or self.cursor

    def action_descend(self) -> None:
        if self.chart is not None and self.cursor is not None:
            self.cursor = self.chart.heaviest_child(self.cursor) or self.cursor

    def action_next_match(self, step: int) -> None:
        """Go to the next frame that was found, around the end."""
        if self._order:
            at = self._order.index(self.cursor) if self.cursor in self._order else (-1 if step > 0 else 0)
            self.cursor = self._order[(at + step) % len(self._order)]
