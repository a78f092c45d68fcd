"""What pruning would do, without doing it: the same rules asked of the whole store, in one snapshot, reading alone.

What ages decide is exact; how much has to go for a size is found by trying moments, and about right.
"""

from collections.abc import Callable, Sequence
from itertools import batched

import peewee as pw

from llmprof_addon.model.retention import Retention
from llmprof_addon.model.standin import DROPPED, KEY_BYTES, Key
from llmprof_addon.providers.unsaid import Unsaid
from llmprof_addon.store.database import errors_of
from llmprof_addon.store.dropping import reduced
from llmprof_addon.store.open import Store
from llmprof_addon.store.retention import RECENT_NS, Gone, Pruned, used_bytes

_REACHED = """
WITH RECURSIVE path (id) AS (
    SELECT id FROM ({heads}) AS head WHERE id IS NOT NULL
    UNION
    SELECT node.parent_id FROM path JOIN node ON node.id = path.id WHERE node.parent_id IS NOT NULL
),
reached (digest) AS (
    SELECT node.content_id FROM path JOIN node ON node.id = path.id
    UNION SELECT node.wrapper_id FROM path JOIN node ON node.id = path.id WHERE node.wrapper_id IS NOT NULL
    UNION SELECT params_id FROM call WHERE {calls}
    UNION SELECT attachment.content_id FROM attachment JOIN call ON call.id = attachment.call_id WHERE {calls}
)
"""
_HEADS = ("tools_head_id", "system_head_id", "message_head_id", "answer_head_id", "base_id")
_WARM_HEADS = ("system_head_id", "message_head_id")

_EVER = -(2**62)


def foresee(store: Store, limits: Retention, now_ns: int) -> Pruned:
    """What `retention.prune` would do at this moment."""
    with errors_of(store.url), store.snapshot():
        db = store.db
        calls_before, bodies_before = limits.calls_before(now_ns), limits.bodies_before(now_ns)
        calls_before = _EVER if calls_before is None else calls_before
        bodies_before = _EVER if bodies_before is None else bodies_before
        found = _pruned(db, calls_before, bodies_before)
        if limits.max_bytes is None:
            return found
        over = used_bytes(db) - found.bytes - limits.max_bytes
        if over <= 0:
            return found
        recent, freed = now_ns - RECENT_NS, found.bytes + over
        for pruned in (
            lambda moment: _pruned(db, calls_before, max(bodies_before, moment)),
            lambda moment: _pruned(db, max(calls_before, moment), max(bodies_before, recent)),
        ):
            found = _least(pruned, _moments(db, recent), freed)
            if found.bytes >= freed:
                break
        return found


def _least(pruned: Callable[[int], Pruned], moments: Sequence[int], freed: int) -> Pruned:
    """What is pruned before the earliest of the moments that frees so much; before the last one if none does."""
    low, high = 0, max(0, len(moments) - 1)
    while low < high:
        middle = (low + high) // 2
        if pruned(moments[middle]).bytes >= freed:
            high = middle
        else:
            low = middle + 1
    return pruned(moments[low] if moments else _EVER)


def _moments(db: pw.Database, before_ns: int) -> list[int]:
    """Behind which another 50 calls have started."""
    rows = db.execute_sql(
        f"SELECT started_ns FROM call WHERE started_ns < {before_ns} ORDER BY started_ns, id"
    ).fetchall()
    starts = [row[0] for row in rows]
    return [starts[min(at + 49, len(starts) - 1)] + 1 for at in range(0, len(starts), 50)]


def _pruned(db: pw.Database, calls_before: int, bodies_before: int) -> Pruned:
    old, left = f"started_ns < {calls_before}", f"started_ns >= {calls_before}"
    deleted = Gone()
    if calls_before > _EVER:
        own = "SELECT 1 FROM call WHERE call.continues = warmup.response_id"
        kept = f"EXISTS ({own} AND call.{left}) OR (warmup.{left} AND NOT EXISTS ({own}))"
        query = f"SELECT COUNT(*), COALESCE(SUM(LENGTH(data)), 0) FROM content WHERE digest NOT IN ({_ALL})"
        contents, size = _one(db, _reached(f"call.{left}", kept) + query)
        calls = _one(db, f"SELECT COUNT(*) FROM call WHERE {old}")[0]
        runs = f"SELECT run_id FROM call WHERE {old} EXCEPT SELECT run_id FROM call WHERE {left}"
        (number,) = _one(db, f"SELECT COUNT(*) FROM ({runs}) AS gone")
        deleted = Gone(calls=calls, runs=number, contents=contents, bytes=int(size))
    if bodies_before <= calls_before:
        return Pruned(deleted=deleted)
    going = f"call.{left} AND call.started_ns < {bodies_before} AND call.bodies IS NULL"
    staying = f"call.started_ns >= {bodies_before} AND call.bodies IS NULL"
    candidates = _digests(db, going, "1 = 0") - _digests(db, staying, f"warmup.started_ns >= {bodies_before}")
    params = {bytes(row[0]) for row in db.execute_sql(f"SELECT params_id FROM call WHERE {going}").fetchall()}
    values = Unsaid(Key(bytes(KEY_BYTES)), DROPPED)
    contents, size = 0, 0
    for some in batched(sorted(candidates), 500):
        found = reduced(db, some, params, values)
        contents, size = contents + len(found), size + sum(stored for _, _, stored in found.values())
    (number,) = _one(db, f"SELECT COUNT(*) FROM call WHERE {going}")
    return Pruned(deleted=deleted, dropped=Gone(calls=number, contents=contents, bytes=size))


_ALL = "SELECT digest FROM reached"


def _reached(calls: str, warmups: str) -> str:
    heads = [f"SELECT {head} AS id FROM call WHERE {calls}" for head in _HEADS]
    heads += [f"SELECT {head} FROM warmup WHERE {warmups}" for head in _WARM_HEADS]
    return _REACHED.format(heads=" UNION ".join(heads), calls=calls)


def _digests(db: pw.Database, calls: str, warmups: str) -> set[bytes]:
    return {bytes(row[0]) for row in db.execute_sql(_reached(calls, warmups) + _ALL).fetchall()}


def _one(db: pw.Database, query: str) -> tuple[int, ...]:
    row: tuple[int, ...] = db.execute_sql(query).fetchone()
    return row
