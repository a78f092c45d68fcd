"""For how long what is kept: texts of old calls give way to stand-ins, older calls go, so many at a time.

Numbers stay when texts go. A text is dropped when the last call with texts that carries it is too old, and comes back
when it is sent again: a node is marked once no such call runs through it, and the writer takes the mark off again.
Every step is one short transaction; of several workers one does it.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import peewee as pw

from llmprof_addon import clock
from llmprof_addon.model.retention import Retention
from llmprof_addon.store import dropping, edits
from llmprof_addon.store.database import errors_of
from llmprof_addon.store.open import Store
from llmprof_addon.store.schema import Attachment, Call, Warmup
from llmprof_addon.store.transaction import LOCK, transaction

REST_SECONDS = 60.0
"""How long a worker waits once all is within the limits."""

RECENT_NS = 3600 * 10**9
"""What is younger is not pruned for the store's size."""

CALLS_AT_ONCE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """What went, or would go."""

    calls: int = 0
    runs: int = 0
    """Runs that had no other calls."""
    contents: int = 0
    """Texts and other values."""
    bytes: int = 0
    """What these took, as they were stored."""

    def __add__(self, other: "Gone") -> "Gone":
        return Gone(**{each.name: getattr(self, each.name) + getattr(other, each.name) for each in fields(self)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What pruning does: calls that are deleted, and calls that keep their numbers alone."""

    deleted: Gone = Gone()
    dropped: Gone = Gone()

    def __add__(self, other: "Pruned") -> "Pruned":
        return Pruned(deleted=self.deleted + other.deleted, dropped=self.dropped + other.dropped)

    @property
    def bytes(self) -> int:
        """What it frees, about."""
        return self.deleted.bytes + self.dropped.bytes + self.deleted.calls * ROW_BYTES["call"]


def secret_of(store: Store) -> bytes:
    """The key of the store's stand-ins."""
    with errors_of(store.url):
        return transaction(store.db, lambda: dropping.secret(store.db))


def prune(store: Store, limits: Retention, now_ns: int) -> Pruned:
    """Bring a store within its limits at once; what went."""
    keeper, gone = Keeper(limits), Pruned()
    while (step := keeper.step(store, now_ns)) is not None:
        gone += step
    with errors_of(store.url):
        edits.give_back(store.db)
    return gone


class Keeper:
    """Keeps one store within its limits, a step at a time."""

    def __init__(self, limits: Retention, *, now: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits
        self._now = now
        self._rests_until = 0.0
        self._over: int | None = None
        """Bytes above the limit of the size, as they were measured and have gone since."""

    def keep(self, store: Store) -> bool:
        """Take a step unless it is time to rest; whether there is more to do at once."""
        if not self.limits or self._now() < self._rests_until:
            return False
        if self.step(store, clock.now_ns()) is not None:
            return True
        self._rests_until = self._now() + REST_SECONDS
        return False

    def step(self, store: Store, now_ns: int) -> Pruned | None:
        """Delete or drop the next few; `None` if all is within the limits, or another worker is at it."""
        limits = self.limits
        with errors_of(store.url):
            before_ns = limits.calls_before(now_ns)
            if before_ns is not None and (gone := _delete(store, before_ns)):
                return gone
            before_ns = limits.bodies_before(now_ns)
            if before_ns is not None and (gone := _drop(store, before_ns)):
                return gone
            return self._shrink(store, now_ns - RECENT_NS) if limits.max_bytes is not None else None

    def _shrink(self, store: Store, before_ns: int) -> Pruned | None:
        """Texts go before calls, and the oldest first."""
        if self._over is None or self._over <= 0 or isinstance(store.db, pw.SqliteDatabase):
            self._over = used_bytes(store.db) - (self.limits.max_bytes or 0)
        if self._over <= 0:
            return None
        gone = _drop(store, before_ns) or _delete(store, before_ns)
        if gone is None:
            self._over = None
            return None
        self._over -= gone.bytes
        return gone


def _delete(store: Store, before_ns: int) -> Pruned | None:
    query = Call.select(Call.id).where(Call.started_ns < before_ns).order_by(Call.started_ns, Call.id)

    continuing = Call.select(pw.SQL("1")).where(Call.continues == Warmup.response_id)
    unused = (Warmup.started_ns < before_ns) & ~pw.fn.EXISTS(continuing)

    def some() -> Pruned | None:
        if not _is_ours(store.db):
            return None
        if ids := [row[0] for row in store.db.execute(query.limit(CALLS_AT_ONCE)).fetchall()]:
            runs, contents, size = edits.delete_calls(store.db, ids)
            return Pruned(deleted=Gone(calls=len(ids), runs=runs, contents=contents, bytes=size))
        old = Warmup.select(Warmup.response_id).where(unused).limit(CALLS_AT_ONCE)
        if warmups := dropping.column(store.db, old):
            contents, size = edits.delete_warmups(store.db, warmups)
            return Pruned(deleted=Gone(contents=contents, bytes=size))
        return None

    return _step(store, some)


def _drop(store: Store, before_ns: int) -> Pruned | None:
    old = Call.bodies.is_null() & (Call.started_ns < before_ns)
    query = Call.select(Call.id).where(old).order_by(Call.started_ns).limit(CALLS_AT_ONCE)

    def some() -> Pruned | None:
        if not _is_ours(store.db):
            return None
        ids = [row[0] for row in store.db.execute(query).fetchall()]
        return _drop_bodies(store.db, ids, before_ns) if ids else None

    return _step(store, some)


def _step(store: Store, some: Callable[[], Pruned | None]) -> Pruned | None:
    sqlite = isinstance(store.db, pw.SqliteDatabase)
    if sqlite:
        store.db.execute_sql("PRAGMA secure_delete = 1").fetchall()  # what was there is overwritten on the disk
    gone = transaction(store.db, some, alone=True)
    if gone is not None and sqlite:
        store.db.execute_sql(f"PRAGMA incremental_vacuum({edits.PAGES_AT_ONCE})").fetchall()
    return gone


def _is_ours(db: pw.Database) -> bool:
    """Whether no other worker prunes at this moment."""
    if isinstance(db, pw.SqliteDatabase):
        return True
    return bool(db.execute_sql("SELECT pg_try_advisory_xact_lock(%s)", (LOCK + 1,)).fetchone()[0])


def _drop_bodies(db: pw.Database, ids: Sequence[int], before_ns: int) -> Pruned:
    heads: set[int] = set()
    params: set[bytes] = set()
    columns = (Call.params, *dropping.HEADS)
    for content, *nodes in db.execute(Call.select(*columns).where(Call.id.in_(ids))).fetchall():
        params.add(bytes(content))
        heads |= {node for node in nodes if node is not None}
    db.execute(Call.update(bodies="dropped").where(Call.id.in_(ids)))
    attached = Attachment.select(Attachment.content).where(Attachment.call.in_(ids)).distinct()
    contents = params | {bytes(one) for one in dropping.column(db, attached)}
    contents |= dropping.cool(db, sorted(heads), before_ns)
    number, size = dropping.drop_contents(db, contents, params)
    dropping.drop_from_envelopes(db, ids)
    edits.announce(db)
    return Pruned(dropped=Gone(calls=len(ids), contents=number, bytes=size))


ROW_BYTES = {"call": 2500, "node": 450, "node_count": 150, "content": 120, "envelope": 60, "search_index": 40}
"""What a row takes with its indexes, beside its data; about, of databases whose free space is not to be known."""


def used_bytes(db: pw.Database) -> int:
    """How large a store is without its free space; of PostgreSQL an estimate."""
    if isinstance(db, pw.SqliteDatabase):
        pages: int = db.pragma("page_count") - db.pragma("freelist_count")
        return pages * int(db.pragma("page_size"))
    sums = [f"(SELECT COUNT(*) * {size} FROM {table})" for table, size in ROW_BYTES.items()]
    sums += [f"(SELECT COALESCE(SUM(PG_COLUMN_SIZE({name})), 0) FROM {table})" for table, name in _DATA]
    return int(db.execute_sql(f"SELECT {' + '.join(sums)}").fetchone()[0])


_DATA = (("content", "data"), ("envelope", "data"), ("search_index", "words"))
