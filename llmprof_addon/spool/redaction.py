"""Exchanges as whoever has decoders at hand may keep them on disk; the proxy, which has none, has a way of its own."""

from collections.abc import Sequence
from dataclasses import replace

from llmprof_addon.model.exchange import Exchange, Headers
from llmprof_addon.model.secrets import credentials, redact_around, redact_bytes
from llmprof_addon.spool.folder import metadata_only


def redact(exchange: Exchange) -> Exchange:
    """The exchange without secrets, as it may be kept in `failed/`; encoded bodies are searched as well."""
    known = (*credentials(exchange.request_headers, exchange.url), *credentials(exchange.response_headers, ""))
    request, request_headers, found = _redact_body(exchange.request_body, exchange.request_headers, known)
    response, response_headers, more = _redact_body(exchange.response_body, exchange.response_headers, known)
    bodies = replace(
        exchange,
        request_body=request,
        request_headers=request_headers,
        response_body=response,
        response_headers=response_headers,
        redactions=exchange.redactions + found + more,
    )
    return redact_around(bodies, known)


def _redact_body(body: bytes, headers: Headers, known: Sequence[str]) -> tuple[bytes, Headers, int]:
    from llmprof_addon.wire.encodings import decode

    encoding = next((value for name, value in headers if name.lower() == "content-encoding"), None)
    redacted, found = redact_bytes(decode(body, encoding).data, known)
    if not found:
        return body, headers, 0
    return redacted, tuple(pair for pair in headers if pair[0].lower() != "content-encoding"), found


def without_bodies(exchange: Exchange) -> Exchange:
    """The exchange as it may be kept in `failed/` where no texts are kept."""
    return metadata_only(redact(exchange))
