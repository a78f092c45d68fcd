"""What a replayed run came to: by call, by lane, and on the whole."""

from collections.abc import Iterable
from dataclasses import dataclass

from llmprof_addon.model.cache import CacheStatus
from llmprof_addon.model.cost import Cost
from llmprof_addon.whatif.rules import Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """One call as it was, or would have been."""

    call: int
    """Position in the run's calls; of a compaction that of the call before which it comes."""
    lane: str
    input: int | None
    """Tokens; `None` = not reported, and nothing is known of its prompt."""
    read: int = 0
    write: int = 0
    output: int = 0
    cost: Cost | None = None
    status: CacheStatus | None = None
    """What became of the cached prefix, where that is known."""
    overflows: bool = False
    """Whether the prompt is larger than the context window."""
    is_added: bool = False
    """Whether it is a compaction that the rules bring about."""
    is_changed: bool = False
    """Whether its numbers are others than those stored, and so estimates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Calls taken together. Money in pico-dollars, over the calls that have a price."""

    calls: int
    added: int
    unpriced: int
    cost: int | None
    """`None` = no call has a price."""
    input_cost: int
    """Fresh input."""
    read_cost: int
    write_cost: int
    output_cost: int
    other_cost: int
    input: int
    read: int
    write: int
    output: int
    peak: int | None
    """Tokens of the largest prompt."""
    hit_ratio: float | None
    """Which part of the input was read from the cache."""
    breaks: int
    expiries: int
    overflows: int

    @property
    def fresh(self) -> int:
        """Input tokens that were neither read from the cache nor written to it."""
        return self.input - self.read - self.write


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A run under the rules of one scenario."""

    rules: Rules
    total: Sums
    lanes: tuple[tuple[str, Sums], ...]
    """The dearest first."""
    calls: tuple[Replayed, ...]
    notes: tuple[str, ...] = ()
    """What has to be known to read the numbers, a sentence each."""

    @property
    def estimated(self) -> bool:
        """Whether any number is an estimate."""
        return any(call.is_changed or call.is_added for call in self.calls)


def summed(calls: Iterable[Replayed]) -> Sums:
    """The sums."""
    every = list(calls)
    costs = [call.cost for call in every if call.cost is not None]
    known = [call for call in every if call.input is not None]
    tokens = sum(call.input or 0 for call in known)
    read = sum(call.read for call in known)
    return Sums(
        calls=len(every),
        added=sum(call.is_added for call in every),
        unpriced=len(every) - len(costs),
        cost=sum(cost.total for cost in costs) if costs else None,
        input_cost=sum(cost.input for cost in costs),
        read_cost=sum(cost.cache_read for cost in costs),
        write_cost=sum(cost.cache_write for cost in costs),
        output_cost=sum(cost.output for cost in costs),
        other_cost=sum(cost.other for cost in costs),
        input=tokens,
        read=read,
        write=sum(call.write for call in known),
        output=sum(call.output for call in every),
        peak=max((call.input or 0 for call in known), default=None),
        hit_ratio=read / tokens if tokens else None,
        breaks=sum(call.status in (CacheStatus.BREAK, CacheStatus.PARTIAL) for call in every),
        expiries=sum(call.status is CacheStatus.EXPIRED for call in every),
        overflows=sum(call.overflows for call in every),
    )


def by_lane(calls: Iterable[Replayed]) -> tuple[tuple[str, Sums], ...]:
    """The sums of each lane, the dearest first."""
    lanes: dict[str, list[Replayed]] = {}
    for call in calls:
        lanes.setdefault(call.lane, []).append(call)
    sums = [(lane, summed(found)) for lane, found in lanes.items()]
    return tuple(sorted(sums, key=lambda item: (-(item[1].cost or 0), item[0])))
