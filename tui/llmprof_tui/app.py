"""The application: themes, screens and the watch for changes; what is shown belongs to the screens."""

import os
import time
from typing import ClassVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.worker import get_current_worker

from llmprof_addon.errors import LlmprofError
from llmprof_tui.screens.loading import LoadingScreen
from llmprof_tui.source import Source
from llmprof_tui.themes import THEMES

POLL_SECONDS = 0.5


class LlmprofApp(App[int]):
    """The terminal UI on one store."""

    TITLE = "llmprof"
    CSS_PATH = "app.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "quit", "Quit", id="app.quit", tooltip="Leave llmprof")]

    def __init__(self, source: Source, *, start: str | None = None) -> None:
        """`start`: id of a run or call to open first."""
        super().__init__()
        self.source = source
        self.changes = 0
        """How often the store was seen to have changed."""
        self._start = start
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = THEMES[0].name

    @property
    def monochrome(self) -> bool:
        """Whether colours cannot carry meaning, so that patterns and letters have to."""
        return bool(os.environ.get("NO_COLOR"))

    def on_mount(self) -> None:
        """Open the first screen."""
        from llmprof_tui.screens.runs import RunsScreen

        self.push_screen(RunsScreen())
        self.run_worker(self._watch, name="watch", thread=True, exit_on_error=False)

    def open_run(self, run_id: str) -> None:
        """Show a run."""
        from llmprof_tui.screens.run import RunScreen

        self.push_screen(RunScreen(run_id))

    def open_call(self, call_id: str) -> None:
        """Show a call."""
        from llmprof_tui.screens.call import CallScreen

        self.push_screen(CallScreen(call_id))

    def open_compare(self, before_id: str, after_id: str) -> None:
        """Show how a call differs from another."""
        from llmprof_tui.screens.compare import CompareScreen

        self.push_screen(CompareScreen(before_id, after_id))

    def open_compare_runs(self, before_id: str, after_id: str) -> None:
        """Show how a run differs from another."""
        from llmprof_tui.screens.compare import CompareRunsScreen

        self.push_screen(CompareRunsScreen(before_id, after_id))

    def _watch(self) -> None:
        """Ask the store for its version again and again, always from this thread, and tell the screen in front."""
        worker = get_current_worker()
        seen: tuple[int, ...] | None = None
        while not worker.is_cancelled:
            try:
                found = self.source.version()
            except LlmprofError:  # said by the screen, whose questions fail as well
                found = None
            if found is not None and seen is not None and found != seen:
                self.call_from_thread(self._changed)
            seen = found if found is not None else seen
            time.sleep(POLL_SECONDS)

    def _changed(self) -> None:
        self.changes += 1
        if isinstance(self.screen, LoadingScreen):
            self.screen.store_changed()
