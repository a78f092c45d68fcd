"""What a call is for, by what its client says: a table over words of several agents.

`main`: the agent that the person talks to. `subagent`, `workflow`: agents that it started. `compaction`: a call that
sums up the context. `auxiliary`: titles, classifiers and the like.
"""

from llmprof_addon.model.call import Identity

CLASSES = ("main", "subagent", "workflow", "compaction", "auxiliary")

APART = ("compaction", "auxiliary")
"""Calls that stand beside an agent's turns: in lanes of their own, so that the agent's chain is not torn."""

_CLASS_OF_REQUEST = {
    **{name: name for name in CLASSES},
    "blocking-subagent": "subagent",
    "background-subagent": "subagent",
    "compact": "compaction",
    "memory": "auxiliary",
    "memory_consolidation": "auxiliary",
    "title": "auxiliary",
}
_CLASS_OF_HELP = {
    "compact": "compaction",
    "memory_consolidation": "auxiliary",
    "review": "subagent",
    "collab_spawn": "subagent",
}


def request_class(identity: Identity) -> str | None:
    """One of `CLASSES`, or `None` where nothing is said of it."""
    if identity.compaction:
        return "compaction"
    said = _CLASS_OF_REQUEST.get((identity.request_class or "").lower())
    if said is not None and said != "main":
        return said
    if identity.subagent:
        return _CLASS_OF_HELP.get(identity.subagent, "subagent")
    if identity.thread_source == "subagent" or identity.parent_agent:
        return "subagent"
    if said is None and (identity.agent_type or (identity.agent and identity.agent != identity.session)):
        return "subagent"
    if said is None and identity.agent is not None:
        return "main"  # a thread that bears the name of its session
    return said
