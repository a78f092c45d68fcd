"""Runs that a person starts and ends by hand: the intervals in which calls belong to them, by their start.

One is open at a time. A call that the worker sees later belongs to the run that was active when it started.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import peewee as pw

from llmprof_addon.grouping.runs import MANUAL
from llmprof_addon.store.database import errors_of
from llmprof_addon.store.schema import Interval, Manual, Run
from llmprof_addon.store.statements import Statements
from llmprof_addon.store.text import clean, dumps, loads
from llmprof_addon.store.transaction import transaction

if TYPE_CHECKING:
    from llmprof_addon.store.open import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualRun:
    """A run that a person started."""

    key: str
    name: str
    note: str | None
    tags: dict[str, str]
    state: str
    """`active`, `paused` or `ended`."""
    intervals: tuple[tuple[int, int | None], ...]
    """Start and end of each, ns since the epoch."""
    run_id: str | None
    """`None` until its first call is stored."""
    calls: int


def manual_at(statements: Statements, at_ns: int) -> str | None:
    """Key of the run that was active at this time."""
    row = statements.run("manual", _interval_before, [at_ns]).fetchone()
    return row[0] if row is not None and (row[1] is None or at_ns < row[1]) else None


def start(store: "Store", name: str, note: str | None, now_ns: int) -> ManualRun:
    """Start a run; the one before is ended."""

    def begin() -> ManualRun:
        _close(store.db, now_ns)
        _end_others(store.db)
        key = f"{MANUAL}{now_ns}"
        made = Manual.insert(key=key, name=clean(name), note=clean(note), tags="{}", ended=False)
        number = store.db.execute(made.returning(Manual.id)).fetchone()[0]
        store.db.execute(Interval.insert(started_ns=now_ns, manual=number).as_rowcount())
        return _read(store.db, number)

    with errors_of(store.url):
        return transaction(store.db, begin, alone=True)


def pause(store: "Store", now_ns: int) -> ManualRun | None:
    """Leave calls that start from now on out of it. `None` if none is active."""
    return _change(store, "active", lambda number: _close(store.db, now_ns))


def resume(store: "Store", now_ns: int) -> ManualRun | None:
    """Take calls in again. `None` if none is paused."""

    def reopen(number: int) -> None:
        store.db.execute(Interval.insert(started_ns=now_ns, manual=number).as_rowcount())

    return _change(store, "paused", reopen)


def end(store: "Store", now_ns: int) -> ManualRun | None:
    """End it. `None` if there is none to end."""

    def close(number: int) -> None:
        _close(store.db, now_ns)
        _end_others(store.db)

    return _change(store, None, close)


def rename(store: "Store", name: str) -> ManualRun | None:
    """Name the latest one anew. `None` if there never was one."""

    def change(number: int) -> None:
        store.db.execute(Manual.update(name=clean(name)).where(Manual.id == number))
        store.db.execute(Run.update(name=clean(name)).where(Run.key == _read(store.db, number).key))

    return _change(store, "any", change)


def tag(store: "Store", tags: Mapping[str, str | None]) -> ManualRun | None:
    """Set tags of the latest one; `None` takes one away. `None` if there never was one."""

    def change(number: int) -> None:
        old = _read(store.db, number)
        for table, held in ((Manual, old.tags), (Run, _run_tags(store.db, old.key))):
            kept = {key: value for key, value in (held | dict(tags)).items() if value is not None}
            store.db.execute(table.update(tags=dumps(kept)).where(table.key == old.key))

    return _change(store, "any", change)


def latest(store: "Store") -> ManualRun | None:
    """The one that was started last."""
    with errors_of(store.url):
        number = _latest(store.db)
        return None if number is None else _read(store.db, number)


def _change(store: "Store", state: str | None, change: Any) -> ManualRun | None:
    def changed() -> ManualRun | None:
        number = _latest(store.db)
        if number is None:
            return None
        found = _read(store.db, number).state
        if state != "any" and (found == "ended" or (state is not None and found != state)):
            return None
        change(number)
        return _read(store.db, number)

    with errors_of(store.url):
        return transaction(store.db, changed, alone=True)


def _close(db: pw.Database, now_ns: int) -> None:
    db.execute(Interval.update(ended_ns=now_ns).where(Interval.ended_ns.is_null()))


def _end_others(db: pw.Database) -> None:
    db.execute(Manual.update(ended=True).where(Manual.ended == False))  # noqa: E712  # an expression


def _latest(db: pw.Database) -> int | None:
    row = db.execute(Manual.select(Manual.id).order_by(Manual.id.desc()).limit(1)).fetchone()
    return None if row is None else int(row[0])


def _read(db: pw.Database, number: int) -> ManualRun:
    row = next(iter(Manual.select().where(Manual.id == number).dicts().execute(db)))
    query = Interval.select(Interval.started_ns, Interval.ended_ns).where(Interval.manual == number)
    intervals = tuple(tuple(pair) for pair in db.execute(query.order_by(Interval.started_ns)).fetchall())
    run = db.execute(Run.select(Run.uid, Run.calls).where(Run.key == row["key"])).fetchone()
    active = any(ended is None for _, ended in intervals)
    return ManualRun(
        key=row["key"],
        name=row["name"],
        note=row["note"],
        tags=loads(row["tags"]),
        state="ended" if row["ended"] else "active" if active else "paused",
        intervals=intervals,
        run_id=run[0] if run else None,
        calls=run[1] if run else 0,
    )


def _run_tags(db: pw.Database, key: str) -> dict[str, str]:
    row = db.execute(Run.select(Run.tags).where(Run.key == key)).fetchone()
    return dict(loads(row[0])) if row else {}


def _interval_before(value: pw.SQL) -> pw.Select:
    """Takes a time."""
    query = Interval.select(Manual.key, Interval.ended_ns).join(Manual, on=(Interval.manual == Manual.id))
    return query.where(Interval.started_ns <= value).order_by(Interval.started_ns.desc()).limit(pw.SQL("1"))
