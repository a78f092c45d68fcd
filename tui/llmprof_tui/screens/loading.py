"""A screen that asks the source in threads and gets the answers where it may touch widgets.

A question runs in a thread worker; its answer comes back as a message, and the screen's own function takes it. A newer
question of the same group cancels the older one, whose answer is then dropped.
"""

from collections.abc import Callable
from typing import Any

from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer
from textual.worker import get_current_worker

from llmprof_addon.errors import LlmprofError
from llmprof_tui.source import Source
from llmprof_tui.timers import Punctual

SETTLE_SECONDS = 0.12
"""How long typing or the cursor has to rest before the store is asked."""


class Answered(Message):
    """A question was answered; `then` takes the answer."""

    def __init__(self, then: Callable[[Any], None], answer: Any) -> None:
        super().__init__()
        self.then = then
        self.answer = answer


class Unanswered(Message):
    """A question could not be answered."""

    def __init__(self, group: str, error: LlmprofError) -> None:
        super().__init__()
        self.group = group
        self.error = error


class LoadingScreen(Punctual, Screen[None]):
    """Base of the screens that show what is stored."""

    _seen = 0
    """The application's count of changes when it was last asked."""

    def __init__(self) -> None:
        super().__init__()
        self._waits: dict[str, Timer] = {}

    def on_screen_suspend(self) -> None:
        """Remember how far the store is while other screens are in front."""
        self._seen = self.app.changes  # type: ignore[attr-defined]  # the application is always ours

    def on_screen_resume(self) -> None:
        """Catch up with what changed meanwhile."""
        if self._seen != self.app.changes:  # type: ignore[attr-defined]  # as above
            self._seen = self.app.changes  # type: ignore[attr-defined]  # as above
            self.store_changed()

    @property
    def source(self) -> Source:
        """The application's source: for questions that `load` runs, never to be asked directly."""
        source: Source = self.app.source  # type: ignore[attr-defined]  # the application is always ours
        return source

    def load[T](self, group: str, question: Callable[[Source], T], then: Callable[[T], None]) -> None:
        """Ask in a thread, then call `then` with the answer in the screen's own task."""
        source = self.source

        def ask() -> None:
            worker = get_current_worker()
            try:
                answer = question(source)
            except LlmprofError as error:
                message: Message = Unanswered(group, error)
            except Exception as fault:  # a fault of ours is shown, and the screen goes on
                line = f"{type(fault).__name__}: {fault}"
                message = Unanswered(group, LlmprofError(line, hint="this is a fault of llmprof"))
                self.app.log.error(line)
            else:
                message = Answered(then, answer)
            if not worker.is_cancelled:
                self.post_message(message)

        self.run_worker(ask, name=group, group=group, thread=True, exclusive=True, exit_on_error=False)

    def later(self, name: str, then: Callable[[], None]) -> None:
        """Do it once typing or the cursor has come to rest; what was to be done by this name is not done."""
        if (waiting := self._waits.pop(name, None)) is not None:
            waiting.stop()
        self._waits[name] = self.set_timer(SETTLE_SECONDS, then)

    def on_answered(self, message: Answered) -> None:
        """Hand the answer over."""
        message.stop()
        message.then(message.answer)

    def on_unanswered(self, message: Unanswered) -> None:
        """Show the failure."""
        message.stop()
        self.failed(message.group, message.error)

    def failed(self, group: str, error: LlmprofError) -> None:
        """Show why a question of this group was not answered; screens show it in their own place."""
        self.notify(error.hint or "", title=error.message, severity="error", markup=False)

    def store_changed(self) -> None:
        """Ask again for what is shown: a call was stored, or something was deleted or renamed."""
