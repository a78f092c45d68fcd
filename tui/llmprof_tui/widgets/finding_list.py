"""Findings as a list, with the advice and the places of the selected one below it: of a run, or of a call."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from llmprof_addon.export.findings import Paths
from llmprof_addon.export.text import plain
from llmprof_addon.model.finding import Finding
from llmprof_tui.widgets import finding_lines
from llmprof_tui.widgets.facts import Fact, FactLines
from llmprof_tui.widgets.finding_lines import FindingLine, PlaceLine
from llmprof_tui.widgets.looks import blended
from llmprof_tui.widgets.notice import Notice
from llmprof_tui.widgets.window_table import Order, WindowTable

LEAST_ROWS, MOST_ROWS = 2, 12
"""Of the list, where the places need the other lines."""


class FindingList(Vertical):
    """`show` gives it findings, `say` what there is to say where there are none."""

    HELP_TITLE = "In the findings"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "sort", "Sort", show=False, id="findings.sort", tooltip="By the next column"),
        Binding("S", "reverse", "Reverse", show=False, id="findings.reverse", tooltip="Turn the order round"),
        Binding("y", "copy", "Copy", id="findings.copy", tooltip="Copy the finding with its places"),
    ]
    DEFAULT_CSS = """
    FindingList {
        height: 1fr;
        & > #advice { height: auto; max-height: 3; padding: 0 1; background: $panel; }
        & > #found { height: 3; }
        & > Notice { display: none; }
        &.-none > #found, &.-none > #advice, &.-none > #places, &.-none > FactLines { display: none; }
        &.-none > Notice { display: block; }
    }
    """

    class Opened(Message):
        """A person opens a place: a call, and a part of its prompt (a key in hex) or nothing."""

        def __init__(self, call: str, node: str | None) -> None:
            super().__init__()
            self.call = call
            self.node = node

    def __init__(self, *, of_call: bool = False, id: str | None = None) -> None:
        """`of_call`: all that is shown is about one call, so that it need not be named."""
        super().__init__(id=id)
        left_out = ("calls", "call") if of_call else ()
        self._columns = [at for at, column in enumerate(finding_lines.COLUMNS) if column.key not in left_out]
        self._place_columns = [
            at for at, column in enumerate(finding_lines.PLACE_COLUMNS) if column.key not in left_out
        ]
        self.order = Order(key="cost")
        self._findings: Sequence[Finding] = ()
        self._numbers: Mapping[str, int] = {}
        self._paths: Paths | None = None
        self._lines: list[FindingLine] = []
        self._selected: FindingLine | None = None

    def compose(self) -> ComposeResult:
        """Sums, list, advice, places."""
        yield FactLines(id="saved", most=2)
        columns = [finding_lines.COLUMNS[at] for at in self._columns]
        yield WindowTable(columns, self._cells, exact=finding_lines.finding_exact, id="found")
        yield Static("", id="advice", markup=False)
        columns = [finding_lines.PLACE_COLUMNS[at] for at in self._place_columns]
        yield WindowTable(columns, self._place_cells, exact=finding_lines.place_exact, id="places")
        yield Notice()

    def show(
        self, summary: Fact, findings: Sequence[Finding], numbers: Mapping[str, int], *, paths: Paths | None = None
    ) -> None:
        """Show findings.

        Args:
            summary: of all.
            findings: the dearest first.
            numbers: of the run's calls by id, from 1.
            paths: where parts stand, if it is not in the body that brought them.
        """
        self._findings, self._numbers, self._paths = findings, numbers, paths
        self.query_one("#saved", FactLines).show([summary, *finding_lines.severities(findings)])
        had_focus = self.query_one(Notice).has_focus
        self.set_class(not findings, "-none")
        if findings and had_focus:
            self.enter()
        self._list()

    def say(self, title: str, lines: str, *, colour: str = "foreground") -> None:
        """Say why there is nothing to list."""
        self._findings, self._lines, self._selected = (), [], None
        self.query_one(Notice).say(title, lines, colour=colour)
        self.set_class(True, "-none")

    def enter(self) -> None:
        """Take the focus."""
        if not self.has_class("-none"):
            self.table.focus()

    @property
    def table(self) -> WindowTable[FindingLine]:
        """The list."""
        return self.query_one("#found", WindowTable)

    @property
    def places(self) -> WindowTable[PlaceLine]:
        """The places of the selected finding."""
        return self.query_one("#places", WindowTable)

    def on_resize(self, event: events.Resize) -> None:
        """Divide the lines anew."""
        self._fit()
        self._advise()

    def _fit(self) -> None:
        """The list gets as many lines as it needs, up to a part of all."""
        most = max(LEAST_ROWS, min(MOST_ROWS, self.size.height * 2 // 5))
        self.table.styles.height = 1 + max(1, min(most, len(self._lines)))

    def notify_style_update(self) -> None:
        """Another theme has other colours."""
        super().notify_style_update()
        if self.is_mounted:
            self._advise()

    def _list(self) -> None:
        before = self._selected
        self._lines = finding_lines.finding_lines(
            self._findings, self.order.key, descending=self.order.descending, paths=self._paths
        )
        self.table.show_rows(self._lines, order=self.order)
        if before is not None:
            at = [(line.found.code, line.found.title) for line in self._lines]
            key = before.found.code, before.found.title
            # A title has numbers in it, which grow with the run.
            same = [code for code, _ in at]
            place = at.index(key) if key in at else same.index(key[0]) if key[0] in same else 0
            self.table.move_to(place)
        self._fit()
        self._point()

    def _cells(self, line: FindingLine) -> Sequence[Text | str]:
        facts = self.query_one("#saved")
        cells = finding_lines.finding_cells(line, lambda look: blended(facts, f"facts--{look}"))
        return [cells[at] for at in self._columns]

    def _place_cells(self, place: PlaceLine) -> Sequence[Text | str]:
        cells = finding_lines.place_cells(place)
        return [cells[at] for at in self._place_columns]

    def _point(self) -> None:
        """Show the advice and the places of the finding under the cursor."""
        line = self.table.row(self.table.cursor)
        before, self._selected = self._selected, line
        if line is not None and (before is None or line.found != before.found):
            self._advise()
            self.places.show_rows(finding_lines.place_lines(line, self._numbers))
            self.places.move_to(0)

    def _advise(self) -> None:
        """What to do, and what is so where the list has no room for all of it."""
        if (line := self._selected) is None:
            return
        title, mark = plain(line.said.title), ("→ ", self.app.theme_variables["success"])
        said = Text.assemble(mark, (plain(line.said.advice), "bold"))
        if not finding_lines.holds_title(title, self.table.columns, self.size.width):
            said.append(f"\n{title}")
        self.query_one("#advice", Static).update(said)

    @on(WindowTable.Highlighted, "#found")
    def _highlighted(self) -> None:
        self._point()

    @on(WindowTable.Chosen, "#found")
    def _chosen(self) -> None:
        """Go on to its places."""
        if self.places.row_count:
            self.places.focus()

    @on(WindowTable.Chosen, "#places")
    def _opened(self) -> None:
        if (place := self.places.row(self.places.cursor)) is not None:
            self.post_message(self.Opened(place.found.call, place.found.node))

    @on(WindowTable.SortAsked)
    def _sort_asked(self, message: WindowTable.SortAsked) -> None:
        message.stop()
        turned = not self.order.descending if message.key == self.order.key else True
        self._sort_by(Order(key=message.key, descending=turned))

    def _sort_by(self, order: Order) -> None:
        self.order = order
        self._list()

    def action_sort(self) -> None:
        """By the next column."""
        keys = [column.key for column in self.table.columns if column.sorts]
        self._sort_by(Order(key=keys[(keys.index(self.order.key) + 1) % len(keys)]))

    def action_reverse(self) -> None:
        """Turn the order round."""
        self._sort_by(Order(key=self.order.key, descending=not self.order.descending))

    def action_copy(self) -> None:
        """Copy the finding under the cursor with its places."""
        app: Any = self.app
        if self._selected is not None:
            app.copy_text(self._selected.said.label, finding_lines.copied(self._selected))
