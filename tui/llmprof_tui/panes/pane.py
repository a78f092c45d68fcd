"""What a tab of a run is: a pane that is shown what the store says of the run, and asks for the rest itself.

A new tab is a file with a `RunPane` and a row in `table.TABS`; its key, its name on the tab bar, its lines in the help
and in the palette follow from the row. A pane's own keys are its `BINDINGS`; they work while the focus is in it.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message

from llmprof_addon.store.timeline import TimelineCall
from llmprof_tui.screens.loading import LoadingScreen
from llmprof_tui.screens.run_news import News
from llmprof_tui.source import Source
from llmprof_tui.widgets.window_table import Order, WindowTable

if TYPE_CHECKING:
    from llmprof_tui.app import LlmprofApp


class RunPane(Vertical):
    """Base of the tabs. Only the open one is shown anything; one that is opened is shown what it missed."""

    ROOMY: ClassVar[bool] = False
    """Whether it needs more lines than a table, so that the chart leaves it some."""

    class Pointed(Message):
        """The cursor of a pane stands on this call: the timeline selects it."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    class LaneChosen(Message):
        """A person opens this lane: the timeline unfolds it and selects its first call."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    def show(self, news: News) -> None:
        """Show the run: it is opened for the first time, or something of it has changed."""
        raise NotImplementedError

    def select(self, call: TimelineCall) -> None:
        """Another call is selected in the timeline."""

    def unanswered(self) -> None:
        """A question that it asked was not answered, which the screen has said."""

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


class TablePane(RunPane):
    """A tab whose rows stand in one table, in the order of one of its columns."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "sort", "Sort", show=False, id="pane.sort", tooltip="By the next column; a click on a title too"),
        Binding("S", "reverse", "Reverse", show=False, id="pane.reverse", tooltip="Turn the order round"),
    ]
    ASCENDING: ClassVar[frozenset[str]] = frozenset()
    """Keys of the columns that begin with the least."""

    def __init__(self, order: Order, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.order = order

    @property
    def table(self) -> WindowTable[Any]:
        """The table."""
        return self.query_one(WindowTable)

    def list_rows(self) -> None:
        """Show the rows in `order`."""
        raise NotImplementedError

    def _sort_by(self, order: Order) -> None:
        self.order = order
        self.list_rows()

    @on(WindowTable.SortAsked)
    def _sort_asked(self, message: WindowTable.SortAsked) -> None:
        key, old = message.key, self.order
        turned = not old.descending if key == old.key else key not in self.ASCENDING
        self._sort_by(Order(key=key, descending=turned))

    def action_sort(self) -> None:
        """By the next column."""
        keys = [column.key for column in self.table.columns if column.sorts]
        key = keys[(keys.index(self.order.key) + 1) % len(keys)]
        self._sort_by(Order(key=key, descending=key not in self.ASCENDING))

    def action_reverse(self) -> None:
        """Turn the order round."""
        self._sort_by(Order(key=self.order.key, descending=not self.order.descending))
