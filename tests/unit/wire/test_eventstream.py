import json
from struct import pack
from zlib import crc32

import pytest

from llmprof_addon.model.secrets import REDACTED
from llmprof_addon.wire.eventstream import DAMAGED, EventStreamDecoder, parse
from llmprof_addon.wire.sse import Event
from tests.factories import aws_message

HELLO = aws_message("contentBlockDelta", {"delta": {"text": "Hé"}})
STOP = aws_message("messageStop", {"stopReason": "end_turn"})


def with_headers(headers: bytes, payload: bytes = b"{}") -> bytes:
    prelude = pack(">II", 16 + len(headers) + len(payload), len(headers))
    message = prelude + pack(">I", crc32(prelude)) + headers + payload
    return message + pack(">I", crc32(message))


def test_messages_become_events() -> None:
    events = parse(HELLO + STOP)
    assert [event.event for event in events] == ["contentBlockDelta", "messageStop"]
    assert json.loads(events[0].data) == {"delta": {"text": "Hé"}}
    assert all(event.complete for event in events)


def test_an_exception_and_an_error_have_their_own_names() -> None:
    thrown = aws_message("throttlingException", {"message": "slow down"}, kind="exception")
    text = b"InternalError", b"it broke"
    failed = with_headers(
        b"\x0d:message-type\x07\x00\x05error"
        + (b"\x0b:error-code\x07" + pack(">H", len(text[0])) + text[0])
        + (b"\x0e:error-message\x07" + pack(">H", len(text[1])) + text[1]),
        b"",
    )
    assert parse(thrown + failed) == [
        Event("throttlingException", '{"message": "slow down"}'),
        Event("InternalError", "it broke"),
    ]


@pytest.mark.parametrize(
    "value", [b"\0", b"\1", b"\2\0", b"\3\0\0", b"\4" + b"\0" * 4, b"\5" + b"\0" * 8, b"\6\0\3abc", b"\7\0\3abc"]
)
def test_headers_of_every_type_are_passed_over(value: bytes) -> None:
    headers = b"\1a" + value + b"\1b\x08" + b"\0" * 8 + b"\1c\x09" + b"\0" * 16 + b"\x0b:event-type\x07\0\4stop"
    assert parse(with_headers(headers)) == [Event("stop", "{}")]


@pytest.mark.parametrize("headers", [b"\x05ab", b"\1a\x2a\0", b"\1a\x07\0", b"\1a\x07\0\x09ab", b"\xff"])
def test_headers_that_end_early_give_an_event_without_a_name(headers: bytes) -> None:
    assert parse(with_headers(headers)) == [Event("message", "{}")]


def test_a_bad_checksum_loses_its_own_message_alone() -> None:
    bad = bytearray(HELLO)
    bad[-5] ^= 1
    first, second, last = parse(STOP + bytes(bad) + HELLO)
    assert (first.event, second.event) == ("messageStop", "contentBlockDelta")
    assert last == Event(DAMAGED, f"event stream: {len(HELLO)} bytes at byte {len(STOP)} do not check out")
    assert not last.complete


def test_a_gap_in_the_middle_keeps_both_ends() -> None:
    whole = HELLO * 5 + STOP
    events = parse(whole[: len(HELLO) + 9] + whole[3 * len(HELLO) + 7 :])
    assert [event.event for event in events] == ["contentBlockDelta", "contentBlockDelta", "messageStop", DAMAGED]


@pytest.mark.parametrize("secret", [b"sk-fake-" + b"0" * 40, b"x"])
def test_a_message_with_an_overwritten_secret_is_kept(secret: bytes) -> None:
    said = aws_message("contentBlockDelta", {"delta": {"text": f"it is {secret.decode()}"}})
    for stream in (said, said + STOP, HELLO + said + HELLO + STOP):
        before = parse(stream)
        after = parse(stream.replace(b"it is " + secret, b"it is " + REDACTED.encode()))
        assert [event.event for event in after] == [event.event for event in before]
        assert [event.data for event in after] == [
            event.data.replace(f"it is {secret.decode()}", f"it is {REDACTED}") for event in before
        ]


def test_a_cut_message_is_said() -> None:
    decoder = EventStreamDecoder()
    assert decoder.feed(HELLO + STOP[:-1])
    assert decoder.complete
    (cut,) = decoder.flush()
    assert cut.event == DAMAGED
    assert not decoder.complete
    assert decoder.errors[0].offset == len(HELLO)


def test_bytes_that_are_no_event_stream() -> None:
    (event,) = parse(b'{"message": "this is JSON, and not short"}')
    assert event.event == DAMAGED
    assert parse(b"") == []
