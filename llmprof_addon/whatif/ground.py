"""A run as it really was, ready to be replayed: sizes of its parts, its prompts laid out, its cache as it was used."""

from dataclasses import dataclass

from llmprof_addon.cachedoctor.rules import CacheRules
from llmprof_addon.model.run_tree import RunCall, RunTree
from llmprof_addon.pricing.cost import CacheSplit, cache_split
from llmprof_addon.whatif.chains import Altered, Forest, altered, forest, turns
from llmprof_addon.whatif.laid import lay
from llmprof_addon.whatif.rules import Rules
from llmprof_addon.whatif.sizes import measured
from llmprof_addon.whatif.stand import Stand, expect, hour_end
from llmprof_addon.whatif.target import cache_rules, stub_of


@dataclass(frozen=True, slots=True)
class Ground:
    """What all scenarios start from."""

    tree: RunTree
    forest: Forest
    sizes: list[float]
    media: list[float]
    """Of the sizes what is media inside other parts."""
    turns: list[int]
    nodes: Altered
    stands: tuple[Stand, ...]
    splits: tuple[CacheSplit, ...]


def ground(tree: RunTree) -> Ground:
    """Lay out a run."""
    base = forest([node.parent for node in tree.nodes])
    sizes, media = measured(tree, base)
    nodes = altered(tree, base, sizes, media, Rules())
    before = befores(tree)
    splits = tuple(cache_split(call.usage, stub_of(call).cache_ttl) for call in tree.calls)
    stands: list[Stand] = []
    for at, call in enumerate(tree.calls):
        split = splits[at]
        rules = cache_rules(call)
        laid = lay(base, nodes, call, nodes.sums, float(call.usage.input_tokens or 0))
        stand = Stand(call, laid, rules, call.model, before[at], input=call.usage.input_tokens or 0, read=split.read)
        stand.end = left(stand.input, split.read + split.write, split.write, rules)
        stand.hour = hour_end(stand, stands, split.write_1h)
        expect(stands, stand)
        stands.append(stand)
    return Ground(tree, base, sizes, media, turns(tree, base), nodes, tuple(stands), splits)


def left(tokens: int, marked: int, written: int, rules: CacheRules | None) -> int:
    """Tokens of a prompt that are in the cache after a call."""
    if rules is None or rules.opt_in or written:
        return marked
    return tokens // rules.step * rules.step if tokens >= rules.minimum else 0


def befores(tree: RunTree) -> list[int | None]:
    """For each call the one whose prefix it can read: that which it goes on from, or that the verdict compares it with;
    else the latest one with the same tools and system prompt. Failed calls leave nothing and stand for those before."""
    places = {call.id: at for at, call in enumerate(tree.calls)}
    alike: dict[tuple[object, ...], int] = {}
    found: list[int | None] = []
    for at, call in enumerate(tree.calls):
        compared = places.get(call.cache.previous or "") if call.cache else None
        before = call.predecessor if call.predecessor is not None else compared
        kind = (call.api, call.model, call.tools, call.system)
        if before is None:
            before = alike.get(kind)
        while before is not None and before < at and not _is_whole(tree.calls[before]):
            before = found[before]
        found.append(before if before is not None and before < at else None)
        if _is_whole(call):
            alike[kind] = at
    return found


def _is_whole(call: RunCall) -> bool:
    return not call.failed and bool(call.usage.input_tokens)
