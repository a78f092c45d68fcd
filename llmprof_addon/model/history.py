"""What grouping needs from the past, as one frozen value: the store fills it, the pipeline passes it on."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Ancestor:
    """A stored call that the new one may continue: its messages are a prefix of the new call's (or equal to them)."""

    call_id: str
    run_id: str
    ended_ns: int
    depth: int
    """Nodes from the root to its message head."""
    answer: bytes | None
    """`answer_digest` of what it answered; `None` if it answered nothing."""
    started_ns: int = 0
    complete: bool = True
    """Whether it ended as it should; a call that failed or was aborted is tried again."""
    peer: str | None = None
    user_agent: str | None = None
    weak_session: str | None = None
    run_key: str = ""
    lane: str = "main"
    """Key of its lane."""
    same_id: bool = False
    """Whether the new prompt has the id of a tool call of its answer."""
    exact: bool = False
    """Whether its answer stands in the new prompt letter by letter."""
    same_model: bool = False
    same_tools: bool = False
    same_system: bool = False
    """Whether it asked the same model of the same provider, with the same tools, under the same system prompt."""
    window: str | None = None
    """`Identity.window`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spawner:
    """A stored call whose answer calls a tool with the very text that opens the new call."""

    call_id: str
    tool_call_id: str
    run_id: str
    run_key: str
    lane: str
    ended_ns: int
    answered_ns: int | None = None
    """When the first call started that goes on from it: it had its results then, so that nothing is spawned later."""
    peer: str | None = None
    user_agent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Continued:
    """Where the prompt of a call begins that continues another by its id: keys of the other's last nodes."""

    system: bytes
    messages: bytes
    """Of its answer, or of its prompt if it answered nothing."""
    elided: bool
    """Whether it continues a call itself of which nothing is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The past of one new call."""

    manual: str | None = None
    """Key of the run that a person had started, and not paused or ended, when the call started."""
    session_run: str | None = None
    """Run that already carries the call's key; everything else here is of that run alone then."""
    ancestors: tuple[Ancestor, ...] = ()
    named: Ancestor | None = None
    """The call that this one names as the one before (`previous_response_id`, a message id, a request id)."""
    spawners: tuple[Spawner, ...] = ()
    lane_last: Ancestor | None = None
    """The call of its lane that started last before it, where the wire names the lane."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneChoice:
    """Which lane of its run a call belongs to, and what is known of that lane."""

    key: str = "main"
    kind: str = "main"
    """`main`, `subagent`, `workflow`, `compaction`, `auxiliary`."""
    agent_type: str | None = None
    parent: str | None = None
    """Key of the lane that it works for, whether a call of that is known or not."""
    spawned_by: str | None = None
    """Id of the call whose answer asked for it."""
    tool_call_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunChoice:
    """Which run and lane a call belongs to, and the call that it goes on from."""

    run_id: str | None
    """`None`: a new run, or the one with this key."""
    key: str
    """Session key of the run (`header:…`, `manual:…`, `x-claude-code-session-id:…`), or `call:<id>` of the call that
    opened it."""
    reason: str
    """`header`, `manual`, `session`, `continues`, `ancestry`, `retry`, `spawned`, `new`."""
    lane: LaneChoice = LaneChoice()
    predecessor: str | None = None
    """Id of the call of its lane whose prompt and answer it continues, or that it tries again."""
    link: str | None = None
    """How: `turn`, `retry`, `compacted`. The store makes `branch` of a second turn after the same call."""
    inherits: frozenset[str] = frozenset()
    """What it has only because of other calls: `run`, `lane` of its predecessor; `spawner`: the run of its spawner."""
