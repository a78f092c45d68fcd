import gzip
import zlib
from collections.abc import Callable

import brotli
import pytest
import zstandard

from llmprof_addon.wire.encodings import Decoder, decode

BODY = b'{"answer": "' + b"a stitch in time saves nine; " * 40 + b'"}'


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


CODINGS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gzip", gzip.compress),
    ("x-gzip", gzip.compress),
    ("deflate", zlib.compress),
    ("deflate", raw_deflate),
    ("br", brotli.compress),
    ("zstd", zstd),
]


@pytest.mark.parametrize(("name", "pack"), CODINGS)
def test_declared_encoding_is_undone(name: str, pack: Callable[[bytes], bytes]) -> None:
    decoded = decode(pack(BODY), name)
    assert decoded.data == BODY
    assert decoded.complete
    assert decoded.warnings == ()


@pytest.mark.parametrize("name", [None, "", "identity", " Identity , "])
def test_plain_body_passes(name: str | None) -> None:
    assert decode(BODY, name).data == BODY
    assert decode(BODY, name).warnings == ()


def test_header_is_case_insensitive() -> None:
    assert decode(gzip.compress(BODY), " GZIP ").data == BODY


def test_stacked_encodings_are_undone_last_first() -> None:
    assert decode(brotli.compress(gzip.compress(BODY)), "gzip, br").data == BODY
    assert decode(zlib.compress(zstd(BODY)), "zstd,identity,deflate").data == BODY


@pytest.mark.parametrize("pack", [gzip.compress, zstd])
def test_undeclared_encoding_is_sniffed(pack: Callable[[bytes], bytes]) -> None:
    decoded = decode(pack(BODY), None)
    assert decoded.data == BODY
    assert "declared was nothing" in decoded.warnings[0]


def test_wrongly_declared_encoding_is_sniffed() -> None:
    decoded = decode(gzip.compress(BODY), "br")
    assert decoded.data == BODY
    assert decoded.warnings == ("decoded as gzip, declared was br",)


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd", "rot13"])
@pytest.mark.parametrize(
    "body",
    [
        BODY,
        b'data: {"x": 1}\n\ndata: [DONE]\n\n',
        b"event: message_start\ndata: {}\n\n",
        b'{"error":"no"}',
        b"<html>",
        b"[1]",
    ],
)
def test_plain_body_under_a_lying_header_is_taken_as_it_is(name: str, body: bytes) -> None:
    decoded = decode(body, name)
    assert decoded.data == body
    assert len(decoded.warnings) == 1
    assert name in decoded.warnings[0]
    assert decoded.complete


def test_members_and_frames_are_joined() -> None:
    assert decode(gzip.compress(b"a" * 99) + b"\0\0" + gzip.compress(BODY) + b"\0", "gzip").data == b"a" * 99 + BODY
    skippable = b"\x50\x2a\x4d\x18\x04\x00\x00\x00abcd"
    assert decode(skippable + zstd(b"one ") + skippable + zstd(BODY), "zstd").data == b"one " + BODY


@pytest.mark.parametrize(("name", "pack"), CODINGS)
def test_truncated_stream_gives_what_is_there(name: str, pack: Callable[[bytes], bytes]) -> None:
    body = b"".join(b'{"n": %d}' % (n * n) for n in range(20_000))
    packed = pack(body)
    decoded = decode(packed[: len(packed) * 2 // 3], name)
    assert not decoded.complete
    assert "ends early" in decoded.warnings[0]
    assert body.startswith(decoded.data)
    assert len(decoded.data) > len(body) // 3


def test_damaged_stream_gives_all_before_the_damage() -> None:
    packer = zlib.compressobj(wbits=31)
    head = packer.compress(BODY) + packer.flush(zlib.Z_SYNC_FLUSH)
    decoded = decode(head + b"\xff" * 100, "gzip")
    assert decoded.data == BODY
    assert not decoded.complete
    assert "damaged" in decoded.warnings[0]


def test_wrong_checksum_keeps_the_data() -> None:
    packed = gzip.compress(BODY)
    decoded = decode(packed[:-8] + b"\0" * 8, "gzip")
    assert decoded.data == BODY
    assert not decoded.complete


def test_bytes_after_the_end_are_ignored() -> None:
    for name, pack in (("gzip", gzip.compress), ("br", brotli.compress), ("zstd", zstd), ("deflate", zlib.compress)):
        packed = pack(BODY + bytes(range(256)))
        decoded = decode(packed + b"garbage", name)
        assert decoded.data == BODY + bytes(range(256)), name
        assert decoded.warnings == (f"bytes after the end of the {name} stream were ignored",)


@pytest.mark.parametrize(("name", "pack"), CODINGS)
def test_bomb_is_cut_at_the_bound(name: str, pack: Callable[[bytes], bytes]) -> None:
    bomb = pack(b"\0" * 20_000_000)
    decoded = decode(bomb, name, max_bytes=1_000_000)
    assert decoded.data == b"\0" * 1_000_000
    assert not decoded.complete
    assert "too large" in decoded.warnings[0]


def test_body_of_exactly_the_bound_is_whole() -> None:
    for name, pack in CODINGS:
        decoded = decode(pack(BODY), name, max_bytes=len(BODY))
        assert decoded.data == BODY
        assert decoded.complete


def test_empty_body_of_a_head_answer() -> None:
    assert decode(b"", "gzip").warnings == ()
    assert decode(b"", "gzip").complete


def test_streamed_events_come_out_as_they_come_in() -> None:
    packer = zlib.compressobj(wbits=31)
    decoder = Decoder("gzip")
    lead = b"x" * 10 + bytes(range(200))
    assert decoder.feed(packer.compress(lead) + packer.flush(zlib.Z_SYNC_FLUSH)) == lead
    assert decoder.feed(packer.compress(b"data: 1\n\n") + packer.flush(zlib.Z_SYNC_FLUSH)) == b"data: 1\n\n"
    assert decoder.flush() == b""
    assert not decoder.complete
