import gzip
import zlib
from collections.abc import Callable
from dataclasses import replace

import brotli
import pytest
import zstandard

from llmprof_addon.capture.redaction import redact
from llmprof_addon.model.exchange import Exchange
from tests.unit.spool.exchanges import make_exchange

KEY = "opaque-fake-key-0123"


def made(body: bytes, encoding: str | None = None) -> Exchange:
    headers = [("authorization", f"Bearer {KEY}"), ("content-type", "application/json")]
    if encoding:
        headers.append(("content-encoding", encoding))
    return replace(
        make_exchange(),
        url=f"https://api.example/v1/chat/completions?key={KEY}&x=1",
        request_headers=tuple(headers),
        response_headers=(("set-cookie", "id=0123456789abcdef0123"), ("x-echo", f"got {KEY}")),
        request_body=body,
        response_body=f'{{"error": "wrong key {KEY}"}}'.encode(),
        error=f"refused {KEY}",
        tags=(("why", KEY),),
    )


PLAIN = f'{{"text": "my key is {KEY}"}}'.encode()
ENCODERS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gzip", gzip.compress),
    ("deflate", zlib.compress),
    ("br", brotli.compress),
    ("zstd", zstandard.ZstdCompressor().compress),
    ("gzip, br", lambda data: brotli.compress(gzip.compress(data))),
]


def test_every_place_is_searched() -> None:
    redacted = redact(made(PLAIN))
    assert KEY not in repr(redacted)
    assert redacted.url.endswith("x=1")
    assert redacted.redactions == 7


@pytest.mark.parametrize(("name", "encode"), ENCODERS, ids=[name for name, _ in ENCODERS])
def test_an_encoded_request_that_holds_one_is_written_decoded(name: str, encode: Callable[[bytes], bytes]) -> None:
    redacted = redact(made(encode(PLAIN), name))
    assert redacted.request_body == b'{"text": "my key is [redacted]"}'
    assert redacted.header("content-encoding") is None
    clean = encode(b'{"text": "nothing"}')
    kept = redact(made(clean, name))
    assert (kept.request_body, kept.header("content-encoding")) == (clean, name)


def test_an_undeclared_encoding_is_recognised() -> None:
    assert redact(made(gzip.compress(PLAIN))).request_body == b'{"text": "my key is [redacted]"}'


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd", "rot13"])
def test_what_cannot_be_decoded_is_left(encoding: str) -> None:
    body = b"\x00\x01 no such encoding"
    assert redact(made(body, encoding)).request_body == body
