"""All that the pipeline has found out about one exchange: what the store writes in one transaction."""

from dataclasses import dataclass

from llmprof_addon.model.cache import CacheVerdict, CacheView, Mark
from llmprof_addon.model.call import Call
from llmprof_addon.model.component import KindTotal
from llmprof_addon.model.cost import Cost
from llmprof_addon.model.count import Framing, RawCount
from llmprof_addon.model.exchange import Exchange
from llmprof_addon.model.history import RunChoice
from llmprof_addon.model.tree import Chains
from llmprof_addon.model.usage import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """One analysed call."""

    exchange: Exchange
    call: Call
    chains: Chains
    encoding: str
    """Encoding of `counts`, e.g. `o200k_base`."""
    counts: dict[bytes, RawCount]
    """Raw counts by node key (tools, system, messages, answer), at least of every node that is not stored yet."""
    usage: Usage
    """Reported where it is; else counted or estimated, and its `source` says so."""
    estimated_input_tokens: int | None
    """What counting made of the prompt before reconciliation."""
    composition: tuple[KindTotal, ...]
    output_composition: tuple[KindTotal, ...]
    cost: Cost | None
    context_window: int | None
    label: str | None
    """What a person would call this run: the start of the first real user text."""
    answer_digest: bytes | None
    run: RunChoice
    inherited: tuple[int, int] = (0, 0)
    """Place and number of the nodes in the system chain that the call did not send, but continues."""
    cache_view: CacheView | None = None
    """What the call after this one is compared with."""
    cache: CacheVerdict | None = None
    framing: Framing | None = None
    """Of families that are counted exactly."""
    bodies: str | None = None
    """`off` where it is kept without its texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LateRecord:
    """A stored call, laid out again behind the call that it continues, which was stored after it."""

    call_id: str
    call: Call
    chains: Chains
    encoding: str
    counts: dict[bytes, RawCount]
    estimated_input_tokens: int | None
    composition: tuple[KindTotal, ...]
    output_composition: tuple[KindTotal, ...]
    inherited: tuple[int, int]
    marks: tuple[Mark, ...] = ()
    """Cache breakpoints of the whole prompt."""
    framing: Framing | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmupRecord:
    """A prompt that is no call, but that calls continue by the id of its response."""

    exchange: Exchange
    response_id: str
    chains: Chains
    encoding: str
    counts: dict[bytes, RawCount]
    elided: bool
    """Whether it continues a call itself of which nothing is known."""
