"""What holds for every verdict, whatever two prompts are compared."""

from hypothesis import given
from hypothesis import strategies as st

from llmprof_addon.cachedoctor.examine import examine, wasted
from llmprof_addon.model.cache import CacheVerdict, CacheView
from tests.unit.cachedoctor.views import EACH, view

letters = st.text("abcdefgh", max_size=9)


@st.composite
def calls(draw: st.DrawFn) -> tuple[CacheView, CacheView]:
    """A call and the one before it, whose numbers need not fit together."""
    made = []
    for at in (0, draw(st.integers(-3, 90))):
        tools, system, messages = draw(letters), draw(letters), draw(letters)
        total = EACH * len(tools + system + messages)
        read = draw(st.integers(0, total + EACH))
        write = draw(st.integers(0, max(0, total - read)))
        costs = {"write_cost": write * 1250, "fresh_cost": max(0, total - read - write) * 1000, "read_rate": 100}
        made.append(view(tools, system, messages, at=at, read=read, write=write, **costs))
    return made[1], made[0]


@given(calls())
def test_a_verdict_never_claims_more_than_was_paid(pair: tuple[CacheView, CacheView]) -> None:
    call, previous = pair
    found = examine(call, previous)
    assert found is not None
    assert call.input is not None
    assert call.write_cost is not None
    assert call.fresh_cost is not None
    assert 0 <= found.lost <= max(0, call.input - (call.read or 0))
    assert found.wasted is not None
    assert 0 <= found.wasted <= call.write_cost + call.fresh_cost
    assert found.wasted <= found.lost * 1250
    assert (found.cause is None) == (found.status.value in ("hit", "parallel"))


@given(calls(), st.integers(0, 20_000), st.integers(0, 20_000))
def test_more_lost_tokens_never_cost_less(pair: tuple[CacheView, CacheView], one: int, other: int) -> None:
    call, _ = pair
    less, more = (wasted(call, lost) for lost in sorted((one, other)))
    assert less is not None
    assert more is not None
    assert less <= more


@given(calls())
def test_the_same_prompt_that_was_read_is_a_hit(pair: tuple[CacheView, CacheView]) -> None:
    _, previous = pair
    left = (previous.read or 0) + (previous.write or 0)
    found = examine(view(at=1, read=left, input=max(left, 1), write=0), previous)
    assert isinstance(found, CacheVerdict)
    assert found.lost == 0
