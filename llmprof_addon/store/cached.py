"""The prompts of stored calls as the steps that the cache doctor compares, and the contents that stand behind them.

Steps are walked only when a call read less than was there.
"""

from dataclasses import replace

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
SELECT node.content_id, node.wrapper_id, node.kind, node.role, node.name, node_count.own
FROM path
JOIN node ON node.id = path.id
LEFT JOIN node_count ON node_count.node_id = node.id AND node_count.encoding = {0}
ORDER BY node.depth
"""


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
