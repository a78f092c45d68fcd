"""Which stored call stands before another in its provider's prompt cache: what the later one could have read.

A function of the calls that are stored, not of the order in which they came: of those that started before a call and
had ended when it ended. Mostly that is the call that it continues, which takes one lookup and a look at what is new.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import peewee as pw

from llmprof_addon.cachedoctor.expected import is_judged
from llmprof_addon.grouping.said import ROLES, is_said
from llmprof_addon.model.cache import CacheView
from llmprof_addon.model.call import Call as CallModel
from llmprof_addon.model.history import RunChoice
from llmprof_addon.model.part import PartKind
from llmprof_addon.model.tree import Chains, root
from llmprof_addon.store.cacherows import cache_view
from llmprof_addon.store.database import errors_of
from llmprof_addon.store.open import Store
from llmprof_addon.store.rollup import is_error
from llmprof_addon.store.schema import Call, Lane, Run
from llmprof_addon.store.text import clean, loads

CANDIDATES = 64
"""How many of a run's latest calls are looked at for the one before."""

_COLUMNS = (
    *(Call.id, Call.uid, Call.api, Call.request_model, Call.response_model, Call.started_ns, Call.first_chunk_ns),
    *(Call.ended_ns, Call.input_tokens, Call.cache_read_input_tokens, Call.cache_creation_input_tokens),
    *(Call.usage_source, Call.error, Call.outcome, Call.status, Call.identity, Call.cache_keys, Call.depth),
    *(Call.tools_head, Call.system_head, Call.message_head, Call.answer_head, Call.input_cost, Call.cache_write_cost),
)
_NAMES = tuple(field.name for field in _COLUMNS)

_PATH = """
WITH RECURSIVE path (id, parent_id) AS (
    SELECT id, parent_id FROM node WHERE id = {0}
    UNION ALL
    SELECT node.id, node.parent_id FROM node JOIN path ON node.id = path.parent_id WHERE path.id <> {0}
)
SELECT node.id, node.depth, node.kind, node.role FROM path JOIN node ON node.id = path.id ORDER BY node.depth
"""


@dataclass(frozen=True, slots=True)
class Path:
    """The nodes of a call's messages by their places: at 0 the one that they start below, `None` = the root."""

    depth: int
    """Nodes from the root to place 0."""
    length: int
    node: Callable[[int], int | None]
    """Row id of the node at a place; `None` where it is not stored."""
    is_said: Callable[[int], bool]
    """Whether a model said what stands at a place."""

    def place(self, row: Mapping[str, Any]) -> int | None:
        """Where a call ends on it: behind its answer if that stands in it, else behind its prompt."""
        if row["message_head"] is None and row["answer_head"] is None:
            return None
        at: int = row["depth"] - self.depth
        if at < 0:
            return 0 if self.node(0) == row["answer_head"] else None
        if at > self.length or self.node(at) != row["message_head"]:
            return None
        for end in range(at + 1, self.length + 1):
            if not self.is_said(end):
                break
            if self.node(end) == row["answer_head"]:
                return end
        return at

    def is_said_later(self, place: int) -> bool:
        """Whether the model spoke again after the answer that follows this place."""
        said = [self.is_said(at) for at in range(place + 1, self.length + 1)]
        answered = said.index(False) if False in said else len(said)
        return any(said[answered:])


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeker:
    """A call, as far as it decides which one is before it."""

    uid: str
    run: str
    """Id of its run."""
    in_session: bool
    """Whether its run is named on the wire or by a person."""
    lane: str
    agent: str | None
    predecessor: str | None
    heads: tuple[int | None, int | None]
    """Of its tools and its system prompt; -1 where they are not stored yet."""
    path: Path
    answer: int | None
    """Row id of the last node of its answer; `None` if it answered nothing that is stored."""


def of(
    store: Store, run: RunChoice, call: CallModel, chains: Chains, view: CacheView, encoding: str
) -> CacheView | None:
    """What stands before a call that is not stored yet."""
    if run.run_id is None or not is_judged(view):
        return None
    with errors_of(store.url):
        seeker = _seeker(store, run.run_id, run, call, chains, view.call_id, encoding)
    return before(store, seeker, view)


def _seeker(
    store: Store, run_id: str, run: RunChoice, call: CallModel, chains: Chains, uid: str, encoding: str
) -> Seeker:
    links, nodes = chains.messages, store.nodes

    def node(place: int) -> int | None:
        key = links[place - 1].key if place else chains.base
        found = nodes.load([key], encoding).get(key)
        return found.id if found else None

    depth = 0
    if chains.base != root("messages"):
        base = nodes.load([chains.base], encoding).get(chains.base)
        depth = base.depth if base else 0
    ends = [section[-1].key for section in (chains.tools, chains.system) if section]
    answer = [link.key for link in chains.answer[-1:]]
    stored = nodes.load([*ends, *answer], encoding)
    tools, system = (
        (stored[section[-1].key].id if section[-1].key in stored else -1) if section else None
        for section in (chains.tools, chains.system)
    )
    return Seeker(
        uid=uid,
        run=run_id,
        in_session=run.reason in ("session", "header", "manual"),
        lane=run.lane.key,
        agent=call.identity.agent,
        predecessor=run.predecessor,
        heads=(tools, system),
        path=Path(depth, len(links), node, lambda place: is_said(links[place - 1].part)),
        answer=stored[answer[0]].id if answer and answer[0] in stored else None,
    )


def stored_seeker(store: Store, number: int) -> tuple[Seeker, CacheView] | None:
    """A stored call by its number, with its view; `None` if it was deleted."""
    with errors_of(store.url):
        row = next(iter(_seeking().where(Call.id == number).dicts().execute(store.db)), None)
        if row is None:
            return None
        path = _stored_path(store, row["message_head"], row["base"])
    in_session = not row["run_key"].startswith("call:")
    found = Seeker(
        uid=row["uid"],
        run=row["run_uid"],
        in_session=in_session,
        lane=row["lane_key"] or "main",
        agent=_agent(row),
        predecessor=row["predecessor_uid"],
        heads=(row["tools_head"], row["system_head"]),
        path=path,
        answer=row["answer_head"] if row["answer_head"] != row["message_head"] else None,
    )
    return found, cache_view(row)


def _seeking() -> pw.Select:
    before = Call.alias("before")
    more = (Run.uid.alias("run_uid"), Run.key.alias("run_key"), Lane.key.alias("lane_key"))
    query = Call.select(*_COLUMNS, Call.base, *more, before.uid.alias("predecessor_uid"))
    query = query.join(Run, on=(Call.run == Run.id)).join_from(
        Call, Lane, pw.JOIN.LEFT_OUTER, on=(Call.lane == Lane.id)
    )
    return query.join_from(Call, before, pw.JOIN.LEFT_OUTER, on=(before.id == Call.predecessor))


def _stored_path(store: Store, head: int | None, base: int | None) -> Path:
    if head is None:
        return Path(0, 0, lambda place: None, lambda place: False)
    rows = store.db.execute_sql(_PATH.format(store.db.param), (head, base or 0)).fetchall()
    depth = rows[0][1] if base is not None else 0
    nodes: list[int | None] = [id_ for id_, *_ in rows]
    said = [role in ROLES or kind in (PartKind.TOOL_CALL, PartKind.REASONING) for _, _, kind, role in rows]
    if base is None:
        nodes, said = [None, *nodes], [False, *said]
    return Path(depth, len(nodes) - 1, nodes.__getitem__, said.__getitem__)


def before(store: Store, call: Seeker, view: CacheView) -> CacheView | None:
    """The latest answered call of the run whose context this one goes on from, without steps; `None` if there is none.

    That is a call of the same agent whose messages this one's begin with, if no other call stands in between; else (in
    a session that the wire names) the latest with the same tools and system prompt.
    """
    with errors_of(store.url):
        if call.predecessor is not None:  # mostly it is that one
            row = store.writer.statements.run("view", _by_uid, [call.predecessor]).fetchone()
            known = dict(zip(_NAMES, row, strict=True)) if row else None
            if known is not None and _is_of_lane(known, call, view):
                place = call.path.place(known)
                if place is not None and not call.path.is_said_later(place):
                    return cache_view(known)
        values = [clean(call.run), view.started_ns, view.ended_ns, call.uid]
        rows = store.writer.statements.run("views", _latest, values).fetchall()
    lane = [row for row in _dicts(rows) if _is_of_lane(row, call, view)]
    going_on = [(place, row) for row in lane if (place := call.path.place(row)) is not None]
    nearest = max(going_on, key=lambda found: (found[0], found[1]["started_ns"]), default=None)
    if nearest is not None and not call.path.is_said_later(nearest[0]):
        return cache_view(nearest[1])
    if call.in_session:
        for row in lane:
            alike = (row["tools_head"], row["system_head"]) == call.heads and row["request_model"] == view.model
            if alike and not _goes_on_from(store, row, call.answer):
                return replace(cache_view(row), is_kin=row["lane_key"] == call.lane)
    return None if nearest is None else cache_view(nearest[1])


def _goes_on_from(store: Store, row: Mapping[str, Any], answer: int | None) -> bool:
    """Whether a call has this answer in its prompt: it comes after it then, whatever the clock said."""
    if answer is None or row["message_head"] is None:
        return False
    with errors_of(store.url):
        nodes = store.db.execute_sql(_PATH.format(store.db.param), (row["message_head"], answer)).fetchall()
    return bool(nodes[0][0] == answer)


def _dicts(rows: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
    return [dict(zip((*_NAMES, "lane_key"), row, strict=True)) for row in rows]


def _is_of_lane(row: Mapping[str, Any], call: Seeker, view: CacheView) -> bool:
    answered = not is_error(row) and row["usage_source"] == "reported" and row["input_tokens"] is not None
    return answered and row["api"] == view.api and _agent(row) == call.agent


def _agent(row: Mapping[str, Any]) -> str | None:
    agent = loads(row["identity"]).get("agent") if row["identity"] else None
    return agent if isinstance(agent, str) else None


def _by_uid(value: pw.SQL) -> pw.Select:
    return Call.select(*_COLUMNS).where(Call.uid == value)


def _latest(value: pw.SQL) -> pw.Select:
    """Takes a run's id, twice a time, and the id of a call that does not count."""
    query = Call.select(*_COLUMNS, Lane.key.alias("lane_key")).join(Run, on=(Call.run == Run.id))
    query = query.join_from(Call, Lane, pw.JOIN.LEFT_OUTER, on=(Call.lane == Lane.id))
    here = (Run.uid == value) & (Call.started_ns < value) & (Call.ended_ns <= value) & (Call.uid != value)
    return query.where(here).order_by(Call.started_ns.desc(), Call.uid.desc()).limit(pw.SQL(str(CANDIDATES)))
