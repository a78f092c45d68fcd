"""Which calls carried a content: the nodes that it stands at, and the calls whose prompts or answers run through them.

Found in the tree, from the content down, and only so far: what stands in every prompt of a store is carried by all of
its calls, and nobody counts those.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import batched

import peewee as pw

from llmprof_addon.model.component import Kind
from llmprof_addon.model.kinds import kind_of
from llmprof_addon.model.part import Part, PartKind
from llmprof_addon.store.open import Store
from llmprof_addon.store.schema import Call

MOST_CALLS = 1_000
MOST_NODES = 2_000
_AT_ONCE = 500

_BELOW = """
WITH RECURSIVE below (id) AS (
    SELECT id FROM node WHERE content_id IN ({marks})
    UNION
    SELECT node.id FROM below CROSS JOIN node WHERE node.parent_id = below.id
)
SELECT id FROM below LIMIT {limit:d}
"""
# CROSS keeps SQLite from reading all nodes for each one.

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


_EXACT_FIRST = 200
"""Of more calls than these the first is that which was stored first, and no call is read for it."""


class Fitting:
    """Which calls fit some conditions, as long as there is patience to read them."""

    def __init__(self, store: Store, where: Sequence[pw.Expression], *, most: int) -> None:
        self._store = store
        self._where = where
        self.left = most
        """So many calls may still be read."""

    def starts(self, calls: Sequence[int]) -> dict[int, int]:
        """Starts of those of the calls (numbers) that fit."""
        self.left -= len(calls)
        found: dict[int, int] = {}
        for some in batched(calls, _AT_ONCE):
            query = Call.select(Call.id, Call.started_ns).where(Call.id.in_(some), *self._where)
            found |= dict(self._store.db.execute(query).fetchall())
        return found

    def first(self, calls: Sequence[int], *, complete: bool) -> tuple[int, int] | None:
        """The first of the calls that fits, and how many do."""
        if self._where or (complete and len(calls) <= _EXACT_FIRST):
            starts = self.starts(calls)
            return (min(starts, key=lambda number: (starts[number], number)), len(starts)) if starts else None
        return (min(calls), len(calls)) if calls else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """The calls that carried a content."""

    part: Part
    """What it is, where it stands first: kind, role and name."""
    section: str
    first: int
    """The number of the call that started first."""
    calls: int
    """How many there are."""
    complete: bool
    """Whether these are all."""

    def kind(self, text: str) -> Kind:
        """Under which heading it is shown; `text` is its text, by which reminders are known."""
        part = Part(kind=self.part.kind, role=self.part.role, text=text)
        return kind_of(part, self.section)


def carried(store: Store, content: bytes, fitting: Fitting) -> Carried | None:
    """Those of the calls that fit and carried this content; `None` if none did."""
    row = store.db.execute_sql(
        f"SELECT id, kind, role, name FROM node WHERE content_id = {store.db.param} ORDER BY id LIMIT 1", (content,)
    ).fetchone()
    if row is None:
        return None
    part = Part(kind=PartKind(row[1]), role=row[2], name=row[3])
    nodes, complete = nodes_below(store, [content])
    calls: dict[int, str] = {}
    for section in ("tools",) if part.kind in _SCHEMAS else ("messages", "system"):
        calls |= dict.fromkeys(calls_at(store, section, nodes, MOST_CALLS + 1), section)
    if len(calls) > MOST_CALLS or not complete:
        complete = False
        line = store.db.execute_sql(_LINE.format(mark=store.db.param, limit=MOST_NODES), (row[0],)).fetchall()
        section = next(iter(calls.values()), "messages")
        calls |= dict.fromkeys(calls_at(store, section, [node for (node,) in line], MOST_CALLS), section)
    first = fitting.first(list(calls), complete=complete)
    if first is None:
        return None
    return Carried(part=part, section=calls[first[0]], first=first[0], calls=first[1], complete=complete)


def nodes_below(store: Store, contents: Sequence[bytes], limit: int = MOST_NODES) -> tuple[list[int], bool]:
    """The nodes of these contents and those below them, and whether these are all."""
    query = _BELOW.format(marks=", ".join([store.db.param] * len(contents)), limit=limit + 1)
    nodes = [row[0] for row in store.db.execute_sql(query, contents).fetchall()]
    return nodes[:limit], len(nodes) <= limit


def calls_at(store: Store, section: str, nodes: Sequence[int], limit: int) -> list[int]:
    """Calls (numbers) whose chain of this section ends at one of these nodes; so many at most, from an index alone."""
    if not nodes:
        return []
    head = _HEADS[section]
    # The many calls of one system chain make SQLite think that any other has as many, and read them all.
    forced = f"INDEXED BY call_{head}" if isinstance(store.db, pw.SqliteDatabase) else ""
    marks = ", ".join([store.db.param] * len(nodes))
    text = f"SELECT id FROM call {forced} WHERE {head} IN ({marks}) LIMIT {limit:d}"
    return [row[0] for row in store.db.execute_sql(text, nodes).fetchall()]


def runs_through(
    store: Store, nodes: Sequence[int], where: Sequence[pw.Expression], limit: int
) -> tuple[set[int], bool]:
    """The runs (numbers) of those calls that fit and whose chains end at these nodes; whether they are all."""
    runs: set[int] = set()
    left = limit
    for section in _HEADS:
        for some in batched(nodes, MOST_NODES):
            calls = calls_at(store, section, some, left)
            left -= len(calls)
            if calls:
                # Written out: of thousands of parameters it takes longer to put the query together than to answer it.
                these = pw.Expression(Call.id, "IN", pw.SQL(f"({', '.join(map(str, sorted(calls)))})"))
                query = Call.select(Call.run).where(these, *where).distinct()
                runs |= {row[0] for row in store.db.execute(query).fetchall()}
            if left <= 0:
                return runs, False
    return runs, True
