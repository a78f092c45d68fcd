"""Exchange, call and its past -> the run and the lane that the call belongs to. Pure: the store fills `History`.

In this order: the session that the client forces, the run that a person has started, the session id that its agent
sends, the call that it continues by id, ancestry, the tool call that started it. Ancestry means that prompt *and*
answer are continued: the new messages start with a stored call's messages, and what follows them is what that call
answered. Equal first prompts alone never join two runs.

What is chosen depends on which calls there are, never on the order in which they came: a later call that would have
been chosen has the choice made again.
"""

from collections.abc import Callable, Sequence

from llmprof_addon.grouping.lanes import compacted, of_chain, stated
from llmprof_addon.grouping.said import answer_digest, answer_digests, is_said, said_after
from llmprof_addon.model.call import Call, Identity
from llmprof_addon.model.exchange import Exchange
from llmprof_addon.model.history import Ancestor, History, LaneChoice, RunChoice, Spawner
from llmprof_addon.model.part import Part
from llmprof_addon.model.tree import Chains, root

MANUAL = "manual:"
"""How the key of a run begins that a person started."""

RETRY_NS = 600 * 10**9
"""A failed call is tried again within this time; later, the same prompt is another run's."""


def session_key(exchange: Exchange, identity: Identity, manual: str | None = None) -> str | None:
    """The key of the run that is named: forced by header, by a person, or by a session id that decides alone."""
    if exchange.session:
        return f"header:{exchange.session}"
    return manual or own_session(identity)


def own_session(identity: Identity) -> str | None:
    """The key of the session that the client names."""
    return f"{identity.session_source or 'session'}:{identity.session}" if identity.session else None


def choose(exchange: Exchange, call: Call, chains: Chains, history: History) -> RunChoice:
    """Which run and lane the call belongs to. `key` names the run if it has to be made."""
    key = session_key(exchange, call.identity, history.manual)
    said = stated(call.identity, own_session(call.identity), key)
    found, link, reason = _predecessor(exchange, call, chains, history, key, said)
    spawner = None if found is not None else _spawner(exchange, history.spawners, key, said)
    own_key = f"call:{exchange.id}"
    inherits = {"lane"} if said is None and found is not None else set()
    run_id: str | None = None
    if key is not None:
        run_id = history.session_run
        reason = "header" if exchange.session else "manual" if key == history.manual else "session"
    elif found is not None:
        run_id = found.run_id
        inherits.add("run")
    elif spawner is not None:
        run_id, reason = spawner.run_id, "spawned"
        inherits.add("spawner")
    lane = said or of_chain(exchange.id, call.identity, found, spawner, opens_run=key is None and spawner is None)
    return RunChoice(
        run_id=run_id,
        key=key or own_key,
        reason=reason,
        lane=_spawned(lane, spawner),
        predecessor=found.call_id if found is not None else None,
        link=link,
        inherits=frozenset(inherits),
    )


def _spawned(lane: LaneChoice, spawner: Spawner | None) -> LaneChoice:
    if spawner is None or lane.key == spawner.lane or lane.kind not in ("subagent", "workflow"):
        return lane
    return LaneChoice(
        key=lane.key,
        kind=lane.kind,
        agent_type=lane.agent_type,
        parent=lane.parent or spawner.lane,
        spawned_by=spawner.call_id,
        tool_call_id=spawner.tool_call_id,
    )


def _predecessor(
    exchange: Exchange, call: Call, chains: Chains, history: History, key: str | None, said: LaneChoice | None
) -> tuple[Ancestor | None, str | None, str]:
    """The call that this one goes on from, how, and the reason for being in its run."""

    def fits(one: Ancestor) -> bool:
        # What a person has ended is not continued, and lanes that have names do not run into each other.
        joined = one.run_id == history.session_run if key is not None else not one.run_key.startswith(MANUAL)
        return joined and (said is None or one.lane == said.key)

    if history.named is not None and fits(history.named):
        return history.named, "turn", "continues"
    if chains.base == root("messages"):
        candidates = [one for one in history.ancestors if fits(one)]
        found, reason = _ancestor(exchange, call, chains, candidates, in_session=key is not None)
        if found is not None:
            return found, "retry" if reason == "retry" else "turn", reason
    if said is not None and compacted(call.identity, len(chains.messages), history.lane_last):
        return history.lane_last, "compacted", "session"
    return None, None, "new"


def _ancestor(
    exchange: Exchange, call: Call, chains: Chains, candidates: Sequence[Ancestor], *, in_session: bool
) -> tuple[Ancestor | None, str]:
    parts = [link.part for link in chains.messages]
    past = [one for one in candidates if one.ended_ns <= exchange.started_ns and one.depth <= len(parts)]
    # Who reads a stream goes on at its last event, and the body's end comes after the next call has begun.
    ending = [one for one in candidates if exchange.started_ns < one.ended_ns <= exchange.ended_ns and one.answer]
    # Between calls of one time, their ids decide which was first, so that no two are each other's retry.
    own = exchange.started_ns, exchange.id
    equal = [one for one in past if one.depth == len(parts) and (one.started_ns, one.call_id) < own]
    broken = [one for one in equal if not one.complete and _retried(one, exchange)]
    if broken:
        return _latest(broken, exchange, call), "retry"
    continued = [one for one in (*past, *ending) if one.depth < len(parts) and _continues(one, parts, call)]
    if continued:
        deepest = max(one.depth for one in continued)
        return _latest([one for one in continued if one.depth == deepest], exchange, call), "ancestry"
    weak = call.identity.weak_session
    again = [one for one in equal if in_session or (weak is not None and one.weak_session == weak)]
    if again and parts and (in_session or any(map(is_said, parts))):
        # The conversation was under way before it was first seen; a fresh answer to the same turn is asked for.
        return _latest(again, exchange, call), "retry"
    return None, "new"


def _continues(ancestor: Ancestor, parts: Sequence[Part], call: Call) -> bool:
    if ancestor.answer is None and not ancestor.complete:
        # A call that failed answered nothing: its prompt grew by what the user said next.
        return not is_said(parts[ancestor.depth])
    said = said_after(parts, ancestor.depth)
    if ancestor.answer is None:
        return bool(said) and answer_digest(said) is None
    return ancestor.answer in answer_digests(said, call.prompt.tools)


def _retried(one: Ancestor, exchange: Exchange) -> bool:
    same_client = (one.peer, one.user_agent) == (exchange.client.peer, exchange.client.user_agent)
    return same_client and exchange.started_ns - one.ended_ns <= RETRY_NS


def _spawner(
    exchange: Exchange, candidates: Sequence[Spawner], key: str | None, said: LaneChoice | None
) -> Spawner | None:
    """The latest call that may have started this one, and has not got its answer before."""
    client = exchange.client
    asked = [
        one
        for one in candidates
        if (one.ended_ns, one.call_id) < (exchange.started_ns, exchange.id)
        and (key is not None or not one.run_key.startswith(MANUAL))
        and (key is not None or (one.peer, one.user_agent) == (client.peer, client.user_agent))
        and (said is not None or one.answered_ns is None or one.answered_ns >= exchange.started_ns)
    ]
    return max(asked, key=lambda one: (one.ended_ns, one.call_id), default=None)


def _latest(candidates: Sequence[Ancestor], exchange: Exchange, call: Call) -> Ancestor:
    """The latest of the candidates, after weak signs have narrowed them where they can; best one that had ended."""
    client, weak = exchange.client, call.identity.weak_session
    signs: tuple[Callable[[Ancestor], bool], ...] = (
        lambda one: one.same_id,
        lambda one: weak is not None and one.weak_session == weak,
        lambda one: one.peer == client.peer,
        lambda one: one.user_agent == client.user_agent,
        lambda one: one.same_model,
        lambda one: one.same_tools,
        lambda one: one.same_system,
        lambda one: one.exact,
    )
    for sign in signs:
        candidates = [one for one in candidates if sign(one)] or candidates
    candidates = [one for one in candidates if one.ended_ns <= exchange.started_ns] or candidates
    return max(candidates, key=lambda one: (one.ended_ns, one.call_id))
