"""The prompts of stored calls as the steps that the cache doctor compares, and the contents that stand behind them.

Steps are walked only when a call read less than was there.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import batched
from typing import Any

import peewee as pw

from llmprof_addon.cachedoctor.view import weight
from llmprof_addon.model.cache import CacheView, Step
from llmprof_addon.store.compress import unpack
from llmprof_addon.store.counts import unpack_raw
from llmprof_addon.store.database import errors_of
from llmprof_addon.store.open import Store
from llmprof_addon.store.schema import Call, Content

_PATH = """
WITH RECURSIVE path (id, parent_id) AS (
    SELECT id, parent_id FROM node WHERE id = {0}
    UNION ALL
    SELECT node.id, node.parent_id FROM node JOIN path ON node.id = path.parent_id
)
SELECT node.id, node.content_id, node.wrapper_id, node.kind, node.role, node.name, node_count.own
FROM path
JOIN node ON node.id = path.id
LEFT JOIN node_count ON node_count.node_id = node.id AND node_count.encoding = {0}
ORDER BY node.depth
"""


def with_steps(store: Store, view: CacheView, later: CacheView) -> CacheView:
    """The view of a stored call with the steps of its prompt and of its answer; as it is if the call was deleted.

    Its `sizes` are those that other calls of its run had reported when a later call ended.
    """
    with errors_of(store.url), store.snapshot():
        heads = (Call.tools_head, Call.system_head, Call.message_head, Call.answer_head, Call.encoding, Call.run)
        row = store.db.execute(Call.select(*heads).where(Call.uid == view.call_id)).fetchone()
        if row is None:
            return view
        tools, system, message, answer, encoding, run = row
        messages = _nodes(store, message, encoding)
        paths = {
            "tools": _steps("tools", _nodes(store, tools, encoding)),
            "system": _steps("system", _nodes(store, system, encoding)),
            "messages": _steps("messages", messages),
        }
        answered = _steps("messages", _nodes(store, answer, encoding)[len(messages) :])
        alike = (Call.run == run) & (Call.request_model == view.model)
        alike &= (Call.uid != later.call_id) & (Call.ended_ns <= later.ended_ns)
        for head, number in ((Call.tools_head, tools), (Call.system_head, system)):
            alike &= head.is_null() if number is None else head == number
        sizes = _sizes(store, alike, {row[0]: place for place, row in enumerate(messages, 1)})
    steps = tuple(step for section in view.section_order for step in paths[section])
    return replace(view, steps=steps, answer=answered, sizes=sizes)


def _sizes(store: Store, alike: pw.Expression, places: Mapping[int, int]) -> dict[int, int]:
    """Reported input of such calls that end at these nodes, by their places; of several at one the earliest's."""
    columns = (Call.message_head, Call.input_tokens, Call.started_ns, Call.uid)
    reported = alike & (Call.usage_source == "reported") & Call.input_tokens.is_null(False)
    reported &= Call.cache_keys.is_null() | ~Call.cache_keys.contains("is_summed")
    found: list[tuple[int, int, str, int]] = []
    for some in batched(places, 500):
        rows = store.db.execute(Call.select(*columns).where(reported & Call.message_head.in_(some))).fetchall()
        found += [(places[head], started, uid, tokens) for head, tokens, started, uid in rows]
    return {place: tokens for place, _, _, tokens in sorted(found, reverse=True)}


def _nodes(store: Store, head: int | None, encoding: str) -> list[tuple[Any, ...]]:
    if head is None:
        return []
    return list(store.db.execute_sql(_PATH.format(store.db.param), (head, encoding)).fetchall())


def _steps(section: str, nodes: Iterable[tuple[Any, ...]]) -> tuple[Step, ...]:
    return tuple(
        Step(
            section=section,
            content=bytes(content),
            wrapper=None if wrapper is None else bytes(wrapper),
            kind=kind,
            role=role,
            name=name or "",
            tokens=0 if own is None else weight(unpack_raw(bytes(own))),
        )
        for _, content, wrapper, kind, role, name, own in nodes
    )


def content(store: Store, digest: str) -> bytes | None:
    """Canonical JSON of a part by its digest (hex); `None` if nothing needs it any more."""
    query = Content.select(Content.data, Content.size).where(Content.digest == bytes.fromhex(digest))
    with errors_of(store.url):
        row = store.db.execute(query).fetchone()
    return None if row is None else unpack(bytes(row[0]), row[1])
