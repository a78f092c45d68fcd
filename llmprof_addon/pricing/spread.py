"""Cost at the cache boundary: a call's reads, writes and dollars laid over its leaves, exactly.

Leaves stand in the provider's order; the first `cache_read` tokens are read, the next `cache_write` are written, the
rest is fresh. Each bucket's dollars are shared out over the tokens in it, so that the leaves sum to the call. Where 5m
and 1h writes mix, written tokens share one average price, and so do fresh tokens of several modalities. Where a
provider says that it charges for less than it counts, what it added itself is free, and the rest shares the dollars.
"""

from collections.abc import Sequence
from operator import add

from llmprof_addon.model.apportion import apportion
from llmprof_addon.model.component import Kind, Leaf, leaves_of
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
    fresh: list[int] = []
    start = 0
    for leaf in leaves:
        tokens = leaf.tokens
        end = start + tokens
        if end <= read_end:
            read, write = tokens, 0
        elif start >= write_end:
            read = write = 0
        else:
            read = max(0, read_end - start)
            write = min(end, write_end) - max(start, read_end)
        reads.append(read)
        writes.append(write)
        fresh.append(tokens - read - write)
        start = end
    if cost is None:
        return _placed(leaves, reads, writes, fresh, [None] * len(leaves), 0)
    charged = fresh
    if usage.billed_input_tokens is not None:
        charged = [0 if leaf.kind is Kind.PROVIDER_OVERHEAD else leaf.tokens for leaf in leaves]
    costs, homeless = _shared(((cost.cache_read, reads), (cost.cache_write, writes), (cost.input, charged)))
    return _placed(leaves, reads, writes, fresh, costs, homeless)


def spread_answer(leaves: Sequence[Leaf], usage: Usage, cost: Cost | None) -> tuple[Leaf, ...]:
    """The answer's leaves with their cost; fees per request, if any, stand behind them as a leaf of no tokens."""
    none = [0] * len(leaves)
    tokens = [leaf.tokens for leaf in leaves]
    if cost is None:
        return _placed(leaves, none, none, tokens, [None] * len(leaves), 0)
    costs, homeless = _shared(((cost.output, tokens),))
    charged = _placed(leaves, none, none, tokens, costs, homeless)
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
    leaves: Sequence[Leaf],
    reads: list[int],
    writes: list[int],
    fresh: list[int],
    costs: Sequence[int | None],
    homeless: int,
) -> tuple[Leaf, ...]:
    """The leaves with their numbers; dollars that no leaf can carry get a leaf of no tokens."""
    # The numbers are the last four fields.
    out = leaves_of(*[*zip(*leaves, strict=True)][:-4], reads, writes, fresh, costs)
    if not homeless:
        return out
    rest = Leaf(kind=Kind.UNATTRIBUTED, tokens=0, source=Source.REPORTED, scalable=False, cost=homeless)
    return (*out, rest)
