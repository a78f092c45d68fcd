import gzip
import zlib
from collections.abc import Callable
from dataclasses import replace

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from llmprof_addon.capture.redaction import Clean, redact
from llmprof_addon.model.exchange import Client, Exchange
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
    assert redacted.redactions == 8


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


@pytest.mark.parametrize(("name", "encode"), ENCODERS, ids=[name for name, _ in ENCODERS])
def test_an_encoded_response_of_a_file_that_stays(name: str, encode: Callable[[bytes], bytes]) -> None:
    answered = replace(made(PLAIN), response_body=encode(PLAIN), response_headers=(("content-encoding", name),))
    kept = redact(answered, decodes_response=True)
    assert (kept.response_body, kept.response_headers) == (b'{"text": "my key is [redacted]"}', ())
    clean = replace(answered, response_body=encode(b'{"text": "nothing"}'))
    assert redact(clean, decodes_response=True).response_body == clean.response_body


@pytest.mark.parametrize("encode", [brotli.compress, zstandard.ZstdCompressor().compress], ids=["br", "zstd"])
def test_a_key_that_stands_in_an_encoded_response_as_it_is(encode: Callable[[bytes], bytes]) -> None:
    packed = encode(PLAIN)
    assert KEY.encode() in packed
    headers = (("content-encoding", "br" if encode is brotli.compress else "zstd"),)
    redacted = redact(replace(made(PLAIN), response_body=packed, response_headers=headers))
    assert (redacted.response_body, redacted.response_headers) == (b'{"text": "my key is [redacted]"}', ())


def test_what_is_said_of_the_client_and_percent_encoded() -> None:
    key, pem = "ghp_fake0123456789abcdef", "-----BEGIN%20PRIVATE%20KEY-----%0AMIIfake%0A-----END%20PRIVATE%20KEY-----"
    exchange = replace(
        make_exchange(),
        client=Client(user_agent=f"agent {key}", app=key),
        session=f"s {key}",
        url=f"https://api.example/v1?note={pem}&keep=a%20b",
    )
    redacted = redact(exchange)
    assert redacted.client == Client(user_agent="agent [redacted]", app="[redacted]")
    assert redacted.session == "s [redacted]"
    assert redacted.url == "https://api.example/v1?note=[redacted]&keep=a%20b"


def test_a_key_in_which_an_answer_breaks_off() -> None:
    exchange = make_exchange(outcome="aborted", response_body=b'{"text": "It is npm_fake0123456789')
    assert redact(exchange).response_body == b'{"text": "It is [redacted]'
    assert redact(replace(exchange, outcome="complete")).response_body == exchange.response_body


PIECES = ["word ", '"', "sk-", "fake-0123456789abcdef", "-----BEGIN PRIVATE KEY-----", "\\n", "A" * 12, "eyJ", ".", KEY]
LONG = '{"model": "m", "messages": [' + '"a line of text", ' * 2000


@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=6).map("".join), min_size=1, max_size=4))
def test_what_was_found_clean_hides_nothing(turns: list[str]) -> None:
    clean = Clean()
    for end in range(len(turns) + 1):
        exchange = made((LONG + "".join(turns[:end])).encode())
        assert redact(exchange, clean=clean) == redact(exchange)


def test_what_a_turn_sends_again_is_not_searched_again() -> None:
    clean, body = Clean(), LONG.encode()
    assert clean.bytes_of(body) == 0
    clean.add(body)
    assert clean.bytes_of(body + b'more"') == len(body.rstrip(b", "))
    assert clean.bytes_of(body[:2000] + b"~" + body[2001:]) == body.rindex(b'"', 0, 2000) + 1
    assert clean.bytes_of(b"other" + body) == 0
