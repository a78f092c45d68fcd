"""An exchange as one file and back: a line of JSON, then both bodies as they were on the wire.

Other programs read and write these files: fields are only ever added, unknown ones are ignored, and what is
damaged or newer is refused with one clear line.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from llmprof_addon.errors import SpoolError
from llmprof_addon.model.exchange import Client, Exchange, Headers

VERSION = 1
SUFFIX = ".exchange"

_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,127}")
_CHOICES = {
    "mode": ("reverse", "forward", "import"),
    "transport": ("http", "sse", "websocket"),
    "outcome": ("complete", "aborted", "error"),
}
_REQUIRED = ("id", "started_ns", "ended_ns", "mode", "method", "url", "request_bytes", "response_bytes")
_COUNTS = ("started_ns", "ended_ns", "request_truncated", "response_truncated", "redactions")
_TEXTS = ("method", "url")
_MAYBE_COUNTS = ("first_chunk_ns", "status")
_MAYBE_TEXTS = ("error", "session", "provider")
_PAIRS = ("request_headers", "response_headers", "tags")
_BEYOND = 2**63
"""Of every count and time: databases take integers of 64 bits."""


def encode(exchange: Exchange) -> bytes:
    """The file of an exchange."""
    return b"".join((header(exchange), exchange.request_body, exchange.response_body))


def header(exchange: Exchange) -> bytes:
    """The first line of the file, its line end included."""
    client = exchange.client
    fields = {
        "v": VERSION,
        "id": exchange.id,
        "started_ns": exchange.started_ns,
        "first_chunk_ns": exchange.first_chunk_ns,
        "ended_ns": exchange.ended_ns,
        "mode": exchange.mode,
        "transport": exchange.transport,
        "outcome": exchange.outcome,
        "error": exchange.error,
        "method": exchange.method,
        "url": exchange.url,
        "request_headers": exchange.request_headers,
        "response_headers": exchange.response_headers,
        "status": exchange.status,
        "client": {"app": client.app, "user_agent": client.user_agent, "peer": client.peer},
        "tags": exchange.tags,
        "session": exchange.session,
        "provider": exchange.provider,
        "request_bytes": len(exchange.request_body),
        "response_bytes": len(exchange.response_body),
        "request_truncated": exchange.request_truncated,
        "response_truncated": exchange.response_truncated,
        "redactions": exchange.redactions,
    }
    # ASCII only: headers may hold bytes that are no UTF-8, as surrogates, which only escapes can carry.
    return json.dumps(fields, separators=(",", ":")).encode() + b"\n"


def decode(data: bytes) -> Exchange:
    """The exchange of a file. Raises `SpoolError` where the file is damaged, cut, or of a newer version."""
    end = data.find(b"\n")
    if end < 0:
        raise SpoolError("not an exchange file: it has no header line")
    fields = _fields(data[:end])
    sizes = [_count(fields, name) for name in ("request_bytes", "response_bytes")]
    bodies = data[end + 1 :]
    if len(bodies) != sum(sizes):
        raise SpoolError(f"damaged exchange file: {len(bodies)} bytes of bodies, its header says {sum(sizes)}")
    values: dict[str, Any] = {name: fields[name] for name in _CHOICES if name in fields}
    values |= {name: _count(fields, name) for name in _COUNTS if name in fields}
    values |= {name: _text(fields, name) for name in _TEXTS}
    values |= {name: _count(fields, name) for name in _MAYBE_COUNTS if fields.get(name) is not None}
    values |= {name: _text(fields, name) for name in _MAYBE_TEXTS if fields.get(name) is not None}
    values |= {name: _pairs(fields, name) for name in _PAIRS if name in fields}
    return Exchange(
        id=fields["id"],
        client=_client(fields.get("client")),
        request_body=bodies[: sizes[0]],
        response_body=bodies[sizes[0] :],
        **values,
    )


def _fields(line: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        raise SpoolError("not an exchange file: its first line is not JSON") from None
    if not isinstance(fields, dict) or "v" not in fields:
        raise SpoolError("not an exchange file: its first line has no version")
    version = fields["v"]
    if type(version) is not int or version < 1:
        raise SpoolError(f"not an exchange file: version {version!r}")
    if version > VERSION:
        raise SpoolError(
            f"exchange file of version {version}, this llmprof reads up to {VERSION}", hint="upgrade llmprof"
        )
    missing = [name for name in _REQUIRED if fields.get(name) is None]
    if missing:
        raise SpoolError(f"damaged exchange file: its header lacks {', '.join(missing)}")
    if not isinstance(fields["id"], str) or not _ID.fullmatch(fields["id"]):
        raise _wrong(fields, "id")
    for name, choices in _CHOICES.items():
        if name in fields and fields[name] not in choices:
            raise _wrong(fields, name)
    return fields


def _count(fields: Mapping[str, Any], name: str) -> int:
    value = fields[name]
    if type(value) is not int or not 0 <= value < _BEYOND:
        raise _wrong(fields, name)
    return value


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields[name]
    if not isinstance(value, str):
        raise _wrong(fields, name)
    return value


def _pairs(fields: Mapping[str, Any], name: str) -> Headers:
    value = fields[name]
    if not isinstance(value, list):
        raise _wrong(fields, name)
    for pair in value:
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(item, str) for item in pair):
            raise _wrong(fields, name)
    return tuple((key, item) for key, item in value)


def _client(value: Any) -> Client:
    if value is None:
        return Client()
    if not isinstance(value, dict):
        raise _wrong({"client": value}, "client")
    names = [name for name in ("app", "user_agent", "peer") if value.get(name) is not None]
    return Client(**{name: _text(value, name) for name in names})


def _wrong(fields: Mapping[str, Any], name: str) -> SpoolError:
    return SpoolError(f"damaged exchange file: {name} is {fields[name]!r:.80}")
