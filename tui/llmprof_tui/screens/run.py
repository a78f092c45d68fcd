"""One run: where its context grew, where it was paid anew, which calls, tools and agents it was.

The chart on top selects a call; below it are the tabs of `panes.table`, each a pane in a file of its own. The screen
gives the open pane what the store says, and the selected call; a pane tells it where its cursor stands.
"""

from statistics import median
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import ContentSwitcher

from llmprof_addon.errors import LlmprofError
from llmprof_addon.export.text import plain
from llmprof_addon.store.rows import CallRow, RunRow
from llmprof_addon.store.timeline import TimelineCall
from llmprof_tui.panes.pane import RunPane
from llmprof_tui.panes.table import TABS
from llmprof_tui.preferences import Preferences
from llmprof_tui.screens.loading import LoadingScreen
from llmprof_tui.screens.run_news import News, news_of
from llmprof_tui.source import GoneError
from llmprof_tui.widgets.call_line import CallLine
from llmprof_tui.widgets.key_bar import KeyBar
from llmprof_tui.widgets.lane_lines import lane_titles
from llmprof_tui.widgets.notice import Notice
from llmprof_tui.widgets.run_header import RunHeader
from llmprof_tui.widgets.tab_bar import TabBar
from llmprof_tui.widgets.timeline import Timeline
from llmprof_tui.widgets.timeline_signs import LEGEND

if TYPE_CHECKING:
    from llmprof_tui.app import LlmprofApp

LOW = 30
"""Screens with fewer lines are low."""
METRIC_SETTING = "run.metric"
SCALE_SETTING = "run.to_window"


class RunScreen(LoadingScreen):
    """The screen of a run."""

    HELP_SIGNS = LEGEND
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(str(index + 1), f"tab({index})", tab.title, show=False, id=f"run.{tab.name}", tooltip=tab.about)
            for index, tab in enumerate(TABS)
        ),
        Binding("t", "metric", "Tokens/$", id="run.metric", tooltip="Heights are tokens, or dollars"),
        Binding("w", "limit", "Window", id="run.window", tooltip="Scale to the context window, or to the peak"),
        Binding("d", "compare", "Diff", id="run.diff", tooltip="Compare with the call that it goes on from"),
        Binding("plus,equals_sign", "zoom(1)", "Zoom in", show=False, id="run.in", key_display="+",
                tooltip="Wider columns"),
        Binding("minus", "zoom(-1)", "Zoom out", show=False, id="run.out", key_display="-", tooltip="Narrower columns"),
        Binding("0", "fit", "Fit", show=False, id="run.fit", tooltip="The whole run in the window"),
        Binding("space", "fold", "Fold", show=False, id="run.fold", tooltip="Fold or unfold the selected lane"),
        Binding("escape", "back", "Back", id="run.back", tooltip="Back to the runs"),
    ]  # fmt: skip

    def __init__(self, run_id: str) -> None:
        super().__init__()
        self.run_id = run_id
        self.row: RunRow | None = None
        self.calls: tuple[TimelineCall, ...] = ()
        self._places: dict[int, int] = {}
        """Index of each call by number."""
        self._rows: dict[int, CallRow] = {}
        """Those of the calls that were looked at."""
        self._compares = False
        """Whether there is a call before the selected one."""
        self._news: News | None = None
        self._stale: set[str] = set()
        """Names of the tabs that have not seen the news."""

    def compose(self) -> ComposeResult:
        """Header, timeline, the call that is pointed at, tabs, tables."""
        with ContentSwitcher(initial="state", id="run"):
            yield Notice(id="state")
            with Vertical(id="shown"):
                yield RunHeader()
                yield Timeline()
                yield CallLine()
                yield TabBar([tab.title for tab in TABS])
                with ContentSwitcher(initial=TABS[0].pane_id, id="panes"):
                    for tab in TABS:
                        yield tab.pane(id=tab.pane_id)
        yield KeyBar()

    def on_mount(self) -> None:
        """Ask for the run."""
        self.query_one(Notice).say("Reading the run …")
        timeline = self.query_one(Timeline)
        preferences = self._preferences
        timeline.metric = "dollars" if preferences.get(METRIC_SETTING, "tokens") == "dollars" else "tokens"
        timeline.to_limit = preferences.get(SCALE_SETTING, False)
        self._ask()

    @property
    def _app(self) -> "LlmprofApp":
        from llmprof_tui.app import LlmprofApp

        assert isinstance(self.app, LlmprofApp)
        return self.app

    @property
    def _preferences(self) -> Preferences:
        return getattr(self.app, "preferences", None) or Preferences(None)

    # -- data

    def _ask(self) -> None:
        run_id, known = self.run_id, self.calls
        self.load("run", lambda source: news_of(source, run_id, known), self._show)

    def on_resize(self, event: events.Resize) -> None:
        """On a low screen the chart needs the lines more than the legend."""
        self.set_class(event.size.height < LOW, "-low")

    def store_changed(self) -> None:
        """A call may have come, or gone."""
        self._ask()

    def _show(self, news: News) -> None:
        first, changed = self._news is None, news.calls != self.calls
        if news != self._news:
            self._stale = {tab.name for tab in TABS}
        self._news, self.row, self.calls = news, news.run, news.calls
        self._places = {call.number: at for at, call in enumerate(self.calls)}
        self.sub_title = plain(news.run.label or news.run.id)
        windows = [call.context_window for call in self.calls if call.context_window]
        waits = [call.first_chunk_ns - call.started_ns for call in self.calls if call.first_chunk_ns is not None]
        first_byte = round(median(waits)) if waits else None
        self.query_one(RunHeader).show(news.run, max(windows, default=None), first_byte)
        if first:
            self.query_one("#run", ContentSwitcher).current = "shown"
            self.query_one(Timeline).focus()
        if changed:
            lanes = lane_titles(news.lanes)
            places = {lane.key: at for at, lane in enumerate(lanes)}
            lane_of = [places.get(call.lane, 0) for call in self.calls] if len(lanes) > 1 else ()
            self.query_one(Timeline).show(self.calls, lanes=lanes, lane_of=lane_of)
            self._point()
        self._show_pane()

    def failed(self, group: str, error: LlmprofError) -> None:
        """Say it where the run would be; what was read of a deleted run stays readable."""
        if self.row is None:
            self.query_one(Notice).say(f"✗ {error.message}", f"{error.hint}\n\nesc goes back".strip(), colour="error")
        elif group == "run":
            gone = "deleted from the store: this is what was read before · esc goes back"
            self.query_one(RunHeader).say(gone if isinstance(error, GoneError) else error.message)
        else:
            super().failed(group, error)
            for pane in self.query(RunPane):
                if pane.id == group.partition(" ")[0]:
                    pane.unanswered()

    # -- the selected call

    @property
    def selected(self) -> TimelineCall | None:
        """The call that is selected."""
        at = self.query_one(Timeline).selected
        return None if at is None or at >= len(self.calls) else self.calls[at]

    @on(Timeline.Selected)
    def _selected(self) -> None:
        call = self.selected
        if call is None:
            return
        self.pane.select(call)
        self._point()
        # The footer is made anew by it, which takes as long as all the rest.
        if self._compares != (comparable := bool(self.query_one(Timeline).selected)):
            self._compares = comparable
            self.refresh_bindings()
        if call.number not in self._rows:
            self.load("selected", lambda source: source.calls([call.number]), self._know)

    @property
    def _since(self) -> int:
        """When the first call started."""
        return self.calls[0].started_ns if self.calls else 0

    def _know(self, rows: dict[int, CallRow]) -> None:
        self._rows |= rows
        self._point()

    @on(Timeline.Hovered)
    def _hovered(self) -> None:
        self._point()

    def _point(self) -> None:
        """Say the call under the mouse, else the selected one."""
        timeline = self.query_one(Timeline)
        at = timeline.selected if timeline.hovered is None else timeline.hovered[0]
        if at is not None and at < len(self.calls):
            call = self.calls[at]
            kind, pointed = timeline.hovered_kind, timeline.hovered is not None
            row, since = self._rows.get(call.number), self._since
            self.query_one(CallLine).show(at + 1, call, row, since=since, kind=kind, pointed=pointed)

    @on(RunPane.Pointed)
    def _pointed(self, message: RunPane.Pointed) -> None:
        at = self._places.get(message.number)
        if at is not None:
            self.query_one(Timeline).selected = at

    @on(RunPane.LaneChosen)
    def _lane_chosen(self, message: RunPane.LaneChosen) -> None:
        self.query_one(Timeline).choose_lane(message.key)

    @on(Timeline.Opened)
    def _opened(self) -> None:
        if (call := self.selected) is not None:
            self._app.open_call(call.id)

    # -- tabs

    @property
    def tab(self) -> str:
        """The name of the open tab."""
        return TABS[self.query_one(TabBar).active].name

    @property
    def pane(self) -> RunPane:
        """The open tab's pane."""
        return self.query_one(f"#{TABS[self.query_one(TabBar).active].pane_id}", RunPane)

    def _show_pane(self) -> None:
        """Show the open pane what it has not seen."""
        if self._news is not None and self.tab in self._stale:
            self._stale.discard(self.tab)
            self.pane.show(self._news)
        if (call := self.selected) is not None:
            self.pane.select(call)

    # -- actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that lead nowhere are shown faint."""
        if action == "compare":
            return True if self._compares else None
        return True

    def action_back(self) -> None:
        """Leave the run."""
        self.app.pop_screen()

    def action_tab(self, index: int) -> None:
        """Open a tab."""
        self.query_one(TabBar).active = index
        self.query_one("#panes", ContentSwitcher).current = TABS[index].pane_id
        self.set_class(self.pane.ROOMY, "-roomy")
        self._show_pane()
        self.pane.enter()

    @on(TabBar.Chosen)
    def _tab_chosen(self, message: TabBar.Chosen) -> None:
        self.action_tab(message.index)

    def action_metric(self) -> None:
        """Tokens or dollars."""
        timeline = self.query_one(Timeline)
        timeline.action_metric()
        self._preferences.set(METRIC_SETTING, timeline.metric)

    def action_limit(self) -> None:
        """Scale to the window or to the peak."""
        timeline = self.query_one(Timeline)
        timeline.action_limit()
        self._preferences.set(SCALE_SETTING, timeline.to_limit)

    def action_zoom(self, by: int) -> None:
        """Widen or narrow the columns."""
        self.query_one(Timeline).action_zoom(by)

    def action_fit(self) -> None:
        """The whole run in the window."""
        self.query_one(Timeline).action_fit()

    def action_fold(self) -> None:
        """Fold or unfold the lane of the selected call."""
        self.query_one(Timeline).action_fold()

    def action_compare(self) -> None:
        """Compare the selected call with the one that it goes on from."""
        at = self.query_one(Timeline).selected
        if at:
            self._app.open_compare(None, self.calls[at].id)
