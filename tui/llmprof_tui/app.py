"""The application: themes, screens and the watch for changes; what is shown belongs to the screens."""

import asyncio
import os
import shutil
import signal
import threading
from collections.abc import Iterable, Iterator
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.screen import Screen

from llmprof_addon.errors import LlmprofError
from llmprof_addon.export.text import counted
from llmprof_addon.store.rows import CallRow, RunRow
from llmprof_tui.commands import ScreenCommands
from llmprof_tui.garbage import REST_SECONDS, Rest
from llmprof_tui.preferences import FILE, Preferences
from llmprof_tui.screens.loading import LoadingScreen
from llmprof_tui.source import Source
from llmprof_tui.themes import THEMES
from llmprof_tui.timers import Punctual

if TYPE_CHECKING:
    from llmprof_tui.screens.filter_dialog import Wanted
    from llmprof_tui.widgets.sought import Sought

POLL_SECONDS = 0.5
FIT_SECONDS = 1
"""How long a change of the terminal's size may go unseen."""
AHEAD_SECONDS = 0.4
AHEAD = ("run", "call", "compare", "trends", "search")
"""Screens whose modules are loaded while the first one is looked at, one each time: 30 ms or so each."""
COPY_LIMIT = 100_000
"""Bytes that terminals take into a clipboard; more is often dropped without a word."""


class LlmprofApp(Punctual, App[int]):
    """The terminal UI on one store."""

    TITLE = "llmprof"
    CSS_PATH = "app.tcss"
    COMMANDS: ClassVar = App.COMMANDS | {ScreenCommands}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,f1", "help", "Help", key_display="?", id="app.help", tooltip="All keys of this place"),
        Binding(
            "slash",
            "search",
            "Search",
            show=False,
            key_display="/",
            id="app.search",
            tooltip="Search prompts, answers and tools",
        ),
        Binding("q,ctrl+q", "quit", "Quit", key_display="q", id="app.quit", tooltip="Leave llmprof"),
        Binding(
            "ctrl+z", "suspend_process", "Pause", show=False, id="app.pause", tooltip="Back to the shell; fg returns"
        ),
    ]

    def __init__(self, source: Source, *, start: RunRow | CallRow | None = None, tour: bool = False) -> None:
        """`start`: the run or call to open first; `tour`: begin with what the screens are for."""
        super().__init__()
        self.source = source
        self.preferences = Preferences(source.home / FILE)
        self.changes = 0
        """How often the store was seen to have changed."""
        self._start, self._tour = start, tour
        self._ended = threading.Event()
        self._rest = Rest()
        for theme in THEMES:
            self.register_theme(theme)
        kept = self.preferences.get("theme", THEMES[0].name)
        self.theme = kept if kept in self.available_themes else THEMES[0].name

    @property
    def monochrome(self) -> bool:
        """Whether colours cannot carry meaning, so that patterns and letters have to."""
        return bool(os.environ.get("NO_COLOR")) or self.console.color_system == "standard"

    def on_mount(self) -> None:
        """Open the first screen, and what was asked for upon it."""
        from llmprof_tui.screens.runs import RunsScreen

        self.push_screen(RunsScreen())
        if isinstance(self._start, RunRow):
            self.open_run(self._start.id)
        elif self._start is not None:
            self.open_call(self._start.id)
        if self._tour:
            from llmprof_tui.screens.tour import TourScreen

            self.push_screen(TourScreen())
        self.theme_changed_signal.subscribe(self, lambda theme: self.preferences.set("theme", theme.name))
        if not self.is_headless:
            self.set_interval(REST_SECONDS, self._rest.collect)
            self._load_ahead(iter(AHEAD))
            self._leave_on(signal.SIGTERM, signal.SIGHUP)
            if not self.is_web:
                self.set_interval(FIT_SECONDS, self._fit_terminal)
        self.run_worker(self._watch, name="watch", thread=True, exit_on_error=False)

    def _load_ahead(self, screens: Iterator[str]) -> None:
        def load(screen: str) -> None:
            import_module(f"llmprof_tui.screens.{screen}")
            self._load_ahead(screens)

        if (screen := next(screens, None)) is not None:
            self.set_timer(AHEAD_SECONDS, partial(load, screen))

    async def on_event(self, event: events.Event) -> None:
        """Note that somebody is at work."""
        if isinstance(event, events.InputEvent):
            self._rest.work()
        await super().on_event(event)

    def _leave_on(self, *numbers: signal.Signals) -> None:
        """Give the terminal back before these signals end the process, with the exit code that shells give them."""
        for number in numbers:
            asyncio.get_running_loop().add_signal_handler(number, self.exit, 128 + number)

    def _fit_terminal(self) -> None:
        """Draw in the terminal's size, also where its signal was lost or met a screen that was not ready for it."""
        terminal = Size(*shutil.get_terminal_size())
        if self.size != terminal:
            self.post_message(events.Resize(terminal, terminal))
        elif self.screen.outer_size != terminal:
            self.screen.post_message(events.Resize(terminal, terminal))

    def on_unmount(self) -> None:
        """Let the watch end at once."""
        self._ended.set()

    def open_run(self, run_id: str) -> None:
        """Show a run."""
        from llmprof_tui.screens.run import RunScreen

        self.push_screen(RunScreen(run_id))

    def open_call(self, call_id: str, node: str | None = None, sought: "Sought | None" = None) -> None:
        """Show a call, at the part with this key (hex) of its prompt, or at this text, if one is given."""
        from llmprof_tui.screens.call import CallScreen

        self.push_screen(CallScreen(call_id, node=node, sought=sought))

    def open_search(self, query: str = "") -> None:
        """Show what a query finds in prompts, answers and tools."""
        from llmprof_tui.screens.search import SearchScreen

        self.push_screen(SearchScreen(query))

    def open_trends(self) -> None:
        """Show how spend, tokens and cache hits went."""
        from llmprof_tui.screens.trends import TrendsScreen

        self.push_screen(TrendsScreen())

    def open_runs(self, wanted: "Wanted") -> None:
        """Go back to the list of runs, narrowed to these."""
        from llmprof_tui.screens.runs import RunsScreen

        while not isinstance(self.screen, RunsScreen):
            self.pop_screen()
        self.screen.narrow(wanted)

    def open_compare(self, before_id: str | None, after_id: str) -> None:
        """Show how a call differs from another; `None` for the one that it goes on from."""
        from llmprof_tui.screens.compare import CompareScreen

        self.push_screen(CompareScreen(before_id, after_id))

    def open_compare_runs(self, before_id: str, after_id: str) -> None:
        """Show how a run differs from another."""
        from llmprof_tui.screens.compare_runs import CompareRunsScreen

        self.push_screen(CompareRunsScreen(before_id, after_id))

    def copy_text(self, name: str, text: str) -> None:
        """Put a text into the clipboard, and say so by its name."""
        data = text.encode("utf-8", "replace")  # lone surrogates
        self.copy_to_clipboard(data.decode())
        said = f"{name}: {counted(len(text), 'character')} copied"
        if len(data) > COPY_LIMIT:
            said += f"; many terminals take no more than {COPY_LIMIT // 1000} KB"
            self.notify(f"{said}, the pager opens all of it", severity="warning", markup=False)
        else:
            self.notify(said, markup=False)

    def action_search(self) -> None:
        """Search, where the screen has no search of its own."""
        self.open_search()

    def action_help(self) -> None:
        """Show the keys of the focused widget, the screen and the application."""
        from llmprof_tui.screens.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.screen))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """What the palette offers everywhere."""
        yield SystemCommand("Theme", "Dark, light, colour-blind safe, and Textual's own", self.action_change_theme)
        yield SystemCommand("Help", "All keys of this place", self.action_help)
        yield SystemCommand("Save a picture", "This screen as SVG", self._save_picture)
        yield SystemCommand("Quit", "Leave llmprof", self.exit)

    def _save_picture(self) -> None:
        try:
            self.notify(self.save_screenshot(), title="Saved", markup=False)
        except OSError as error:
            self.notify(str(error), title="Not saved", severity="error", markup=False)

    def _watch(self) -> None:
        """Ask the store for its version again and again, always from this thread, and tell the screen in front."""
        seen: tuple[int, ...] | None = None
        failed = False
        while not self._ended.wait(POLL_SECONDS if seen is not None or failed else 0.05):
            try:
                found = self.source.version()
            except LlmprofError:  # said by the screen, whose questions fail as well
                failed = True
                continue
            if failed or seen not in (None, found):
                self.call_from_thread(self._changed)
            seen, failed = found, False

    def _changed(self) -> None:
        self.changes += 1
        for screen in reversed(self.screen_stack):  # what is seen behind a dialog changes as well
            if isinstance(screen, LoadingScreen):
                screen.store_changed()
            if not screen.is_modal:
                break
