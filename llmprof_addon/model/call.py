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
    params: Json = field(default_factory=dict)
    """All other top-level fields, as sent."""
    continues: str | None = None
    """Response id of the call whose prompt and answer precede `messages` (`previous_response_id`)."""

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
    response_model: str | None = None
    finish_reasons: tuple[str, ...] = ()
    service_tier: str | None = None
    """The tier that was really used and is billed; requests may ask for another one."""
    error: str | None = None
    """The provider's own error, `type: message`, also of an error event in the middle of a stream."""
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
