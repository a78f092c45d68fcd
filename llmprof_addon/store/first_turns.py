"""A call -> the turn of its run in which each part of the prompt was first sent: once per node of the run's tree."""

from collections.abc import Mapping

from llmprof_addon.store.database import errors_of
from llmprof_addon.store.open import Store
from llmprof_addon.store.schema import Call, Run

_HEADS = (Call.tools_head, Call.system_head, Call.message_head)
_PARENTS = """
WITH RECURSIVE path (id, parent_id) AS (
    SELECT node.id, node.parent_id FROM (
        SELECT tools_head_id AS id FROM call WHERE run_id = {0}
        UNION SELECT system_head_id FROM call WHERE run_id = {0}
        UNION SELECT message_head_id FROM call WHERE run_id = {0}
    ) AS head JOIN node ON node.id = head.id
    UNION
    SELECT node.id, node.parent_id FROM node JOIN path ON node.id = path.parent_id
)
SELECT path.id, path.parent_id, node.key FROM path JOIN node ON node.id = path.id
"""


def first_turns(store: Store, run_id: str) -> Mapping[bytes, int]:
    """Turns, counted from 1 by start over all calls of the run, by the keys of the prompts' nodes.

    A part that was left out and sent again behind other parts is another node, which is new then.
    """
    with errors_of(store.url), store.snapshot():
        found = store.db.execute(Run.select(Run.id).where(Run.uid == run_id)).fetchone()
        if found is None:
            return {}
        run = found[0]
        calls = Call.select(*_HEADS).where(Call.run == run).order_by(Call.started_ns, Call.id)
        heads = store.db.execute(calls).fetchall()
        rows = store.db.execute_sql(_PARENTS.format(store.db.param), (run,) * 3).fetchall()
    nodes = {id_: (parent, bytes(key)) for id_, parent, key in rows}
    turns: dict[bytes, int] = {}
    for turn, row in enumerate(heads, 1):
        for head in row:
            while head is not None and (node := nodes[head])[1] not in turns:
                head, key = node
                turns[key] = turn
    return turns
