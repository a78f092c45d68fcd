"""Rents on the leaves of a prompt: all that was paid for its parts, each kind's own."""

from llmprof_addon.attribution.rent import rents
from llmprof_addon.model.component import Kind, Leaf
from llmprof_addon.model.run_tree import RunTree
from llmprof_addon.model.usage import Source
from llmprof_addon.pipeline.rented import with_rents
from tests.unit.export.test_rent import tree as _tree

tree = _tree


def leaves(tree: RunTree) -> tuple[Leaf, ...]:
    """The last prompt, a leaf a part, but of the first message two; and what the provider adds."""
    nodes = tree.prompt(tree.calls[-1])
    found = [Leaf(tree.nodes[node].kind, 5, Source.ESTIMATED, part=at) for at, node in enumerate(nodes)]
    first = next(leaf for leaf in found if leaf.kind is Kind.USER)
    return (*found, first._replace(tokens=15, inner=(0,)), Leaf(Kind.PROVIDER_OVERHEAD, 5, Source.ESTIMATED))


def test_leaves_bear_the_rents_of_their_parts(tree: RunTree) -> None:
    found = rents(tree)
    keys = tuple(tree.nodes[node].key for node in tree.prompt(tree.calls[-1]))
    given = leaves(tree)
    out = with_rents(given, keys, tree, found)
    assert [leaf._replace(cost=None) for leaf in out] == list(given)
    for kind in {leaf.kind for leaf in given}:
        paid = sum(rent.cost or 0 for rent in found if rent.kind is kind)
        assert sum(leaf.cost or 0 for leaf in out if leaf.kind is kind) == paid, kind
    # Both leaves of the first message divide its rent by their tokens.
    assert [leaf.cost for leaf in out if leaf.kind is Kind.USER] == [33, 99]


def test_what_is_unpriced_or_has_no_node(tree: RunTree) -> None:
    given = (Leaf(Kind.USER, 5, Source.ESTIMATED, part=0), Leaf(Kind.GENERIC, 5, Source.ESTIMATED, part=1))
    unpriced = tuple(rents(tree))
    keys = tree.nodes[next(at for at, node in enumerate(tree.nodes) if node.kind is Kind.USER)].key, None
    out = with_rents(given, keys, tree, unpriced)
    assert [leaf.cost for leaf in out] == [132, 0]
