"""Questions to the store, answered in frozen rows. Lists come newest first, page by page, without holding a lock."""

from collections.abc import Iterator, Sequence
from itertools import batched
from typing import Any

import peewee as pw

from llmprof_addon.errors import StoreError
from llmprof_addon.store.database import errors_of
from llmprof_addon.store.open import Store
from llmprof_addon.store.rows import CallRow, LaneRow, RunRow, call_row, lane_row, run_row
from llmprof_addon.store.schema import Call, Lane, Price, Run

PAGE = 200
"""Rows of one query."""


def runs(store: Store, *, limit: int | None = None, before: RunRow | None = None) -> Iterator[RunRow]:
    """Runs, those that started last first; `before` continues after the last row of a page."""
    yield from map(run_row, _pages(store, Run.select(), Run, limit, before))


def calls(
    store: Store, *, run: str | None = None, limit: int | None = None, before: CallRow | None = None
) -> Iterator[CallRow]:
    """Calls, those that started last first; of the run with this id, if given."""
    query = call_query() if run is None else call_query().where(Run.uid == run)
    yield from map(call_row, _pages(store, query, Call, limit, before))


def call(store: Store, id: str) -> CallRow | None:
    """The call of this id, or the only one whose id starts so. Raises `StoreError` if several do."""
    found = _find(store, call_query(), Call, id)
    return None if found is None else call_row(found)


def run(store: Store, id: str) -> RunRow | None:
    """The run that a client named so, of this id, or the only one whose id starts so.

    Raises `StoreError` if several do.
    """
    named = _dicts(store, Run.select().where(Run.key == f"header:{id}"))
    found = named[0] if named else _find(store, Run.select(), Run, id)
    return None if found is None else run_row(found)


def count(store: Store) -> tuple[int, int]:
    """How many runs and calls there are."""
    with errors_of(store.url):
        numbers = [store.db.execute(table.select(pw.fn.COUNT(table.id))).fetchone()[0] for table in (Run, Call)]
    return numbers[0], numbers[1]


def _pages(
    store: Store,
    query: "pw.ModelSelect[Any]",
    table: type[pw.Model],
    limit: int | None,
    before: RunRow | CallRow | None,
) -> Iterator[dict[str, Any]]:
    """Rows of a query, the newest first, fetched page by page from behind the last one of the page before."""
    started, id_ = table._meta.fields["started_ns"], table._meta.fields["id"]
    query = query.order_by(started.desc(), id_.desc())
    last = None if before is None else (before.started_ns, before.number)
    while limit is None or limit > 0:
        size = PAGE if limit is None else min(PAGE, limit)
        page = _dicts(store, (query if last is None else query.where(_earlier(table, *last))).limit(size))
        yield from page
        if len(page) < size:
            return
        last = (page[-1]["started_ns"], page[-1]["id"])
        limit = None if limit is None else limit - size


def call_query() -> "pw.ModelSelect[Any]":
    """Calls with what `rows.call_row` needs of their run, lane, price and predecessor."""
    return (
        Call.select(
            *(Call, Run.uid.alias("run_uid"), Run.key.alias("run_key"), Price.snapshot),
            *(Lane.key.alias("lane_key"), _BEFORE.uid.alias("predecessor_uid")),
        )
        .join(Run, on=(Call.run == Run.id))
        .join_from(Call, Price, pw.JOIN.LEFT_OUTER, on=(Call.price == Price.id))
        .join_from(Call, Lane, pw.JOIN.LEFT_OUTER, on=(Call.lane == Lane.id))
        .join_from(Call, _BEFORE, pw.JOIN.LEFT_OUTER, on=(Call.predecessor == _BEFORE.id))
    )


_BEFORE = Call.alias("before")


def lanes(store: Store, runs: Sequence[str]) -> dict[str, tuple[LaneRow, ...]]:
    """The lanes of each of these runs, by start."""
    found: dict[str, list[LaneRow]] = {run: [] for run in runs}
    query = Lane.select(Lane, Run.uid.alias("run_uid")).join(Run, on=(Lane.run == Run.id))
    for some in batched(runs, PAGE):
        for row in _dicts(store, query.where(Run.uid.in_(some)).order_by(Lane.started_ns, Lane.id)):
            found[row["run_uid"]].append(lane_row(row))
    return {run: tuple(rows) for run, rows in found.items()}


def _earlier(table: type[pw.Model], started_ns: int, number: int) -> pw.Expression:
    started, id_ = table._meta.fields["started_ns"], table._meta.fields["id"]
    earlier: pw.Expression = (started < started_ns) | ((started == started_ns) & (id_ < number))
    return earlier


def _dicts(store: Store, query: "pw.ModelSelect[Any]") -> list[dict[str, Any]]:
    with errors_of(store.url):
        return list(query.dicts().execute(store.db))


def _find(store: Store, query: "pw.ModelSelect[Any]", table: type[pw.Model], id: str) -> dict[str, Any] | None:
    uid = table._meta.fields["uid"]
    exact = _dicts(store, query.where(uid == id))
    found = exact or (_dicts(store, query.where(pw.fn.SUBSTR(uid, 1, len(id)) == id).limit(9)) if id else [])
    if len(found) > 1:
        raise StoreError(
            f"{'more than ' if len(found) == 9 else ''}{min(len(found), 8)} ids start with {id!r}",
            hint="give more of the id",
        )
    return found[0] if found else None
