"""One call: what is in its prompt, what came back, what it cost, and both bodies as they were sent."""

from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import ContentSwitcher

from llmprof_addon.errors import LlmprofError
from llmprof_addon.export.text import plain
from llmprof_addon.model.component import Component, Kind
from llmprof_tui.screens.call_questions import Advice, Loaded, advice, loaded
from llmprof_tui.screens.call_texts import copy, keep_levels, kept_levels, page, show_advice
from llmprof_tui.screens.loading import LoadingScreen
from llmprof_tui.source import GoneError
from llmprof_tui.widgets.call_header import CallHeader
from llmprof_tui.widgets.composition import CompositionBar
from llmprof_tui.widgets.cost_table import CostTable
from llmprof_tui.widgets.entries import raw_entries
from llmprof_tui.widgets.entry import HEAD, Entry, Level, Place, as_sent, called
from llmprof_tui.widgets.explorable import Explorable
from llmprof_tui.widgets.finding_list import FindingList
from llmprof_tui.widgets.flame import FlameGraph
from llmprof_tui.widgets.flame_pane import FlamePane
from llmprof_tui.widgets.key_bar import KeyBar
from llmprof_tui.widgets.messages_pane import MessagesPane
from llmprof_tui.widgets.node_entries import Node, behind
from llmprof_tui.widgets.notice import Notice
from llmprof_tui.widgets.sought import Sought, Spot
from llmprof_tui.widgets.tab_bar import TabBar

if TYPE_CHECKING:
    from llmprof_addon.pipeline.rented import Rented
    from llmprof_addon.store.rows import CallRow

TABS = ("flame", "messages", "answer", "findings", "cost", "raw")
TEXTLESS = ("findings", "cost")
"""Tabs without a text to copy or open."""
LOW = 30
"""Rows below which the composition leaves the header."""


class CallScreen(LoadingScreen):
    """The screen of a call."""

    AUTO_FOCUS = ""  # what has the focus answers keys, and there is nothing yet that could
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(str(index + 1), f"tab({index})", name.capitalize(), show=False, id=f"call.{name}",
                    tooltip=f"Open the tab {name.capitalize()}")
            for index, name in enumerate(TABS)
        ),
        Binding("left_square_bracket", "neighbour(-1)", "Call before", key_display="[", id="call.before",
                tooltip="The call before it in its run"),
        Binding("right_square_bracket", "neighbour(1)", "Next call", key_display="]", id="call.next",
                tooltip="The next call of its run"),
        Binding("d", "compare", "Diff", id="call.diff", tooltip="Compare with the call that it goes on from"),
        Binding("a", "side", "Answer", id="call.side", show=False, tooltip="Flame: of the prompt, or of the answer"),
        Binding("r", "side", "Response", id="call.response", show=False, tooltip="Raw: the request, or the response"),
        Binding("y", "copy", "Copy", id="call.copy", tooltip="Copy the selected text"),
        Binding("o", "pager", "Pager", id="call.pager", tooltip="Open the selected text in your pager"),
        Binding("escape", "back", "Back", id="call.back", tooltip="Back to where the call was opened"),
    ]  # fmt: skip

    def __init__(self, call_id: str, *, node: str | None = None, sought: Sought | None = None) -> None:
        """`node`: key (hex) of the part of the prompt to begin with; `sought`: text to begin with."""
        super().__init__()
        self.call_id = call_id
        self._node, self._sought = node, sought
        self.row: CallRow | None = None
        self._loaded: Loaded | None = None
        self._before: CallRow | None = None
        self._after: CallRow | None = None
        self._other_side = {"flame": False, "raw": False}
        """Whether a tab shows the answer's side."""
        self._raw_of: tuple[str, bool] | None = None
        """Which call and side the raw tab shows."""
        self._trail: tuple[Component, ...] = ()

    def compose(self) -> ComposeResult:
        """Header, tabs, pages."""
        yield CallHeader()
        yield CompositionBar()
        yield TabBar([name.capitalize() for name in TABS])
        with ContentSwitcher(initial="state"):
            yield Notice(id="state")
            with Vertical(id="flame"):
                yield FlamePane()
                yield MessagesPane(levels=False, id="node")
            yield MessagesPane(id="messages")
            yield MessagesPane(id="answer")
            yield FindingList(of_call=True, id="findings")
            yield CostTable(id="cost")
            yield MessagesPane(levels=False, numbered=True, id="raw")
        yield KeyBar()

    def on_mount(self) -> None:
        """Ask for the call."""
        self._open(self.call_id)

    def on_resize(self, event: events.Resize) -> None:
        """A low terminal has no room for pictures above the text."""
        self.set_class(event.size.height < LOW, "-low")

    # data

    def _open(self, call_id: str) -> None:
        self.call_id = call_id
        self._loaded = None
        self.query_one("#state", Notice).say("Reading the call …")
        self.load("call", lambda source: source.call(call_id), self._show_row)
        self._ask_neighbours()

    def _ask_neighbours(self) -> None:
        call_id = self.call_id
        self.load("neighbours", lambda source: source.neighbours(call_id), self._show_neighbours)

    def store_changed(self) -> None:
        """A call may have come after this one; this one may be gone; its run may have been looked at."""
        self._ask_neighbours()
        self._ask_advice()

    def _show_row(self, row: "CallRow") -> None:
        self.row, self.call_id = row, row.id  # it may have been opened by the start of its id
        self.sub_title = plain(row.model or row.id)
        self.query_one(CallHeader).show(row)
        self.query_one(CompositionBar).show(row.composition)
        self.query_one(CostTable).show(row)
        # What the texts need keeps the interpreter busy for a while: the header is painted before that.
        self.call_after_refresh(self._ask_texts, row.id)

    def _ask_texts(self, call_id: str) -> None:
        sought, self._sought = self._sought, None
        self.load("texts", lambda source: loaded(source, call_id, sought), self._show_texts)

    def _show_neighbours(self, around: "tuple[CallRow | None, CallRow | None]") -> None:
        self._before, self._after = around
        self.query_one(CallHeader).say("")  # of what kept the last question from its answer
        self.refresh_bindings()

    def _show_texts(self, loaded: Loaded) -> None:
        if loaded.explained.row.id != self.call_id:
            return  # another call was opened meanwhile
        self._loaded = loaded
        self.query_one(TabBar).display = True
        row = loaded.explained.row
        total = sum(total.tokens for total in row.composition)
        usage = row.usage
        cached = bool(usage.cache_read_input_tokens or usage.cache_creation_input_tokens)
        levels = kept_levels(self.app)
        self._pane("messages").show(loaded.prompt, levels, total=total, cached=cached)
        answered = sum(total.tokens for total in row.output_composition)
        answer_levels = dict.fromkeys((Kind.TOOL_CALLS, Kind.REASONING), Level.FULL) | levels
        self._pane("answer").show(loaded.answer, answer_levels, total=answered)
        self._show_flame()
        self._show_tab()
        self._ask_advice()
        if self._node is not None:
            self._go_to(self._node)
            self._node = None
        if loaded.spot is not None:
            self._look_for(loaded.spot)
        graph, explained = self.query_one(FlamePane), loaded.explained
        graph.show_turns({})
        # Last, since it stands in one place only, and takes longer the longer the run is.
        self.load("turns", lambda source: source.first_turns(explained), graph.show_turns)

    def _ask_advice(self) -> None:
        if self._loaded is not None:
            explained = self._loaded.explained
            self.load("advice", lambda source: advice(source, explained), self._show_advice)

    def _show_advice(self, found: Advice) -> None:
        if self._loaded is None or found.call_id != self.call_id:
            return
        self.query_one(TabBar).sign(TABS.index("findings"), found.sign)
        show_advice(self.query_one(FindingList), found, self._loaded.explained.paths)

    @on(FindingList.Opened)
    def _opened_place(self, message: FindingList.Opened) -> None:
        if message.node is not None:
            self._go_to(message.node)

    @on(FlameGraph.RentWanted)
    def _rent_wanted(self) -> None:
        if (loaded := self._loaded) is None:
            return
        graph, explained = self.query_one(FlamePane).graph, loaded.explained
        if self._other_side["flame"]:
            graph.show_rents((), ())
            return

        def show(found: "Rented") -> None:
            if self._loaded is loaded and not self._other_side["flame"]:
                graph.show_rents(found.components, found.positions)

        self.load("rent", lambda source: source.rented(explained), show)

    def failed(self, group: str, error: LlmprofError) -> None:
        """Say it where the texts would be; a call that was deleted while it is shown stays readable."""
        if group == "neighbours" and self._loaded is not None:
            gone = "deleted from the store; what is shown is what was read before"
            self.query_one(CallHeader).say(gone if isinstance(error, GoneError) else plain(error.message))
            return
        if self._loaded is None:
            said = f"{error.hint}\n\nesc goes back".lstrip()
            self.query_one("#state", Notice).say(f"✗ {plain(error.message)}", said, colour="error")
            self.query_one(ContentSwitcher).current = "state"
            self.query_one(TabBar).display = False
        else:
            super().failed(group, error)

    # tabs

    @property
    def tab(self) -> str:
        """The name of the open tab."""
        return TABS[self.query_one(TabBar).active]

    def action_tab(self, index: int) -> None:
        """Open a tab."""
        self.query_one(TabBar).active = index
        self._show_tab()

    @on(TabBar.Chosen)
    def _chosen(self, message: TabBar.Chosen) -> None:
        self.action_tab(message.index)

    def _show_tab(self) -> None:
        self.refresh_bindings()
        if self._loaded is None:
            return
        self.query_one(ContentSwitcher).current = self.tab
        match self.tab:
            case "flame":
                self.query_one(FlamePane).graph.focus()
            case "cost":
                self.query_one(CostTable).focus()
            case "findings":
                self.query_one(FindingList).enter()
            case "raw":
                self._pane("raw").view.focus()
                self._show_raw()
            case name:
                self._pane(name).view.focus()

    def _pane(self, id: str) -> MessagesPane:
        return self.query_one(f"#{id}", MessagesPane)

    def _show_flame(self) -> None:
        assert self._loaded is not None
        explained, answer = self._loaded.explained, self._other_side["flame"]
        texts = {entry.path: entry.text for entry in (self._loaded.answer if answer else self._loaded.prompt)}
        self.query_one(FlamePane).show(
            explained.output_components if answer else explained.components,
            () if answer else self._loaded.positions,
            name="answer" if answer else "prompt",
            source=explained.row.usage.source,
            text_of=lambda component: texts.get(component.path or ""),
        )

    def _go_to(self, node: str) -> None:
        """Select the part of the prompt with this key (hex): in the flame, or where it has no width in the messages."""
        assert self._loaded is not None
        path = self._loaded.explained.path_of(node)
        if path is None:
            self.notify("This call does not carry that part.", severity="warning", markup=False)
        elif self._other_side["flame"] or not self.query_one(FlamePane).graph.select(path):
            place = next((at for at, entry in enumerate(self._loaded.prompt) if entry.path == path), None)
            if place is not None:
                self.action_tab(TABS.index("messages"))
                self._pane("messages").view.go_to(Place(place, HEAD))
        else:
            self.action_tab(TABS.index("flame"))

    def _look_for(self, spot: Spot) -> None:
        name = "answer" if spot.answer else "messages"
        self.action_tab(TABS.index(name))
        # The pane gets its size with the next refresh.
        self.call_after_refresh(self._pane(name).look_for, spot.word, spot.entry)

    def _show_raw(self) -> None:
        loaded, response = self._loaded, self._other_side["raw"]
        if loaded is None or self._raw_of == (loaded.explained.row.id, response):
            return
        shown = loaded.explained.row.id, response

        def show(entries: list[Entry]) -> None:
            self._raw_of = shown
            self._pane("raw").show(entries)

        self.load("raw", lambda _: raw_entries(loaded.explained, response=response), show)

    @on(Explorable.NodeSelected)
    def _selected(self, message: Explorable.NodeSelected) -> None:
        if self._loaded is None:
            return
        self._trail = message.trail
        entries = self._loaded.answer if self._other_side["flame"] else self._loaded.prompt
        found: Node = behind(entries, message.trail)
        pane = self._pane("node")
        folded = dict.fromkeys(Kind, Level.FULL if len(found.entries) == 1 else Level.FOLDED)
        pane.show(found.entries, folded, total=sum(total.tokens for total in self._loaded.explained.row.composition))
        if found.offset:
            pane.view.go_to(Place(0, found.offset))

    @on(MessagesPane.LevelsChanged)
    def _leveled(self, message: MessagesPane.LevelsChanged) -> None:
        keep_levels(self.app, message.levels)

    # actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that lead nowhere are shown faint."""
        if action == "neighbour":
            return True if (self._before if parameters == (-1,) else self._after) else None
        if action == "compare":
            return True if self._before else None
        if action in ("copy", "pager"):
            return self.tab not in TEXTLESS
        if action == "side":
            return self.tab in self._other_side
        return True

    def action_side(self) -> None:
        """Turn a tab to the answer, or back to the prompt."""
        if self.tab in self._other_side and self._loaded is not None:
            self._other_side[self.tab] = not self._other_side[self.tab]
            self._show_raw() if self.tab == "raw" else self._show_flame()

    def action_neighbour(self, step: int) -> None:
        """Go to another call of the run, on the same tab."""
        found = self._before if step < 0 else self._after
        if found is not None:
            self._open(found.id)

    def action_compare(self) -> None:
        """Compare with the call that it goes on from."""
        if self._before is not None:
            self.app.open_compare(None, self.call_id)  # type: ignore[attr-defined]  # the application is always ours

    def action_back(self) -> None:
        """Leave the call."""
        self.dismiss()

    def action_copy(self) -> None:
        """Copy the selected text."""
        copy(self, *self._selection())

    def action_pager(self) -> None:
        """Open the selected text in the pager."""
        page(self, *self._selection())

    def _selection(self) -> tuple[str, str]:
        """What is selected on the open tab: its name and its text as it was sent."""
        if self.tab in TEXTLESS or self._loaded is None:
            return "", ""
        pane = self._pane("node" if self.tab == "flame" else self.tab)
        entry = pane.selected()
        if entry is None:
            return "", ""
        return called(entry), as_sent(entry)
