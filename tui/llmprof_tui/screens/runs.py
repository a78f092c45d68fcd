"""What happened, and what did it cost? The list of runs, live, with what the selected one is made of."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, cast

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from llmprof_addon import clock
from llmprof_addon.errors import LlmprofError
from llmprof_addon.export import text
from llmprof_addon.store.listing import RunList, RunOrder
from llmprof_addon.store.rows import RunRow
from llmprof_tui import periods
from llmprof_tui.screens import run_edits, run_questions
from llmprof_tui.screens.manual_dialog import control
from llmprof_tui.screens.narrowed import NarrowedScreen
from llmprof_tui.screens.run_questions import Detail
from llmprof_tui.screens.starting import how_to_record
from llmprof_tui.source import EmptyError, Recorder, Source
from llmprof_tui.widgets import run_cells
from llmprof_tui.widgets.asked import ASKS
from llmprof_tui.widgets.chips import Chips
from llmprof_tui.widgets.find_bar import FindBar
from llmprof_tui.widgets.key_bar import KeyBar
from llmprof_tui.widgets.notice import Notice
from llmprof_tui.widgets.remark import Remark
from llmprof_tui.widgets.run_cells import RunLine
from llmprof_tui.widgets.run_detail import RunDetail
from llmprof_tui.widgets.status_bar import StatusBar
from llmprof_tui.widgets.window_table import Order, WindowTable

RECORDER_SECONDS = 1.0
NEED_RUNS = ("search", "filter", "sort", "reverse", "compare", "texts", "trends")
"""Actions that lead nowhere while there is no run."""


class RunsScreen(NarrowedScreen):
    """The first screen."""

    TITLE = "Runs"
    AUTO_FOCUS = ""
    VERTICAL_BREAKPOINTS = [(0, "-low"), (16, "-high")]  # noqa: RUF012  # declared as an instance's in the base
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "mark", "Mark", show=False, id="runs.mark", tooltip="Mark two runs to compare them"),
        Binding("T", "trends", "Trends", id="runs.trends", tooltip="Is it getting better? Days, weeks and months"),
        Binding("F", "texts", "Texts", id="runs.texts", tooltip="Each text that has what is searched for"),
        Binding("c", "compare", "Compare", id="runs.compare", tooltip="The marked run with the other, or the selected"),
        Binding("r", "rename", "Rename", show=False, id="runs.rename", tooltip="Give the run a name"),
        Binding("t", "tag", "Tag", show=False, id="runs.tag", tooltip="Set the tags of the run"),
        Binding("x,delete", "delete", "Delete", show=False, id="runs.delete", tooltip="Delete the run with its calls"),
        Binding(
            "m", "manual", "By hand", show=False, id="runs.manual", tooltip="Start, pause, resume or end a run by hand"
        ),
        Binding("escape", "clear", "Clear", show=False, id="runs.clear", tooltip="Take marks, then filters away"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._marks: dict[int, str] = {}
        """Ids of the marked runs by number, in the order in which they were marked."""
        self._listed: RunList | None = None
        self._listing = self._again = False
        self._complaint = ""
        self._live: frozenset[int] = frozenset()
        self._empty = False
        """Whether it is said how to begin, which depends on the proxies that run."""
        self._ports: Sequence[Mapping[str, int]] = ()

    def compose(self) -> ComposeResult:
        """Recorder, filters, list, detail."""
        yield StatusBar()
        yield FindBar(ASKS)
        yield Remark()
        yield Chips()
        yield WindowTable[RunLine](run_cells.COLUMNS, self._cells, exact=run_cells.exactly, id="runs")
        yield Notice()
        yield RunDetail()
        yield KeyBar()

    def on_mount(self) -> None:
        """Take up what was set last time, and ask."""
        self.take_up()
        self._say("Reading the store …")
        if self.order == Order(key="started") and not self.wanted.chips():
            lines = self.size.height
            self.load("newest", lambda source: run_questions.newest(source, lines), self._show_newest)
        else:
            self.reload()
        self.set_interval(RECORDER_SECONDS, self._ask_recorder)

    @property
    def table(self) -> WindowTable[RunLine]:
        """The list."""
        return self.query_one("#runs", WindowTable)

    @property
    def selected(self) -> RunRow | None:
        """The run under the cursor, once it was read."""
        line = self.table.row(self.table.cursor)
        return None if line is None else line.row

    # data

    def store_changed(self) -> None:
        """Runs came, grew or went."""
        self.reload()

    def _show_newest(self, lines: dict[int, RunLine]) -> None:
        """The first window, which needs not wait until all runs are read."""
        if lines and self._listed is None:
            numbers = list(lines)
            self.table.fill(numbers, lines)
            self.table.show(numbers, order=self.order)
            self.table.border_title = "Runs"
            self._swap(table=True)
        self.call_after_refresh(self.reload)

    def reload(self) -> None:
        """Read the list anew."""
        # One question at a time: answers that come slower than changes would otherwise never be taken.
        self._again = self._listing
        if self._listing:
            return
        self._listing = True
        wanted, order = self.wanted.bounded(clock.now_ns()), self.order
        key = cast(RunOrder, order.key)
        if self.table.order not in (None, order):  # at once: sorting many takes longer than a key may
            self.table.border_subtitle = f"sorting by {run_cells.ORDERS[order.key]} …"
        self.load("list", lambda source: source.list_runs(wanted, key, order.descending), self._show_list)

    def _show_list(self, found: RunList) -> None:
        self._listing, self._complaint, self._listed, self._empty = False, "", found, False
        self.query_one(StatusBar).show_totals(found.totals, periods.said(self.wanted.period))
        self.query_one(Remark).note(found.notes)
        self.table.show(found.numbers, order=self.order)
        self.table.renew()
        self.table.border_title = "Runs"
        shown = text.counted(len(found.numbers), "run")
        self.table.border_subtitle = f"{shown} by {run_cells.ORDERS[self.order.key]}"
        if found.numbers:
            self._swap(table=True)
        elif self.wanted.chips():
            self._say("No run fits.", "Escape takes the filters away.")
        else:
            self._ask_beginning()
        if self._again:
            self.reload()

    def failed(self, group: str, error: LlmprofError) -> None:
        """An empty store says how to begin; another trouble stands in the list's place, or above it if there is one."""
        if group == "newest":
            self.reload()  # which fails alike, and is said
            return
        if group == "list":
            self._listing = False
        if isinstance(error, EmptyError):
            if group == "list":
                self._listed = None
                self._ask_beginning()
        elif group in ("list", "starting") and self._listed is None:
            self._empty = False
            self._say(text.plain(error.message), text.plain(error.hint), colour="error")
        elif group in ("list", "rows", "detail", "recorder"):
            if self._complaint != error.message:  # asked every second: once is enough
                self._complaint = error.message
                super().failed(group, error)
        else:
            super().failed(group, error)

    def _ask_beginning(self) -> None:
        self._empty = True
        self.load("starting", how_to_record, self._show_beginning)

    def _show_beginning(self, lines: str) -> None:
        if self._empty:
            self._say("Nothing is recorded yet.", lines)

    @on(WindowTable.Wanted, "#runs")
    def _read_rows(self, message: WindowTable.Wanted) -> None:
        numbers = message.numbers
        self.load("rows", lambda source: run_questions.rows(source, numbers), lambda lines: self._fill(numbers, lines))

    def _fill(self, numbers: Sequence[int], lines: dict[int, RunLine]) -> None:
        before = self.selected
        self.table.fill(numbers, lines)
        if self.selected != before:
            self._show_selected()

    @on(WindowTable.Highlighted, "#runs")
    def _show_selected(self) -> None:
        row = self.selected
        detail = self.query_one(RunDetail)
        detail.show_run(row)
        if row is not None:
            self.later("detail", lambda: self._ask_detail(row))

    def _ask_detail(self, row: RunRow) -> None:
        self.load("detail", lambda source: run_questions.detail(source, row), self._show_detail)

    def _show_detail(self, detail: Detail) -> None:
        if (row := self.selected) is not None and row.id == detail.row.id:
            self.query_one(RunDetail).show(row, detail.composition, detail.remarks, detail.advice)

    def _ask_recorder(self) -> None:
        # Whatever is drawn anew on a screen behind another draws all of that one anew.
        if self.is_current:
            self.load("recorder", Source.recorder, self._show_recorder)

    def on_screen_resume(self) -> None:
        """Ask what records, also after a time behind another screen."""
        self._ask_recorder()

    def _show_recorder(self, recorder: Recorder) -> None:
        self.query_one(StatusBar).show_recorder(recorder)
        now = clock.now_ns()
        live = frozenset(line.row.number for line in self.table.rows_at_hand() if run_cells.is_live(line.row, now))
        if live != self._live:  # runs come to rest without a change of the store
            self._live = live
            self.table.redraw()
        ports = [proxy.ports for proxy in recorder.proxies]
        if self._empty and ports != self._ports:
            self._ask_beginning()
        self._ports = ports

    # what is seen

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that lead nowhere are shown faint."""
        return None if action in NEED_RUNS and not self._narrows() else True

    def _narrows(self) -> bool:
        """Whether there are runs, or filters that keep them away."""
        return self.has_class("-listing") or bool(self.wanted.chips())

    def _cells(self, line: RunLine) -> Sequence[Text | str]:
        return run_cells.cells(line, clock.now_ns(), self.app.theme_variables)

    def _say(self, title: str, lines: str = "", *, colour: str = "foreground") -> None:
        self.query_one(Notice).say(title, lines, colour=colour)
        self._swap(table=False)

    def _swap(self, *, table: bool) -> None:
        changed = self.has_class("-listing") != table
        self.set_class(table, "-listing")
        if changed:
            self.refresh_bindings()
        if table and (changed or self.focused is None) and not self.query_one(FindBar).has_class("-open"):
            self.table.focus()

    # the selected run

    @on(WindowTable.Chosen, "#runs")
    def _open(self) -> None:
        if (row := self.selected) is not None:
            self.app.open_run(row.id)  # type: ignore[attr-defined]  # the application is always ours

    def action_clear(self) -> None:
        """Take the marks away; then all filters."""
        if self._marks:
            self._marks.clear()
            self.table.mark(())
        else:
            self.clear_filters()

    def action_mark(self) -> None:
        """Mark the run or take its mark away; a third mark replaces the first."""
        if (row := self.selected) is None:
            return
        if self._marks.pop(row.number, None) is None:
            if len(self._marks) == 2:
                del self._marks[next(iter(self._marks))]
            self._marks[row.number] = row.id
        self.table.mark(self._marks)

    def action_compare(self) -> None:
        """Compare the two marked runs, or the marked one with the selected."""
        ids = list(self._marks.values())
        if len(ids) == 1 and (row := self.selected) is not None and row.id not in ids:
            ids.append(row.id)
        if len(ids) == 2:
            self.app.open_compare_runs(*ids)  # type: ignore[attr-defined]  # the application is always ours
        else:
            self.notify("Mark a run with space, go to another and press c.", title="Nothing to compare")

    def action_texts(self) -> None:
        """Show the texts that have what the list is narrowed to, or ask for what."""
        self.app.open_search(self.wanted.filter.query)  # type: ignore[attr-defined]  # as above

    def action_trends(self) -> None:
        """Show how spend, tokens and cache hits went."""
        self.app.open_trends()  # type: ignore[attr-defined]  # as above

    def action_rename(self) -> None:
        """Give the run a name."""
        if (row := self.selected) is not None:
            run_edits.ask_name(self, row, self.reload)

    def action_tag(self) -> None:
        """Set the run's tags."""
        if (row := self.selected) is not None:
            run_edits.ask_tags(self, row, self.reload)

    def action_manual(self) -> None:
        """Start, pause, resume or end a run by hand."""
        control(self, self._ask_recorder)

    def action_delete(self) -> None:
        """Delete the run."""
        if (row := self.selected) is not None:
            run_edits.ask_deletion(self, row, self.reload)
