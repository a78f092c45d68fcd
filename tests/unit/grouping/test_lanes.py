"""Which lane a call belongs to, by what its client says of agents."""

import pytest

from llmprof_addon.grouping.classes import request_class
from llmprof_addon.grouping.lanes import compacted, of_chain, stated
from llmprof_addon.model.call import Identity
from llmprof_addon.model.history import Ancestor, LaneChoice, Spawner

SOURCE = "x-claude-code-session-id"
KEY = f"{SOURCE}:s"


def claude(**more: object) -> Identity:
    return Identity(session="s", session_source=SOURCE, **more)  # type: ignore[arg-type]  # fields by name


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        (claude(), LaneChoice(key="main")),
        (claude(request_class="main"), LaneChoice(key="main")),
        (
            claude(agent="a1", agent_type="Explore", request_class="subagent"),
            LaneChoice(key="a1", kind="subagent", agent_type="Explore", parent="main"),
        ),
        (claude(agent="a2", parent_agent="a1"), LaneChoice(key="a2", kind="subagent", parent="a1")),
        (claude(agent="w", request_class="workflow"), LaneChoice(key="w", kind="workflow", parent="main")),
        (claude(request_class="auxiliary"), LaneChoice(key="auxiliary:main", kind="auxiliary", parent="main")),
        (claude(agent="a", compaction="auto"), LaneChoice(key="compaction:a", kind="compaction", parent="a")),
        (claude(subagent="true"), None),
        (claude(request_class="workflow"), None),
        (Identity(session="t", session_source=SOURCE, agent="t", request_class="turn"), LaneChoice(key="x/main")),
        (Identity(session="s", session_source="x-opencode-session"), None),
        (Identity(), None),
    ],
)
def test_lanes_that_the_wire_names(identity: Identity, expected: LaneChoice | None) -> None:
    session = f"{SOURCE}:{identity.session}" if identity.session else None
    if identity.session == "t":  # in another run than its own
        session = "x"
    assert stated(identity, session, KEY) == expected


def test_threads_of_codex() -> None:
    thread = Identity(session="r", session_source="session-id", agent="c", parent_agent="r", subagent="collab_spawn")
    assert stated(thread, "session-id:r", "session-id:r") == LaneChoice(key="c", kind="subagent", parent="main")
    compact = Identity(session="r", session_source="session-id", agent="r", subagent="compact")
    lane = stated(compact, "session-id:r", "session-id:r")
    assert lane == LaneChoice(key="compaction:main", kind="compaction", parent="main")


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        (Identity(), None),
        (Identity(request_class="main"), "main"),
        (Identity(request_class="blocking-subagent"), "subagent"),
        (Identity(request_class="main", subagent="review"), "subagent"),
        (Identity(subagent="memory_consolidation"), "auxiliary"),
        (Identity(request_class="main", compaction="manual"), "compaction"),
        (Identity(request_class="turn", session="s", agent="s"), "main"),
        (Identity(request_class="turn", session="s", agent="t"), "subagent"),
        (Identity(request_class="something new"), None),
    ],
)
def test_classes(identity: Identity, expected: str | None) -> None:
    assert request_class(identity) == expected


def test_lanes_of_chains() -> None:
    spawner = Spawner(call_id="p", tool_call_id="t", run_id="r", run_key="call:p", lane="main", ended_ns=1)
    before = Ancestor(call_id="b", run_id="r", ended_ns=1, depth=1, answer=None, lane="chain:b")
    assert of_chain("c", Identity(), before, None, opens_run=False).key == "chain:b"
    assert of_chain("c", Identity(), None, None, opens_run=True) == LaneChoice(key="main")
    assert of_chain("c", Identity(), None, None, opens_run=False) == LaneChoice(key="chain:c")
    lane = of_chain("c", Identity(), None, spawner, opens_run=False)
    assert lane == LaneChoice(key="chain:c", kind="subagent", parent="main")


def test_a_compacted_context_is_proved() -> None:
    last = Ancestor(call_id="b", run_id="r", ended_ns=1, depth=9, answer=None, window="t:0")
    assert compacted(Identity(compacted="auto"), 2, last)
    assert compacted(Identity(window="t:1"), 2, last)
    assert not compacted(Identity(window="t:0"), 2, last)
    assert not compacted(Identity(window="other:1"), 2, last)
    assert not compacted(Identity(compacted="auto"), 9, last)
    assert not compacted(Identity(compacted="auto"), 2, None)
