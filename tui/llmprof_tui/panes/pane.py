"""What a tab of a run is: a pane that is shown what the store says of the run, and asks for the rest itself.

A new tab is a file with a `RunPane` and a row in `table.TABS`; its key, its name on the tab bar, its lines in the help
and in the palette follow from the row. A pane's own keys are its `BINDINGS`; they work while the focus is in it.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from textual.containers import Vertical
from textual.message import Message

from llmprof_addon.store.timeline import TimelineCall
from llmprof_tui.screens.loading import LoadingScreen
from llmprof_tui.screens.run_news import News
from llmprof_tui.source import Source

if TYPE_CHECKING:
    from llmprof_tui.app import LlmprofApp


class RunPane(Vertical):
    """Base of the tabs. Only the open one is shown anything; one that is opened is shown what it missed."""

    class Pointed(Message):
        """The cursor of a pane stands on this call: the timeline selects it."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    def show(self, news: News) -> None:
        """Show the run: it is opened for the first time, or something of it has changed."""
        raise NotImplementedError

    def select(self, call: TimelineCall) -> None:
        """Another call is selected in the timeline."""

    def enter(self) -> None:
        """Take the focus."""
        for widget in self.query("*").results():
            if widget.focusable:
                widget.focus()
                return

    def ask[T](self, question: Callable[[Source], T], then: Callable[[T], None], *, about: str = "") -> None:
        """Ask the source in a thread, and take its answer; a newer question about the same cancels the older one."""
        screen = self.screen
        assert isinstance(screen, LoadingScreen)
        screen.load(f"{self.id} {about}".rstrip(), question, then)

    @property
    def places(self) -> "LlmprofApp":
        """The application, which opens calls and comparisons."""
        return cast("LlmprofApp", self.app)
