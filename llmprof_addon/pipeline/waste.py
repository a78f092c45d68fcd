"""The findings of runs, kept up as calls arrive: what a worker does beside its calls, and never for long.

A run that changed waits in the store until its findings were looked for. All of a run is looked at each time, so a
worker under load looks seldom: it rests `RESTS` times as long as it looked, and a second at least.
"""

import time
from collections.abc import Callable

from llmprof_addon.attribution.references import refer
from llmprof_addon.attribution.rent import rents
from llmprof_addon.errors import StoreError
from llmprof_addon.findings.find import find_waste
from llmprof_addon.findings.view import RunView
from llmprof_addon.model.finding import Waste
from llmprof_addon.model.thresholds import Thresholds
from llmprof_addon.store import findings
from llmprof_addon.store.open import Store
from llmprof_addon.store.run_tree import run_tree

RESTS = 5.0
"""Looking takes a sixth of the time."""
REST_SECONDS = 1.0
LOOK_SECONDS = 0.2
"""Further runs are begun this long."""
RUNS_AT_ONCE = 50


def waste_of(store: Store, run_id: str, thresholds: Thresholds) -> Waste | None:
    """Look for the findings of a run, as it is stored; `None` if there is no such run."""
    tree = run_tree(store, run_id)
    return None if tree is None else find_waste(RunView(tree, refer(tree, rents(tree)), thresholds))


class WasteKeeper:
    """Keeps the findings of one store's runs, at its own pace."""

    def __init__(self, thresholds: Thresholds, *, now: Callable[[], float] = time.monotonic) -> None:
        self.looked = 0
        """Runs that were looked at."""
        self.error: str | None = None
        """What went wrong last, in one line."""
        self._thresholds = thresholds
        self._now = now
        self._rests_until = 0.0

    def look(self, store: Store, *, at_once: bool = False) -> bool:
        """Look at runs that wait, unless it is time to rest; whether it may go on at once. Raises `StoreError`."""
        began = self._now()
        if not at_once and began < self._rests_until:
            return False
        waiting = findings.due(store, RUNS_AT_ONCE)
        for run in waiting:
            self._look_at(store, run)
            if self._now() - began >= LOOK_SECONDS:
                break
        if waiting:
            ended = self._now()
            self._rests_until = ended + max(REST_SECONDS, RESTS * (ended - began))
        return at_once and bool(waiting)

    def _look_at(self, store: Store, run: findings.Due) -> None:
        waste = None
        try:
            waste = waste_of(store, run.run_id, self._thresholds)
        except StoreError:
            raise
        except Exception as error:  # whatever is wrong with a run, calls and other runs go on
            self.error = f"findings of run {run.run_id}: {type(error).__name__}: {error}"
        if waste is None:
            findings.give_up(store, run)
            return
        self.looked += 1
        if waste.errors:
            self.error = f"findings of run {run.run_id}: {'; '.join(waste.errors)}"
        findings.put(store, run, waste)
