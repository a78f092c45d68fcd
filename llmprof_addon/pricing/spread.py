"""Cost at the cache boundary: a call's reads, writes and dollars laid over its leaves, exactly.

Leaves stand in the provider's order; the first `cache_read` tokens are read, the next `cache_write` are written, the
rest is fresh. Each bucket's dollars are shared out over the tokens in it, so that the leaves sum to the call. Where 5m
and 1h writes mix, written tokens share one average price, and so do fresh tokens of several modalities.
"""

from collections.abc import Sequence
from operator import add

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
    reads: list[int] = []
    writes: list[int] = []
    start = 0
    for leaf in leaves:
        end = start + leaf.tokens
        reads.append(_overlap(start, end, 0, read_end))
        writes.append(_overlap(start, end, read_end, write_end))
        start = end
    if cost is None:
        return _placed(leaves, reads, writes, None, 0)
    fresh = [leaf.tokens - read - write for leaf, read, write in zip(leaves, reads, writes, strict=True)]
    costs, homeless = _shared(((cost.cache_read, reads), (cost.cache_write, writes), (cost.input, fresh)))
    return _placed(leaves, reads, writes, costs, homeless)


def spread_answer(leaves: Sequence[Leaf], usage: Usage, cost: Cost | None) -> tuple[Leaf, ...]:
    """The answer's leaves with their cost; fees per request, if any, stand behind them as a leaf of no tokens."""
    none = [0] * len(leaves)
    if cost is None:
        return _placed(leaves, none, none, None, 0)
    costs, homeless = _shared(((cost.output, [leaf.tokens for leaf in leaves]),))
    charged = _placed(leaves, none, none, costs, homeless)
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


def _shared(buckets: Sequence[tuple[int, list[int]]]) -> tuple[list[int], int]:
    """Each leaf's share of all buckets by the tokens that it has in them, and the dollars of buckets without tokens."""
    costs = [0] * len(buckets[0][1])
    homeless = 0
    for total, weights in buckets:
        if any(weights):
            costs = list(map(add, costs, apportion(total, weights)))
        else:
            homeless += total
    return costs, homeless


def _placed(
    leaves: Sequence[Leaf], reads: list[int], writes: list[int], costs: list[int] | None, homeless: int
) -> tuple[Leaf, ...]:
    """The leaves with their numbers; dollars that no leaf can carry get a leaf of no tokens."""
    out = [
        # Spelled out because `dataclasses.replace` costs four times as much, on every leaf of every call.
        Leaf(
            kind=leaf.kind,
            name=leaf.name,
            tokens=leaf.tokens,
            source=leaf.source,
            part=leaf.part,
            inner=leaf.inner,
            scalable=leaf.scalable,
            read=read,
            write=write,
            fresh=leaf.tokens - read - write,
            cost=None if costs is None else costs[index],
        )
        for index, (leaf, read, write) in enumerate(zip(leaves, reads, writes, strict=True))
    ]
    if homeless:
        out.append(Leaf(kind=Kind.UNATTRIBUTED, tokens=0, source=Source.REPORTED, scalable=False, cost=homeless))
    return tuple(out)
