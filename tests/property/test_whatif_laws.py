"""What-if: without rules nothing changes, rules never add tokens, a perfect cache costs no more, money stays whole."""

from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from llmprof_addon.model.cache import CacheStatus, CacheVerdict
from llmprof_addon.model.call import Call
from llmprof_addon.model.component import Kind, KindTotal
from llmprof_addon.model.run_tree import RunCall, RunNode, RunTree
from llmprof_addon.model.usage import Source, Usage
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.pricing.cost import cost
from llmprof_addon.whatif.ground import ground
from llmprof_addon.whatif.replay import real, replay
from llmprof_addon.whatif.rules import Rules, parse
from tests.factories import STARTED_NS

BOOK = PriceBook()
SECOND = 10**9
SECTIONS = ("tools", "system", "messages")
KINDS = {
    "tools": (Kind.TOOL_SCHEMAS,),
    "system": (Kind.SYSTEM,),
    "messages": (Kind.USER, Kind.ASSISTANT, Kind.TOOL_CALLS, Kind.TOOL_RESULTS, Kind.SYSTEM_INJECTION),
}
PART_KINDS = {Kind.TOOL_SCHEMAS: "tool_schema", Kind.TOOL_CALLS: "tool_call", Kind.TOOL_RESULTS: "tool_result"}
TOOLS = (("", "read"), ("", "write"), ("github", "issues"), ("github", "pulls"))
MODELS = (
    ("anthropic", "anthropic.messages", "claude-sonnet-4-5"),
    ("anthropic", "anthropic.messages", "claude-haiku-4-5"),
    ("openai", "openai.chat", "gpt-4.1"),
    ("openai", "openai.responses", "gpt-5.6-sol"),
    ("gcp.gemini", "gemini.generate_content", "gemini-2.5-pro"),
    ("ollama", "ollama.chat", "llama3"),
)


@st.composite
def nodes(draw: st.DrawFn) -> tuple[RunNode, ...]:
    """A long conversation mostly, with branches."""
    found: list[RunNode] = []
    for at in range(draw(st.integers(1, 30))):
        section = draw(st.sampled_from((*SECTIONS, *["messages"] * 5)))
        above = [other for other, one in enumerate(found) if one.section == section]
        last = above[-1:] * 6
        kind = draw(st.sampled_from(KINDS[section]))
        roles = {Kind.ASSISTANT: "assistant", Kind.TOOL_CALLS: "assistant", Kind.TOOL_RESULTS: "tool"}
        found.append(
            RunNode(
                key=at.to_bytes(16),
                parent=draw(st.sampled_from([*last, -1, *above])) if above else -1,
                section=section,
                depth=1,
                kind=kind,
                part_kind=PART_KINDS.get(kind, "text"),
                role=roles.get(kind, "user"),
                name=None,
                tools=((draw(st.sampled_from(TOOLS)), 1.0),) if kind in PART_KINDS else (),
                content=bytes([draw(st.integers(0, 40))]),
                size=1,
                tokens={"o200k_base": draw(st.integers(1, 900))},
            )
        )
    return tuple(found)


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    """Also those that report nothing, or more cached than there is."""
    if draw(st.integers(0, 9)) == 0:
        return Usage()
    tokens = draw(st.integers(1, 30_000))
    read = draw(st.none() | st.sampled_from([0, tokens, tokens // 2]) | st.integers(0, tokens + 500))
    write = draw(st.none() | st.sampled_from([0, max(0, tokens - (read or 0))]))
    hour = None if write is None else draw(st.sampled_from([None, 0, write]))
    return Usage(
        input_tokens=tokens,
        cache_read_input_tokens=read,
        cache_creation_input_tokens=write,
        cache_creation_1h_input_tokens=hour,
        output_tokens=draw(st.integers(0, 2_000)),
    )


@st.composite
def trees(draw: st.DrawFn) -> RunTree:
    """Any run: several models, lanes, clocks that jump, failures, calls without usage or price."""
    parts = draw(nodes())
    heads = {name: [-1, *(at for at, one in enumerate(parts) if one.section == name)] for name in SECTIONS}
    calls: list[RunCall] = []
    at = STARTED_NS
    few = draw(st.lists(st.sampled_from(MODELS), min_size=1, max_size=2))
    for number in range(draw(st.integers(1, 8))):
        at += draw(st.sampled_from([-5, 0, 20, 200, 400, 4000])) * SECOND
        provider, api, model = draw(st.sampled_from(few))
        usage = draw(usages())
        asked = Call(provider=provider, api=api, request_model=model, price_provider=VENDORS.get(provider))
        priced = draw(st.integers(0, 5)) > 0
        markers = st.sampled_from([(), (None,), ("1h",), ("1h", None), ("5m", "5m")])
        weights = {kind: draw(st.integers(0, 3)) for kind in (Kind.SYSTEM, Kind.TOOL_RESULTS, Kind.USER)}
        status = draw(st.none() | st.sampled_from(CacheStatus))
        calls.append(
            RunCall(
                id=str(number),
                number=number,
                lane=draw(st.sampled_from(["main", "other"])),
                predecessor=draw(st.none() | st.integers(0, number - 1)) if number else None,
                started_ns=at,
                first_chunk_ns=draw(st.sampled_from([None, at + SECOND])),
                ended_ns=at + 2 * SECOND,
                provider=provider,
                api=api,
                model=model,
                failed=usage.input_tokens is None,
                section_order=SECTIONS,
                encoding="o200k_base",
                tools=draw(st.sampled_from(heads["tools"][-3:])),
                system=draw(st.sampled_from(heads["system"][-3:])),
                messages=draw(st.sampled_from(heads["messages"][-3:])),
                usage=usage,
                context_window=draw(st.sampled_from([None, 1_000, 200_000])),
                cost=cost(usage, BOOK.rates(asked, usage, at), status=200) if priced else None,
                composition=composition(usage, weights),
                cache=CacheVerdict(status=status) if status else None,
                cache_ttls=draw(markers) if "claude" in model else (),
            )
        )
    return RunTree(run_id="r", nodes=parts, calls=tuple(calls), contents={})


VENDORS = {"anthropic": "anthropic", "openai": "openai", "gcp.gemini": "google"}


def composition(usage: Usage, weights: dict[Kind, int]) -> tuple[KindTotal, ...]:
    """Kinds that sum to the input."""
    left = usage.input_tokens or 0
    found = []
    for kind, weight in weights.items():
        tokens = left * weight // 4
        left -= tokens
        found.append(KindTotal(kind=kind, tokens=tokens, source=Source.ESTIMATED))
    found.append(KindTotal(kind=Kind.PROVIDER_OVERHEAD, tokens=left, source=Source.ESTIMATED))
    return tuple(found)


rules = st.builds(
    Rules,
    model=st.none() | st.sampled_from(["claude-opus-4-1", "gpt-4.1-mini", "gpt-5.6-luna", "gemini-2.5-flash"]),
    with_results=st.just(False),
    cap_results=st.none() | st.integers(1, 500),
    clear_results=st.none() | st.integers(1, 4),
    ttl=st.sampled_from([None, "5m", "1h"]),
    perfect_cache=st.booleans(),
    compact=st.none() | st.integers(1, 100),
    summary=st.integers(1, 5_000),
)


def has(tree: RunTree, name: str) -> bool:
    return any(node.kind is Kind.TOOL_SCHEMAS and (("", name), 1.0) in node.tools for node in tree.nodes)


@given(trees())
def test_without_rules_every_number_is_the_stored_one(tree: RunTree) -> None:
    base = ground(tree)
    found, was = replay(base, Rules(), BOOK), real(base)
    assert found.calls == was.calls
    assert (found.total, found.lanes) == (was.total, was.lanes)
    for one, call in zip(found.calls, tree.calls, strict=True):
        assert (one.input, one.cost) == (call.usage.input_tokens, call.cost)
        assert not one.is_changed


@given(trees(), st.integers(1, 500), st.integers(1, 4), st.booleans())
def test_rules_that_take_away_never_add_tokens(tree: RunTree, most: int, turns: int, with_results: bool) -> None:
    base = ground(tree)
    dropping = Rules(drop_tools=("read",), with_results=with_results)
    scenarios = [Rules(cap_results=most), Rules(clear_results=turns), *([dropping] if has(tree, "read") else [])]
    for scenario in scenarios:
        for one, call in zip(replay(base, scenario, BOOK).calls, tree.calls, strict=True):
            assert (one.input or 0) <= (call.usage.input_tokens or 0)


@given(trees(), st.lists(st.integers(1, 900), min_size=2, max_size=4))
def test_a_larger_cap_never_means_fewer_tokens(tree: RunTree, caps: list[int]) -> None:
    base = ground(tree)
    for less, more in pairwise(sorted(caps)):
        pair = [replay(base, Rules(cap_results=cap), BOOK).calls for cap in (less, more)]
        assert all((one.input or 0) <= (other.input or 0) for one, other in zip(*pair, strict=True))


@given(trees())
def test_a_perfect_cache_costs_no_more(tree: RunTree) -> None:
    base = ground(tree)
    was, found = real(base).total, replay(base, Rules(perfect_cache=True), BOOK).total
    assert (found.cost or 0) <= (was.cost or 0)
    assert found.input == was.input
    assert found.read >= was.read


@given(trees(), rules)
def test_whatever_the_rules_numbers_are_whole_and_within_their_sums(tree: RunTree, rules: Rules) -> None:
    found = replay(ground(tree), rules, BOOK)
    for one in found.calls:
        if one.input is not None:
            assert 0 <= one.read <= one.input
            assert 0 <= one.write <= one.input - one.read
        if one.cost is not None:
            buckets = (one.cost.input, one.cost.cache_read, one.cost.cache_write, one.cost.output, one.cost.other)
            assert all(type(amount) is int and amount >= 0 for amount in buckets)
    assert found.total.cost == (
        sum(one.cost.total for one in found.calls if one.cost) if found.total.cost else found.total.cost
    )
    assert sum(lane.calls for _, lane in found.lanes) == found.total.calls == len(tree.calls) + found.total.added
    if rules.model is None:
        unpriced = [call.cost is None for call in tree.calls]
        assert [one.cost is None for one in found.calls if not one.is_added] == unpriced


@given(trees())
def test_a_lifetime_changes_only_money_where_gaps_are_short(tree: RunTree) -> None:
    """An hour and back to five minutes is where it began, for calls that follow one another closely."""
    calls = tuple(
        replace(
            call,
            started_ns=STARTED_NS + at * 30 * SECOND,
            first_chunk_ns=STARTED_NS + at * 30 * SECOND + SECOND,
            cache_ttls=(None,) if "claude" in (call.model or "") else (),
            usage=replace(
                call.usage, cache_creation_1h_input_tokens=0 if call.usage.cache_creation_input_tokens else None
            ),
        )
        for at, call in enumerate(tree.calls)
    )
    base = ground(replace(tree, calls=calls))
    short, hour = replay(base, Rules(ttl="5m"), BOOK), replay(base, Rules(ttl="1h"), BOOK)
    was = real(base)
    assert [(one.input, one.read, one.write) for one in hour.calls] == [
        (one.input, one.read, one.write) for one in was.calls
    ]
    assert [(one.input, one.read, one.write) for one in short.calls] == [
        (one.input, one.read, one.write) for one in was.calls
    ]


@given(rules)
def test_a_scenario_reads_as_it_is_written(rules: Rules) -> None:
    written = replace(rules, summary=rules.summary if rules.compact is not None else Rules().summary)
    if written != Rules():
        assert parse(written.label) == written
