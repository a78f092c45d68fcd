"""Is it getting better? Dollars, tokens and cache hits by day, week or month: bars, a calendar, and a table of rows."""

from datetime import date, timedelta
from typing import ClassVar

from rich.console import Group
from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Static

from llmprof_addon import clock
from llmprof_addon.errors import LlmprofError
from llmprof_addon.export import text
from llmprof_addon.store.trends import By, Period, TrendRow
from llmprof_tui.preferences import Preferences
from llmprof_tui.screens.loading import LoadingScreen
from llmprof_tui.screens.starting import how_to_record
from llmprof_tui.screens.trend_questions import SAID, SPANS, Found, find, runs_of
from llmprof_tui.source import EmptyError
from llmprof_tui.widgets import trend_cells
from llmprof_tui.widgets.calendar import Calendar
from llmprof_tui.widgets.key_bar import KeyBar
from llmprof_tui.widgets.measures import CALL_MEASURES, TOOL_MEASURES, Measure
from llmprof_tui.widgets.notice import Notice
from llmprof_tui.widgets.tab_bar import TabBar
from llmprof_tui.widgets.trend_cells import TrendLine
from llmprof_tui.widgets.trend_chart import TrendChart
from llmprof_tui.widgets.window_table import WindowTable

TABS: tuple[tuple[By, str], ...] = (
    ("all", "All"), ("model", "Models"), ("app", "Apps"), ("provider", "Providers"), ("tool", "Tools"),
    ("server", "Servers"), ("template", "Templates"),
)  # fmt: skip
NAMED: dict[By, str] = {"tool": "tool", "server": "MCP server"}
"""What there may be none of while there are calls."""
PERIODS: tuple[Period, ...] = ("day", "week", "month")
LOW = 20
"""Rows below which the pictures leave the table the room."""
TALL = 36
"""Rows from which on the bars are higher."""
WIDE = 100
"""Cells from which on the sums have all their words."""
CALENDAR_SHARE = 0.42
"""Of the width, at most."""
RECENT = timedelta(days=31)
"""A calendar ends today if there was something so shortly before."""


class TrendsScreen(LoadingScreen):
    """The trends of a store."""

    TITLE = "Trends"
    AUTO_FOCUS = ""
    HELP_SIGNS = "change: between the last two periods that are over   days, weeks and months are those of UTC"
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(
                str(index + 1),
                f"by({index})",
                name,
                show=False,
                id=f"trends.{by}",
                tooltip="A row for each period" if by == "all" else f"A row for each {by}",
            )
            for index, (by, name) in enumerate(TABS)
        ),
        Binding("p", "period", "Period", id="trends.period", tooltip="By day, by week, by month"),
        Binding("m,t", "measure", "Measure", id="trends.measure", tooltip="Dollars, tokens, cache hits, calls"),
        Binding("d", "span", "Span", id="trends.span", tooltip="30 days, 90 days, 365 days, all"),
        Binding("escape", "back", "Back", id="trends.back", tooltip="Back to the runs"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._by: By = "all"
        self._period: Period = "day"
        self._span = "365d"
        self._measures = {"calls": "dollars", "tools": "uses"}
        """Key of the measure of calls, and of tools."""
        self._found: Found | None = None
        self._asking = self._again = False
        self._keys: dict[tuple[str, str, str], int] = {}
        """Numbers of rows: the cursor stays on its row."""

    def compose(self) -> ComposeResult:
        """By what, sums, pictures, table."""
        yield TabBar([name for _, name in TABS])
        yield Static(id="sums", markup=False)
        with Horizontal(id="pictures"):
            yield TrendChart()
            yield Calendar()
        yield WindowTable[TrendLine]((), self._cells, exact=trend_cells.exactly, id="trends")
        yield Notice()
        yield KeyBar()

    def on_mount(self) -> None:
        """Take up what was set last time, and ask."""
        kept = self._preferences
        by, period, span = (kept.get(f"trends.{name}", "") for name in ("by", "period", "span"))
        self._by = next((each for each, _ in TABS if each == by), self._by)
        self._period = next((each for each in PERIODS if each == period), self._period)
        self._span = span if span in SPANS else self._span
        self._measures |= {name: kept.get(f"trends.{name}", each) for name, each in self._measures.items()}
        self.query_one(TabBar).active = [each for each, _ in TABS].index(self._by)
        self.query_one(Notice).say("Reading the store …")
        self._ask()

    def on_resize(self, event: events.Resize) -> None:
        """Pictures need room."""
        self.set_class(event.size.height < LOW, "-low")
        self.set_class(event.size.height >= TALL, "-tall")
        self._fit_calendar()

    @property
    def _preferences(self) -> Preferences:
        preferences: Preferences = self.app.preferences  # type: ignore[attr-defined]  # the application is always ours
        return preferences

    @property
    def table(self) -> WindowTable[TrendLine]:
        """The rows."""
        return self.query_one("#trends", WindowTable)

    @property
    def measure(self) -> Measure:
        """What bars, days and sparklines stand for."""
        of_tools = self._found is not None and self._found.trends.by in ("tool", "server")
        offered, key = (TOOL_MEASURES, "tools") if of_tools else (CALL_MEASURES, "calls")
        return next((each for each in offered if each.key == self._measures[key]), offered[0])

    # data

    def store_changed(self) -> None:
        """Calls came or went."""
        self._ask()

    def _ask(self) -> None:
        # One question at a time, as in the list of runs.
        self._again = self._asking
        if self._asking:
            return
        self._asking = True
        by, period, span, now_ns = self._by, self._period, self._span, clock.now_ns()
        self.load("trends", lambda source: find(source, by, period, span, now_ns), self._show)

    def _show(self, found: Found) -> None:
        before, self._found, self._asking = self._found, found, False
        shown = found.trends
        if shown.starts and not shown.rows:
            self._say(f"No {NAMED[shown.by]} was used in {SAID[self._span]}.", "")
        elif shown.starts:
            lines = trend_cells.lines(shown, found.today)
            table = self.table
            table.set_columns(trend_cells.columns(shown))
            rows = {self._number(shown.by, line): line for line in lines}
            table.fill(list(rows), rows)
            if before is None or _rows_of(before) != _rows_of(found):
                table.cursor = None
                table.action_edge(0)
            table.show(list(rows))
            self.add_class("-listing")
            self._show_sums(found)
            if self.focused is None:
                table.focus()
            self._show_row()
        else:
            span = self._span
            hint = "" if span == "all" else "d shows more days."
            self._say(f"Nothing was recorded in {SAID[span]}." if hint else "Nothing is recorded yet.", hint)
        if self._again:
            self._ask()

    def _number(self, by: By, line: TrendLine) -> int:
        return self._keys.setdefault((by, *line.key), len(self._keys))

    @on(WindowTable.Wanted, "#trends")
    def _fill(self, message: WindowTable.Wanted) -> None:
        if self._found is not None:
            lines = trend_cells.lines(self._found.trends, self._found.today)
            rows = {self._number(self._found.trends.by, line): line for line in lines}
            self.table.fill(message.numbers, rows)

    @on(WindowTable.Highlighted, "#trends")
    def _moved(self) -> None:
        self._show_row()
        line = self.table.row(self.table.cursor)
        if line is not None and line.start is not None:
            self.query_one(TrendChart).move_to(line.start)

    @on(TrendChart.Highlighted)
    def _selected(self, message: TrendChart.Highlighted) -> None:
        if self._found is not None and self._found.trends.by == "all":
            self.table.move_to(self._keys.get(("all", "", message.start.isoformat()), -1))

    @property
    def _row(self) -> TrendRow | None:
        line = self.table.row(self.table.cursor)
        return None if line is None else line.row

    def _show_row(self) -> None:
        """The pictures of the row under the cursor."""
        found, row, measure = self._found, self._row, self.measure
        if found is None:
            return
        shown = found.trends
        whole = shown.whole if row is None else row
        name = "all calls" if row is None else text.plain(row.name or trend_cells.UNNAMED.get(shown.by, text.UNKNOWN))
        title = f"{measure.name} by {shown.period}"
        title += f" · {name[:40]}" if shown.by != "all" else ""
        self.query_one(TrendChart).show(title, shown.period, shown.starts, whole.points, measure)
        last = found.days.starts[-1]
        if timedelta(0) <= found.today - last <= RECENT:
            last = found.today
        self.query_one(Calendar).show(found.by_day(row), last, measure)
        self._fit_calendar()

    def _fit_calendar(self) -> None:
        calendar = self.query_one(Calendar)
        calendar.styles.width = calendar.cells(int(self.size.width * CALENDAR_SHARE))

    def _show_sums(self, found: Found) -> None:
        shown, sums = found.trends, found.trends.whole.total
        estimated = bool(sums.estimated_calls)
        line = Text(no_wrap=True, overflow="ellipsis")
        line.append(text.dollars(sums.cost, at_least=bool(sums.unpriced_calls)), "bold")
        said = [
            f"{text.tokens(sums.input_tokens, estimated=estimated)} in",
            f"{text.share(sums.cache_read_input_tokens, sums.input_tokens)} cached",
            text.counted(sums.calls or 0, "call"),
        ]
        said += [f"{text.dollars(sums.wasted)} wasted"] if sums.wasted else []
        line.append(f" · {' · '.join(said)}")
        line.append(f"   {found.days.starts[0]} to {found.days.starts[-1]}", "dim")
        if self.size.width >= WIDE:
            line.append(f", of {SAID[self._span]}", "dim")
        second = Text(no_wrap=True, overflow="ellipsis")
        if (pace := shown.projection) is not None:
            second.append(f"≈{text.dollars(pace.cost, at_least=pace.at_least)}", "bold")
            second.append(f" in the next 30 days, at the pace of {text.counted(pace.days, 'day')}", "dim")
        else:
            second.append(shown.no_projection, "dim")
        if shown.uncounted_calls:
            colour = self.app.theme_variables["warning"]
            second.append(f"   {shown.uncounted_calls:,} older calls are not counted yet; `llmprof up` goes on", colour)
        self.query_one("#sums", Static).update(Group(line, second))

    def failed(self, group: str, error: LlmprofError) -> None:
        """Say it in the table's place, or above it if there is one."""
        if group == "trends":
            self._asking = False
        if isinstance(error, EmptyError):
            self.load("starting", how_to_record, lambda lines: self._say("Nothing is recorded yet.", lines))
        elif self._found is None:
            self._say(text.plain(error.message), text.plain(error.hint), colour="error")
        else:
            super().failed(group, error)

    def _say(self, title: str, lines: str, *, colour: str = "foreground") -> None:
        self.query_one(Notice).say(title, lines, colour=colour)
        self.remove_class("-listing")

    def _cells(self, line: TrendLine) -> tuple[Text | str, ...]:
        assert self._found is not None
        return trend_cells.cells(line, self._found.trends, self.measure, self.app.theme_variables)

    # actions

    def action_by(self, index: int) -> None:
        """Rows by another dimension."""
        self._by = TABS[index][0]
        self.query_one(TabBar).active = index
        self._keep("by", self._by)
        self._ask()

    @on(TabBar.Chosen)
    def _tab(self, message: TabBar.Chosen) -> None:
        self.action_by(message.index)

    def action_period(self) -> None:
        """Days, weeks, months."""
        self._period = PERIODS[(PERIODS.index(self._period) + 1) % len(PERIODS)]
        self._keep("period", self._period)
        self._ask()

    def action_span(self) -> None:
        """How far back."""
        names = list(SPANS)
        self._span = names[(names.index(self._span) + 1) % len(names)]
        self._keep("span", self._span)
        self._ask()

    def action_measure(self) -> None:
        """The next measure."""
        offered, name = (TOOL_MEASURES, "tools") if self.measure in TOOL_MEASURES else (CALL_MEASURES, "calls")
        self._measures[name] = offered[(offered.index(self.measure) + 1) % len(offered)].key
        self._keep(name, self._measures[name])
        self.table.redraw()
        self._show_row()

    def _keep(self, name: str, value: str) -> None:
        self._preferences.set(f"trends.{name}", value)

    @on(WindowTable.Chosen, "#trends")
    def _open_row(self) -> None:
        line = self.table.row(self.table.cursor)
        if line is not None:
            self._open(line.start, self._found.trends.period if self._found else "day")

    @on(TrendChart.Chosen)
    def _open_period(self, message: TrendChart.Chosen) -> None:
        self._open(message.start, self._found.trends.period if self._found else "day")

    @on(Calendar.Chosen)
    def _open_day(self, message: Calendar.Chosen) -> None:
        self._open(message.day, "day")

    def _open(self, start: date | None, period: Period) -> None:
        """The runs of the row under the cursor, in a period."""
        wanted = runs_of(self._by, self._row, start, period)
        if wanted is None:
            self.notify("These calls have no name that runs could be narrowed to.", severity="warning", markup=False)
        else:
            self.app.open_runs(wanted)  # type: ignore[attr-defined]  # the application is always ours

    def action_back(self) -> None:
        """Leave the trends."""
        self.dismiss()


def _rows_of(found: Found) -> tuple[By, Period | None]:
    """What the rows are: the cursor stays on its row as long as that is the same."""
    return found.trends.by, found.trends.period if found.trends.by == "all" else None
