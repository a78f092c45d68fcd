"""A list that is searched, filtered and ordered: what is asked of the store, and the keys and widgets that set it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType

from llmprof_addon.store.listing import Facets
from llmprof_tui import periods
from llmprof_tui.preferences import Preferences
from llmprof_tui.screens.filter_dialog import FilterDialog, Wanted
from llmprof_tui.screens.loading import LoadingScreen
from llmprof_tui.source import Source
from llmprof_tui.widgets import run_cells
from llmprof_tui.widgets.asked import complaint_of
from llmprof_tui.widgets.chips import Chips
from llmprof_tui.widgets.find_bar import FindBar
from llmprof_tui.widgets.remark import Remark
from llmprof_tui.widgets.window_table import Order, WindowTable


class NarrowedScreen(LoadingScreen):
    """Base of the list of runs; composed with a `FindBar`, `Chips` and the table `#runs`. Period and order are kept."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Search", key_display="/", id="runs.search", tooltip="Narrow the list as you type"),
        Binding("f", "filter", "Filter", id="runs.filter", tooltip="App, model, provider, status, tag, period"),
        Binding("p", "period", "Period", show=False, id="runs.period", tooltip="Today, 24 hours, 7 days, 30 days, all"),
        Binding("s", "sort", "Sort", id="runs.sort", tooltip="By the next column; a click on a title does it too"),
        Binding("S", "reverse", "Reverse", show=False, id="runs.reverse", tooltip="Turn the order round"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.wanted = Wanted()
        self.order = Order(key="started")

    def reload(self) -> None:
        """Ask for the list as it is wanted."""
        raise NotImplementedError

    def take_up(self) -> None:
        """Want what was kept."""
        kept = self._preferences
        key = kept.get("runs.order", "started")
        self.order = Order(
            key=key if key in run_cells.ORDERS else "started", descending=kept.get("runs.descending", True)
        )
        period = kept.get("runs.period", "all")
        self.wanted = Wanted(period=period if period in periods.NAMES else "all")
        self.query_one(Chips).show(self.wanted.chips())

    def clear_filters(self) -> None:
        """Take all filters away."""
        if self.wanted != Wanted():
            self._want(Wanted())

    @property
    def _preferences(self) -> Preferences:
        preferences: Preferences = self.app.preferences  # type: ignore[attr-defined]  # the application is always ours
        return preferences

    def _want(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self._preferences.set("runs.period", wanted.period)
        self.query_one(Chips).show(wanted.chips())
        self.reload()

    def narrow(self, wanted: Wanted) -> None:
        """Show these runs."""
        self.query_one(FindBar).remove_class("-open")
        self._want(wanted)

    def action_search(self) -> None:
        """Narrow the list by typing."""
        self.query_one(FindBar).open()

    @on(FindBar.Changed)
    def _typed(self, message: FindBar.Changed) -> None:
        query = message.word.strip()
        complaint = complaint_of(query)
        self.query_one(Remark).complain(complaint)
        wanted = replace(self.wanted, filter=replace(self.wanted.filter, query=query))
        if complaint is None:  # what cannot be understood leaves the list as it is
            self.later("typed", lambda: self._want(wanted) if wanted != self.wanted else None)

    @on(FindBar.Left)
    def _typed_enough(self, message: FindBar.Left) -> None:
        self.query_one(FindBar).remove_class("-open")
        self.query_one(Remark).complain(None)
        if not message.kept and self.wanted.filter.query:
            self._want(self.wanted.without("query"))
        self.query_one("#runs", WindowTable).focus()

    def action_filter(self) -> None:
        """Set all filters in a dialog."""

        def answered(wanted: Wanted | None) -> None:
            if wanted is not None:
                self._want(wanted)

        def offer(facets: Facets) -> None:
            self.app.push_screen(FilterDialog(self.wanted, facets), answered)

        self.load("facets", Source.facets, offer)

    @on(Chips.Removed)
    def _drop(self, message: Chips.Removed) -> None:
        self._want(self.wanted.without(message.key))

    def action_period(self) -> None:
        """The next period."""
        self.action_span(periods.following(self.wanted.period))

    def action_sort(self) -> None:
        """Order by the next column."""
        keys = list(run_cells.ORDERS)
        self.sort_by(keys[(keys.index(self.order.key) + 1) % len(keys)])

    def palette(self) -> Iterator[tuple[str, str, str]]:
        """Entries of the palette that no key has."""
        for key, said in run_cells.ORDERS.items():
            yield f"Sort by {said}", "Once more turns it round", f"order('{key}')"
        for name in periods.NAMES:
            yield f"Period: {periods.said(name)}", "Runs that were going on then", f"span('{name}')"

    def action_order(self, key: str) -> None:
        """Order by this column."""
        self.sort_by(key)

    def action_span(self, period: str) -> None:
        """Narrow the list to a period."""
        self._want(replace(self.wanted, period=period))

    def action_reverse(self) -> None:
        """Turn the order round."""
        self.sort_by(self.order.key)

    @on(WindowTable.SortAsked, "#runs")
    def _title_clicked(self, message: WindowTable.SortAsked) -> None:
        self.sort_by(message.key)

    def sort_by(self, key: str) -> None:
        """Order by a column: texts from A, numbers and times from the largest; once more turns it round."""
        turned = not self.order.descending if key == self.order.key else key not in ("app", "label", "model")
        self.order = Order(key=key, descending=turned)
        self._preferences.set("runs.order", key)
        self._preferences.set("runs.descending", turned)
        self.reload()
