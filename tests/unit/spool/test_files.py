import json
from typing import Any

import pytest

from llmprof_addon.errors import SpoolError
from llmprof_addon.spool.files import decode, encode
from tests.unit.spool.exchanges import make_exchange, make_full_exchange


def edited(**fields: Any) -> bytes:
    """A file whose header says something else; `...` takes a field away."""
    line, _, bodies = encode(make_exchange(id="a1")).partition(b"\n")
    header = json.loads(line) | fields
    return json.dumps({key: value for key, value in header.items() if value is not ...}).encode() + b"\n" + bodies


def test_every_field_survives() -> None:
    exchange = make_full_exchange()
    assert decode(encode(exchange)) == exchange
    assert decode(encode(make_exchange(id="x"))) == make_exchange(id="x")


def test_header_is_one_json_line_with_the_documented_fields() -> None:
    line, _, bodies = encode(make_full_exchange()).partition(b"\n")
    header = json.loads(line)
    assert set(header) == {
        *("v", "id", "started_ns", "first_chunk_ns", "ended_ns", "mode", "transport", "outcome", "error", "method"),
        *("url", "request_headers", "response_headers", "status", "client", "tags", "session", "provider"),
        *("request_bytes", "response_bytes", "request_truncated", "response_truncated", "redactions"),
    }
    assert header["v"] == 1
    assert header["client"] == {"app": "example", "user_agent": "example/1", "peer": "127.0.0.1"}
    assert bodies == b"\n\n\x00\xff" + bytes(range(256))
    assert (header["request_bytes"], header["response_bytes"]) == (4, 256)


def test_a_minimal_file_of_another_program() -> None:
    header = {"v": 1, "id": "a", "started_ns": 1, "ended_ns": 2, "mode": "import", "method": "POST", "url": "http://h/"}
    exchange = decode(json.dumps(header | {"request_bytes": 2, "response_bytes": 0}).encode() + b"\n{}")
    assert exchange.request_body == b"{}"
    assert exchange.outcome == "complete"
    assert exchange.status is None


def test_unknown_fields_are_ignored() -> None:
    assert decode(edited(colour="blue")).id == "a1"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no header line"),
        (b"\x00\x01", "no header line"),
        (b"nope\n", "not JSON"),
        (b"[" * 100_000 + b"\n", "not JSON"),
        (b"[]\n", "no version"),
        (b"{}\n", "no version"),
        (edited(v="1"), "version '1'"),
        (edited(v=True), "version True"),
        (edited(id=...), "header lacks id"),
        (edited(url=None), "header lacks url"),
        (edited(id="../../etc/passwd"), "id is '../../etc/passwd'"),
        (edited(id=7), "id is 7"),
        (edited(mode="sideways"), "mode is 'sideways'"),
        (edited(transport=None), "transport is None"),
        (edited(outcome=[]), "outcome is []"),
        (edited(ended_ns=-1), "ended_ns is -1"),
        (edited(ended_ns=1.5), "ended_ns is 1.5"),
        (edited(status="200"), "status is '200'"),
        (edited(error=4), "error is 4"),
        (edited(client="me"), "client is 'me'"),
        (edited(client={"app": 1}), "app is 1"),
        (edited(tags={"a": "b"}), "tags is {'a': 'b'}"),
        (edited(request_headers=[["a"]]), "request_headers is [['a']]"),
        (edited(request_headers=[["a", 1]]), "request_headers is [['a', 1]]"),
        (edited(request_bytes=14), "26 bytes of bodies, its header says 27"),
        (edited() + b"x", "27 bytes of bodies, its header says 26"),
    ],
)
def test_damage_is_one_clear_line(data: bytes, message: str) -> None:
    with pytest.raises(SpoolError) as caught:
        decode(data)
    assert message in caught.value.message
    assert "\n" not in caught.value.message


def test_newer_version_says_what_to_do() -> None:
    with pytest.raises(SpoolError, match="version 2, this llmprof reads up to 1") as caught:
        decode(edited(v=2, id=...))
    assert caught.value.hint == "upgrade llmprof"
