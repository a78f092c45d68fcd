"""What the store knows of a new call's past: the session's run, the call that it continues, its ancestors.

Bounded: the chain is searched from its end in growing steps, each one index lookup, and the search stops at the first
step that finds an ancestor, which for a conversation under way is the first.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any

import peewee as pw

from llmprof_addon.grouping.runs import session_key
from llmprof_addon.grouping.said import answer_digest, is_said, said_after
from llmprof_addon.model.call import Call
from llmprof_addon.model.component import Kind
from llmprof_addon.model.exchange import Exchange
from llmprof_addon.model.history import Ancestor, Continued, History
from llmprof_addon.model.tree import Chains, Link, root
from llmprof_addon.store.counts import unpack_composition
from llmprof_addon.store.nodes import Nodes, Stored
from llmprof_addon.store.rollup import is_error
from llmprof_addon.store.schema import Call as CallTable
from llmprof_addon.store.schema import Node, Run, Warmup
from llmprof_addon.store.statements import Statements
from llmprof_addon.store.text import clean

STEPS = (4, 32, 256)
"""How many places where an answer may begin are tried at a time, from the end of the chain."""

CANDIDATES = 64
"""Most candidates that one lookup returns, the latest first."""

SAID_PARTS = 16
"""An answer of more parts than this is looked up by its beginning alone."""


def history(db: pw.Database, nodes: Nodes, call: Call, chains: Chains, exchange: Exchange, encoding: str) -> History:
    """The past of a call that is not stored yet."""
    key = session_key(exchange, call.identity)
    session_run = _one(db, Run.select(Run.uid).where(Run.key == clean(key))) if key is not None else None
    if session_run is not None:
        return History(session_run=session_run)
    continued_run = None
    if call.prompt.continues is not None:
        continued_run = _one(db, _by_response(call.prompt.continues, Run.uid).join(Run, on=(CallTable.run == Run.id)))
    ancestors: tuple[Ancestor, ...] = ()
    if key is None and continued_run is None and chains.base == root("messages"):
        ancestors = tuple(_ancestors(nodes, chains, exchange, encoding))
    return History(continued_run=continued_run, ancestors=ancestors)


def continued(db: pw.Database, id: str, *, conversation: bool = False) -> Continued | None:
    """Where the call, or the warmed-up prompt, with this response id ends; `None` if there is none.

    With `conversation`, where the latest call ends that continued the conversation of this id.
    """
    columns = (CallTable.system_head, CallTable.answer_head, CallTable.composition)
    column = CallTable.continues if conversation else CallTable.response_id
    row = db.execute(_latest(column, id, *columns)).fetchone()
    if row is not None:
        composition = unpack_composition(bytes(row[2]))[0]
        elided = any(total.kind is Kind.ELIDED for total in composition)
    else:
        query = Warmup.select(Warmup.system_head, Warmup.message_head, Warmup.elided)
        query = query.where(Warmup.response_id == clean(id)).order_by(Warmup.started_ns.desc()).limit(1)
        row = db.execute(query).fetchone()
        if row is None:
            return None
        elided = bool(row[2])
    return Continued(
        system=_key(db, row[0], root("system")), messages=_key(db, row[1], root("messages")), elided=elided
    )


def run_of(db: pw.Database, response_id: str) -> int | None:
    """Number of the run of the call with this response id."""
    number: int | None = _one(db, _by_response(response_id, CallTable.run))
    return number


def _key(db: pw.Database, node: int | None, otherwise: bytes) -> bytes:
    return otherwise if node is None else bytes(_one(db, Node.select(Node.key).where(Node.id == node)))


def _by_response(response_id: str, *columns: pw.Field) -> pw.Select:
    return _latest(CallTable.response_id, response_id, *columns)


def _latest(column: pw.Field, value: str, *columns: pw.Field) -> pw.Select:
    query = CallTable.select(*columns).where(column == clean(value))
    return query.order_by(CallTable.started_ns.desc()).limit(1)


def _one(db: pw.Database, query: pw.Select) -> Any:
    row = db.execute(query).fetchone()
    return row[0] if row else None


def _ancestors(nodes: Nodes, chains: Chains, exchange: Exchange, encoding: str) -> Iterator[Ancestor]:
    links = chains.messages
    if not links:
        return
    ids = _Ids(nodes, links, encoding)
    before = exchange.started_ns
    if (head := ids[len(links) - 1]) is not None:
        yield from _candidates(nodes.statements, [head], None, before)
    yield from _after_failure(nodes.statements, links, ids, before)

    parts = [link.part for link in links]
    starts = (index for index in range(len(parts) - 1, 0, -1) if is_said(parts[index]) and ids[index - 1] is not None)
    for step in STEPS:
        expected: dict[int, bytes] = {}
        for index in islice(starts, step):
            said = answer_digest(said_after(parts, index))
            if said is not None:
                expected[index] = said
        if not expected:
            continue
        heads = [ids[index - 1] for index in expected]
        answers = list(set(expected.values()))
        # The client knows an answer before its stream has ended.
        likely = _candidates(nodes.statements, heads, answers, exchange.ended_ns)
        found = [one for one in likely if expected.get(one.depth) == one.answer]
        if found:
            yield from found
            return


class _Ids:
    """Row ids of a chain's nodes by position, `None` where a node is not stored; looked up in blocks as asked for."""

    BLOCK = 32

    def __init__(self, nodes: Nodes, links: Sequence[Link], encoding: str) -> None:
        self._nodes = nodes
        self._links = links
        self._encoding = encoding
        self._blocks: dict[int, dict[bytes, Stored]] = {}

    def __getitem__(self, index: int) -> int | None:
        block = index // self.BLOCK
        if block not in self._blocks:
            some = self._links[block * self.BLOCK : (block + 1) * self.BLOCK]
            self._blocks[block] = self._nodes.load([link.key for link in some], self._encoding)
        stored = self._blocks[block].get(self._links[index].key)
        return stored.id if stored else None


def _after_failure(statements: Statements, links: Sequence[Link], ids: _Ids, before: int) -> Iterator[Ancestor]:
    """Calls that answered nothing, where the prompt has grown since by what no model said."""
    heads: list[int] = []
    for index in range(len(links) - 2, -1, -1):
        if is_said(links[index + 1].part) or len(heads) == STEPS[0]:
            break
        if (id_ := ids[index]) is not None:
            heads.append(id_)
    if heads:
        yield from (one for one in _candidates(statements, heads, [], before) if not one.complete)


_COLUMNS = (
    CallTable.uid,
    Run.uid.alias("run_uid"),
    CallTable.ended_ns,
    CallTable.depth,
    CallTable.answer_digest,
    CallTable.peer,
    CallTable.user_agent,
    CallTable.weak_session,
    CallTable.error,
    CallTable.outcome,
    CallTable.status,
)


def _candidates(
    statements: Statements, heads: Sequence[int | None], answers: Sequence[bytes] | None, before: int
) -> Iterator[Ancestor]:
    """Calls with one of these heads that ended by then, the deepest and latest first.

    Of those that gave one of these answers; an empty list asks for those that gave none, `None` for all.
    """
    shape = ("candidates", len(heads), None if answers is None else len(answers))
    query = partial(_by_head, len(heads), shape[2])
    for row in statements.run(shape, query, [*heads, *(answers or ()), before]).fetchall():
        uid, run_uid, ended_ns, depth, answer, peer, user_agent, weak_session, error, outcome, status = row
        yield Ancestor(
            call_id=uid,
            run_id=run_uid,
            ended_ns=ended_ns,
            depth=depth,
            answer=None if answer is None else bytes(answer),
            complete=not is_error({"error": error, "outcome": outcome, "status": status}),
            peer=peer,
            user_agent=user_agent,
            weak_session=weak_session,
        )


def _by_head(heads: int, answers: int | None, value: pw.SQL) -> pw.Select:
    where = CallTable.message_head.in_([value] * heads)
    if answers is not None:
        said = CallTable.answer_digest.in_([value] * answers) if answers else CallTable.answer_digest.is_null()
        where &= said
    # Calls of one head are all as deep; by time alone the index gives the latest without sorting the others.
    latest = CallTable.ended_ns.desc()
    order = (latest,) if heads == 1 else (CallTable.depth.desc(), latest)
    return (
        CallTable.select(*_COLUMNS)
        .join(Run, on=(CallTable.run == Run.id))
        .where(where & (CallTable.ended_ns <= value))
        .order_by(*order)
        .limit(pw.SQL(str(CANDIDATES)))
    )
