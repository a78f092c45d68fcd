"""Targets of `wire`: content encodings, event streams, JSON; and of what looks for secrets in bytes."""

import json
from collections.abc import Iterator, Sequence
from gzip import compress
from random import Random
from zlib import compress as zlib_compress
from zlib import compressobj, crc32

import brotli  # type: ignore[import-untyped]
import zstandard

from llmprof_addon.errors import WireError
from llmprof_addon.model.secrets import credentials, redact_bytes, redact_json, redact_text, redact_url
from llmprof_addon.wire import eventstream, framing, jsontext, sse
from llmprof_addon.wire.encodings import MAX_DECODED_BYTES, Decoder, decode
from tests.fuzz import mutators, seeds
from tests.fuzz.engine import Target


def pieces(data: bytes) -> Iterator[bytes]:
    """The data in pieces of chance, the same for the same data."""
    random, at = Random(crc32(data)), 0
    size = random.choice((1, 7, 64, 700, 5000)) if len(data) < 20_000 else random.choice((700, 5000))
    while at < len(data):
        step = random.randint(1, 2 * size)
        yield data[at : at + step]
        at += step


def check_encoding(data: bytes) -> None:
    """Whole and in pieces give the same; nothing grows beyond the bound."""
    head, _, body = data.partition(b"\n")
    header = head.decode("latin-1")
    whole = decode(body, header)
    assert len(whole.data) <= MAX_DECODED_BYTES, "larger than the bound"
    decoder = Decoder(header)
    parts = [decoder.feed(piece) for piece in pieces(body)]
    parts.append(decoder.flush())
    assert b"".join(parts) == whole.data, "the pieces give another body"
    assert (decoder.complete, decoder.warnings) == (whole.complete, whole.warnings), "the pieces give other warnings"


def check_sse(data: bytes) -> None:
    """The same events for any pieces and for any line ends."""
    whole, decoder = sse.parse(data), sse.SseDecoder()
    events = [event for piece in pieces(data) for event in decoder.feed(piece)] + decoder.flush()
    assert events == whole, "the pieces give other events"
    if b"\r" not in data:
        assert sse.parse(data.replace(b"\n", b"\r\n")) == whole, "CRLF gives other events"


def check_event_stream(data: bytes) -> None:
    """The same events and errors for any pieces."""
    whole, decoder = eventstream.parse(data), eventstream.EventStreamDecoder()
    events = [event for piece in pieces(data) for event in decoder.feed(piece)] + decoder.flush()
    assert events == whole, "the pieces give other events"


def check_frames(data: bytes) -> None:
    """Whatever frame a body is taken for, it gives events."""
    for kind in (None, "application/x-ndjson", "text/event-stream", "application/json"):
        for asked in (False, True):
            frame = framing.frame_of(data, kind, asked=asked)
            if frame is not None:
                framing.events(data, frame)
                framing.events(framing.behind_gap(data, frame), frame)
    for frame in ("lines", "array"):
        framing.events(data, frame)


def check_json(data: bytes) -> None:
    """A value that can be written again, or a `WireError` with an offset inside the text."""
    try:
        value = jsontext.loads(data)
    except WireError as error:
        assert error.offset is None or 0 <= error.offset <= len(data), "the offset is outside"
        return
    text = json.dumps(value)
    assert json.dumps(jsontext.loads(text)) == text, "read again it is another value"


def check_secrets(data: bytes) -> None:
    """Overwriting once is enough, and leaves JSON what it is."""
    known = ("fake-secret-of-this-call",)
    redacted, _ = redact_bytes(data, known)
    assert redact_bytes(redacted, known)[1] == 0, "a second search finds more"
    text = data.decode("utf-8", "surrogateescape")
    assert redact_text(redact_text(text, known)[0], known)[1] == 0, "a second search of the text finds more"
    redact_url(text, known)
    credentials((("authorization", text), ("cookie", text), ("x-api-key", text)), text)
    try:
        value = jsontext.loads(data)
    except WireError:
        return
    jsontext.loads(redacted)
    redact_json(value, known)


def encoded_seeds(name: bytes) -> Sequence[bytes]:
    """Bodies in one encoding, behind its name; streams of several members among them."""
    bodies = [*(one.response_body for one in seeds.exchanges()[::7]), b"", b"a", bytes(100_000)]
    return [name + b"\n" + one for body in bodies for one in _encoded(name, body)]


def _encoded(name: bytes, body: bytes) -> tuple[bytes, ...]:
    match name:
        case b"gzip":
            return compress(body, 6), compress(body, 1) + compress(b"more") + bytes(3)
        case b"deflate":
            raw = compressobj(wbits=-15)
            return zlib_compress(body), raw.compress(body) + raw.flush()
        case b"br":
            return (bytes(brotli.compress(body, quality=4)),)
        case _:
            return zstandard.compress(body), zstandard.compress(body) + b"\x50\x2a\x4d\x18\x01\0\0\0x"


def _secret_seeds() -> Sequence[bytes]:
    planted = b'{"key": "sk-ant-api03-fake0000fake0000", "n": "a\\nsk-proj-fake0000fake0000fake", "t": "eyJmYWtlZmFrZQ.'
    planted += (
        b'eyJmYWtlZmFrZQ.fake", "u": "https://h/?key=fake-secret-of-this-call", "pem": "-----BEGIN PRIVATE KEY-----'
    )
    planted += b'\\nAAAA\\n-----END PRIVATE KEY-----", "aws": "AKIAFAKEFAKEFAKEFAKE", "g": "ghp_fake0000fake0000fake"}'
    return [planted, b"Basic ZmFrZTpmYWtlZmFrZQ==", *(one.request_body for one in seeds.exchanges()[::5])]


TARGETS = (
    *(
        Target(
            name=name.decode(),
            seeds=lambda name=name: encoded_seeds(name),  # type: ignore[misc]
            mutate=mutators.encoded,
            check=check_encoding,
        )
        for name in (b"gzip", b"deflate", b"br", b"zstd")
    ),
    Target(name="sse", seeds=lambda: seeds.streams(b"data", b"event", b":"), mutate=mutators.lines, check=check_sse),
    Target(name="ndjson", seeds=lambda: seeds.streams(b"{", b"["), mutate=mutators.stream, check=check_frames),
    Target(name="eventstream", seeds=lambda: seeds.streams(b"\0"), mutate=mutators.aws, check=check_event_stream),
    Target(name="json", seeds=lambda: [*seeds.requests("openai.chat")], mutate=mutators.json_, check=check_json),
    Target(name="secrets", seeds=_secret_seeds, mutate=mutators.json_, check=check_secrets),
)
