"""What a person changes: names and tags of runs, and what is dropped. Every transaction is short.

Deleting a call deletes the nodes and contents that no other call's path runs through, and sums its run anew. The count
of deletions in `Fact` tells writers in other processes that row ids they remember may be gone.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import batched
from typing import Any

import peewee as pw

from llmprof_addon.store import dropping, rollup, search_index, trend_rows
from llmprof_addon.store.database import errors_of
from llmprof_addon.store.lanes import label_run, sum_lane
from llmprof_addon.store.nodes import DELETIONS
from llmprof_addon.store.open import Store
from llmprof_addon.store.schema import (
    TABLES,
    Attachment,
    Call,
    Content,
    Envelope,
    Fact,
    Finding,
    Lane,
    Node,
    NodeCount,
    Run,
    Spawn,
    Warmup,
)
from llmprof_addon.store.text import clean, dumps, loads
from llmprof_addon.store.transaction import transaction

CALLS_AT_ONCE = 50
"""Calls that one transaction deletes, so that writers never wait for long."""

PAGES_AT_ONCE = 2000
"""Freed pages that one transaction returns to the disk."""

_HEADS = (Call.tools_head, Call.system_head, Call.message_head, Call.answer_head, Call.base)
_WARM_HEADS = (Warmup.system_head, Warmup.message_head)

_ABOVE = """
WITH RECURSIVE path (id, parent_id) AS (
    SELECT id, parent_id FROM node WHERE id IN ({marks})
    UNION
    SELECT node.id, node.parent_id FROM node JOIN path ON node.id = path.parent_id
)
SELECT node.id, node.parent_id, node.content_id, node.wrapper_id FROM path JOIN node ON node.id = path.id
ORDER BY node.depth DESC
"""


def rename_run(store: Store, id: str, name: str | None) -> bool:
    """Give a run a name of its own; `None` takes it away. `False` if there is no such run."""
    with errors_of(store.url):
        return bool(Run.update(name=clean(name)).where(Run.uid == id).execute(store.db))


def tag_run(store: Store, id: str, tags: Mapping[str, str | None]) -> bool:
    """Set tags of a run; `None` takes one away. `False` if there is no such run."""

    def change() -> bool:
        row = store.db.execute(Run.select(Run.tags).where(Run.uid == id)).fetchone()
        if row is None:
            return False
        kept = {key: value for key, value in (loads(row[0]) | dict(tags)).items() if value is not None}
        store.db.execute(Run.update(tags=dumps(kept)).where(Run.uid == id))
        return True

    with errors_of(store.url):
        return transaction(store.db, change, alone=True)


def delete_call(store: Store, id: str) -> bool:
    """Delete one call; its run goes with its last call. `False` if there is no such call."""
    return _delete(store, Call.select(Call.id).where(Call.uid == id)) > 0


def delete_run(store: Store, id: str) -> bool:
    """Delete a run with its calls. `False` if there is no such run."""
    return _delete(store, Call.select(Call.id).join(Run, on=(Call.run == Run.id)).where(Run.uid == id)) > 0


def prune(store: Store, before_ns: int) -> int:
    """Delete the calls that started before this time (ns since the epoch). Returns how many they were."""
    calls = Call.select(Call.id).where(Call.started_ns < before_ns).order_by(Call.started_ns, Call.id)
    deleted = _delete(store, calls)
    old = Warmup.select(Warmup.response_id).where(Warmup.started_ns < before_ns)
    with errors_of(store.url):
        for some in batched([row[0] for row in store.db.execute(old).fetchall()], CALLS_AT_ONCE):
            transaction(store.db, partial(delete_warmups, store.db, some), alone=True)
    return deleted


def delete_warmups(db: pw.Database, continued: Iterable[str]) -> tuple[int, int]:
    """Delete warmed-up prompts that no call continues, by their response ids, in a transaction.

    How many contents went with them, and their bytes.
    """
    heads = _delete_warmups(db, continued)
    gone = delete_contents(db, delete_nodes(db, sorted(heads)))
    announce(db)
    return gone


def reset(store: Store) -> None:
    """Delete everything."""

    def empty() -> None:
        search_index.clear(store.db)
        store.db.execute(Node.update(parent=None))
        for table in reversed(TABLES):
            if table is not Fact:
                store.db.execute(table.delete())
        announce(store.db)

    with errors_of(store.url):
        transaction(store.db, empty, alone=True)
        give_back(store.db)


def _delete(store: Store, calls: pw.Select) -> int:
    def some() -> int:
        ids = [row[0] for row in store.db.execute(calls.limit(CALLS_AT_ONCE)).fetchall()]
        if ids:
            delete_calls(store.db, ids)
        return len(ids)

    deleted = 0
    with errors_of(store.url):
        while number := transaction(store.db, some, alone=True):
            deleted += number
        if deleted:
            give_back(store.db)
    return deleted


def delete_calls(db: pw.Database, ids: Sequence[int]) -> tuple[int, int, int]:
    """Delete calls by their numbers, in a transaction: how many runs and contents went with them, and their bytes."""
    heads: set[int] = set()
    contents: set[bytes] = set()
    runs: set[int] = set()
    continued: set[str] = set()
    in_lanes: set[int] = set()
    columns = (Call.run, Call.lane, Call.params, Call.continues, *_HEADS)
    for run, lane, params, continues, *nodes in db.execute(Call.select(*columns).where(Call.id.in_(ids))):
        runs.add(run)
        in_lanes.add(lane)
        continued |= {continues} - {None}
        contents.add(bytes(params))
        heads |= {node for node in nodes if node is not None}
    attached = Attachment.select(Attachment.content).where(Attachment.call.in_(ids))
    contents |= {bytes(row[0]) for row in db.execute(attached).fetchall()}
    db.execute(Attachment.delete().where(Attachment.call.in_(ids)))
    db.execute(Envelope.delete().where(Envelope.call.in_(ids)))
    db.execute(Spawn.delete().where(Spawn.call.in_(ids)))
    trend_rows.take_out(db, ids)
    db.execute(Call.update(predecessor=None).where(Call.predecessor.in_(ids)))
    db.execute(Call.delete().where(Call.id.in_(ids)))
    heads |= _delete_warmups(db, continued)
    left: set[int] = set()
    contents |= delete_nodes(db, sorted(heads), left)
    gone = delete_contents(db, contents)
    dropping.drop_left(db, sorted(left))
    for lane in sorted(in_lanes):
        sum_lane(db, lane)
    stay = sum(sum_anew(db, run) for run in sorted(runs))
    announce(db)
    return len(runs) - stay, *gone


def _delete_warmups(db: pw.Database, continued: Iterable[str]) -> set[int]:
    """Delete the warmed-up prompts with these response ids that no call continues; returns their last nodes."""
    left = set(continued)
    left -= {row[0] for row in _among(db, Call.continues, sorted(left), Call.continues)}
    heads: set[int] = set()
    for some in batched(sorted(left), 500):
        unused = Warmup.response_id.in_(some)
        for nodes in db.execute(Warmup.select(*_WARM_HEADS).where(unused)).fetchall():
            heads |= {node for node in nodes if node is not None}
        db.execute(Warmup.delete().where(unused))
    return heads


def delete_nodes(db: pw.Database, heads: Sequence[int], left: set[int] | None = None) -> set[bytes]:
    """Delete the nodes on the paths to these heads that no call needs; returns the contents that they referred to.

    Where paths end now goes into `left`.
    """
    rows: list[tuple[int, int | None, bytes, bytes | None]] = []
    if heads:
        marks = ", ".join([db.param] * len(heads))
        rows = db.execute_sql(_ABOVE.format(marks=marks), heads).fetchall()
    candidates = [row[0] for row in rows]
    alive = {id_ for head in (*_HEADS, *_WARM_HEADS) for (id_,) in _among(db, head, candidates, head)}
    children: dict[int, set[int]] = {}
    for child, parent in _among(db, Node.parent, candidates, Node.id, Node.parent):
        children.setdefault(parent, set()).add(child)
    dead: dict[int, None] = {}
    contents: set[bytes] = set()
    for id_, _, content, wrapper in rows:  # deepest first, so that a node's children are settled before it
        if id_ not in alive and all(child in dead for child in children.get(id_, ())):
            dead[id_] = None
            contents |= {bytes(one) for one in (content, wrapper) if one is not None}
    for some in batched(dead, 500):
        db.execute(NodeCount.delete().where(NodeCount.node.in_(some)))
        db.execute(Node.delete().where(Node.id.in_(some)))
    if dead:
        search_index.step_back(db)
    if left is not None:
        living = [(id_, parent) for id_, parent, *_ in rows if id_ not in dead]
        left |= {id_ for id_, _ in living} - {parent for _, parent in living if parent is not None}
    return contents


def delete_contents(db: pw.Database, contents: Iterable[bytes]) -> tuple[int, int]:
    """Delete those of the contents that nothing refers to; how many these were, and their bytes as stored."""
    size = 0
    unused = set(contents)
    for column in (Node.content, Node.wrapper, Call.params, Attachment.content):
        unused -= {bytes(row[0]) for row in _among(db, column, sorted(unused), column)}
    for some in batched(sorted(unused), 500):
        search_index.drop(db, some)
        these = Content.digest.in_(some)
        size += db.execute(Content.select(pw.fn.SUM(pw.fn.LENGTH(Content.data))).where(these)).fetchone()[0] or 0
        db.execute(Content.delete().where(these))
    return len(unused), int(size)


def _among(db: pw.Database, column: pw.Field, values: Sequence[Any], *wanted: pw.Field) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    for some in batched(values, 500):
        rows += db.execute(column.model.select(*wanted).where(column.in_(some)).distinct()).fetchall()
    return rows


def sum_anew(db: pw.Database, run: int) -> bool:
    """Sum a run over its calls; it goes if it has none. Whether it is there still.

    What was found in it may be of calls that are gone.
    """
    calls = list(Call.select().where(Call.run == run).order_by(Call.started_ns, Call.id).dicts().execute(db))
    db.execute(Finding.delete().where(Finding.run == run))
    if not calls:
        db.execute(Lane.delete().where(Lane.run == run))
        db.execute(Run.delete().where(Run.id == run))
        return False
    # Counted on, since who works on its findings knows by this number whether it is still the same.
    sums = rollup.total(calls) | {"findings_due": Run.findings_due + 1}
    sums |= {"findings": None, "reclaimable_tokens": None, "reclaimable_cost": None}
    db.execute(Run.update(**sums).where(Run.id == run))
    label_run(db, run)
    return True


def announce(db: pw.Database) -> None:
    """Count a deletion, for those who remember row ids."""
    db.execute(Fact.insert(name=DELETIONS, value="0").on_conflict_ignore().as_rowcount())
    row = db.execute(Fact.select(Fact.value).where(Fact.name == DELETIONS)).fetchone()
    db.execute(Fact.update(value=str(int(row[0]) + 1)).where(Fact.name == DELETIONS))


def give_back(db: pw.Database) -> None:
    """Return freed pages to the disk, some at a time; PostgreSQL does so by itself."""
    if isinstance(db, pw.SqliteDatabase):
        while (free := db.pragma("freelist_count")) > 0:
            db.execute_sql(f"PRAGMA incremental_vacuum({PAGES_AT_ONCE})").fetchall()
            if db.pragma("freelist_count") >= free:
                break
        db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
