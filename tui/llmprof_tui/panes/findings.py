"""The tab of a run's findings: what could be saved, what to do, and the places that show it."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult

from llmprof_addon.export.findings import summary
from llmprof_addon.export.text import counted
from llmprof_addon.model.finding import Finding, Reclaimable
from llmprof_tui.panes.pane import RunPane
from llmprof_tui.screens.run_news import News
from llmprof_tui.widgets.finding_list import FindingList


class FindingsPane(RunPane):
    """The findings of the run as they were found last."""

    HELP_TITLE = "In the tab Findings"
    ROOMY: ClassVar[bool] = True

    def compose(self) -> ComposeResult:
        """The list."""
        yield FindingList()

    def show(self, news: News) -> None:
        """Ask for the findings."""
        run_id = news.run.id
        self.ask(lambda source: source.findings(run_id), lambda found: self._take(news, found))

    def _take(self, news: News, found: tuple[Finding, ...]) -> None:
        run, shown = news.run, self.query_one(FindingList)
        if run.findings is None:
            lines = f"The worker looks at runs beside their calls. To look at once:\n\n  llmprof findings {run.id}"
            shown.say("Not looked at yet.", lines)
        elif not found:
            calls = counted(run.calls, "call")
            shown.say(
                "✓ Nothing found.", f"In {calls} there is nothing that would be worth changing.", colour="success"
            )
        else:
            saved = Reclaimable(tokens=run.reclaimable_tokens or 0, cost=run.reclaimable_cost)
            numbers = {call.id: at for at, call in enumerate(news.calls, 1)}
            shown.show(((summary(run, len(found), saved), "strong"),), found, numbers)

    def enter(self) -> None:
        """The list takes the focus."""
        self.query_one(FindingList).enter()

    @on(FindingList.Opened)
    def _opened(self, message: FindingList.Opened) -> None:
        self.places.open_call(message.call, message.node)
