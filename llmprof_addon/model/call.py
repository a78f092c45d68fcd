"""The neutral form of an exchange: the prompt as three chains of parts, the answer, and who asked."""

from dataclasses import dataclass, field

from llmprof_addon.model.part import Json, Part
from llmprof_addon.model.usage import Usage

SECTIONS = ("tools", "system", "messages")
"""The three independent chains of a prompt. The order in which a provider caches them is a field of its dialect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A request body, carved: `assemble` of `model.tree` puts it together again."""

    tools: tuple[Part, ...] = ()
    """Tool schemas, and an output schema as the last one."""
    system: tuple[Part, ...] = ()
    """`system`, `instructions`, the leading run of system and developer messages."""
    messages: tuple[Part, ...] = ()
    leading: int = 0
    """How many parts at the end of `system` stood at the head of the list of messages. Only of APIs that can continue a
    call by its id: there they stay in the context, unlike `instructions`."""
    params: Json = field(default_factory=dict)
    """All other top-level fields, as sent."""
    continues: str | None = None
    """Response id of the call whose prompt and answer precede `messages` (`previous_response_id`); or the name of a
    content that the provider keeps, which no call has brought (Gemini's `cachedContent`)."""
    in_conversation: bool = False
    """Whether `continues` names a conversation that the provider holds, of which the latest call precedes."""
    warmup: bool = False
    """Only to be laid into the provider's cache: asks for no answer, and is no call of its own."""

    @property
    def parts(self) -> tuple[Part, ...]:
        """All parts, section after section; an index into this is how other rooms refer to a part."""
        return (*self.tools, *self.system, *self.messages)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back. Parts are in the form in which a client would send them again, so that the next prompt's chain
    runs through them."""

    parts: tuple[Part, ...] = ()
    usage: Usage | None = None
    response_id: str | None = None
    request_id: str | None = None
    """The provider's name for the exchange, by which clients name it as well."""
    response_model: str | None = None
    finish_reasons: tuple[str, ...] = ()
    service_tier: str | None = None
    """The tier that was really used and is billed; requests may ask for another one."""
    error: str | None = None
    """The provider's own error, `type: message`, also of an error event in the middle of a stream."""
    cache_reason: str | None = None
    """The provider's own word on what became of the prompt's cached prefix, where it says any."""
    rest: Json = None
    """The response body (a stream put together) without what the parts carry: ids, usage, finish reasons, …"""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What the wire says about who asked and which session it belongs to."""

    app: str | None = None
    session: str | None = None
    """A session id that decides alone: the app is known to send one per session."""
    weak_session: str | None = None
    """An id that only narrows down candidates (often one per app or user)."""
    session_source: str | None = None
    """Where the id stood, e.g. `x-claude-code-session-id`."""
    agent: str | None = None
    """Who in the session: an agent id of Claude Code (absent for the main one), a thread of Codex."""
    parent_agent: str | None = None
    agent_name: str | None = None
    agent_type: str | None = None
    """`Explore`, `Plan`, `general-purpose`, …"""
    request_class: str | None = None
    """`main`, `subagent`, `workflow`, `compaction`, `auxiliary`, …; of Codex `turn` and the like."""
    subagent: str | None = None
    """`true`, or what kind of help it is: `review`, `compact`, `memory_consolidation`, `collab_spawn`."""
    thread_source: str | None = None
    forked_from: str | None = None
    parent_session: str | None = None
    window: str | None = None
    """Codex's `<thread>:<n>`; n grows with every compaction."""
    turn: str | None = None
    """What stays the same over the calls of one turn, as the agent counts turns."""
    root_turn: str | None = None
    parent_turn: str | None = None
    user_prompt: str | None = None
    """What stays the same over the calls, sub-agents' too, that one prompt of a person caused."""
    trigger: str | None = None
    entrypoint: str | None = None
    compaction: str | None = None
    """Why this call compacts the context: `auto`, `manual`, `reactive`."""
    compacted: str | None = None
    """The same, once, on the first call after."""
    previous_request: str | None = None
    """`request-id` of the response before."""
    previous_message: str | None = None
    """Response id of the call before in the same lane."""
    tool_durations_ms: tuple[tuple[str, int], ...] = ()
    """Tools that ran since the call before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One exchange, read."""

    provider: str
    """Registry name: `openai`, `anthropic`, `azure.openai`, … or the host where the registry knows none."""
    api: str
    """Dialect: `openai.chat`, `openai.responses`, `anthropic.messages`, or `unknown`."""
    operation: str = "chat"
    request_model: str | None = None
    stream: bool = False
    prompt: Prompt = Prompt()
    answer: Answer = Answer()
    identity: Identity = Identity()
    section_order: tuple[str, ...] = SECTIONS
    """The order in which this provider lays and caches the sections."""
    price_provider: str | None = None
    """Under which name prices of this provider are looked up."""
    service_tier: str | None = None
    """As asked for; the answer's rules."""
    cache_ttl: str | None = None
    """Longest TTL that the request's cache markers ask for, for writes whose split is not reported."""
    error: str | None = None
    warnings: tuple[str, ...] = ()
