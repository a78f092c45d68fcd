"""What the prompt cache saw of stored calls: the views that the cache doctor compares.

A view's steps are walked only when a call read less than was there; otherwise finding the call before is one query.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from peewee import JOIN

from llmprof_addon.cachedoctor.view import weight
from llmprof_addon.grouping.said import is_said
from llmprof_addon.model.cache import CacheView, Step
from llmprof_addon.model.call import Call as CallModel
from llmprof_addon.model.history import RunChoice
from llmprof_addon.model.tree import Chains, Link
from llmprof_addon.store.cacherows import cache_view
from llmprof_addon.store.compress import unpack
from llmprof_addon.store.counts import unpack_raw
from llmprof_addon.store.database import errors_of
from llmprof_addon.store.open import Store
from llmprof_addon.store.rollup import is_error
from llmprof_addon.store.schema import Call, Content, Lane, Run
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


_HEADS = ("message_head", "answer_head")


def before(
    store: Store, run: RunChoice, call: CallModel, chains: Chains, view: CacheView, encoding: str
) -> CacheView | None:
    """The latest answered call of the run whose context this one goes on from; `None` if there is none.

    That is a call of the same agent whose messages this one's begin with, if no other call stands in between; else (in
    a session that the wire names) the latest with the same tools and system prompt.
    """
    if run.run_id is None:
        return None
    links = chains.messages
    ends = {"system": chains.system[-1:], "tools": chains.tools[-1:]}
    keys = [chains.base, *(link.key for link in (*links, *ends["system"], *ends["tools"]))]
    with errors_of(store.url):
        stored = store.nodes.load(keys, encoding)
        places = {stored[key].id: place for place, key in enumerate(keys[: len(links) + 1]) if key in stored}
        if run.predecessor is not None:  # mostly it is that one
            asked = Call.select(*_COLUMNS).where(Call.uid == run.predecessor).limit(1)
            for row in asked.dicts().execute(store.db):
                place = max((places[row[head]] for head in _HEADS if row[head] in places), default=None)
                if place is not None and _is_of_lane(row, call) and not _is_said_later(links, place):
                    return cache_view(row)
        query = Call.select(*_COLUMNS, Lane.key.alias("lane_key")).join(Run, on=(Call.run == Run.id))
        query = query.join_from(Call, Lane, JOIN.LEFT_OUTER, on=(Call.lane == Lane.id))
        query = query.where((Run.uid == run.run_id) & (Call.started_ns < view.started_ns) & (Call.uid != view.call_id))
        rows = list(query.order_by(Call.started_ns.desc(), Call.id.desc()).limit(CANDIDATES).dicts().execute(store.db))
    lane = [row for row in rows if _is_of_lane(row, call)]
    going_on = [(places[row[head]], row) for row in lane for head in _HEADS if row[head] in places]
    nearest = max(going_on, key=lambda found: (found[0], found[1]["started_ns"]), default=None)
    if nearest is not None and not _is_said_later(links, nearest[0]):
        return cache_view(nearest[1])
    if run.reason in ("session", "header", "manual"):
        heads = {name: stored[end[0].key].id for name, end in ends.items() if end and end[0].key in stored}
        for row in lane:
            same = (row["system_head"], row["tools_head"]) == (heads.get("system"), heads.get("tools"))
            if same and row["request_model"] == view.model:
                return replace(cache_view(row), is_kin=row["lane_key"] == run.lane.key)
    return None if nearest is None else cache_view(nearest[1])


def _is_said_later(links: Sequence[Link], place: int) -> bool:
    """Whether the model spoke again after the answer that follows this place."""
    said = [is_said(link.part) for link in links[place:]]
    answered = said.index(False) if False in said else len(said)
    return any(said[answered:])


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
