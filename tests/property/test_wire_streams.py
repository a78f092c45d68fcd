"""Law 4: neither chunk split, content encoding, line ends nor a final blank line change what is read."""

import gzip
import json
import zlib

import brotli
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from llmprof_addon.wire import framing
from llmprof_addon.wire.encodings import Decoder, decode
from llmprof_addon.wire.sse import Event, SseDecoder, parse


def _raw(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def _zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


ENCODERS = [
    ("gzip", gzip.compress),
    ("deflate", zlib.compress),
    ("deflate", _raw),
    ("br", brotli.compress),
    ("zstd", _zstd),
    ("gzip, br", lambda data: brotli.compress(gzip.compress(data))),
    ("zstd, deflate", lambda data: zlib.compress(_zstd(data))),
    ("gzip", lambda data: gzip.compress(data[:7]) + b"\0" + gzip.compress(data[7:])),
    ("zstd", lambda data: _zstd(data[:7]) + _zstd(data[7:])),
    (None, gzip.compress),
    (None, _zstd),
    (None, bytes),
    ("br", bytes),
]

words = st.text(st.characters(blacklist_characters="\r\n\0", blacklist_categories=("Cs",)), max_size=20)
events = st.lists(st.tuples(st.none() | words.filter(bool), st.lists(words, min_size=1, max_size=3)), max_size=6)


def splits(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({cut % (len(data) + 1) for cut in cuts})
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]


def write(items: list[tuple[str | None, list[str]]], end: str, *, blank: bool) -> bytes:
    lines: list[str] = []
    for name, data in items:
        lines += [f"event: {name}"] if name else []
        lines += [": note", *(f"data: {line}" for line in data), ""]
    text = "".join(line + end for line in lines)
    return text.encode() if blank or not items else text[: -2 * len(end)].encode()


def decode_chunks(chunks: list[bytes], name: str | None) -> tuple[bytes, bool, tuple[str, ...]]:
    decoder = Decoder(name)
    data = b"".join([*map(decoder.feed, chunks), decoder.flush()])
    return data, decoder.complete, decoder.warnings


@given(
    events,
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
    st.lists(st.integers(0, 10**6), max_size=12),
    st.booleans(),
)
@settings(deadline=None)
def test_sse_is_the_same_for_any_split_line_end_and_ending(
    items: list[tuple[str | None, list[str]]], end: str, blank: bool, cuts: list[int], mark: bool
) -> None:
    stream = b"\xef\xbb\xbf" * mark + write(items, end, blank=blank)
    expected = [Event(name or "message", "\n".join(data)) for name, data in items]
    assert parse(stream) == expected
    decoder = SseDecoder()
    got = [event for chunk in splits(stream, cuts) for event in decoder.feed(chunk)] + decoder.flush()
    assert got == expected
    assert [event.complete for event in got] == [event.complete for event in parse(stream)]
    assert sum(not event.complete for event in got) == (0 if blank or not items else 1)


@given(st.binary(max_size=60), st.lists(st.integers(0, 10**6), max_size=8))
def test_sse_of_any_bytes_is_the_same_for_any_split(stream: bytes, cuts: list[int]) -> None:
    decoder = SseDecoder()
    got = [event for chunk in splits(stream, cuts) for event in decoder.feed(chunk)] + decoder.flush()
    assert got == parse(stream)


@given(
    st.binary(max_size=300), st.integers(1, 40), st.sampled_from(ENCODERS), st.lists(st.integers(0, 10**6), max_size=12)
)
@settings(deadline=None)
def test_body_is_the_same_for_any_encoding_and_split(
    seed: bytes, times: int, encoder: tuple[str | None, object], cuts: list[int]
) -> None:
    name, pack = encoder
    body = b'{"x": "' + seed * times + b'"}'
    packed = pack(body)  # type: ignore[operator]
    decoded = decode(packed, name)
    assert decoded.data == body
    assert decoded.complete
    assert decode_chunks(splits(packed, cuts), name) == (decoded.data, decoded.complete, decoded.warnings)


@given(
    st.binary(max_size=200),
    st.sampled_from(ENCODERS),
    st.integers(0, 10**6),
    st.binary(max_size=40),
    st.lists(st.integers(0, 10**6), max_size=12),
    st.integers(10, 2000),
)
@settings(deadline=None)
def test_damage_cut_and_bound_are_the_same_for_any_split(
    seed: bytes, encoder: tuple[str | None, object], cut: int, junk: bytes, cuts: list[int], bound: int
) -> None:
    name, pack = encoder
    body = b'{"x": "' + seed * 9 + b'"}'
    packed = pack(body)  # type: ignore[operator]
    broken = packed[: cut % (len(packed) + 1)] + junk
    whole = decode(broken, name, max_bytes=bound)
    decoder = Decoder(name, max_bytes=bound)
    data = b"".join([*map(decoder.feed, splits(broken, cuts)), decoder.flush()])
    assert (data, decoder.complete) == (whole.data, whole.complete)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.lists(st.dictionaries(st.text(max_size=5), json_values, max_size=3), min_size=2, max_size=6),
    st.sampled_from(["sse", "lines", "array"]),
    st.sampled_from([b"\n", b"\r\n"]),
    st.booleans(),
    st.integers(0, 10**6),
)
def test_frames_hold_what_was_framed(
    values: list[object], frame: framing.Frame, end: bytes, last: bool, cut: int
) -> None:
    texts = [json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass") for value in values]
    stream = {
        "sse": b"".join(b"data: " + text + 2 * end for text in texts[:-1]) + b"data: " + texts[-1] + 2 * end * last,
        "lines": end.join(texts) + end * last,
        "array": b"[" + (end + b"," + end).join(texts) + b"]" + end * last,
    }[frame]
    assert framing.frame_of(stream, None, asked=True) == frame
    assert [json.loads(event.data) for event in framing.events(stream, frame)] == values
    whole = [event.data for event in framing.events(stream[: cut % (len(stream) + 1)], frame) if event.complete]
    assert [json.loads(text) for text in whole] == values[: len(whole)]
