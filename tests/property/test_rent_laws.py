"""Rent: whatever a run looks like, it sums to what the calls paid, and each part has its place's share of each call."""

from collections import defaultdict
from dataclasses import replace
from fractions import Fraction
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from llmprof_addon.attribution.rent import rents
from llmprof_addon.model.component import Kind, KindTotal
from llmprof_addon.model.cost import Cost, Price
from llmprof_addon.model.run_tree import Rent, RunCall, RunNode, RunTree
from llmprof_addon.model.usage import Source, Usage
from llmprof_addon.store.open import open_store
from llmprof_addon.store.queries import runs
from llmprof_addon.store.run_tree import run_tree
from tests.store.building import conversation, exchange, record, schema, text

SECTIONS = ("tools", "system", "messages")
ORDERS = st.sampled_from([SECTIONS, ("system", "tools", "messages")])
KINDS = (Kind.TOOL_SCHEMAS, Kind.SYSTEM, Kind.USER, Kind.TOOL_RESULTS)
NOT_IN_PROMPTS = (Kind.PROVIDER_OVERHEAD, Kind.IMAGES)


def node(at: int, parent: int, section: str, kind: Kind, tokens: int, pictures: int) -> RunNode:
    return RunNode(
        key=at.to_bytes(16),
        parent=parent,
        section=section,
        depth=1,
        kind=kind,
        part_kind="text",
        role="",
        name=None,
        content=bytes(16),
        size=1,
        tokens={"o200k_base": tokens, "cl100k_base": tokens + 3},
        media={Kind.IMAGES: pictures} if pictures else {},
    )


@st.composite
def totals(draw: st.DrawFn) -> tuple[tuple[KindTotal, ...], Cost | None]:
    """What a call's prompt paid by kind: at first what was read, then what was written, then the rest; and its cost."""
    rates = draw(st.none() | st.tuples(*[st.integers(0, 5_000_000)] * 3))
    found = []
    sums = [0, 0, 0]
    for kind in draw(st.lists(st.sampled_from((*KINDS, *NOT_IN_PROMPTS)), unique=True)):
        split = draw(st.tuples(*[st.integers(0, 3_000)] * 3))
        sums = [whole + one for whole, one in zip(sums, split, strict=True)]
        cost = None if rates is None else sum(rate * one for rate, one in zip(rates, split, strict=True))
        read, write, fresh = split
        numbers = {"tokens": sum(split), "read": read, "write": write, "fresh": fresh, "cost": cost}
        found.append(KindTotal(kind=kind, source=Source.REPORTED, **numbers))
    if rates is None:
        return tuple(found), None
    read, write, fresh = (rate * one for rate, one in zip(rates, sums, strict=True))
    return tuple(found), Cost(
        input=fresh, cache_read=read, cache_write=write, output=0, price=Price(source="", model="")
    )


@st.composite
def trees(draw: st.DrawFn) -> RunTree:
    """Any tree, any heads."""
    nodes: list[RunNode] = []
    for at in range(draw(st.integers(0, 25))):
        section = draw(st.sampled_from(SECTIONS))
        above = [other for other, one in enumerate(nodes) if one.section == section]
        parent = draw(st.sampled_from([-1, *above]))
        kind, pictures = draw(st.sampled_from(KINDS)), draw(st.sampled_from([0, 0, 0, 1, 3]))
        nodes.append(node(at, parent, section, kind, draw(st.integers(0, 50)), pictures))
    heads = {
        name: st.sampled_from([-1, *(at for at, one in enumerate(nodes) if one.section == name)]) for name in SECTIONS
    }
    calls = []
    for number in range(draw(st.integers(1, 6))):
        composition, cost = draw(totals())
        calls.append(
            RunCall(
                id=str(number),
                number=number,
                started_ns=number,
                ended_ns=number,
                provider="example",
                api="openai.chat",
                model=None,
                section_order=draw(ORDERS),
                encoding=draw(st.sampled_from(["o200k_base", "cl100k_base"])),
                usage=Usage(),
                cost=cost,
                composition=composition,
                tools=draw(heads["tools"]),
                system=draw(heads["system"]),
                messages=draw(heads["messages"]),
            )
        )
    return RunTree(run_id="r", nodes=tuple(nodes), calls=tuple(calls), contents={})


def laid_out(tree: RunTree) -> dict[tuple[int, Kind], list[Fraction]]:
    """Read, write, fresh and cost of each node and kind in it, by laying each call's prompt out part by part."""
    found: dict[tuple[int, Kind], list[Fraction]] = defaultdict(lambda: [Fraction(0)] * 4)
    for call in tree.calls:
        for total in call.composition:
            path = [at for at in tree.prompt(call) if total.kind in tree.nodes[at].kinds]
            weights = [tree.nodes[at].weight(total.kind, call.encoding) for at in path]
            whole = sum(weights)
            split = (total.read, total.write, total.fresh)
            paid = (call.cost.cache_read, call.cost.cache_write, call.cost.input) if call.cost else (0, 0, 0)
            sums = [sum(getattr(one, name) for one in call.composition) for name in ("read", "write", "fresh")]
            start = Fraction(0)
            for at, weight in zip(path, weights, strict=True) if whole else ():
                end = start + Fraction(weight * total.tokens, whole)
                below = Fraction(0)
                for bucket, tokens in enumerate(split):
                    has = max(Fraction(0), min(end, below + tokens) - max(start, below))
                    below += tokens
                    found[at, total.kind][bucket] += has
                    if tokens:
                        found[at, total.kind][3] += has * paid[bucket] / sums[bucket]
                start = end
    return found


@settings(max_examples=40, deadline=None)
@given(trees())
def test_rents_sum_to_what_the_calls_paid_and_lie_where_it_was_paid(tree: RunTree) -> None:
    found = rents(tree)
    for kind in Kind:
        of_calls = [total for call in tree.calls for total in call.composition if total.kind is kind]
        for name in ("tokens", "read", "write", "fresh", "cost"):
            paid = sum(getattr(total, name) or 0 for total in of_calls)
            assert sum(getattr(rent, name) or 0 for rent in found if rent.kind is kind) == paid, (kind, name)
    exact = laid_out(tree)
    for rent in found:
        assert rent.tokens == rent.read + rent.write + rent.fresh
        assert min(rent.read, rent.write, rent.fresh, rent.cost or 0) >= 0
        if rent.node is not None:
            amounts = exact[rent.node, rent.kind]
            for share, amount in zip((rent.read, rent.write, rent.fresh, rent.cost), amounts, strict=True):
                assert abs((share or 0) - amount) < 1.01 + 3 * len(tree.calls) * (share is rent.cost)


@settings(max_examples=25, deadline=None)
@given(trees())
def test_only_what_is_in_a_prompt_has_rent(tree: RunTree) -> None:
    carrying: dict[int, list[int]] = defaultdict(list)
    for at, call in enumerate(tree.calls):
        for place in tree.prompt(call):
            carrying[place].append(at)
    found = {(rent.node, rent.kind): rent for rent in rents(tree) if rent.node is not None}
    waiting = {at for at, one in enumerate(tree.nodes) if not any(one.tokens.values())}
    assert set(found) == {(at, kind) for at in set(carrying) - waiting for kind in tree.nodes[at].kinds}
    for (place, _), rent in found.items():
        calls = carrying[place]
        unpriced = sum(tree.calls[at].cost is None for at in calls)
        assert (rent.carried, rent.first, rent.last, rent.unpriced) == (len(calls), calls[0], calls[-1], unpriced)
        assert (rent.cost is None) == (unpriced == len(calls))


def stored(order: list[int], sides: list[tuple[tuple[KindTotal, ...], Any]]) -> tuple[tuple[bytes | None, Rent], ...]:
    """The rents of a stored run whose calls came in this order, with the keys of their nodes."""
    turns = list(conversation(len(order)))
    with TemporaryDirectory() as home, open_store(f"sqlite:///{home}/s.db") as store:
        for turn in order:
            messages, answer = turns[turn]
            made = exchange(f"{turn:032x}", at=turn, session="all")
            more = {"tools": [schema("read")], "system": [text("system", "Be kind.")], "cost": sides[turn][1]}
            store.write(replace(record(store, made, messages, answer, **more), composition=sides[turn][0]))
        tree = run_tree(store, next(runs(store)).id)
    assert tree is not None
    return tuple((None if rent.node is None else tree.nodes[rent.node].key, rent) for rent in rents(tree))


@settings(max_examples=6, deadline=None)
@given(st.permutations(range(4)), st.lists(totals(), min_size=4, max_size=4))
def test_the_order_in_which_calls_came_does_not_matter(order: list[int], sides: list[Any]) -> None:
    assert stored(order, sides) == stored(sorted(order), sides)
