import pytest

from llmprof_addon.wire.sse import Event, SseDecoder, parse


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: a\n\n", [Event(data="a")]),
        (b"data:a\n\n", [Event(data="a")]),
        (b"data:  a\n\n", [Event(data=" a")]),
        (b"data: a\ndata:\ndata: b\n\n", [Event(data="a\n\nb")]),
        (b"data\n\n", [Event(data="")]),
        (b"data: a\r\n\r\ndata: b\r\rdata: c\n\n", [Event(data="a"), Event(data="b"), Event(data="c")]),
        (b"\xef\xbb\xbfdata: a\n\n", [Event(data="a")]),
        (b"\n\n\n: a comment\ndata: a\n\n\n\n", [Event(data="a")]),
        (b"event: ping\n\ndata: a\n\n", [Event(data="a")]),
        (b"event: x\ndata: a\n\ndata: b\n\n", [Event("x", "a"), Event(data="b")]),
        (
            b"id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n",
            [Event(data="a", id="1"), Event(data="b", id="1"), Event(data="c", id="")],
        ),
        (b"id: 1\0\ndata: a\n\n", [Event(data="a")]),
        (b"retry: 250\ndata: a\n\nretry: x\ndata: b\n\n", [Event(data="a", retry=250), Event(data="b")]),
        (b"other: 1\ndata: a: b\n\n", [Event(data="a: b")]),
        (b" data: a\n\n", []),
        (b"data: \xff\xc3\n\n", [Event(data="\ufffd\ufffd")]),
        (b"", []),
    ],
)
def test_rules(stream: bytes, events: list[Event]) -> None:
    assert parse(stream) == events
    assert all(event.complete for event in parse(stream))


@pytest.mark.parametrize("end", [b"", b"\n", b"\r", b"\r\n"])
def test_missing_blank_line_gives_the_event_marked(end: bytes) -> None:
    first, last = parse(b"data: a\n\nevent: e\ndata: b" + end)
    assert first.complete
    assert last == Event("e", "b")
    assert not last.complete


def test_cut_inside_a_character_and_a_field_name() -> None:
    (event,) = parse("data: né".encode()[:-1])
    assert event == Event(data="n\ufffd")
    assert parse(b"data: a\nda") == [Event(data="a")]
    assert parse(b"event: only\n") == []


def test_events_come_as_soon_as_their_blank_line() -> None:
    decoder = SseDecoder()
    assert decoder.feed(b"data: a\r\n\r") == [Event(data="a")]
    assert decoder.feed(b"\ndata: b") == []
    assert decoder.feed(b"\n\n") == [Event(data="b")]
    assert decoder.flush() == []


def test_a_long_line_in_small_chunks_takes_linear_time() -> None:
    decoder = SseDecoder()
    for _ in range(200_000):
        assert decoder.feed(b"data:xxxxxxxxxx") == []
    assert len(decoder.feed(b"\n\n")) == 1
