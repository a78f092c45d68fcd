"""The tab of a run's rent: what carrying each part through its calls has cost, the dearest first."""

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from llmprof_addon.export.rent import BY, RentRow, RunRents
from llmprof_tui.panes.pane import TablePane
from llmprof_tui.screens.run_news import News
from llmprof_tui.themes import kind_colour
from llmprof_tui.widgets import rent_lines
from llmprof_tui.widgets.entries import part_of
from llmprof_tui.widgets.entry import Entry, as_sent, called
from llmprof_tui.widgets.facts import FactLines
from llmprof_tui.widgets.window_table import Order, WindowTable

MOST = 1000
"""Rows; the rest is summed."""


class RentPane(TablePane):
    """Sums, list."""

    HELP_TITLE = "In the tab Rent"
    ASCENDING = frozenset({"label", "kind", "path", "calls"})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("b", "by", "By", id="rent.by", tooltip="Sum by part, tool, server or kind"),
        Binding("y", "copy", "Copy", id="rent.copy", tooltip="Copy the text of the part"),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(Order(key="cost"), id=id)
        self.by = BY[0]
        self._news: News | None = None
        self._found: RunRents | None = None
        self._asking = self._again = False
        self._most = 1.0
        """The largest share of a row."""

    def compose(self) -> ComposeResult:
        """Sums, list."""
        yield FactLines(id="rent-sums", most=2)
        yield WindowTable(rent_lines.COLUMNS, self._cells, exact=rent_lines.rent_exact, id="rents")

    def show(self, news: News) -> None:
        """Ask what the parts have cost."""
        self._news = news
        # All of the run is read for it: one question at a time, however fast calls arrive.
        self._again = self._asking
        if not self._asking:
            self._asking = True
            run_id = news.run.id
            self.ask(lambda source: source.rents(run_id, MOST), self._take)

    def unanswered(self) -> None:
        """The next change asks again."""
        self._asking = False

    def _take(self, found: RunRents) -> None:
        self._found, self._asking = found, False
        self.list_rows()
        if self._again and self._news is not None:
            self.show(self._news)

    def list_rows(self) -> None:
        """List the rows; the cursor stays on its part."""
        if self._found is None or self._news is None:
            return
        self.query_one("#rent-sums", FactLines).show(list(rent_lines.sums(self._found, self._news.run, self.by)))
        before = self._selected
        order, rows = self.order, self._found.rows.get(self.by, ())
        self._most = max((row.share or 0 for row in rows), default=0)
        shown = rent_lines.ordered(rows, order.key, descending=order.descending)
        self.table.show_rows(shown, order=order)
        if before is not None:
            key = _identity(before)
            self.table.move_to(next((at for at, row in enumerate(shown) if _identity(row) == key), 0))

    @property
    def _selected(self) -> RentRow | None:
        row: RentRow | None = self.table.row(self.table.cursor)
        return row

    def _cells(self, row: RentRow) -> Sequence[Text | str]:
        theme, plain = self.app.theme, self.places.monochrome
        return rent_lines.rent_cells(row, lambda kind: kind_colour(kind, theme), most=self._most, monochrome=plain)

    @on(WindowTable.Chosen)
    def _chosen(self) -> None:
        row = self._selected
        if row is not None and row.call is not None:
            self.places.open_call(row.call, row.node)

    def action_by(self) -> None:
        """Sum by the next of part, tool, server, kind."""
        self.by = BY[(BY.index(self.by) + 1) % len(BY)]
        self.list_rows()

    def action_copy(self) -> None:
        """Copy the text of the part under the cursor."""
        row = self._selected
        if row is None or row.call is None or row.node is None:
            self.notify("there is no text to copy here", severity="warning", markup=False)
            return
        call, node = row.call, row.node
        self.ask(lambda source: part_of(source.explain(call), node), self._copied, about="text")

    def _copied(self, entry: Entry | None) -> None:
        if entry is None:
            self.notify("its text is not in the store any more", severity="warning", markup=False)
        else:
            self.places.copy_text(called(entry), as_sent(entry))


def _identity(row: RentRow) -> tuple[str | None, str | None, str, str | None, str | None]:
    return row.node, row.kind, row.label if row.node is None else "", row.server, row.tool
