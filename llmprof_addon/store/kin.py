"""Stored calls that a call may go on from, by what both say: one index lookup each, bounded.

Of a call that has a run of its own by its key, only calls of that run.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import peewee as pw

from llmprof_addon.model.call import Call
from llmprof_addon.model.exchange import Exchange
from llmprof_addon.model.history import Ancestor, Spawner
from llmprof_addon.model.tree import Chains
from llmprof_addon.store.nodes import Nodes
from llmprof_addon.store.rollup import is_error
from llmprof_addon.store.schema import Call as CallTable
from llmprof_addon.store.schema import Lane, Run, Spawn
from llmprof_addon.store.statements import Statements
from llmprof_addon.store.text import clean, loads

CANDIDATES = 64
"""Most candidates that one lookup returns, the latest first."""

type Alike = tuple[str, str | None, int | None, int | None]
"""Provider, model, last tool and last system node of a call."""

type SentAgain = Callable[[int, int | None, str | None], tuple[bool, bool]]
"""Whether the id of a tool call, and whether the whole of an answer stands in a prompt: takes the depth at which the
answer begins, its last node, and the id."""

_NOBODY: Alike = ("", None, -1, -1)

_COLUMNS = (
    CallTable.uid,
    Run.uid.alias("run_uid"),
    CallTable.ended_ns,
    CallTable.depth,
    CallTable.answer_digest,
    CallTable.started_ns,
    CallTable.peer,
    CallTable.user_agent,
    CallTable.weak_session,
    Run.key.alias("run_key"),
    Lane.key.alias("lane_key"),
    CallTable.error,
    CallTable.outcome,
    CallTable.status,
    CallTable.provider,
    CallTable.request_model,
    CallTable.tools_head,
    CallTable.system_head,
    CallTable.answer_head,
    CallTable.tool_call_id,
)


class Kin:
    """Lookups for one call, in the run of this number or, with `None`, in all."""

    def __init__(self, statements: Statements, run: int | None) -> None:
        self._statements = statements
        self._run = run

    def alike(self, nodes: Nodes, call: Call, chains: Chains, encoding: str) -> Alike:
        """By what two calls are alike, beside their messages."""
        keys = [links[-1].key for links in (chains.tools, chains.system) if links]
        found = nodes.load(keys, encoding)
        tools, system = (
            (found[links[-1].key].id if links[-1].key in found else -1) if links else None
            for links in (chains.tools, chains.system)
        )
        return call.provider, call.request_model, tools, system

    def candidates(
        self,
        heads: Sequence[int | None],
        answers: Sequence[bytes] | None,
        before: int,
        alike: Alike,
        sent_again: SentAgain | None = None,
    ) -> Iterator[Ancestor]:
        """Calls with one of these heads that ended by then, the deepest and latest first.

        Of those that gave one of these answers; an empty list asks for those that gave none, `None` for all.
        """
        counted = None if answers is None else len(answers)
        shape = ("candidates", len(heads), counted, self._run is None)
        query = partial(_by_head, len(heads), counted, self._run is not None)
        within = [] if self._run is None else [self._run]
        rows = self._statements.run(shape, query, [*heads, *(answers or ()), before, *within]).fetchall()
        return (_ancestor(row, alike, sent_again=sent_again) for row in rows)

    def named(self, call: Call) -> Ancestor | None:
        """The call that this one names as the one before, by its response or request id."""
        identity, continues = call.identity, call.prompt.continues
        if continues is not None and call.prompt.in_conversation:
            return None
        name = continues or identity.previous_message or identity.previous_request
        if name is None:
            return None
        within = [] if self._run is None else [self._run]
        for column in (CallTable.response_id, CallTable.request_id):
            shape = ("named", column, self._run is None)
            query = partial(_by_name, column, self._run is not None)
            row = self._statements.run(shape, query, [clean(name), *within]).fetchone()
            if row is not None:
                return _ancestor(row, _NOBODY)
        return None

    def last_of(self, lane: str, exchange: Exchange) -> Ancestor | None:
        """The call of the lane with this key that started last before this one."""
        values = [self._run, clean(lane), exchange.started_ns, exchange.started_ns, exchange.id]
        row = self._statements.run("last of lane", _last_of_lane, values).fetchone()
        if row is None:
            return None
        *columns, identity = row
        return _ancestor(columns, _NOBODY, window=(loads(identity) if identity else {}).get("window"))

    def spawners(self, opening: bytes, exchange: Exchange) -> Iterator[Spawner]:
        """Calls that ended before this one started, and gave the text that opens it to a tool."""
        within = [] if self._run is None else [self._run]
        query = partial(_by_text, self._run is not None)
        shape = ("spawners", self._run is None)
        for row in self._statements.run(shape, query, [opening, exchange.started_ns, *within]).fetchall():
            uid, tool_call_id, run_uid, run_key, lane, ended_ns, peer, user_agent, answered_ns = row
            yield Spawner(
                call_id=uid,
                tool_call_id=tool_call_id,
                run_id=run_uid,
                run_key=run_key,
                lane=lane or "main",
                ended_ns=ended_ns,
                answered_ns=answered_ns,
                peer=peer,
                user_agent=user_agent,
            )


def _ancestor(
    row: Sequence[Any], alike: Alike, *, sent_again: SentAgain | None = None, window: str | None = None
) -> Ancestor:
    uid, run_uid, ended_ns, depth, answer, started_ns, peer, user_agent, weak_session, run_key, lane = row[:11]
    error, outcome, status, provider, model, tools, system, answer_head, tool_call_id = row[11:]
    same_id, exact = sent_again(depth, answer_head, tool_call_id) if sent_again else (False, False)
    return Ancestor(
        call_id=uid,
        run_id=run_uid,
        ended_ns=ended_ns,
        depth=depth,
        answer=None if answer is None else bytes(answer),
        started_ns=started_ns,
        complete=not is_error({"error": error, "outcome": outcome, "status": status}),
        peer=peer,
        user_agent=user_agent,
        weak_session=weak_session,
        run_key=run_key,
        lane=lane or "main",
        same_id=same_id,
        exact=exact,
        same_model=(provider, model) == alike[:2],
        same_tools=tools == alike[2],
        same_system=system == alike[3],
        window=window,
    )


def _joined() -> pw.Select:
    query = CallTable.select(*_COLUMNS).join(Run, on=(CallTable.run == Run.id))
    return query.join_from(CallTable, Lane, pw.JOIN.LEFT_OUTER, on=(CallTable.lane == Lane.id))


def _by_head(heads: int, answers: int | None, within: bool, value: pw.SQL) -> pw.Select:
    where = CallTable.message_head.in_([value] * heads)
    if answers is not None:
        said = CallTable.answer_digest.in_([value] * answers) if answers else CallTable.answer_digest.is_null()
        where &= said
    where &= CallTable.ended_ns <= value
    if within:
        where &= CallTable.run == value
    # Calls of one head are all as deep; by time alone the index gives the latest without sorting the others.
    latest = CallTable.ended_ns.desc()
    order = (latest,) if heads == 1 else (CallTable.depth.desc(), latest)
    return _joined().where(where).order_by(*order).limit(pw.SQL(str(CANDIDATES)))


def _by_name(column: pw.Field, within: bool, value: pw.SQL) -> pw.Select:
    where = column == value
    if within:
        where &= CallTable.run == value
    return _joined().where(where).order_by(CallTable.started_ns.desc()).limit(pw.SQL("1"))


def _last_of_lane(value: pw.SQL) -> pw.Select:
    query = _joined().select_extend(CallTable.identity)
    here = (Lane.run == value) & (Lane.key == value)
    earlier = (CallTable.started_ns <= value) & ((CallTable.started_ns < value) | (CallTable.uid < value))
    return query.where(here & earlier).order_by(CallTable.started_ns.desc(), CallTable.uid.desc()).limit(pw.SQL("1"))


def _by_text(within: bool, value: pw.SQL) -> pw.Select:
    """Takes a digest and a time, then the number of a run if there is one."""
    later = CallTable.alias("later")
    answered = later.select(pw.fn.MIN(later.started_ns)).where(later.predecessor == CallTable.id)
    columns = (CallTable.uid, Spawn.tool_call_id, Run.uid.alias("run_uid"), Run.key.alias("run_key"))
    more = (Lane.key.alias("lane_key"), CallTable.ended_ns, CallTable.peer, CallTable.user_agent, answered)
    query = Spawn.select(*columns, *more).join(CallTable, on=(Spawn.call == CallTable.id))
    query = query.join_from(CallTable, Run, on=(CallTable.run == Run.id))
    query = query.join_from(CallTable, Lane, pw.JOIN.LEFT_OUTER, on=(CallTable.lane == Lane.id))
    where = (Spawn.digest == value) & (CallTable.ended_ns <= value)
    if within:
        where &= CallTable.run == value
    return query.where(where).order_by(CallTable.ended_ns.desc()).limit(pw.SQL(str(CANDIDATES)))
