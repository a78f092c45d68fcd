"""No credential leaves capture: an exchange, with every secret in its headers, URL and bodies overwritten.

Runs on the spool writer's thread. An encoded request that holds a secret is written decoded; encoded responses are
searched by the worker, which decodes them anyway.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from mitmproxy.net import encoding

from llmprof_addon.model.exchange import Exchange, Headers
from llmprof_addon.model.secrets import credentials, redact_bytes, redact_headers, redact_text, redact_url

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


def redact(exchange: Exchange) -> Exchange:
    """The exchange without secrets; `redactions` says how many there were."""
    known = (*credentials(exchange.request_headers, exchange.url), *credentials(exchange.response_headers, ""))
    request, request_headers, in_request = _request_body(exchange, known)
    response, in_response = redact_bytes(exchange.response_body, known)
    request_headers, in_request_headers = redact_headers(request_headers, known)
    response_headers, in_response_headers = redact_headers(exchange.response_headers, known)
    url, in_url = redact_url(exchange.url, known)
    error, in_error = redact_text(exchange.error, known) if exchange.error else (exchange.error, 0)
    tags = tuple((redact_text(name, known)[0], redact_text(value, known)[0]) for name, value in exchange.tags)
    return replace(
        exchange,
        url=url,
        error=error,
        tags=tags,
        request_headers=request_headers,
        response_headers=response_headers,
        request_body=request,
        response_body=response,
        redactions=in_request + in_response + in_request_headers + in_response_headers + in_url + in_error,
    )


def _request_body(exchange: Exchange, known: Sequence[str]) -> tuple[bytes, Headers, int]:
    body, headers = exchange.request_body, exchange.request_headers
    declared = exchange.header("content-encoding")
    decoded = _decoded(body, declared) if body else None
    if decoded is None:
        body, count = redact_bytes(body, known)
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
