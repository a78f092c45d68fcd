"""What the store knows of a new call's past: the session's run, the call that it continues, its ancestors.

Bounded: the chain is searched from its end in growing steps, each one index lookup, and the search stops at the first
step that finds an ancestor, which for a conversation under way is the first.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any

import peewee as pw

from llmprof_addon.grouping.lanes import stated
from llmprof_addon.grouping.opening import opening
from llmprof_addon.grouping.runs import own_session, session_key
from llmprof_addon.grouping.said import answer_digests, is_said, said_after
from llmprof_addon.model.call import Call
from llmprof_addon.model.component import Kind
from llmprof_addon.model.exchange import Exchange
from llmprof_addon.model.history import Ancestor, Continued, History
from llmprof_addon.model.part import Part
from llmprof_addon.model.tree import Chains, Link, root
from llmprof_addon.store.counts import unpack_composition
from llmprof_addon.store.kin import Kin
from llmprof_addon.store.manual import manual_at
from llmprof_addon.store.nodes import Nodes, Stored
from llmprof_addon.store.schema import Call as CallTable
from llmprof_addon.store.schema import Node, Run, Warmup
from llmprof_addon.store.text import clean

STEPS = (4, 32, 256)
"""How many places where an answer may begin are tried at a time, from the end of the chain."""


def history(db: pw.Database, nodes: Nodes, call: Call, chains: Chains, exchange: Exchange, encoding: str) -> History:
    """The past of a call that is not stored yet, or is to be grouped anew."""
    statements = nodes.statements
    manual = None if exchange.session else manual_at(statements, exchange.started_ns)
    key = session_key(exchange, call.identity, manual)
    run: int | None = None
    session_run: str | None = None
    if key is not None:
        row = statements.run("run of key", _run_of_key, [clean(key)]).fetchone()
        if row is None:
            return History(manual=manual)
        run, session_run = row
    kin = Kin(statements, run)
    named = kin.named(call)
    ancestors: tuple[Ancestor, ...] = ()
    if named is None and chains.base == root("messages"):
        ancestors = tuple(_ancestors(nodes, kin, call, chains, exchange, encoding))
    last: Ancestor | None = None
    if run is not None and (call.identity.compacted or call.identity.window):
        lane = stated(call.identity, own_session(call.identity), key)
        last = kin.last_of(lane.key, exchange) if lane is not None else None
    opened = opening(call.prompt)
    spawners = tuple(kin.spawners(opened, exchange)) if opened is not None else ()
    return History(
        manual=manual, session_run=session_run, ancestors=ancestors, named=named, spawners=spawners, lane_last=last
    )


def _run_of_key(value: pw.SQL) -> pw.Select:
    """Takes a key."""
    return Run.select(Run.id, Run.uid).where(Run.key == value)


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


def _key(db: pw.Database, node: int | None, otherwise: bytes) -> bytes:
    return otherwise if node is None else bytes(_one(db, Node.select(Node.key).where(Node.id == node)))


def _latest(column: pw.Field, value: str, *columns: pw.Field) -> pw.Select:
    query = CallTable.select(*columns).where(column == clean(value))
    return query.order_by(CallTable.started_ns.desc()).limit(1)


def _one(db: pw.Database, query: pw.Select) -> Any:
    row = db.execute(query).fetchone()
    return row[0] if row else None


def _ancestors(
    nodes: Nodes, kin: Kin, call: Call, chains: Chains, exchange: Exchange, encoding: str
) -> Iterator[Ancestor]:
    links = chains.messages
    if not links:
        return
    ids = _Ids(nodes, links, encoding)
    alike = kin.alike(nodes, call, chains, encoding)
    before = exchange.started_ns
    if (head := ids[len(links) - 1]) is not None:
        yield from kin.candidates([head], None, before, alike)
    if failed := list(_after_failure(links, ids)):
        yield from (one for one in kin.candidates(failed, [], before, alike) if not one.complete)

    parts = [link.part for link in links]
    starts = (index for index in range(len(parts) - 1, 0, -1) if is_said(parts[index]) and ids[index - 1] is not None)
    for step in STEPS:
        expected: dict[int, set[bytes]] = {}
        silent: list[int | None] = []
        for index in islice(starts, step):
            if said := answer_digests(said_after(parts, index), call.prompt.tools):
                expected[index] = said
            else:
                silent.append(ids[index - 1])
        if silent:
            yield from (one for one in kin.candidates(silent, [], before, alike) if one.complete)
        if not expected:
            continue
        answers = sorted(set().union(*expected.values()))
        # The client knows an answer before its stream has ended.
        heads = [ids[index - 1] for index in expected]
        likely = kin.candidates(heads, answers, exchange.ended_ns, alike, partial(_sent_again, parts, ids))
        found = [one for one in likely if one.answer in expected.get(one.depth, ())]
        if found:
            yield from found
            return


def _sent_again(
    parts: Sequence[Part], ids: "_Ids", depth: int, head: int | None, tool_call_id: str | None
) -> tuple[bool, bool]:
    end = depth + len(said_after(parts, depth))
    same_id = tool_call_id is not None and any(part.call_id == tool_call_id for part in parts[depth:end])
    return same_id, head is not None and any(ids[index] == head for index in range(depth, end))


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


def _after_failure(links: Sequence[Link], ids: _Ids) -> Iterator[int]:
    """Where a prompt may have ended that nothing answered: it has grown since by what no model said."""
    for count, index in enumerate(range(len(links) - 2, -1, -1)):
        if is_said(links[index + 1].part) or count == STEPS[0]:
            return
        if (id_ := ids[index]) is not None:
            yield id_
