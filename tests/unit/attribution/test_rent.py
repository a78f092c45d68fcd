"""What carrying parts has cost, by numbers that can be checked by hand."""

from dataclasses import replace

from llmprof_addon.attribution.rent import rents
from llmprof_addon.model.component import Kind
from llmprof_addon.model.cost import Cost, Price
from llmprof_addon.model.run_tree import Rent, RunTree
from llmprof_addon.model.usage import Usage
from tests.unit.attribution.run_trees import call, conversation, node, total

PRICE = Price(source="tests", model="m")


def by_node(tree: RunTree) -> dict[int | None, Rent]:
    return {rent.node: rent for rent in rents(tree)}


def test_what_stands_before_the_cache_boundary_pays_the_read_rate() -> None:
    """Two user texts of the same weight: the first one and a half are read at 1, the rest is fresh at 10."""
    tree = conversation([(Kind.USER, "one"), (Kind.USER, "two"), (Kind.ASSISTANT, "well")], [2])
    paid = Cost(cache_read=30, cache_write=0, input=100, output=0, price=PRICE)
    (only,) = tree.calls
    only = replace(only, composition=(total(Kind.USER, read=30, fresh=10, cost=130),), cost=paid)
    found = by_node(replace(tree, calls=(only,)))
    assert set(found) == {0, 1}
    assert (found[0].read, found[0].write, found[0].fresh, found[0].cost) == (20, 0, 0, 20)
    assert (found[1].read, found[1].write, found[1].fresh, found[1].cost) == (10, 0, 10, 110)


def test_a_part_pays_again_in_every_call_that_carries_it() -> None:
    tree = conversation(
        [(Kind.USER, "one"), (Kind.ASSISTANT, "well"), (Kind.USER, "two"), (Kind.ASSISTANT, "so")], [1, 3]
    )
    first, second = tree.calls
    first = replace(first, composition=(total(Kind.USER, write=12, cost=150),))
    second = replace(
        second, composition=(total(Kind.USER, read=12, fresh=12, cost=144), total(Kind.ASSISTANT, fresh=7))
    )
    second = replace(second, cost=Cost(cache_read=12, cache_write=0, input=209, output=0, price=PRICE))
    found = by_node(replace(tree, calls=(first, second)))
    one = found[0]
    assert (one.tokens, one.write, one.read, one.carried, one.first, one.last) == (24, 12, 12, 2, 0, 1)
    assert one.cost == 150 + 12
    assert (found[2].fresh, found[2].cost, found[2].first) == (12, 132, 1)
    assert 3 not in found, "the last answer is in no prompt"


def test_parts_before_others_in_the_providers_order_are_read_first() -> None:
    """A text in the system prompt and one in the messages; one provider reads the messages last, the other first."""
    nodes = (node(Kind.USER, b"a", section="system"), node(Kind.USER, b"b"))
    paid = (total(Kind.USER, read=10, fresh=10, cost=0),)
    for order, (first, last) in ((("system", "messages"), (0, 1)), (("messages", "system"), (1, 0))):
        only = call(0, 1, section_order=order, composition=paid, system=0)
        found = by_node(RunTree(run_id="r", nodes=nodes, calls=(only,), contents={}))
        assert (found[first].read, found[last].read) == (10, 0)


def test_where_all_tokens_are_charged_alike_the_cache_makes_no_part_cheaper() -> None:
    tree = conversation([(Kind.USER, "one"), (Kind.USER, "two"), (Kind.ASSISTANT, "well")], [2])
    (only,) = tree.calls
    paid = Cost(cache_read=0, cache_write=0, input=40, output=0, price=PRICE)
    only = replace(only, composition=(total(Kind.USER, read=20, fresh=20, cost=40),), cost=paid)
    only = replace(only, usage=Usage(input_tokens=50, billed_input_tokens=40))
    found = by_node(replace(tree, calls=(only,)))
    assert (found[0].cost, found[1].cost) == (20, 20)


def test_what_no_part_stands_behind_has_a_row_a_kind() -> None:
    tree = conversation([(Kind.USER, "one"), (Kind.ASSISTANT, "well"), (Kind.ASSISTANT, "so")], [1, 2])
    calls = [
        replace(one, composition=(total(Kind.PROVIDER_OVERHEAD, fresh=5, cost=9), total(Kind.USER, fresh=3, cost=1)))
        for one in tree.calls
    ]
    found = by_node(replace(tree, calls=tuple(calls)))
    overhead = found[None]
    assert (overhead.kind, overhead.tokens, overhead.cost) == (Kind.PROVIDER_OVERHEAD, 10, 18)
    assert (overhead.carried, overhead.first, overhead.last) == (2, 0, 1)


def test_parts_that_only_unpriced_calls_carried_are_unpriced() -> None:
    tree = conversation([(Kind.USER, "one"), (Kind.ASSISTANT, "well")], [1])
    (only,) = tree.calls
    (rent,) = rents(replace(tree, calls=(replace(only, composition=(total(Kind.USER, fresh=9),)),)))
    assert (rent.tokens, rent.cost, rent.unpriced) == (9, None, 1)
