"""Law 4 for AWS event streams: any split gives the same events, and damage costs no more than what it touched."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from llmprof_addon.wire.eventstream import DAMAGED, EventStreamDecoder, parse
from llmprof_addon.wire.sse import Event
from tests.factories import aws_message

texts = st.text(max_size=20).filter(lambda text: "[redacted]" not in text)
"""A message with that word is kept although it does not check out: a secret was overwritten in it."""
messages = st.lists(
    st.tuples(st.text("abcXY", min_size=1, max_size=9), st.dictionaries(st.text(max_size=4), texts)),
    max_size=5,
)


def write(items: list[tuple[str, dict[str, str]]]) -> list[bytes]:
    return [aws_message(name, payload) for name, payload in items]


def fed(chunks: list[bytes]) -> list[Event]:
    decoder = EventStreamDecoder()
    return [event for chunk in chunks for event in decoder.feed(chunk)] + decoder.flush()


@given(messages)
@settings(max_examples=15, deadline=None)
def test_every_split_in_two_gives_the_same_events(items: list[tuple[str, dict[str, str]]]) -> None:
    stream = b"".join(write(items))
    whole = parse(stream)
    assert [event.event for event in whole] == [name for name, _ in items]
    for at in range(len(stream) + 1):
        assert fed([stream[:at], stream[at:]]) == whole
    assert fed([bytes([byte]) for byte in stream]) == whole


@given(messages.filter(bool), st.data())
@settings(max_examples=60, deadline=None)
def test_a_corrupted_byte_costs_one_message(items: list[tuple[str, dict[str, str]]], data: st.DataObject) -> None:
    written = write(items)
    hit = data.draw(st.integers(0, len(written) - 1))
    at = data.draw(st.integers(0, len(written[hit]) - 1))
    bad = bytearray(written[hit])
    bad[at] ^= data.draw(st.integers(1, 255))
    stream = b"".join([*written[:hit], bytes(bad), *written[hit + 1 :]])
    *kept, said = parse(stream)
    assert kept == parse(b"".join([*written[:hit], *written[hit + 1 :]]))
    assert said.event == DAMAGED
    assert not said.complete
    cut = data.draw(st.integers(0, len(stream)))
    assert fed([stream[:cut], stream[cut:]]) == [*kept, said]


@given(messages, st.data())
@settings(max_examples=30, deadline=None)
def test_a_cut_stream_gives_what_came_before(items: list[tuple[str, dict[str, str]]], data: st.DataObject) -> None:
    stream = b"".join(write(items))
    events = parse(stream[: data.draw(st.integers(0, len(stream)))])
    kept = [event for event in events if event.event != DAMAGED]
    assert kept == parse(stream)[: len(kept)]


@given(st.binary(max_size=80), st.lists(st.integers(0, 80), max_size=5))
def test_any_bytes_are_the_same_for_any_split(stream: bytes, cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(stream)]
    assert fed([stream[a:b] for a, b in itertools.pairwise(places)]) == parse(stream)
