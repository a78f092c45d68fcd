"""For how long what is kept: texts of old calls give way to stand-ins, older calls go, so many at a time.

Numbers stay when texts go. A text is dropped when the last call with texts that carries it is too old, and comes back
when it is sent again: a node is marked once no such call runs through it, and the writer takes the mark off again.
Every step is one short transaction; of several workers one does it.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from itertools import batched
from secrets import token_hex
from typing import Any

import peewee as pw

from llmprof_addon import clock
from llmprof_addon.model.retention import Retention
from llmprof_addon.model.standin import DROPPED, KEY_BYTES, Key
from llmprof_addon.model.tree import canonical, parse
from llmprof_addon.providers.unsaid import Unsaid
from llmprof_addon.store import edits, search_index
from llmprof_addon.store.compress import pack, squeeze, unpack, unsqueeze
from llmprof_addon.store.database import errors_of
from llmprof_addon.store.open import Store
from llmprof_addon.store.schema import Attachment, Call, Content, Envelope, Fact, Node, Warmup
from llmprof_addon.store.transaction import LOCK, transaction

SECRET = "secret"
"""Name of the `Fact` with the key of the store's stand-ins."""

REST_SECONDS = 60.0
"""How long a worker waits once all is within the limits."""

RECENT_NS = 3600 * 10**9
"""What is younger is not pruned for the store's size."""

CALLS_AT_ONCE = 50

_HEADS = (Call.tools_head, Call.system_head, Call.message_head, Call.answer_head, Call.base)
_WARM_HEADS = (Warmup.system_head, Warmup.message_head)

_ABOVE = """
WITH RECURSIVE path (id, parent_id) AS (
    SELECT id, parent_id FROM node WHERE id IN ({marks})
    UNION
    SELECT node.id, node.parent_id FROM node JOIN path ON node.id = path.parent_id
)
SELECT node.id, node.content_id, node.wrapper_id FROM path JOIN node ON node.id = path.id
WHERE node.dropped IS NULL ORDER BY node.depth DESC
"""


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


def secret(store: Store) -> bytes:
    """The key of the store's stand-ins, made the first time; the same for all that write to it."""
    with errors_of(store.url):
        made = Fact.insert(name=SECRET, value=token_hex(KEY_BYTES)).on_conflict_ignore()
        transaction(store.db, lambda: store.db.execute(made.as_rowcount()))
        return bytes.fromhex(store.db.execute(Fact.select(Fact.value).where(Fact.name == SECRET)).fetchone()[0])


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
        if warmups := _column(store.db, old):
            contents, size = edits.delete_warmups(store.db, warmups)
            return Pruned(deleted=Gone(contents=contents, bytes=size))
        return None

    return _step(store, some)


def _drop(store: Store, before_ns: int) -> Pruned | None:
    values = Unsaid(Key(secret(store)), DROPPED)
    old = Call.bodies.is_null() & (Call.started_ns < before_ns)
    query = Call.select(Call.id).where(old).order_by(Call.started_ns).limit(CALLS_AT_ONCE)

    def some() -> Pruned | None:
        if not _is_ours(store.db):
            return None
        ids = [row[0] for row in store.db.execute(query).fetchall()]
        return _drop_bodies(store.db, ids, values, before_ns) if ids else None

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


def _drop_bodies(db: pw.Database, ids: Sequence[int], values: Unsaid, before_ns: int) -> Pruned:
    heads: set[int] = set()
    params: set[bytes] = set()
    for content, *nodes in db.execute(Call.select(Call.params, *_HEADS).where(Call.id.in_(ids))).fetchall():
        params.add(bytes(content))
        heads |= {node for node in nodes if node is not None}
    db.execute(Call.update(bodies="dropped").where(Call.id.in_(ids)))
    attached = Attachment.select(Attachment.content).where(Attachment.call.in_(ids)).distinct()
    contents = params | {bytes(row[0]) for row in db.execute(attached).fetchall()}
    contents |= cool(db, sorted(heads), before_ns)
    dropped, size = 0, 0
    for some in batched(sorted(contents - _held(db, contents)), 500):
        number, stored = _drop_contents(db, some, params, values)
        dropped, size = dropped + number, size + stored
    for call, data in db.execute(
        Envelope.select(Envelope.call, Envelope.data).where(Envelope.call.in_(ids))
    ).fetchall():
        _drop_from_envelope(db, call, bytes(data), values)
    edits.announce(db)
    return Pruned(dropped=Gone(calls=len(ids), contents=dropped, bytes=size))


def cool(db: pw.Database, heads: Sequence[int], before_ns: int) -> set[bytes]:
    """Mark the nodes above these that no call with texts runs through; the contents that they refer to."""
    rows: list[tuple[int, bytes, bytes | None]] = []
    if heads:
        rows = db.execute_sql(_ABOVE.format(marks=", ".join([db.param] * len(heads))), heads).fetchall()
    candidates = [row[0] for row in rows]
    held: set[int] = set()
    children: dict[int, set[int]] = {}
    for some in batched(candidates, 500):
        for head in _HEADS:
            held |= _column(db, Call.select(head).where(head.in_(some) & Call.bodies.is_null()).distinct())
        for head in _WARM_HEADS:
            held |= _column(db, Warmup.select(head).where(head.in_(some) & (Warmup.started_ns >= before_ns)))
        warm = Node.select(Node.id, Node.parent).where(Node.parent.in_(some) & Node.dropped.is_null())
        for child, parent in db.execute(warm).fetchall():
            children.setdefault(parent, set()).add(child)
    cold: dict[int, None] = {}
    contents: set[bytes] = set()
    for id_, content, wrapper in rows:
        if id_ not in held and children.get(id_, set()) <= cold.keys():
            cold[id_] = None
            contents |= {bytes(one) for one in (content, wrapper) if one is not None}
    for some in batched(cold, 500):
        db.execute(Node.update(dropped=True).where(Node.id.in_(some)))
    return contents


def _held(db: pw.Database, contents: Iterable[bytes]) -> set[bytes]:
    """Those of the contents that a call needs whose texts are kept."""
    held: set[bytes] = set()
    for some in batched(sorted(contents), 500):
        attached = Attachment.select(Attachment.content).join(Call, on=(Attachment.call == Call.id))
        for query in (
            Node.select(Node.content).where(Node.content.in_(some) & Node.dropped.is_null()),
            Node.select(Node.wrapper).where(Node.wrapper.in_(some) & Node.dropped.is_null()),
            Call.select(Call.params).where(Call.params.in_(some) & Call.bodies.is_null()),
            attached.where(Attachment.content.in_(some) & Call.bodies.is_null()),
        ):
            held |= {bytes(one) for one in _column(db, query.distinct())}
    return held


def _column(db: pw.Database, query: pw.Query) -> set[Any]:
    return {row[0] for row in db.execute(query).fetchall()}


def _drop_contents(db: pw.Database, digests: Sequence[bytes], params: set[bytes], values: Unsaid) -> tuple[int, int]:
    """Put stand-ins in the place of texts; how many contents these were, and how large as they were stored."""
    query = Content.select(Content.digest, Content.data, Content.size)
    changed: dict[bytes, tuple[bytes, int, int]] = {}
    for digest, data, size in db.execute(
        query.where(Content.digest.in_(digests) & Content.dropped.is_null())
    ).fetchall():
        value = parse(unpack(bytes(data), size))
        reduced = canonical(values.fields(value) if bytes(digest) in params else values.value(value))
        if reduced != canonical(value):
            changed[bytes(digest)] = reduced, size, len(data)
    search_index.drop(db, list(changed))
    for digest, (reduced, size, _) in sorted(changed.items()):
        new = {Content.data: pack(reduced), Content.size: len(reduced), Content.dropped: size}
        db.execute(Content.update(new).where(Content.digest == digest))
    return len(changed), sum(stored for _, _, stored in changed.values())


def reduced_contents(
    db: pw.Database, digests: Sequence[bytes], params: set[bytes], values: Unsaid
) -> dict[bytes, tuple[bytes, int, int]]:
    """Those of the contents that hold a text: without it, their size, and how large they are as they are stored."""
    query = Content.select(Content.digest, Content.data, Content.size)
    query = query.where(Content.digest.in_(digests) & Content.dropped.is_null())
    found: dict[bytes, tuple[bytes, int, int]] = {}
    for digest, data, size in db.execute(query).fetchall():
        value = parse(unpack(bytes(data), size))
        reduced = canonical(values.fields(value) if bytes(digest) in params else values.value(value))
        if reduced != canonical(value):
            found[bytes(digest)] = reduced, size, len(data)
    return found


def _drop_from_envelope(db: pw.Database, call: int, data: bytes, values: Unsaid) -> None:
    document = unsqueeze(data)
    for name, reduce in (("rest", values.fields), ("usage_raw", values.value)):
        if name in document:
            document[name] = reduce(document[name])
    db.execute(Envelope.update(data=squeeze(document)).where(Envelope.call == call))


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
