"""A run as the part of the prompt tree that its calls run through: what rent, findings and what-if are worked out from.

The store fills it, pure rooms read it. Nodes and calls are told by their positions in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from llmprof_addon.model.cache import CacheVerdict
from llmprof_addon.model.component import Kind, KindTotal
from llmprof_addon.model.cost import Cost
from llmprof_addon.model.part import Json
from llmprof_addon.model.usage import Usage

type ToolKey = tuple[str, str]
"""MCP server or namespace (or nothing), and name as it was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunNode:
    """One part, at one place of the run's prompts or answers."""

    key: bytes
    """Of the node in the store: the same part after the same parts, in any run."""
    parent: int
    """Position of the part before it in its section; -1 for the first one."""
    section: str
    """`tools`, `system` or `messages`; answers stand below the messages that they answer."""
    depth: int
    kind: Kind
    part_kind: str
    """A `PartKind`."""
    role: str
    name: str | None
    """As the part says: of a tool, or nothing."""
    tools: tuple[tuple[ToolKey, float], ...] = ()
    """The tools that a schema, call or result belongs to, each with its share; a namespace has many."""
    content: bytes
    """Digest of its value in `RunTree.contents`."""
    wrapper: bytes | None = None
    """Digest of the message that it opens."""
    size: int
    """Bytes of its value as JSON."""
    tokens: Mapping[str, int]
    """Raw tokens of its text by encoding, at least 1: a weight among the parts of a kind in one call. 0: a schema that
    waits to be searched for, and is in no prompt."""
    media: Mapping[Kind, int] = field(default_factory=dict)
    """How many media of other kinds it holds, as a tool's result holds pictures."""
    path: str = ""
    """JSON path in the body that brought it first."""

    def weight(self, kind: Kind, encoding: str) -> int:
        """What it weighs among all of a kind: its tokens; of another encoding if it was not counted in this one.

        Media inside it weigh one each, as those that are parts of their own do, which have no text either.
        """
        if kind is not self.kind:
            return self.media.get(kind, 0)
        tokens = self.tokens.get(encoding)
        return next(iter(self.tokens.values()), 1) if tokens is None else tokens

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Its own kind, and those of the media in it."""
        return (self.kind, *self.media) if self.media else (self.kind,)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCall:
    """One call of the run. `-1` stands for a section of which it has nothing."""

    id: str
    number: int
    """The store's own."""
    lane: str = "main"
    lane_kind: str = "main"
    """`main`, `subagent`, `workflow`, `compaction`, `auxiliary`."""
    turn: int | None = None
    predecessor: int | None = None
    """Position of the call that it goes on from."""
    link: str | None = None
    started_ns: int
    first_chunk_ns: int | None = None
    ended_ns: int
    tool_ns: int | None = None
    idle_ns: int | None = None
    provider: str
    api: str
    model: str | None
    """That was asked for."""
    response_model: str | None = None
    service_tier: str | None = None
    failed: bool = False
    outcome: str = "complete"
    status: int | None = None
    finish_reasons: tuple[str, ...] = ()
    section_order: tuple[str, ...]
    """In which its provider reads the sections."""
    encoding: str
    tools: int = -1
    system: int = -1
    messages: int = -1
    answer: int = -1
    """Positions of its last nodes: of each section, and of the answer (which is `messages` if nothing was answered)."""
    usage: Usage
    context_window: int | None = None
    cost: Cost | None = None
    composition: tuple[KindTotal, ...]
    """Of its prompt: sums to the input tokens and, where it is priced, to the cost of the input. Empty if it is not
    billed."""
    output_composition: tuple[KindTotal, ...] = ()
    cache: CacheVerdict | None = None
    cache_ttls: tuple[str | None, ...] = ()
    """TTL of each of its cache markers, `None` where it says none; empty without markers."""

    @property
    def is_billed(self) -> bool:
        """Whether its prompt counts: one that was refused, or failed without usage, has carried nothing."""
        return not self.failed or self.usage.input_tokens is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTree:
    """The calls of a run, by start and then by id, and their nodes, parents before children."""

    run_id: str
    nodes: tuple[RunNode, ...]
    calls: tuple[RunCall, ...]
    contents: Mapping[bytes, Json] = field(repr=False)
    """Values of parts by digest, read when they are asked for. `KeyError`: its text is not stored (any more)."""

    def above(self, head: int, end: int = -1) -> list[int]:
        """Positions from below `end` down to `head`, the first one first."""
        path = []
        while head not in (end, -1):
            path.append(head)
            head = self.nodes[head].parent
        path.reverse()
        return path

    def prompt(self, call: RunCall) -> list[int]:
        """The nodes of a call's prompt, as its provider reads them. Costs the length of the prompt."""
        heads = {"tools": call.tools, "system": call.system, "messages": call.messages}
        return [node for section in call.section_order for node in self.above(heads.get(section, -1))]

    def answer(self, call: RunCall) -> list[int]:
        """The nodes of a call's answer."""
        return self.above(call.answer, call.messages)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rent:
    """What carrying one part through a run has cost: its tokens in every prompt that had it, at the rates really paid.

    Over all rents of a run tokens, read, write, fresh and cost sum to the run's input exactly; the shares of parts of
    the same kind are estimates.
    """

    node: int | None
    """Position in `RunTree.nodes`; `None` for what no part stands behind: overhead and the like, a row a kind. One that
    holds media has a rent for each of its kinds."""
    kind: Kind
    tokens: int
    """Over all calls that carried it."""
    read: int
    write: int
    fresh: int
    cost: int | None
    """Pico-dollars over the priced calls that carried it; `None` if all are unpriced."""
    unpriced: int = 0
    """Calls that carried it and have no price."""
    carried: int
    """Calls whose prompt had it, and was billed."""
    first: int
    """Position of the first call that carried it."""
    last: int
    referred: int | None = None
    """Position of the last call that carried it and whose answer refers to it (an id, a path, a quoted text; a schema's
    tool is called); `None` if none does, which says something only of parts that are `referable`."""
    referable: bool = False
    """Whether it has names that an answer in need of it would be expected to say, and they were looked for."""
