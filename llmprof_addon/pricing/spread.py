"""Cost at the cache boundary: a call's reads, writes and dollars laid over its leaves, exactly.

Leaves stand in the provider's order; the first `cache_read` tokens are read, the next `cache_write` are written, the
rest is fresh. Each bucket's dollars are shared out over the tokens in it, so that the leaves sum to the call. Where 5m
and 1h writes mix, written tokens share one average price, and so do fresh tokens of several modalities.
"""

from collections.abc import Sequence
from dataclasses import replace

from llmprof_addon.model.apportion import apportion
from llmprof_addon.model.component import Kind, Leaf
from llmprof_addon.model.cost import Cost
from llmprof_addon.model.usage import Source, Usage
from llmprof_addon.pricing.cost import cache_split


def spread(leaves: Sequence[Leaf], usage: Usage, cost: Cost | None) -> tuple[Leaf, ...]:
    """The prompt's leaves with their read, write and fresh tokens and their cost.

    Per leaf read + write + fresh = tokens; over all leaves each sums to the call's, and so does the cost of each
    bucket. Without a price the costs stay `None`.
    """
    split = cache_split(usage)
    read_end, write_end = split.read, split.read + split.write
    placed: list[Leaf] = []
    start = 0
    for leaf in leaves:
        end = start + leaf.tokens
        read = _overlap(start, end, 0, read_end)
        write = _overlap(start, end, read_end, write_end)
        placed.append(replace(leaf, read=read, write=write, fresh=leaf.tokens - read - write))
        start = end
    if cost is None:
        return tuple(placed)
    buckets = (
        (cost.cache_read, [leaf.read for leaf in placed]),
        (cost.cache_write, [leaf.write for leaf in placed]),
        (cost.input, [leaf.fresh for leaf in placed]),
    )
    return _charge(placed, buckets)


def spread_answer(leaves: Sequence[Leaf], usage: Usage, cost: Cost | None) -> tuple[Leaf, ...]:
    """The answer's leaves with their cost; fees per request, if any, stand behind them as a leaf of no tokens."""
    placed = [replace(leaf, fresh=leaf.tokens) for leaf in leaves]
    if cost is None:
        return tuple(placed)
    charged = _charge(placed, ((cost.output, [leaf.tokens for leaf in placed]),))
    if not cost.other:
        return charged
    fees = Leaf(
        kind=Kind.PROVIDER_OVERHEAD,
        name="request fees",
        tokens=0,
        source=Source.REPORTED,
        scalable=False,
        cost=cost.other,
    )
    return (*charged, fees)


def _overlap(start: int, end: int, low: int, high: int) -> int:
    return max(0, min(end, high) - max(start, low))


def _charge(leaves: list[Leaf], buckets: Sequence[tuple[int, list[int]]]) -> tuple[Leaf, ...]:
    """Share out each bucket by its weights; dollars of a bucket that no leaf stands in get a leaf of their own."""
    costs = [0] * len(leaves)
    homeless = 0
    for total, weights in buckets:
        if not any(weights):
            homeless += total
            continue
        for index, share in enumerate(apportion(total, weights)):
            costs[index] += share
    charged = tuple(replace(leaf, cost=share) for leaf, share in zip(leaves, costs, strict=True))
    if not homeless:
        return charged
    rest = Leaf(kind=Kind.UNATTRIBUTED, tokens=0, source=Source.REPORTED, scalable=False, cost=homeless)
    return (*charged, rest)
