"""The tab of a run's agents: a tree of lanes with what each of them did, took and cost."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from llmprof_addon.store.timeline import TimelineCall
from llmprof_tui.panes.pane import TablePane
from llmprof_tui.screens.run_news import News
from llmprof_tui.widgets import lane_lines
from llmprof_tui.widgets.lane_lines import LaneLine
from llmprof_tui.widgets.window_table import Order, WindowTable


class LanesPane(TablePane):
    """A table of lanes."""

    HELP_TITLE = "In the tab Sub-agents"
    ASCENDING = frozenset({"started"})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "fold", "Fold", show=False, id="agents.fold", tooltip="Fold or unfold an agent's helpers"),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(Order(key="started", descending=False), id=id)
        self._news: News | None = None
        self._lines: tuple[LaneLine, ...] = ()
        self._folded: set[str] = set()

    def compose(self) -> ComposeResult:
        """The table."""
        yield WindowTable(lane_lines.COLUMNS, lane_lines.lane_cells, exact=lane_lines.lane_exact, id="agents")

    def show(self, news: News) -> None:
        """List the lanes."""
        self._news = news
        self.list_rows()

    def list_rows(self) -> None:
        """List the lanes; the cursor stays on its lane."""
        news, order = self._news, self.order
        if news is None:
            return
        line: LaneLine | None = self.table.row(self.table.cursor)
        self._lines = lane_lines.lane_lines(
            news.lanes,
            order.key,
            descending=order.descending,
            folded=self._folded,
            places={call.id: place for place, call in enumerate(news.calls, 1)},
            cost=news.run.cost.total if news.run.cost else None,
        )
        self.table.show_rows(self._lines, order=order)
        if line is not None:
            self._move_to(line.lane.id)

    def _move_to(self, key: str) -> None:
        place = next((at for at, line in enumerate(self._lines) if line.lane.id == key), None)
        if place is not None and place != self.table.cursor:
            self.table.move_to(place)

    def select(self, call: TimelineCall) -> None:
        """The cursor follows the timeline to the lane of the call."""
        self._move_to(call.lane)

    @on(WindowTable.Chosen)
    def _chosen(self, message: WindowTable.Chosen) -> None:
        line: LaneLine | None = message.table.row(message.number)
        if line is not None:
            self.post_message(self.LaneChosen(line.lane.id))

    def action_fold(self) -> None:
        """Fold or unfold the agent under the cursor."""
        line: LaneLine | None = self.table.row(self.table.cursor)
        if line is not None and line.below:
            self._folded ^= {line.lane.id}
            self.list_rows()
