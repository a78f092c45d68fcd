"""What stands in a column."""

from llmprof_tui.widgets.timeline_stacks import is_cached, kind_of_paint, paint, stack_of, total_of

from llmprof_addon.model.component import Kind, KindTotal
from llmprof_addon.model.usage import Source
from tests.tui.unit.test_call_rows import drawn


def total(kind: Kind, tokens: int, read: int = 0, cost: int | None = None) -> KindTotal:
    return KindTotal(kind=kind, tokens=tokens, read=read, fresh=tokens - read, cost=cost, source=Source.COUNTED)


def test_paints_are_kinds_with_their_cache() -> None:
    paints = {paint(kind, cached=cached) for kind in Kind for cached in (False, True)}
    assert len(paints) == 2 * len(Kind)
    assert all(kind_of_paint(paint(kind, cached=cached)) is kind for kind in Kind for cached in (False, True))
    assert is_cached(paint(Kind.USER, cached=True))
    assert not is_cached(paint(Kind.USER))


def test_what_was_read_from_the_cache_lies_below() -> None:
    call = drawn(1, composition=(total(Kind.USER, 10, 4), total(Kind.SYSTEM, 5, 5), total(Kind.IMAGES, 0)))
    assert stack_of(call, "tokens") == (
        (paint(Kind.SYSTEM, cached=True), 5),
        (paint(Kind.USER, cached=True), 4),
        (paint(Kind.USER), 6),
    )
    assert total_of(call, "tokens") == 15


def test_dollars_of_the_answer_stand_on_top() -> None:
    call = drawn(1, cost=100, composition=(total(Kind.USER, 10, cost=30), total(Kind.SYSTEM, 5, cost=50)))
    assert stack_of(call, "dollars") == ((paint(Kind.SYSTEM), 50), (paint(Kind.USER), 30), (paint(Kind.TEXT), 20))
    assert total_of(call, "dollars") == 100


def test_tokens_of_a_prompt_that_nothing_is_known_of() -> None:
    assert stack_of(drawn(1, input_tokens=7), "tokens") == ((paint(Kind.UNATTRIBUTED), 7),)


def test_what_is_not_known_has_no_height() -> None:
    call = drawn(1, input_tokens=None)
    assert (stack_of(call, "tokens"), total_of(call, "tokens")) == ((), None)
    assert (stack_of(call, "dollars"), total_of(call, "dollars")) == ((), None)
