"""The tab of a run's prompt cache: its sums, every call that lost its prefix, and both texts from where they part."""

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from llmprof_addon.export.cache import Excerpt, Loss, RunCache, in_words, without_texts
from llmprof_addon.export.text import counted
from llmprof_addon.store.timeline import TimelineCall
from llmprof_tui.panes.pane import TablePane
from llmprof_tui.screens.run_news import News
from llmprof_tui.widgets import loss_rows
from llmprof_tui.widgets.facts import FactLines
from llmprof_tui.widgets.looks import blended
from llmprof_tui.widgets.parted_texts import PartedTexts
from llmprof_tui.widgets.window_table import Order, WindowTable

SHOWN = 4000
"""Characters of each text."""
LEAST_ROWS, MOST_ROWS = 3, 12
"""Of the list, where the texts need the other lines."""


class CachePane(TablePane):
    """Sums, list, texts."""

    HELP_TITLE = "In the tab Cache"
    ROOMY = True
    ASCENDING = frozenset({"number", "cause", "where"})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "compare", "Diff", id="cache.diff", tooltip="Compare with the call whose prefix was lost"),
        Binding("y", "copy", "Copy", id="cache.copy", tooltip="Copy the cause and both texts"),
    ]
    DEFAULT_CSS = """
    CachePane {
        & > #losses { height: 4; }
        & > #loss { background: $panel; max-height: 2; }
        &.-lossless > #losses, &.-lossless > #loss { display: none; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(Order(key="wasted"), id=id)
        self._found: RunCache | None = None
        self._losses: list[Loss] = []
        self._selected: Loss | None = None
        self._texts: tuple[str, Excerpt] | None = None
        """Id of a call, and its texts."""

    def compose(self) -> ComposeResult:
        """Sums, list, what is selected."""
        yield FactLines(id="cache-sums")
        yield WindowTable(loss_rows.COLUMNS, self._cells, exact=loss_rows.loss_exact, id="losses")
        yield FactLines(id="loss", most=2)
        yield PartedTexts()

    def show(self, news: News) -> None:
        """Ask what the cache did."""
        run_id = news.run.id
        self.ask(lambda source: source.cache(run_id), self._take)

    def _take(self, found: RunCache) -> None:
        self._found = found
        self.query_one("#cache-sums", FactLines).show(list(loss_rows.sums(found)), list(loss_rows.by_cause(found)))
        self.set_class(not found.losses, "-lossless")
        if not found.losses:
            self._selected = self._texts = None
            self.query_one(PartedTexts).show(_lossless(found))
        self.list_rows()

    def list_rows(self) -> None:
        """List the losses; the cursor stays on its call."""
        if self._found is None:
            return
        at = self._selected.call.number if self._selected else None
        self._losses = loss_rows.ordered(self._found.losses, self.order.key, descending=self.order.descending)
        self.table.show_rows(self._losses, order=self.order)
        place = next((row for row, loss in enumerate(self._losses) if loss.call.number == at), 0)
        self.table.move_to(place)
        self._fit()
        self._point()

    def on_resize(self, event: events.Resize) -> None:
        """Divide the lines anew."""
        self._fit()

    def _fit(self) -> None:
        """The list gets as many lines as it needs, up to a part of all."""
        most = max(LEAST_ROWS, min(MOST_ROWS, self.size.height * 2 // 5))
        self.table.styles.height = 1 + max(1, min(most, len(self._losses)))

    def enter(self) -> None:
        """The list takes the focus, or what stands in its place."""
        (self.query_one(PartedTexts) if self.has_class("-lossless") else self.table).focus()

    def select(self, call: TimelineCall) -> None:
        """The cursor follows the timeline to calls that lost something."""
        place = next((row for row, loss in enumerate(self._losses) if loss.call.number == call.number), None)
        if place is not None and place != self.table.cursor:
            self.table.move_to(place)

    def _cells(self, loss: Loss) -> Sequence[Text | str]:
        sign = "facts--accent" if loss.verdict.status == "expired" else "facts--warn"
        return loss_rows.loss_cells(loss, blended(self.query_one("#loss"), sign))

    @on(WindowTable.Highlighted)
    def _highlighted(self) -> None:
        loss: Loss | None = self.table.row(self.table.cursor)
        if loss is not None and (self._selected is None or self._selected.call.number != loss.call.number):
            self._point()
            if self.table.has_focus:
                self.post_message(self.Pointed(loss.call.number))

    def _point(self) -> None:
        """Say all of the loss under the cursor."""
        loss: Loss | None = self.table.row(self.table.cursor)
        self._selected = loss
        if loss is None:
            return
        self.query_one("#loss", FactLines).show(loss_rows.heading(loss))
        difference = loss.verdict.first_diff
        if difference is None:
            self._texts = None
            self.query_one(PartedTexts).show(without_texts(loss))
        elif self._texts is None or self._texts[0] != loss.call.id:
            call_id = loss.call.id
            self.ask(
                lambda source: source.excerpt(difference, SHOWN),
                lambda found: self._show_texts(call_id, found),
                about="texts",
            )

    def _show_texts(self, call_id: str, found: Excerpt) -> None:
        self._texts = call_id, found
        empty = found.before is None and found.after is None
        self.query_one(PartedTexts).show("Neither text is in the store any more." if empty else found)

    @on(WindowTable.Chosen)
    def _chosen(self) -> None:
        if self._selected is not None:
            self.places.open_call(self._selected.call.id)

    def action_compare(self) -> None:
        """Compare with the call whose prefix was lost."""
        if self._selected is not None:
            self.places.open_compare(self._selected.verdict.previous, self._selected.call.id)

    def action_copy(self) -> None:
        """Copy what is said of the loss, with both texts."""
        loss = self._selected
        if loss is None:
            self.notify("there is nothing to copy here", severity="warning", markup=False)
            return
        said = [f"call {loss.call.place} {loss.call.id}: {in_words(loss.verdict)}"]
        if self._texts is not None and self._texts[0] == loss.call.id:
            found = self._texts[1]
            said += [f"{mark} {text}" for mark, text in (("-", found.before), ("+", found.after)) if text is not None]
        self.places.copy_text(f"call {loss.call.place}", "\n".join(said))


def _lossless(found: RunCache) -> str:
    if not found.judged:
        return f"No verdict on {counted(found.calls, 'call')}: how their provider caches is not known."
    return "Every call read from the cache what the one before it had left there."
