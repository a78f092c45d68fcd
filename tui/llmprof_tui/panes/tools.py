"""The tab of a run's tools: what schemas, calls and results of each cost, those of an MCP server below its sums."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from llmprof_addon.store.tools import ToolRow
from llmprof_tui.panes.pane import TablePane
from llmprof_tui.screens.run_news import News
from llmprof_tui.widgets import tool_lines
from llmprof_tui.widgets.tool_lines import ToolLine
from llmprof_tui.widgets.window_table import Order, WindowTable


class ToolsPane(TablePane):
    """A table of tools."""

    HELP_TITLE = "In the tab Tools"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "fold", "Fold", show=False, id="tools.fold", tooltip="Fold or unfold the tools of a server"),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(Order(key="cost"), id=id)
        self._tools: tuple[ToolRow, ...] = ()
        self._folded: set[str] = set()

    def compose(self) -> ComposeResult:
        """The table."""
        yield WindowTable(tool_lines.COLUMNS, tool_lines.tool_cells, exact=tool_lines.tool_exact, id="tools")

    def show(self, news: News) -> None:
        """Ask what the tools have cost."""
        run_id = news.run.id
        self.ask(lambda source: source.tools(run_id), self._take)

    def _take(self, tools: tuple[ToolRow, ...]) -> None:
        self._tools = tools
        self.list_rows()

    def list_rows(self) -> None:
        """List the tools."""
        order = self.order
        lines = tool_lines.tool_lines(self._tools, order.key, descending=order.descending, folded=self._folded)
        self.table.show_rows(lines, order=order)

    @on(WindowTable.Chosen)
    def _chosen(self, message: WindowTable.Chosen) -> None:
        line: ToolLine | None = message.table.row(message.number)
        if line is not None and line.server is not None:
            self._folded ^= {line.server}
            self.list_rows()

    def action_fold(self) -> None:
        """Fold or unfold the server under the cursor."""
        self.table.action_choose()
