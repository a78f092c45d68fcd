"""Full garbage collections where they disturb nobody: one holds the screen up by 50 to 200 ms.

Left to themselves they come in the middle of work, since it is work that makes objects.
"""

import gc
import time

REST_SECONDS = 1.0
"""How long no key was pressed and no mouse moved, for a person to be looking or away."""

_OFTEN = 10
"""After so many collections of younger objects a full one is due: the interpreter's own figure."""
_RARELY = 100
"""After so many it comes at once, for somebody who never rests."""


def put_off() -> None:
    """Leave what was loaded so far out of all collections, and full ones to `Rest`."""
    gc.freeze()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, _RARELY)


class Rest:
    """Whether somebody is at work, and what waits until nobody is."""

    def __init__(self) -> None:
        self._worked = time.monotonic()

    def work(self) -> None:
        """A key was pressed, or the mouse was moved."""
        self._worked = time.monotonic()

    def collect(self) -> bool:
        """Collect what is due, if this is the time for it; whether it was."""
        if gc.get_count()[2] < _OFTEN or time.monotonic() - self._worked < REST_SECONDS:
            return False
        gc.collect()
        return True
