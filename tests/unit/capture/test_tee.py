from hypothesis import given
from hypothesis import strategies as st

from llmprof_addon.capture.tee import Tee
from llmprof_addon.model.exchange import KEPT_ENDS

BOUND = 2 * KEPT_ENDS + 1000


def test_chunks_pass_as_they_are_and_the_end_sends_nothing() -> None:
    tee = Tee()
    chunk = b"one"
    assert tee.first_chunk_ns is None
    assert tee(chunk) is chunk
    first = tee.first_chunk_ns
    assert first is not None
    assert tee(b"two") == b"two"
    assert tee(b"") == []
    assert (tee.body(), tee.dropped_bytes, tee.first_chunk_ns) == (b"onetwo", 0, first)


@given(st.lists(st.integers(1, 90_000), max_size=12))
def test_both_ends_of_a_body_that_is_too_long_stay(sizes: list[int]) -> None:
    tee, sent = Tee(BOUND), b""
    for number, size in enumerate(sizes):
        chunk = bytes([number]) * size
        assert tee(chunk) is chunk
        sent += chunk
    body = tee.body()
    assert len(body) + tee.dropped_bytes == tee.size_bytes == len(sent)
    if len(sent) <= BOUND:
        assert body == sent
    else:
        assert body == sent[:KEPT_ENDS] + sent[-KEPT_ENDS:]


def test_it_never_raises() -> None:
    tee = Tee()
    tee._chunks = None  # type: ignore[assignment]  # whatever happens to it
    assert tee(b"x") == b"x"
    assert tee(b"") == []
