import itertools
from struct import pack
from zlib import crc32

import pytest

from llmprof_addon.wire.framing import behind_gap, events, frame_of

CHUNKS = ['{"a": "é]},{"}', '{"b": [1, {"c": 2}]}']
BODIES = {
    "sse": "".join(f"data: {chunk}\n\n" for chunk in CHUNKS),
    "lines": "".join(f"{chunk}\n" for chunk in CHUNKS),
    "array": "[" + "\r\n,\r\n".join(CHUNKS) + "\n]\n",
}


@pytest.mark.parametrize("kind", ["", "application/json", "text/event-stream", "application/x-ndjson", None])
@pytest.mark.parametrize("frame", BODIES)
def test_frames_are_known_by_their_looks(frame: str, kind: str | None) -> None:
    body = BODIES[frame].encode()
    assert frame_of(body, kind, asked=True) == frame
    assert [event.data for event in events(body, frame)] == CHUNKS
    assert all(event.complete for event in events(body, frame))


def test_a_byte_order_mark_and_other_line_ends_do_no_harm() -> None:
    for frame, body in BODIES.items():
        odd = b"\xef\xbb\xbf" + body.replace("\n", "\r\n").encode()
        assert frame_of(odd, None, asked=True) == frame
        assert [event.data for event in events(odd, frame)] == CHUNKS


@pytest.mark.parametrize(
    ("body", "kind", "asked", "frame"),
    [
        (b'{"a": 1}', "application/json", True, None),
        (b'{"a": 1}\n', "application/json", False, None),
        (b'{\n "a": {\n  "b": 1\n }\n}\n', "application/json", False, None),
        (b'{"a": 1}', "application/x-ndjson; charset=utf-8", False, "lines"),
        (b'{"a": 1}', "application/stream+json", False, "lines"),
        (b'{"a": ', "application/x-ndjson", False, "lines"),
        (b'{"a": \n{"b": 2}', "", False, None),
        (b'[{"error": {}}]', "application/json", False, None),
        (b"<html>", "text/event-stream", True, None),
        (b"", "text/event-stream", False, "sse"),
        (b"", None, True, None),
        (b"no stream", "text/plain", True, None),
        (b"", "application/vnd.amazon.eventstream", False, "aws"),
        (b'{"message": "denied"}', "application/vnd.amazon.eventstream", False, None),
    ],
)
def test_bytes_decide_before_the_content_type(body: bytes, kind: str | None, asked: bool, frame: str | None) -> None:
    assert frame_of(body, kind, asked=asked) == frame


def test_an_aws_message_is_known_by_the_checksum_of_its_prelude() -> None:
    prelude = pack(">II", 16, 0)
    assert frame_of(prelude + pack(">I", crc32(prelude)), "text/plain") == "aws"
    assert frame_of(prelude + pack(">I", crc32(prelude) ^ 1), "text/plain") is None


@pytest.mark.parametrize("frame", BODIES)
def test_a_cut_stream_gives_what_is_there(frame: str) -> None:
    body = BODIES[frame].encode()
    counts = []
    for end in range(len(body) + 1):
        found = [event.data for event in events(body[:end], frame) if event.complete]
        assert found == CHUNKS[: len(found)]
        counts.append(len(found))
    assert counts == sorted(counts)
    assert counts[-1] == len(CHUNKS)
    assert all(not event.complete for event in itertools.islice(events(body[:-20], frame), 1, None))


def test_a_broken_line_in_the_middle_is_an_event() -> None:
    assert [event.data for event in events(b'{"a": 1}\nnope\n{"b": 2}\n', "lines")] == ['{"a": 1}', "nope", '{"b": 2}']


def test_behind_a_gap_the_next_whole_event_counts() -> None:
    assert events(behind_gap(b'lf"}\n{"b": 2}\n', "lines"), "lines")[0].data == '{"b": 2}'
    assert events(behind_gap(b'lf"}\n\ndata: 2\n\n', "sse"), "sse")[0].data == "2"
    array = b'  "text": "lf"\n  }\n}\n,\n{\n  "b": {\n  }\n}\n]\n'
    assert [event.data for event in events(behind_gap(array, "array"), "array")] == ['{\n  "b": {\n  }\n}']
    assert events(behind_gap(b'  "no": "more"\n', "array"), "array") == []
