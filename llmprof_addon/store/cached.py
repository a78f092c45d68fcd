"""What the prompt cache saw of stored calls: the views that the cache doctor compares.

A view's steps are walked only when a call read less than was there; otherwise finding the call before is one query.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from llmprof_addon.cachedoctor.view import weight
from llmprof_addon.model.cache import CacheView, Step
from llmprof_addon.model.call import Call as CallModel
from llmprof_addon.model.history import RunChoice
from llmprof_addon.model.tree import Chains
from llmprof_addon.store.cacherows import cache_view
from llmprof_addon.store.compress import unpack
from llmprof_addon.store.counts import unpack_raw
from llmprof_addon.store.database import errors_of
from llmprof_addon.store.open import Store
from llmprof_addon.store.rollup import is_error
from llmprof_addon.store.schema import Call, Content, Run
from llmprof_addon.store.text import loads

CANDIDATES = 64
"""How many of a run's latest calls are looked at for the one before."""

_PATH = """
WITH RECURSIVE path (id, parent_id) AS (
    SELECT id, parent_id FROM node WHERE id = {0}
    UNION ALL
    SELECT node.id, node.parent_id FROM node JOIN path ON node.id = path.parent_id
)
SELECT node.content_id, node.wrapper_id, node.kind, node.role, node.name, node_count.own
FROM path
JOIN node ON node.id = path.id
LEFT JOIN node_count ON node_count.node_id = node.id AND node_count.encoding = {0}
ORDER BY node.depth
"""

_COLUMNS = (
    *(Call.id, Call.uid, Call.api, Call.request_model, Call.response_model, Call.started_ns, Call.first_chunk_ns),
    *(Call.ended_ns, Call.input_tokens, Call.cache_read_input_tokens, Call.cache_creation_input_tokens),
    *(Call.usage_source, Call.error, Call.outcome, Call.status, Call.identity, Call.cache_keys),
    *(Call.tools_head, Call.system_head, Call.message_head, Call.answer_head, Call.input_cost, Call.cache_write_cost),
)


def before(
    store: Store, run: RunChoice, call: CallModel, chains: Chains, view: CacheView, encoding: str
) -> CacheView | None:
    """The latest answered call of the run whose context this one goes on from; `None` if there is none.

    That is a call of the same agent whose messages this one's begin with, or else (in a session that the wire names)
    one with the same tools and system prompt.
    """
    if run.run_id is None:
        return None
    keys = [link.key for link in (*chains.messages, *chains.system[-1:], *chains.tools[-1:])]
    with errors_of(store.url):
        stored = store.nodes.load([*keys, chains.base], encoding)
        query = Call.select(*_COLUMNS).join(Run, on=(Call.run == Run.id))
        query = query.where((Run.uid == run.run_id) & (Call.started_ns < view.started_ns) & (Call.uid != view.call_id))
        rows = list(query.order_by(Call.started_ns.desc(), Call.id.desc()).limit(CANDIDATES).dicts().execute(store.db))
    on_path = {node.id: node.depth for key, node in stored.items() if key not in keys[len(chains.messages) :]}
    system, tools = (
        stored[links[-1].key].id if links and links[-1].key in stored else None
        for links in (chains.system, chains.tools)
    )
    lane = [row for row in rows if _is_of_lane(row, call)]
    going_on = [
        (on_path[head], row) for row in lane for head in (row["message_head"], row["answer_head"]) if head in on_path
    ]
    if going_on:
        return cache_view(max(going_on, key=lambda found: (found[0], found[1]["started_ns"]))[1])
    if run.reason in ("session", "header"):
        for row in lane:
            if (row["system_head"], row["tools_head"]) == (system, tools) and row["request_model"] == view.model:
                return cache_view(row)
    return None


def _is_of_lane(row: Mapping[str, Any], call: CallModel) -> bool:
    identity = loads(row["identity"]) if row["identity"] else {}
    answered = not is_error(row) and row["usage_source"] == "reported" and row["input_tokens"] is not None
    return answered and row["api"] == call.api and identity.get("agent") == call.identity.agent


def with_steps(store: Store, view: CacheView) -> CacheView:
    """The view of a stored call with the steps of its prompt and of its answer; as it is if the call was deleted."""
    with errors_of(store.url), store.snapshot():
        heads = (Call.tools_head, Call.system_head, Call.message_head, Call.answer_head, Call.encoding)
        row = store.db.execute(Call.select(*heads).where(Call.uid == view.call_id)).fetchone()
        if row is None:
            return view
        tools, system, message, answer, encoding = row
        paths = {
            "tools": _steps(store, "tools", tools, encoding),
            "system": _steps(store, "system", system, encoding),
            "messages": _steps(store, "messages", message, encoding),
        }
        answered = _steps(store, "messages", answer, encoding)[len(paths["messages"]) :]
    steps = tuple(step for section in view.section_order for step in paths[section])
    return replace(view, steps=steps, answer=answered)


def _steps(store: Store, section: str, head: int | None, encoding: str) -> tuple[Step, ...]:
    if head is None:
        return ()
    rows = store.db.execute_sql(_PATH.format(store.db.param), (head, encoding)).fetchall()
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
        for content, wrapper, kind, role, name, own in rows
    )


def content(store: Store, digest: str) -> bytes | None:
    """Canonical JSON of a part by its digest (hex); `None` if nothing needs it any more."""
    query = Content.select(Content.data, Content.size).where(Content.digest == bytes.fromhex(digest))
    with errors_of(store.url):
        row = store.db.execute(query).fetchone()
    return None if row is None else unpack(bytes(row[0]), row[1])
