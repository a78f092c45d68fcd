"""A call as its provider's prompt cache saw it, and what is found out about it by comparing it with the call before."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class CacheStatus(StrEnum):
    """What became of the prefix that the call before left in the cache."""

    HIT = "hit"
    PARTIAL = "partial"
    """Less was read than was there, though the request gave no reason to."""
    BREAK = "break"
    EXPIRED = "expired"
    PARALLEL = "parallel"
    """The call started before the one before had written its prefix."""
    COLD = "cold"
    """There was nothing to be read."""


class CacheCause(StrEnum):
    """Why less was read than could have been."""

    TOOLS_ADDED = "tools_added"
    TOOLS_REMOVED = "tools_removed"
    TOOLS_REORDERED = "tools_reordered"
    TOOL_CHANGED = "tool_changed"
    SYSTEM_CHANGED = "system_changed"
    MESSAGE_CHANGED = "message_changed"
    MESSAGE_REMOVED = "message_removed"
    HISTORY_COMPACTED = "history_compacted"
    MODEL_CHANGED = "model_changed"
    PARAMS_CHANGED = "params_changed"
    BREAKPOINT_MOVED = "breakpoint_moved"
    NO_BREAKPOINT = "no_breakpoint"
    BELOW_MINIMUM = "below_minimum"
    EXPIRED = "expired"
    COLD = "cold"
    PROVIDER_EVICTED = "provider_evicted"


class Step(NamedTuple):
    """One part of a prompt, or of an answer, as a step of what a cache compares."""

    section: str
    content: bytes
    """Digest under which the part's canonical value is stored."""
    wrapper: bytes | None
    """Digest of the message that it opens."""
    kind: str
    role: str = ""
    name: str = ""
    tokens: int = 0
    """Raw tokens of its text: a weight among the steps of its call."""
    path: str = ""
    """JSON path in the body; empty where it is not known."""
    deferred: bool = False
    """A schema that is not in the prompt until it is searched for."""

    @property
    def identity(self) -> tuple[bytes, bytes | None]:
        """What two equal steps have in common."""
        return self.content, self.wrapper


class Mark(NamedTuple):
    """A cache breakpoint."""

    end: int
    """How many blocks stand up to it, in the order in which the provider lays them; its own is the last."""
    ttl: str | None = None
    """`5m`, `1h`, … where it is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheView:
    """What bears on the prompt cache of one call."""

    call_id: str
    api: str
    model: str | None
    served_model: str | None = None
    section_order: tuple[str, ...]
    started_ns: int
    first_chunk_ns: int | None = None
    ended_ns: int
    input: int | None
    """Reported input tokens, cache included; `None` = not reported."""
    read: int | None = None
    write: int | None = None
    is_summed: bool = False
    """Whether the provider ran tools in between, so that its numbers are sums over several prompts."""
    marks: tuple[Mark, ...] = ()
    params: Mapping[str, str] = field(default_factory=dict)
    """Request fields on which the cache depends, as short texts."""
    write_cost: int | None = None
    """Pico-dollars of all written tokens; `None` = unpriced."""
    fresh_cost: int | None = None
    read_rate: int | None = None
    """Pico-dollars per token that is read."""
    provider_reason: str | None = None
    """The provider's own word on why the cache was missed."""
    steps: tuple[Step, ...] | None = None
    """The prompt in cache order; `None` where it was not looked up."""
    answer: tuple[Step, ...] = ()
    sizes: Mapping[int, int] = field(default_factory=dict)
    """Reported input of calls whose messages are the first so many steps of this one's, all else being the same."""
    is_kin: bool = True
    """Whether the later call is known to go on from this one; else a message that both have must show it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The first part in cache order in which two prompts part, or the request field that differs."""

    section: str
    """`tools`, `system`, `messages`, or `params`."""
    path: str
    """JSON path in the later call's body, or the name of the field; empty where the part is gone."""
    name: str = ""
    """Name of the tool, or the role of who speaks."""
    kind: str = ""
    before: str | None = None
    """Digest (hex) of the part's content in the earlier call; of a field its value. `None` = it was not there."""
    after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheVerdict:
    """What happened to one call's cached prefix."""

    status: CacheStatus
    cause: CacheCause | None = None
    expected: int = 0
    """Tokens that could have been read, had nothing gone wrong."""
    read: int = 0
    lost: int = 0
    """Of the expected tokens those that were paid for anew."""
    wasted: int | None = None
    """Pico-dollars: lost tokens times (rate paid - read rate); `None` = unpriced."""
    estimated: bool = False
    """Whether `expected` and `lost` rest on estimated sizes of parts, not on reported numbers alone."""
    first_diff: Difference | None = None
    provider_reason: str | None = None
    previous: str | None = None
    """Id of the call that it was compared with."""
