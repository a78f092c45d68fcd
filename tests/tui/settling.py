"""Waiting for a screen, on what it does and not on time."""

from typing import Any

from textual.pilot import Pilot

CALM = 3
"""Rounds of messages in a row without a question: an answer is handed over, drawn, and may lead to another question."""


async def settled(pilot: Pilot[Any]) -> None:
    """Until nothing is asked or drawn any more; the watch for changes never ends."""
    calm = 0
    while calm < CALM:
        await pilot.pause(0.01)
        asking = [each for each in pilot.app.workers if each.name != "watch" and not each.is_finished]
        calm = 0 if asking else calm + 1
