"""The tab of a run's calls: one line each, the cursor on the call that the timeline selects."""

from collections.abc import Sequence

from rich.text import Text
from textual import on
from textual.app import ComposeResult

from llmprof_addon.store.rows import CallRow
from llmprof_addon.store.timeline import TimelineCall
from llmprof_tui.panes.pane import TablePane
from llmprof_tui.screens.run_news import News
from llmprof_tui.widgets import call_rows
from llmprof_tui.widgets.window_table import Order, WindowTable


class CallsPane(TablePane):
    """A table that reads the calls near its window."""

    HELP_TITLE = "In the tab Calls"
    ASCENDING = frozenset({"number"})

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(Order(key="number", descending=False), id=id)
        self._calls: tuple[TimelineCall, ...] = ()
        self._places: dict[int, int] = {}
        """Index of each call by number."""

    def compose(self) -> ComposeResult:
        """The table."""
        yield WindowTable(call_rows.COLUMNS, self._cells, exact=call_rows.call_exact, id="calls")

    def show(self, news: News) -> None:
        """List the calls."""
        if news.calls != self._calls:
            self._calls = news.calls
            self._places = {call.number: at for at, call in enumerate(news.calls)}
            self.list_rows()

    def select(self, call: TimelineCall) -> None:
        """Put the cursor on the call."""
        if self.table.cursor != call.number:
            self.table.move_to(call.number)

    def _cells(self, row: CallRow) -> Sequence[Text | str]:
        at = self._places.get(row.number)
        return call_rows.call_cells(row, None if at is None else at + 1, self._calls[0].started_ns)

    def list_rows(self) -> None:
        """List the calls; the cursor stays in sight."""
        order, cursor = self.order, self.table.cursor
        self.table.show(call_rows.ordered(self._calls, order.key, descending=order.descending), order=order)
        if cursor is not None:
            self.table.move_to(cursor)

    @on(WindowTable.Wanted)
    def _wanted(self, message: WindowTable.Wanted) -> None:
        numbers = list(message.numbers)
        self.ask(lambda source: source.calls(numbers), lambda rows: message.table.fill(numbers, rows))

    @on(WindowTable.Highlighted)
    def _highlighted(self, message: WindowTable.Highlighted) -> None:
        if message.number is not None:
            self.post_message(self.Pointed(message.number))

    @on(WindowTable.Chosen)
    def _chosen(self, message: WindowTable.Chosen) -> None:
        at = self._places.get(message.number)
        if at is not None:
            self.places.open_call(self._calls[at].id)
