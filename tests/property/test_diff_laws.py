"""Every part of two calls is in one entry of their comparison, and the differences sum to those of the calls."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from llmprof_addon.export.alignment import aligned
from llmprof_addon.export.diff import Change, Side, diff
from llmprof_addon.export.diff_tree import Delta, delta_tree
from llmprof_addon.model.part import Part
from tests.factories import make_call, make_part, make_tool
from tests.unit.export.test_diff import side

tools = st.builds(
    make_tool, st.sampled_from(["read", "write", "grep"]), st.sampled_from(["It reads.", "It writes.", "x"])
)
messages = st.builds(
    lambda text, role: make_part(text, role=role),
    st.sampled_from(["Fix it", "Fix it now", "Done", "a b c d", "a b c e", "", "Long text " * 200]),
    st.sampled_from(["user", "assistant"]),
)


def system(text: str) -> Part:
    return make_part(text, role="system", place="system", wrapper=None)


@st.composite
def sides(draw: st.DrawFn) -> Side:
    call = make_call(
        tools=tuple(draw(st.lists(tools, max_size=4))),
        system=tuple(map(system, draw(st.lists(st.sampled_from(["Rules", "Other rules"]), max_size=2)))),
        messages=tuple(draw(st.lists(messages, max_size=9))),
    )
    return side(call, framing=draw(st.integers(0, 50)), price=draw(st.sampled_from([3, None])))


@given(sides(), sides())
def test_differences_sum_to_those_of_the_calls(before: Side, after: Side) -> None:
    compared = diff(before, after)
    totals = [sum(leaf.tokens for leaf in each.leaves) for each in (before, after)]
    assert sum(part.tokens for part in compared.parts) == totals[1] - totals[0]
    costs = [[leaf.cost for leaf in each.leaves] for each in (before, after)]
    if None not in costs[0] + costs[1]:
        paid = [sum(cost or 0 for cost in each) for each in costs]
        assert sum(part.cost or 0 for part in compared.parts) == paid[1] - paid[0]
    assert 0 <= compared.shared_tokens <= totals[1]


@given(sides(), sides())
def test_every_part_is_in_one_entry(before: Side, after: Side) -> None:
    compared = diff(before, after)
    old = sorted(part.before.index for part in compared.parts if part.before and part.before.index is not None)
    new = [part.after.index for part in compared.parts if part.after and part.after.index is not None]
    assert old == list(range(len(before.call.prompt.parts)))
    assert new == list(range(len(after.call.prompt.parts)))
    for part in compared.parts:
        assert (part.before is None) == (part.change is Change.NEW)
        assert (part.after is None) == (part.change is Change.GONE)


@given(sides())
def test_a_call_is_the_same_as_itself(each: Side) -> None:
    compared = diff(each, each)
    assert compared.changed == ()
    assert compared.parting is None
    assert compared.shared_tokens == sum(leaf.tokens for leaf in each.leaves)


@given(sides(), sides())
def test_nodes_of_both_trees_hold_what_is_inside_them(before: Side, after: Side) -> None:
    tree = delta_tree(diff(before, after))
    assert sum(delta.tokens for delta in tree) == sum(leaf.tokens for leaf in after.leaves) - sum(
        leaf.tokens for leaf in before.leaves
    )
    stack: list[Delta] = list(tree)
    while stack:
        delta = stack.pop()
        assert delta.before or delta.after
        assert delta.wide_tokens >= max(each.tokens for each in (delta.before, delta.after) if each)
        assert delta.wide_tokens >= sum(child.wide_tokens for child in delta.children)
        stack += delta.children


@given(st.lists(st.integers(0, 6)), st.lists(st.integers(0, 6)))
def test_alignments_rise_on_both_sides_and_pair_equals(old: list[int], new: list[int]) -> None:
    pairs = aligned(old, new)
    assert all(old[here] == new[there] for here, there in pairs)
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in itertools.pairwise(pairs))


@given(st.lists(st.integers(), unique=True), st.lists(st.integers(), unique=True))
def test_of_distinct_members_the_alignment_is_the_longest(old: list[int], new: list[int]) -> None:
    longest = [[0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for here, mine in enumerate(old):
        for there, theirs in enumerate(new):
            longest[here + 1][there + 1] = (
                longest[here][there] + 1 if mine == theirs else max(longest[here][there + 1], longest[here + 1][there])
            )
    assert len(aligned(old, new)) == longest[-1][-1]
