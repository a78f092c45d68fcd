"""No credential leaves capture: an exchange, with every secret in its headers, URL and bodies overwritten.

Runs on the spool writer's thread. An encoded request that holds a secret is written decoded; encoded responses are
searched by the worker, which decodes them anyway, unless their files are kept.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from mitmproxy.net import encoding

from llmprof_addon.model.exchange import Exchange, Headers
from llmprof_addon.model.recent import Recent
from llmprof_addon.model.secrets import credentials, redact_around, redact_bytes, redact_cut_bytes

_MAGIC = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"))


class _Decode(Protocol):
    def __call__(self, content: bytes) -> bytes: ...


# Not `encoding.decode`: its one-element cache is shared with the event loop's thread.
_DECODERS: dict[str, _Decode] = {
    "gzip": encoding.decode_gzip,
    "x-gzip": encoding.decode_gzip,
    "deflate": encoding.decode_deflate,
    "br": encoding.decode_brotli,
    "zstd": encoding.decode_zstd,
    "identity": encoding.identity,
}


class Clean:
    """The latest long bodies without a secret, so that what every turn of a conversation sends again is not searched
    again.
    """

    def __init__(self) -> None:
        self._bodies: Recent[bytes, bytes] = Recent(_HELD_BYTES, len)

    def bytes_of(self, body: bytes) -> int:
        """How much of a body stood in one of them, up to and with a quotation mark."""
        before = self._bodies.get(body[:_HEAD_BYTES])
        return 0 if before is None else body.rfind(b'"', 0, _common(before, body)) + 1

    def add(self, body: bytes) -> None:
        """Remember a body."""
        if len(body) >= _LONG_BYTES:
            self._bodies.add(body[:_HEAD_BYTES], body)


_HELD_BYTES = 8 * 1024 * 1024
_LONG_BYTES = 16 * 1024
"""To search less takes as long as to find out that it was searched."""
_HEAD_BYTES = 512


def _common(a: bytes, b: bytes) -> int:
    """How many bytes two bodies begin with that are the same."""
    low, high = 0, min(len(a), len(b))
    if a[:high] == b[:high]:
        return high
    while high - low > 1:
        middle = (low + high) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle
    return low


def redact(exchange: Exchange, *, decodes_response: bool = False, clean: Clean | None = None) -> Exchange:
    """The exchange without secrets; `redactions` says how many there were.

    With `decodes_response`, for files that stay, those of an encoded response as well. `clean` serves one thread.
    """
    known = (*credentials(exchange.request_headers, exchange.url), *credentials(exchange.response_headers, ""))
    request, request_headers, found = _body(exchange.request_body, exchange.request_headers, known, clean)
    response, more = redact_bytes(exchange.response_body, known)
    response_headers = exchange.response_headers
    # Brotli and zstd leave short texts as they are; overwritten there, nobody could decode the rest.
    if more or decodes_response:
        response, response_headers, more = _body(exchange.response_body, response_headers, known)
    if exchange.outcome != "complete":
        response, cut = redact_cut_bytes(response)
        more += cut
    bodies = replace(
        exchange,
        request_headers=request_headers,
        response_headers=response_headers,
        request_body=request,
        response_body=response,
        redactions=exchange.redactions + found + more,
    )
    return redact_around(bodies, known)


def _body(
    body: bytes, headers: Headers, known: Sequence[str], clean: Clean | None = None
) -> tuple[bytes, Headers, int]:
    declared = next((value for name, value in headers if name.lower() == "content-encoding"), None)
    decoded = _decoded(body, declared) if body else None
    if decoded is None:
        body, count = redact_bytes(body, known, clean=clean.bytes_of(body) if clean else 0)
        if clean and not count:
            clean.add(body)
        return body, headers, count
    redacted, count = redact_bytes(decoded, known)
    if not count:
        return body, headers, 0
    return redacted, tuple(pair for pair in headers if pair[0].lower() != "content-encoding"), count


def _decoded(body: bytes, declared: str | None) -> bytes | None:
    """The body without its content encodings; `None` if it has none, or none that can be undone."""
    names = [name.strip().lower() for name in (declared or "").split(",") if name.strip()]
    if not names:
        names = [name for magic, name in _MAGIC if body.startswith(magic)]
    if not names:
        return None
    try:
        for name in reversed(names):
            body = _DECODERS[name](body)
    except (
        Exception
    ):  # an unknown name or a broken body; brotli and zstandard raise errors of their own, which have no common base
        return None
    return body
