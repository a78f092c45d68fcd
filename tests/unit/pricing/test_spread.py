from llmprof_addon.model.component import Kind, Leaf
from llmprof_addon.model.cost import Cost, Price
from llmprof_addon.model.usage import Source, Usage
from llmprof_addon.pricing.spread import spread, spread_answer

PRICE = Price(source="test", model="m")


def leaf(kind: Kind, tokens: int) -> Leaf:
    return Leaf(kind=kind, tokens=tokens, source=Source.COUNTED)


def test_a_leaf_on_the_boundary_is_cut_in_two() -> None:
    leaves = [leaf(Kind.TOOL_SCHEMAS, 60), leaf(Kind.SYSTEM, 60), leaf(Kind.USER, 30)]
    usage = Usage(input_tokens=150, cache_read_input_tokens=100, cache_creation_input_tokens=30)
    paid = Cost(input=20 * 10, cache_read=100 * 1, cache_write=30 * 12, output=0, price=PRICE)
    tools, system, user = spread(leaves, usage, paid)
    assert (tools.read, tools.write, tools.fresh, tools.cost) == (60, 0, 0, 60)
    assert (system.read, system.write, system.fresh, system.cost) == (40, 20, 0, 40 + 240)
    assert (user.read, user.write, user.fresh, user.cost) == (0, 10, 20, 120 + 200)


def test_fees_stand_behind_the_answer_as_a_leaf_of_no_tokens() -> None:
    paid = Cost(input=0, cache_read=0, cache_write=0, output=700, other=11, price=PRICE)
    text, fees = spread_answer([leaf(Kind.TEXT, 7)], Usage(output_tokens=7), paid)
    assert (text.cost, text.fresh) == (700, 7)
    assert (fees.kind, fees.name, fees.tokens, fees.cost) == (Kind.PROVIDER_OVERHEAD, "request fees", 0, 11)


def test_dollars_that_no_leaf_can_carry_are_not_lost() -> None:
    paid = Cost(input=0, cache_read=0, cache_write=0, output=700, price=PRICE)
    (rest,) = spread_answer([], Usage(output_tokens=7), paid)
    assert (rest.kind, rest.cost) == (Kind.UNATTRIBUTED, 700)


def test_what_a_provider_adds_itself_is_free_where_it_says_what_it_charges() -> None:
    leaves = [leaf(Kind.PROVIDER_OVERHEAD, 480), leaf(Kind.SYSTEM, 10), leaf(Kind.USER, 30)]
    usage = Usage(input_tokens=520, cache_read_input_tokens=500, billed_input_tokens=40)
    paid = Cost(input=40 * 3, cache_read=0, cache_write=0, output=0, price=PRICE)
    hidden, system, user = spread(leaves, usage, paid)
    assert (hidden.cost, system.cost, user.cost) == (0, 30, 90)
    assert (hidden.read, system.read, user.read) == (480, 10, 10)
