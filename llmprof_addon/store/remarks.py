"""What a person should know of a run besides its sums: failures, warnings, and why its cache lost prefixes."""

from collections import Counter
from dataclasses import dataclass

import peewee as pw

from llmprof_addon.model.cache import CacheCause, CacheStatus
from llmprof_addon.store.database import errors_of
from llmprof_addon.store.open import Store
from llmprof_addon.store.schema import Call, Run
from llmprof_addon.store.text import loads

_LOST = (CacheStatus.BREAK, CacheStatus.PARTIAL, CacheStatus.EXPIRED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remarks:
    """Each with the number of calls that it holds for, the most frequent first, ties by name."""

    failures: tuple[tuple[str, int], ...] = ()
    warnings: tuple[tuple[str, int], ...] = ()
    losses: tuple[tuple[CacheCause, int], ...] = ()
    """Why calls lost their cached prefix."""


def remarks(store: Store, run: str) -> Remarks:
    """The remarks on a run's calls; none for a run that is not there."""
    of_run = Call.run == Run.select(Run.id).where(Run.uid == run)
    bad = Call.error.is_null(False) | (Call.outcome != "complete") | (Call.status >= 400)
    number = pw.fn.COUNT(Call.id)
    failures, warnings, losses = Counter[str](), Counter[str](), Counter[CacheCause]()
    with errors_of(store.url):
        failed = Call.select(Call.status, Call.outcome, Call.error, number).where(of_run & bad)
        for status, outcome, error, calls in store.db.execute(
            failed.group_by(Call.status, Call.outcome, Call.error)
        ).fetchall():
            failures[_failure(status, outcome, error)] += calls
        warned = Call.select(Call.warnings, number).where(of_run & (Call.warnings != "[]"))
        for lines, calls in store.db.execute(warned.group_by(Call.warnings)).fetchall():
            for line in loads(lines):
                warnings[line] += calls
        lost = Call.select(Call.cache_cause, number).where(of_run & Call.cache_status.in_(_LOST))
        for cause, calls in store.db.execute(lost.group_by(Call.cache_cause)).fetchall():
            if cause is not None:
                losses[CacheCause(cause)] += calls
    return Remarks(failures=_ranked(failures), warnings=_ranked(warnings), losses=_ranked(losses))


def _ranked[T: str](counts: Counter[T]) -> tuple[tuple[T, int], ...]:
    return tuple(sorted(counts.items(), key=lambda each: (-each[1], each[0])))


def _failure(status: int | None, outcome: str, error: str | None) -> str:
    said = error or ("cut off" if outcome == "aborted" else "failed")
    return f"{status} {said}" if status is not None and status >= 400 else said
