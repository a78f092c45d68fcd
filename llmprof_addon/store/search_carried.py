"""Which calls carried a content: the nodes that it stands at, and the calls whose prompts or answers run through them.

Found in the tree, from the content down, and only so far: what stands in every prompt of a store is carried by all of
its calls, and nobody counts those.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import batched

import peewee as pw

from llmprof_addon.model.component import Kind
from llmprof_addon.model.kinds import kind_of
from llmprof_addon.model.part import Part, PartKind
from llmprof_addon.store.open import Store
from llmprof_addon.store.schema import Call

MOST_CALLS = 1_000
MOST_NODES = 3_000
_AT_ONCE = 500

_BELOW = """
WITH RECURSIVE below (id) AS (
    SELECT id FROM node WHERE content_id IN ({marks})
    UNION
    SELECT node.id FROM node JOIN below ON node.parent_id = below.id
)
SELECT id FROM below LIMIT {limit:d}
"""

# A call writes its nodes in a row, so that below the first node of a content they are each other's first children.
_LINE = """
WITH RECURSIVE line (id) AS (
    SELECT CAST({mark} AS BIGINT)
    UNION ALL
    SELECT (SELECT MIN(node.id) FROM node WHERE node.parent_id = line.id) FROM line WHERE line.id IS NOT NULL
)
SELECT id FROM line WHERE id IS NOT NULL LIMIT {limit:d}
"""

_HEADS = {"tools": "tools_head_id", "system": "system_head_id", "messages": "answer_head_id"}
"""The end of each chain by section; an answer's is below that of the messages."""
_SCHEMAS = (PartKind.TOOL_SCHEMA, PartKind.OUTPUT_SCHEMA)


class CallsThrough:
    """Calls of some conditions by the nodes that their chains end at: one SQL text, which is put together once."""

    def __init__(self, store: Store, where: Sequence[pw.Expression], *columns: pw.Field) -> None:
        self._db = store.db
        query = Call.select(*columns).where(*where) if where else Call.select(*columns).where(pw.SQL("1 = 1"))
        self._text, self._values = self._db.get_sql_context().sql(query).query()

    def at(self, section: str, nodes: Sequence[int], limit: int) -> list[tuple[int, ...]]:
        """Their columns."""
        marks = ", ".join([self._db.param] * len(nodes))
        text = f'{self._text} AND "t1".{_HEADS[section]} IN ({marks}) LIMIT {limit:d}'
        return list(self._db.execute_sql(text, [*self._values, *nodes]).fetchall())


@dataclass(slots=True)
class Carried:
    """The calls that carried a content."""

    part: Part
    """What it is, where it stands first: kind, role and name."""
    section: str = "messages"
    calls: dict[int, int] = field(default_factory=dict)
    """Starts by number."""
    complete: bool = True
    """Whether these are all of them."""

    def kind(self, text: str) -> Kind:
        """Under which heading it is shown; `text` is its text, by which reminders are known."""
        part = Part(kind=self.part.kind, role=self.part.role, text=text)
        return kind_of(part, self.section)

    @property
    def first(self) -> int:
        """The number of the one that started first."""
        return min(self.calls, key=lambda number: (self.calls[number], number))


def carried(store: Store, content: bytes, calls: CallsThrough) -> Carried | None:
    """Those of the calls (number, start) that carried this content; `None` if none did."""
    first = store.db.execute_sql(
        f"SELECT id, kind, role, name FROM node WHERE content_id = {store.db.param} ORDER BY id LIMIT 1", (content,)
    ).fetchone()
    if first is None:
        return None
    found = Carried(Part(kind=PartKind(first[1]), role=first[2], name=first[3]))
    nodes, found.complete = nodes_below(store, [content])
    for some in batched(nodes, _AT_ONCE):
        _add(found, calls, some)
        if len(found.calls) > MOST_CALLS:
            found.complete = False
            break
    if not found.complete:
        line = store.db.execute_sql(_LINE.format(mark=store.db.param, limit=MOST_NODES), (first[0],)).fetchall()
        for some in batched([row[0] for row in line], _AT_ONCE):
            _add(found, calls, some)
    return found if found.calls else None


def nodes_below(store: Store, contents: Sequence[bytes], limit: int = MOST_NODES) -> tuple[list[int], bool]:
    """The nodes of these contents and those below them, and whether these are all."""
    query = _BELOW.format(marks=", ".join([store.db.param] * len(contents)), limit=limit + 1)
    nodes = [row[0] for row in store.db.execute_sql(query, contents).fetchall()]
    return nodes[:limit], len(nodes) <= limit


def _add(found: Carried, calls: CallsThrough, nodes: Sequence[int]) -> None:
    for section in ("tools",) if found.part.kind in _SCHEMAS else ("messages", "system"):
        rows = calls.at(section, nodes, MOST_CALLS + 1)
        if rows:
            found.section = section
            found.calls |= {number: started for number, started in rows}


def runs_through(calls: CallsThrough, nodes: Sequence[int], limit: int) -> tuple[set[int], int]:
    """The runs (numbers) of the calls whose chains end at these nodes, and how many calls were looked at."""
    runs: set[int] = set()
    looked = 0
    for some in batched(nodes, _AT_ONCE):
        for section in _HEADS:
            if looked >= limit:
                return runs, looked
            rows = calls.at(section, some, limit - looked)
            looked += len(rows)
            runs |= {row[0] for row in rows}
    return runs, looked
