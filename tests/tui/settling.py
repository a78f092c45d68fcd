"""Waiting for a screen, on what it does and not on time."""

from typing import Any

from textual.app import App
from textual.pilot import Pilot

CALM = 3
"""Rounds of messages in a row without a question: an answer is handed over, drawn, and may lead to another question."""
SOON_SECONDS = 0.5
"""A timer of this interval or less delays a question or a drawing; a longer one takes a message away."""


def busy(app: App[Any]) -> bool:
    """Whether something is asked, made or on its way, or is about to be; the watch for changes never ends."""
    if any(each.name != "watch" and not each.is_finished for each in app.workers):
        return True
    screens = app.screen_stack
    pumps = [app, *screens, *(widget for screen in screens for widget in screen.walk_children())]
    if not all(pump._is_mounted for pump in pumps):
        return True
    if any(pump._next_callbacks or not pump._message_queue.empty() for pump in pumps) or app.screen._callbacks:
        return True
    timers = [timer for pump in pumps for timer in pump._timers if timer._repeat == 0]
    return any(timer._interval <= SOON_SECONDS and timer._task and not timer._task.done() for timer in timers)


async def settled(pilot: Pilot[Any]) -> None:
    """Until nothing is asked or drawn any more."""
    calm = 0
    while calm < CALM:
        await pilot.pause(0.01)
        calm = 0 if busy(pilot.app) else calm + 1
