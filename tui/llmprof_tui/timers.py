"""Timers that go off once, however late; whatever waits for rest, or goes on in slices, inherits them."""

from textual.message_pump import MessagePump
from textual.timer import Timer, TimerCallback


class Punctual(MessagePump):
    """What has such timers; to be named before the class of Textual's."""

    def set_timer(
        self, delay: float, callback: TimerCallback | None = None, *, name: str | None = None, pause: bool = False
    ) -> Timer:
        """A timer that goes off once, however late.

        Textual 8.2 takes one that is late when it starts, for which a garbage collection or another thread at the wrong
        moment is enough, as one to skip, and it never goes off: what waits for it would wait for ever.
        """
        timer = super().set_timer(delay, callback, name=name, pause=pause)
        timer._skip = False
        return timer
