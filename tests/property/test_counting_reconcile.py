"""Law 2: where input is reported, the leaves sum to it, whatever the estimate was."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from llmprof_addon.counting.reconcile import HIDDEN, reconcile
from llmprof_addon.model.component import Kind, Leaf
from llmprof_addon.model.usage import Source

LEAF = st.builds(
    Leaf,
    kind=st.sampled_from([kind for kind in Kind if kind is not Kind.ELIDED]),
    name=st.sampled_from(["", "a", "b"]),
    tokens=st.integers(0, 5000) | st.integers(0, 10**9),
    source=st.sampled_from([Source.COUNTED, Source.ESTIMATED]),
    part=st.none() | st.integers(0, 30),
    scalable=st.booleans(),
    guessed=st.booleans(),
)
LEAVES = st.lists(LEAF, max_size=30)
REPORTED = st.integers(1, 5000) | st.integers(1, 10**9)
SLACK = st.floats(0, 2)
ELIDED = Leaf(kind=Kind.ELIDED, tokens=0, source=Source.ESTIMATED, scalable=False)


def by_kind(leaves: tuple[Leaf, ...] | list[Leaf]) -> Counter[Kind]:
    totals: Counter[Kind] = Counter()
    for leaf in leaves:
        totals[leaf.kind] += leaf.tokens
    return totals


def own(leaves: tuple[Leaf, ...], before: list[Leaf]) -> tuple[Leaf, ...]:
    """The leaves that were there before, without a hidden one put in front."""
    return leaves[len(leaves) - len(before) :]


@given(LEAVES, REPORTED, SLACK)
def test_the_leaves_sum_to_what_was_reported_and_none_is_negative(
    leaves: list[Leaf], reported: int, slack: float
) -> None:
    after = reconcile(leaves, reported, slack)
    assert sum(leaf.tokens for leaf in after) == reported
    assert all(leaf.tokens >= 0 for leaf in after)


@given(LEAVES, REPORTED, SLACK)
def test_leaves_keep_their_order_and_identity(leaves: list[Leaf], reported: int, slack: float) -> None:
    after = reconcile(leaves, reported, slack)
    assert len(after) - len(leaves) in (0, 1)
    if len(after) > len(leaves):
        assert (after[0].kind, after[0].name, after[0].part) == (Kind.PROVIDER_OVERHEAD, HIDDEN, None)
    for leaf, was in zip(own(after, leaves), leaves, strict=True):
        assert (leaf.kind, leaf.name, leaf.part, leaf.scalable) == (was.kind, was.name, was.part, was.scalable)


@given(LEAVES, REPORTED, SLACK)
def test_a_changed_leaf_says_that_it_is_estimated(leaves: list[Leaf], reported: int, slack: float) -> None:
    for leaf, was in zip(own(reconcile(leaves, reported, slack), leaves), leaves, strict=True):
        if leaf.tokens != was.tokens:
            assert leaf.source is Source.ESTIMATED


@given(LEAVES, REPORTED, SLACK)
def test_only_estimated_text_grows_and_only_within_the_slack(leaves: list[Leaf], reported: int, slack: float) -> None:
    before = sum(leaf.tokens for leaf in leaves)
    after = reconcile(leaves, reported, slack)
    for leaf, was in zip(own(after, leaves), leaves, strict=True):
        if leaf.tokens > was.tokens:
            assert before < reported
            assert was.source is Source.ESTIMATED
            assert was.scalable or was.guessed
            # Two levels of rounding up.
            assert was.guessed or leaf.tokens <= was.tokens * (1 + slack) + 2
    pairs = list(zip(own(after, leaves), leaves, strict=True))
    grown = sum(leaf.tokens - was.tokens for leaf, was in pairs if not was.guessed)
    assert grown <= slack * sum(leaf.tokens for leaf in leaves if leaf.scalable) + 1e-6


@given(LEAVES, REPORTED, SLACK)
def test_counted_leaves_shrink_only_when_framing_and_estimates_are_gone(
    leaves: list[Leaf], reported: int, slack: float
) -> None:
    after = own(reconcile(leaves, reported, slack), leaves)
    counted = [
        (leaf, was)
        for leaf, was in zip(after, leaves, strict=True)
        if was.source is Source.COUNTED and was.kind is not Kind.PROVIDER_OVERHEAD
    ]
    if any(leaf.tokens != was.tokens for leaf, was in counted):
        others = [
            leaf.tokens
            for leaf, was in zip(after, leaves, strict=True)
            if was.source is Source.ESTIMATED or was.kind is Kind.PROVIDER_OVERHEAD
        ]
        assert sum(others) == 0
        assert all(leaf.source is Source.ESTIMATED for leaf in after)


@given(LEAVES, REPORTED, SLACK)
def test_framing_shrinks_before_anything_else(leaves: list[Leaf], reported: int, slack: float) -> None:
    after = own(reconcile(leaves, reported, slack), leaves)
    pairs = list(zip(after, leaves, strict=True))
    if any(leaf.tokens < was.tokens for leaf, was in pairs if was.kind is not Kind.PROVIDER_OVERHEAD):
        assert all(leaf.tokens == 0 for leaf, was in pairs if was.kind is Kind.PROVIDER_OVERHEAD)


@given(LEAVES, REPORTED, SLACK)
def test_the_totals_by_kind_do_not_depend_on_how_a_kind_is_cut_into_leaves(
    leaves: list[Leaf], reported: int, slack: float
) -> None:
    halves = [
        Leaf(
            kind=leaf.kind,
            name=leaf.name,
            tokens=tokens,
            source=leaf.source,
            scalable=leaf.scalable,
            guessed=leaf.guessed,
        )
        for leaf in leaves
        for tokens in (leaf.tokens // 2, leaf.tokens - leaf.tokens // 2)
    ]
    assert by_kind(reconcile(halves, reported, slack)) == by_kind(reconcile(leaves, reported, slack))


@given(LEAVES, SLACK)
def test_an_estimate_that_is_right_is_left_alone(leaves: list[Leaf], slack: float) -> None:
    assert reconcile(leaves, sum(leaf.tokens for leaf in leaves), slack) == tuple(leaves)


@given(LEAVES, SLACK, st.sampled_from([None, 0]))
def test_without_a_report_nothing_changes(leaves: list[Leaf], slack: float, reported: int | None) -> None:
    assert reconcile(leaves, reported, slack) == tuple(leaves)


@given(LEAVES, REPORTED, SLACK)
def test_an_elided_leaf_takes_all_that_is_missing(leaves: list[Leaf], reported: int, slack: float) -> None:
    before = sum(leaf.tokens for leaf in leaves)
    after = reconcile([ELIDED, *leaves], reported, slack)
    assert sum(leaf.tokens for leaf in after) == reported
    assert after[0].tokens == max(0, reported - before)
    if reported >= before:
        assert after[1:] == tuple(leaves)
