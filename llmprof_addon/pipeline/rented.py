"""The trees of a stored call with the rent of each part in place of its cost: what it has cost the run so far."""

from collections import defaultdict
from dataclasses import dataclass, replace

from llmprof_addon.attribution.positions import positions
from llmprof_addon.attribution.rent import rents
from llmprof_addon.attribution.tree import components
from llmprof_addon.model.apportion import apportion
from llmprof_addon.model.component import Component, Kind, Leaf
from llmprof_addon.model.run_tree import Rent, RunTree
from llmprof_addon.pipeline.explained import Explanation
from llmprof_addon.store.open import Store
from llmprof_addon.store.run_tree import run_tree

type _Bearer = tuple[bytes | None, Kind]
"""What bears a rent: a part by the key of its node, or all of a kind that no part stands behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rented:
    """The trees of a prompt; `cost` is the rent in every call of the run up to this one."""

    components: tuple[Component, ...] = ()
    positions: tuple[Component, ...] = ()


def rented(store: Store, explained: Explanation) -> Rented:
    """The rents of a call's prompt; nothing where the call is not stored any more. All of the run is read."""
    tree = run_tree(store, explained.row.run_id)
    at = next((at for at, call in enumerate(tree.calls) if call.id == explained.row.id), None) if tree else None
    if tree is None or at is None:
        return Rented()
    found = rents(replace(tree, calls=tree.calls[: at + 1]))
    leaves = with_rents(explained.leaves.prompt, explained.keys, tree, found)
    return Rented(components=components(explained.whole, leaves), positions=positions(explained.whole, leaves))


def with_rents(
    leaves: tuple[Leaf, ...], keys: tuple[bytes | None, ...], tree: RunTree, found: tuple[Rent, ...]
) -> tuple[Leaf, ...]:
    """The leaves with rents for costs; those that share one divide it by their tokens.

    `keys` are those of the parts' nodes. What has neither a node nor a rent of its kind is within the rents of others
    of its kind, and has 0.
    """
    due: dict[_Bearer, int | None] = {}
    for rent in found:
        due[None if rent.node is None else tree.nodes[rent.node].key, rent.kind] = rent.cost
    shared: defaultdict[_Bearer, list[int]] = defaultdict(list)
    for at, leaf in enumerate(leaves):
        key = keys[leaf.part] if leaf.part is not None and leaf.part < len(keys) else None
        shared[key if (key, leaf.kind) in due else None, leaf.kind].append(at)
    out = list(leaves)
    for bearer, places in shared.items():
        amount = due.get(bearer, 0)
        weights = [leaves[at].tokens for at in places]
        if amount is not None:
            amounts = apportion(amount, weights if any(weights) else [1] * len(weights))
        for place, at in enumerate(places):
            out[at] = leaves[at]._replace(cost=None if amount is None else amounts[place])
    return tuple(out)
