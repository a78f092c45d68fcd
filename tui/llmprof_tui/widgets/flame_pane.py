"""A flame graph with all that belongs to it: the way to the node, its numbers, and a line to search by."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Static

from llmprof_addon.export import text
from llmprof_addon.model.component import Component
from llmprof_tui.widgets.breadcrumbs import Breadcrumbs
from llmprof_tui.widgets.flame import FlameGraph, shown_name
from llmprof_tui.widgets.node_detail import NodeDetail


class FlamePane(Vertical):
    """`show` takes what `FlameGraph.show` takes. The graph's messages bubble up to whoever holds the pane."""

    DEFAULT_CSS = """
    FlamePane { height: 1fr; }
    FlamePane > #find { height: 1; display: none; background: $panel; }
    FlamePane.-finding > #find { display: block; }
    FlamePane #find Input { width: 1fr; height: 1; border: none; padding: 0; background: $panel; }
    FlamePane #find Input:focus { border: none; }
    FlamePane #found { width: auto; padding: 0 1; color: $text-muted; }
    FlamePane .mark { width: 3; padding: 0 1; color: $text-accent; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "find", "Find", id="flame.find", tooltip="Highlight nodes by their names and texts"),
        Binding("escape", "end_find", "End search", id="flame.end-find", show=False, tooltip="Show all nodes again"),
    ]

    def __init__(self, *, first_seen: Callable[[Component], str | None] | None = None, id: str | None = None) -> None:
        """`first_seen` says which turn brought a component, where that is known."""
        super().__init__(id=id)
        self._first_seen = first_seen

    def compose(self) -> ComposeResult:
        """Way, graph, search, numbers."""
        yield Breadcrumbs()
        yield FlameGraph()
        with Horizontal(id="find"):
            yield Static("/", classes="mark")
            yield Input(placeholder="name or text", select_on_focus=False)
            yield Static("", id="found", markup=False)
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
        text_of: Callable[[Component], str | None] | None = None,
    ) -> None:
        """Draw these trees."""
        self.graph.show(components, positions, name=name, text_of=text_of)
        if self.has_class("-finding"):
            self._search(self.query_one(Input).value)

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
        seen = self._first_seen(trail[-1]) if trail and self._first_seen else None
        self.query_one(NodeDetail).show(trail, first_seen=seen)

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
        self.add_class("-finding")
        self.query_one(Input).focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Escape leaves the screen where there is no search to end."""
        return self.has_class("-finding") if action == "end_find" else True

    def action_end_find(self) -> None:
        self.remove_class("-finding")
        self.query_one(Input).clear()
        self.graph.find(None)
        self.graph.focus()

    @on(Input.Changed)
    def _typed(self, message: Input.Changed) -> None:
        message.stop()
        if self.has_class("-finding"):
            self._search(message.value)

    @on(Input.Submitted)
    def _entered(self, message: Input.Submitted) -> None:
        message.stop()
        self.graph.focus()
        self.graph.action_next_match(1)

    def _search(self, words: str) -> None:
        found, covered = self.graph.search(words)
        root = self.graph.root
        said = ""
        if words and root is not None:
            share = text.share(covered, self.graph.metric.weigh(root))
            said = (
                f"{text.counted(found, 'match', 'matches')}, {share} of the {self.graph.metric.key}"
                if found
                else "nothing found"
            )
            said += "  n/N" if found > 1 else ""
        self.query_one("#found", Static).update(said)
