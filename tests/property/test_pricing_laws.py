"""Laws 2 and 3 at the level of leaves: reads, writes, fresh tokens and dollars of the leaves sum to the call's."""

from hypothesis import given
from hypothesis import strategies as st

from llmprof_addon.export.bill import bill
from llmprof_addon.model.component import Kind, Leaf
from llmprof_addon.model.cost import Price
from llmprof_addon.model.usage import Source, Usage
from llmprof_addon.pricing.cost import Rates, cache_split, cost
from llmprof_addon.pricing.spread import spread, spread_answer

tokens = st.integers(0, 300_000)
rate = st.integers(0, 10**9)
optional_rate = st.none() | rate
rates = st.builds(
    Rates,
    price=st.just(Price(source="test", model="m")),
    input=rate,
    output=rate,
    cache_read=optional_rate,
    cache_write_5m=optional_rate,
    cache_write_1h=optional_rate,
    modalities=st.just(()) | st.tuples(st.tuples(st.just("input_audio"), rate)),
    fees=st.just((("web_search", 10**10),)),
)


@st.composite
def calls(draw: st.DrawFn) -> tuple[tuple[Leaf, ...], Usage]:
    kinds = st.sampled_from([Kind.SYSTEM, Kind.USER, Kind.TOOL_RESULTS, Kind.PROVIDER_OVERHEAD])
    leaf = st.builds(Leaf, kind=kinds, tokens=tokens, source=st.just(Source.ESTIMATED))
    leaves = tuple(draw(st.lists(leaf, max_size=12)))
    total = sum(each.tokens for each in leaves)
    read = draw(st.integers(0, total))
    write = draw(st.integers(0, total - read))
    usage = Usage(
        input_tokens=total,
        cache_read_input_tokens=draw(st.sampled_from([read, None])),
        cache_creation_input_tokens=write,
        cache_creation_1h_input_tokens=draw(st.none() | st.integers(0, write)),
        output_tokens=draw(tokens),
        by_modality=(("input_audio", draw(tokens)),),
        server_tool_requests=(("web_search", draw(st.integers(0, 3))),),
    )
    return leaves, usage


@given(calls(), rates)
def test_the_leaves_sum_to_the_call_in_every_bucket(made: tuple[tuple[Leaf, ...], Usage], prices: Rates) -> None:
    leaves, usage = made
    paid = cost(usage, prices)
    assert paid is not None
    placed = spread(leaves, usage, paid)
    split = cache_split(usage)
    assert sum(leaf.read for leaf in placed) == split.read
    assert sum(leaf.write for leaf in placed) == split.write
    assert sum(leaf.fresh for leaf in placed) == split.fresh
    assert sum(leaf.cost or 0 for leaf in placed) == paid.input + paid.cache_read + paid.cache_write
    for before, after in zip(leaves, placed, strict=False):
        assert after.tokens == before.tokens == after.read + after.write + after.fresh
        assert min(after.read, after.write, after.fresh, after.cost or 0) >= 0


@given(calls(), rates)
def test_what_is_charged_sums_to_the_call_and_to_its_cost(made: tuple[tuple[Leaf, ...], Usage], prices: Rates) -> None:
    _, usage = made
    paid = cost(usage, prices)
    assert paid is not None
    charged = bill(usage, paid)
    assert sum(charge.amount or 0 for charge in charged) == paid.total
    tokens = [charge for charge in charged if charge.bucket != "other"]
    assert sum(charge.units for charge in tokens) == (usage.input_tokens or 0) + (usage.output_tokens or 0)
    assert all(charge.units >= 0 and charge.rate is not None for charge in tokens)


@given(calls(), rates)
def test_the_boundary_runs_through_the_leaves_in_order(made: tuple[tuple[Leaf, ...], Usage], prices: Rates) -> None:
    """Nothing is read behind the first token that was not, and nothing written behind the first fresh one."""
    leaves, usage = made
    order = {"read": 0, "write": 1, "fresh": 2}
    seen = [
        order[bucket]
        for leaf in spread(leaves, usage, cost(usage, prices))
        for bucket in order
        if getattr(leaf, bucket)
    ]
    assert seen == sorted(seen)


@given(calls(), rates)
def test_the_answers_leaves_sum_to_its_cost_and_fees(made: tuple[tuple[Leaf, ...], Usage], prices: Rates) -> None:
    leaves, usage = made
    paid = cost(usage, prices)
    assert paid is not None
    assert sum(leaf.cost or 0 for leaf in spread_answer(leaves, usage, paid)) == paid.output + paid.other


@given(calls())
def test_without_a_price_tokens_are_laid_out_and_costs_unknown(made: tuple[tuple[Leaf, ...], Usage]) -> None:
    leaves, usage = made
    placed = spread(leaves, usage, None) + spread_answer(leaves, usage, None)
    assert all(leaf.cost is None for leaf in placed)
    assert all(leaf.tokens == leaf.read + leaf.write + leaf.fresh for leaf in placed)
