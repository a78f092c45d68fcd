"""Which lane of its run a call belongs to: what its client says of agents, else the chain that it continues.

A lane's key is `main`, the id of an agent, `compaction:` or `auxiliary:` with the key of the lane that such calls stand
beside, or `chain:` with the call that opens a chain of which nothing else is known. In a run that holds other sessions
than its own, the session stands before it.
"""

from llmprof_addon.grouping.classes import APART, request_class
from llmprof_addon.model.call import Identity
from llmprof_addon.model.history import Ancestor, LaneChoice, Spawner

MAIN = "main"

SAYS_AGENTS = frozenset({"x-claude-code-session-id", "metadata.user_id"})
"""Where a session stands whose client names every agent but the main one (Claude Code)."""


def stated(identity: Identity, session: str | None, run_key: str | None) -> LaneChoice | None:
    """The lane that the wire names; `None` where it says nothing of agents. `session` is the call's own key."""
    if session is None:
        return None
    kind = request_class(identity)
    before = "" if session == run_key else f"{session}/"
    if identity.agent is None and kind in ("subagent", "workflow"):
        return None  # one of several; which, only its chain tells
    if identity.agent is None and kind is None and identity.session_source not in SAYS_AGENTS:
        return None
    own = _agent(identity.agent, identity)
    if kind in APART:
        return LaneChoice(key=f"{before}{kind}:{own}", kind=kind, parent=before + own)
    if own == MAIN and kind in (None, MAIN):
        return LaneChoice(key=before + MAIN)
    return LaneChoice(
        key=before + own,
        kind=kind or "subagent",
        agent_type=identity.agent_type,
        parent=before + _agent(identity.parent_agent, identity),
    )


def _agent(agent: str | None, identity: Identity) -> str:
    return MAIN if agent is None or agent == identity.session else agent


def of_chain(
    call_id: str, identity: Identity, found: Ancestor | None, spawner: Spawner | None, *, opens_run: bool
) -> LaneChoice:
    """The lane of a call whose client names none: of the call that it continues, else one that it opens."""
    kind = request_class(identity)
    if found is not None:
        return LaneChoice(key=found.lane, kind=kind or MAIN, agent_type=identity.agent_type)
    works_for = None if kind in (None, MAIN) else MAIN
    return LaneChoice(
        key=MAIN if opens_run and kind in (None, MAIN) else f"chain:{call_id}",
        kind=kind or ("subagent" if spawner is not None else MAIN),
        agent_type=identity.agent_type,
        parent=spawner.lane if spawner is not None else works_for,
    )


def compacted(identity: Identity, depth: int, last: Ancestor | None) -> bool:
    """Whether a call that continues nothing goes on from the last one of its lane with a summary in place of it.

    Only what is proved: the client says so, or its window's number has grown; and the prompt is shorter.
    """
    if last is None or depth >= last.depth:
        return False
    return bool(identity.compacted) or _grown(last.window, identity.window)


def _grown(old: str | None, new: str | None) -> bool:
    """Whether `<thread>:<n>` became one of a larger n."""
    thread, _, number = (old or "").rpartition(":")
    again, _, later = (new or "").rpartition(":")
    return bool(thread) and thread == again and number.isdecimal() and later.isdecimal() and int(later) > int(number)
