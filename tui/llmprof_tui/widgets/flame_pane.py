"""A flame graph with all that belongs to it: the way to the node, its numbers, and a line to search by."""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.timer import Timer

from llmprof_addon.export import text
from llmprof_addon.model.component import Component
from llmprof_addon.model.usage import Source
from llmprof_tui.timers import Punctual
from llmprof_tui.widgets.breadcrumbs import Breadcrumbs
from llmprof_tui.widgets.find_bar import FindBar
from llmprof_tui.widgets.flame import FlameGraph, shown_name
from llmprof_tui.widgets.node_detail import NodeDetail, first_turn

MANY = 20_000
"""Nodes from which on a search waits until the typing rests."""
SETTLE_SECONDS = 0.2


class FlamePane(Punctual, Vertical):
    """`show` takes what `FlameGraph.show` takes. The graph's messages bubble up to whoever holds the pane."""

    DEFAULT_CSS = """
    FlamePane { height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "find", "Find", id="flame.find", tooltip="Highlight nodes by their names and texts"),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._wait: Timer | None = None
        self._turns: Mapping[str, int] = {}

    def compose(self) -> ComposeResult:
        """Way, graph, search, numbers."""
        yield Breadcrumbs()
        yield FlameGraph()
        yield FindBar()
        yield NodeDetail()

    @property
    def graph(self) -> FlameGraph:
        """The graph itself."""
        return self.query_one(FlameGraph)

    def show(
        self,
        components: Sequence[Component],
        positions: Sequence[Component] = (),
        *,
        name: str = "prompt",
        source: Source | None = None,
        text_of: Callable[[Component], str | None] | None = None,
    ) -> None:
        """Draw these trees."""
        self.graph.show(components, positions, name=name, source=source, text_of=text_of)
        if bar := self.query_one(FindBar).word:
            self._search(bar)

    def show_turns(self, turns: Mapping[str, int]) -> None:
        """Say of parts, by their paths, in which turn they were first sent."""
        self._turns = turns
        if self.graph.cursor is not None:
            self._tell(self.graph.trail(self.graph.cursor))

    # -- what happens in the graph

    @on(FlameGraph.NodeSelected)
    def _selected(self, message: FlameGraph.NodeSelected) -> None:
        self.query_one(Breadcrumbs).show([text.plain(shown_name(node)) for node in message.trail])
        self._tell(message.trail)

    @on(FlameGraph.NodeHovered)
    def _hovered(self, message: FlameGraph.NodeHovered) -> None:
        graph = self.graph
        self._tell(message.trail or (graph.trail(graph.cursor) if graph.cursor else ()))

    def _tell(self, trail: Sequence[Component]) -> None:
        rent = self.graph.metric.of_run
        self.query_one(NodeDetail).show(trail, first_turn(trail, self._turns), rent=rent)

    @on(Breadcrumbs.Chosen)
    def _step(self, message: Breadcrumbs.Chosen) -> None:
        graph = self.graph
        if graph.chart is not None and graph.cursor is not None:
            frame = graph.chart.trail(graph.cursor)[message.index]
            graph.cursor = frame
            graph.zoom(frame)
            graph.focus()

    # -- search

    def action_find(self) -> None:
        self.query_one(FindBar).open()

    @on(FindBar.Changed)
    def _typed(self, message: FindBar.Changed) -> None:
        message.stop()
        self._settle()
        chart = self.graph.chart
        if chart is not None and sum(len(layer.nodes) for layer in chart.layers) > MANY:
            self._wait = self.set_timer(SETTLE_SECONDS, self._settled)
        else:
            self._search(message.word)

    def _settle(self) -> bool:
        """Wait no longer; whether a search was waited with."""
        waited, self._wait = self._wait, None
        if waited is not None:
            waited.stop()
        return waited is not None

    def _settled(self) -> None:
        if self._settle():
            self._search(self.query_one(FindBar).word)

    @on(FindBar.Left)
    def _left(self, message: FindBar.Left) -> None:
        message.stop()
        self._settled()
        self.graph.focus()
        if message.kept:
            self.graph.action_next_match(1)
        else:
            self.graph.search("")

    def _search(self, words: str) -> None:
        graph = self.graph
        found, covered = graph.search(words)
        said = ""
        if words and graph.root is not None:
            share = (
                f", {text.share(covered, graph.metric.weigh(graph.root))} of {graph.metric.key}  n/N" if found else ""
            )
            said = f"{text.counted(found, 'match', 'matches')}{share}"
        self.query_one(FindBar).say(said)
