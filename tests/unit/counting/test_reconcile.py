from llmprof_addon.counting.reconcile import HIDDEN, reconcile
from llmprof_addon.model.component import Kind, Leaf
from llmprof_addon.model.usage import Source

PREAMBLE = Leaf(kind=Kind.PROVIDER_OVERHEAD, name="tool preamble", tokens=300, source=Source.ESTIMATED, scalable=False)
SYSTEM = Leaf(kind=Kind.SYSTEM, tokens=1000, source=Source.ESTIMATED, part=0)
USER = Leaf(kind=Kind.USER, tokens=500, source=Source.ESTIMATED, part=1)
IMAGE = Leaf(kind=Kind.IMAGES, tokens=400, source=Source.ESTIMATED, part=2, scalable=False)
LINK = Leaf(kind=Kind.IMAGES, tokens=1000, source=Source.ESTIMATED, part=3, scalable=False, guessed=True)
COUNTED = Leaf(kind=Kind.USER, tokens=500, source=Source.COUNTED, part=1)


def tokens(leaves: tuple[Leaf, ...]) -> list[int]:
    return [leaf.tokens for leaf in leaves]


def test_estimated_text_grows_first_and_media_stay() -> None:
    assert tokens(reconcile([PREAMBLE, SYSTEM, USER, IMAGE], 2350, 0.25)) == [300, 1100, 550, 400]


def test_beyond_the_slack_the_rest_is_hidden_overhead_in_front() -> None:
    leaves = reconcile([PREAMBLE, SYSTEM, USER, IMAGE], 3200, 0.1)
    assert tokens(leaves) == [850, 300, 1100, 550, 400]
    assert (leaves[0].kind, leaves[0].name) == (Kind.PROVIDER_OVERHEAD, HIDDEN)


def test_counted_text_never_grows() -> None:
    leaves = reconcile([COUNTED], 600, 0.5)
    assert tokens(leaves) == [100, 500]
    assert leaves[1] == COUNTED


def test_the_preamble_shrinks_before_the_text() -> None:
    leaves = reconcile([PREAMBLE, SYSTEM, USER], 1700, 0.25)
    assert tokens(leaves) == [200, 1000, 500]
    assert tokens(reconcile([PREAMBLE, SYSTEM, USER], 1200, 0.25)) == [0, 800, 400]


def test_a_part_of_unknown_size_gives_way_before_the_text() -> None:
    assert tokens(reconcile([PREAMBLE, SYSTEM, LINK, IMAGE], 1500, 0.25)) == [0, 1000, 100, 400]
    assert tokens(reconcile([PREAMBLE, SYSTEM, LINK, IMAGE], 700, 0.25)) == [0, 500, 0, 200]


def test_a_part_of_unknown_size_takes_what_is_missing() -> None:
    assert tokens(reconcile([COUNTED, LINK], 2300, 0.25)) == [500, 1800]
    assert tokens(reconcile([PREAMBLE, SYSTEM, LINK, IMAGE], 5000, 0.25)) == [300, 1250, 3050, 400]


def test_estimates_shrink_before_counted_text() -> None:
    leaves = reconcile([COUNTED, IMAGE], 600, 0)
    assert tokens(leaves) == [500, 100]
    assert leaves[0].source is Source.COUNTED


def test_when_even_counted_text_is_too_much_all_leaves_are_estimates() -> None:
    leaves = reconcile([COUNTED, IMAGE], 250, 0)
    assert tokens(leaves) == [250, 0]
    assert {leaf.source for leaf in leaves} == {Source.ESTIMATED}


def test_a_prompt_without_leaves_is_all_hidden() -> None:
    assert tokens(reconcile([], 7, 0.5)) == [7]


def test_no_report_no_change() -> None:
    assert reconcile([SYSTEM], None, 0.5) == (SYSTEM,)
    assert reconcile([SYSTEM], 0, 0.5) == (SYSTEM,)
