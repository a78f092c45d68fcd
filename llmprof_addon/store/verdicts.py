"""Verdicts of stored calls, given anew when another call comes, or comes to another place, that bears on them.

In the order in which calls end that does not happen: nothing that is stored then ended later.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

import peewee as pw

from llmprof_addon.cachedoctor.rules import rules_for
from llmprof_addon.model.cache import CacheStatus, CacheVerdict
from llmprof_addon.store import trend_rows
from llmprof_addon.store.cacherows import LOSSES, verdict_columns
from llmprof_addon.store.database import errors_of
from llmprof_addon.store.open import Store
from llmprof_addon.store.schema import Call, Lane, Run
from llmprof_addon.store.statements import Statements
from llmprof_addon.store.text import loads
from llmprof_addon.store.transaction import transaction

MOST = 256
"""Calls of a run that may have another one before them because of one that came."""

_COMPARED = (*LOSSES, CacheStatus.EXPIRED)
_ESTIMATED = '"estimated"'

_SUMMED = (Call.cache_status, Call.cache_lost, Call.cache_wasted)


class Moved(NamedTuple):
    """A call that came, or that left a run or came to it."""

    number: int
    run: int
    """Number of the run that it left or came to."""
    started_ns: int
    ended_ns: int


def arrived(store: Store, uid: str) -> list[Moved]:
    """A call that was just stored."""
    with errors_of(store.url):
        row = store.writer.statements.run("arrived", _arrived, [uid]).fetchone()
    return [] if row is None else [Moved(*row)]


def stale(store: Store, moved: Collection[Moved]) -> set[int]:
    """Numbers of the calls that these may stand before, or stood before: those of their runs that ended later."""
    found: set[int] = set()
    with errors_of(store.url):
        for one in moved:
            found |= _stale(store.writer.statements, one)
    return found


def _stale(statements: Statements, moved: Moved) -> set[int]:
    found: set[int] = set()
    rows = statements.run("verdicts after", _after, [moved.run, moved.started_ns, moved.ended_ns]).fetchall()
    for near, (number, api, model, read, status, more) in enumerate(rows):
        rules = rules_for(api, model)
        if number == moved.number or rules is None or (read is None and not rules.leaves_out_zero):
            continue
        if status in _COMPARED or (more and _ESTIMATED in more):
            found.add(number)  # its prompt was compared, by the sizes of calls before it
        elif near < MOST:
            previous = loads(more).get("previous") if more else None
            if previous is None or _start(statements, previous) <= moved.started_ns:
                found.add(number)
    return found


def _start(statements: Statements, uid: str) -> int:
    """When a call started; 0 if it was deleted."""
    row = statements.run("start", lambda value: Call.select(Call.started_ns).where(Call.uid == value), [uid]).fetchone()
    return int(row[0]) if row else 0


def put(store: Store, given: Mapping[int, CacheVerdict | None]) -> None:
    """Store verdicts by the numbers of their calls, and sum the caches of their runs and lanes. One transaction."""
    if not given:
        return
    with errors_of(store.url):
        transaction(store.db, lambda: _put(store, given), alone=True)


def _put(store: Store, given: Mapping[int, CacheVerdict | None]) -> None:
    changed: set[tuple[int, int | None]] = set()
    for number, verdict in given.items():
        columns = verdict_columns(verdict)
        query = Call.select(Call.run, Call.lane, *(getattr(Call, name) for name in columns))
        row = next(iter(query.where(Call.id == number).dicts().execute(store.db)), None)
        if row is not None and any(row[name] != value for name, value in columns.items()):
            with trend_rows.changing(store.db, [number]):
                store.db.execute(Call.update(**columns).where(Call.id == number))
            changed.add((row["run"], row["lane"]))
    for run in sorted({run for run, _ in changed}):
        _sum(store.db, Run, run, Call.run)
    for lane in sorted({lane for _, lane in changed if lane is not None}):
        _sum(store.db, Lane, lane, Call.lane)


def _sum(db: pw.Database, table: type[Run | Lane], number: int, column: pw.Field) -> None:
    rows = db.execute(Call.select(*_SUMMED).where(column == number)).fetchall()
    sums: dict[str, Any] = {
        "cache_breaks": sum(status in LOSSES for status, _, _ in rows),
        "cache_expiries": sum(status == CacheStatus.EXPIRED for status, _, _ in rows),
        "cache_lost": _total(lost for _, lost, _ in rows),
        "cache_wasted": _total(wasted for _, _, wasted in rows),
    }
    db.execute(table.update(**sums).where(table.id == number))


def _total(numbers: Iterable[int | None]) -> int | None:
    """The sum of what is known; `None` if nothing is."""
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None


def _arrived(value: pw.SQL) -> pw.Select:
    return Call.select(Call.id, Call.run, Call.started_ns, Call.ended_ns).where(Call.uid == value)


def _after(value: pw.SQL) -> pw.Select:
    """Takes a run's number, a start and an end."""
    columns = (Call.id, Call.api, Call.request_model, Call.cache_read_input_tokens, Call.cache_status, Call.cache_more)
    later = (Call.run == value) & (Call.started_ns > value) & (Call.ended_ns >= value)
    return Call.select(*columns).where(later).order_by(Call.started_ns, Call.uid)
