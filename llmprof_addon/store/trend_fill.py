"""Calls that an older llmprof stored, counted into the sums by day: some at a time, in bounded memory.

The `Fact` that the migration left says how far it got; it is gone when all are counted. A call that has no template is
not counted yet, so that one that is written or deleted meanwhile is counted once or not at all.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import peewee as pw

from llmprof_addon.model.tree import parse
from llmprof_addon.providers.carving import server_of
from llmprof_addon.providers.texts import texts
from llmprof_addon.store import trend_rows
from llmprof_addon.store.compress import unpack
from llmprof_addon.store.counts import unpack_raw
from llmprof_addon.store.database import errors_of
from llmprof_addon.store.facets import facets_again
from llmprof_addon.store.open import Store
from llmprof_addon.store.rollup import COSTS
from llmprof_addon.store.schema import Call, Fact, Template, ToolUse
from llmprof_addon.store.transaction import transaction
from llmprof_addon.store.trend_facts import add_use, template_name, tokens_of
from llmprof_addon.store.trend_rows import TOKENS, Uses

FILLED = "trends"
"""Name of the `Fact`: number of the last call that is counted, and of the last node that its prompts have reached."""

CALLS_AT_ONCE = 200

_READ = (
    *("id", "started_ns", "response_model", "request_model", "app", "provider", "error", "outcome", "status"),
    *("usage_source", "cache_status", "cache_wasted", "composition", "encoding", *TOKENS, *COSTS),
    *("system_head", "message_head", "answer_head"),
)

_PATH = """
WITH RECURSIVE path (id, parent_id, kind, name) AS (
    SELECT id, parent_id, kind, name FROM node WHERE id = {0} AND id > {0} AND id <> {0}
    UNION ALL
    SELECT node.id, node.parent_id, node.kind, node.name FROM node JOIN path ON node.id = path.parent_id
    WHERE node.id > {0} AND node.id <> {0}
)
SELECT path.kind, path.name, node_count.own FROM path
LEFT JOIN node_count ON node_count.node_id = path.id AND node_count.encoding = {0}
WHERE path.kind = {0}
"""

_SYSTEM = """
WITH RECURSIVE path (id, parent_id, depth, content_id) AS (
    SELECT id, parent_id, depth, content_id FROM node WHERE id = {0}
    UNION ALL
    SELECT node.id, node.parent_id, node.depth, node.content_id FROM node JOIN path ON node.id = path.parent_id
)
SELECT content.data, content.size FROM path JOIN content ON content.digest = path.content_id ORDER BY path.depth
"""


def waiting(store: Store) -> int:
    """How many calls, at most, are not counted yet (by their numbers, of which some may be gone)."""
    with errors_of(store.url):
        found = _fact(store.db)
        if found is None:
            return 0
        last = store.db.execute(Call.select(pw.fn.MAX(Call.id)).where(Call.template.is_null())).fetchone()[0] or 0
    return max(0, last - found[0])


def catch_up(store: Store) -> bool:
    """Count some more, in one transaction; whether any are left."""
    db = store.db
    with errors_of(store.url):
        return _fact(db) is not None and transaction(db, lambda: _count(db), alone=True)


def _count(db: pw.Database) -> bool:
    found = _fact(db)
    if found is None:
        return False
    at, reached = found
    query = Call.select(*(getattr(Call, name) for name in _READ))
    query = query.where((Call.id > at) & Call.template.is_null()).order_by(Call.id).limit(CALLS_AT_ONCE)
    calls = list(query.dicts().execute(db))
    if not calls:
        db.execute(Fact.delete().where(Fact.name == FILLED))
        return False
    names: dict[int | None, tuple[int, str]] = {}
    counted = []
    for call in calls:
        head = call["system_head"]
        if head not in names:
            names[head] = _template(db, head)
        template, name = names[head]
        db.execute(Call.update(template=template, facets=facets_again(call)).where(Call.id == call["id"]))
        uses = _uses(db, call, reached)
        rows = [(call["id"], *tool, *numbers) for tool, numbers in sorted(uses.items())]
        if rows:
            db.execute(ToolUse.insert_many(rows, _USE_FIELDS).as_rowcount())
        reached = max(reached, call["message_head"] or 0, call["answer_head"] or 0)
        counted.append((call, name, uses))
    trend_rows.add_all(db, counted)
    db.execute(Fact.update(value=f"{calls[-1]['id']} {reached}").where(Fact.name == FILLED))
    return True


_USE_FIELDS = (ToolUse.call, ToolUse.server, ToolUse.name, ToolUse.uses, ToolUse.call_tokens, ToolUse.result_tokens)


def _fact(db: pw.Database) -> tuple[int, int] | None:
    row = db.execute(Fact.select(Fact.value).where(Fact.name == FILLED)).fetchone()
    if row is None:
        return None
    at, reached = row[0].split()
    return int(at), int(reached)


def _template(db: pw.Database, head: int | None) -> tuple[int, str]:
    found: list[str] = []
    if head is not None:
        for data, size in db.execute_sql(_SYSTEM.format(db.param), (head,)).fetchall():
            found += texts(parse(unpack(bytes(data), size)))
    name = template_name(found)
    db.execute(Template.insert(name=name).on_conflict_ignore().as_rowcount())
    return db.execute(Template.select(Template.id).where(Template.name == name)).fetchone()[0], name


@lru_cache(maxsize=1_000)
def _tokens(own: bytes) -> int:
    return tokens_of(unpack_raw(own))


def _uses(db: pw.Database, call: Mapping[str, Any], reached: int) -> Uses:
    """The tools that its answer calls, and whose results stand at nodes of its prompt that no call before reached."""
    found: dict[tuple[str, str], tuple[int, int, int]] = {}
    query, head, answer = _PATH.format(db.param), call["message_head"] or 0, call["answer_head"]
    for kind, bottom, least, top in (("tool_call", answer, 0, head), ("tool_result", head, reached, 0)):
        if bottom:
            values = (bottom, least, top, least, top, call["encoding"], kind)
            for _, name, own in db.execute_sql(query, values).fetchall():
                tokens = 0 if own is None else _tokens(bytes(own))
                add_use(found, server_of(name) or "", name, called=kind == "tool_call", tokens=tokens)
    return found
