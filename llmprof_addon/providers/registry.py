"""What host and path say of a request before its body is looked at: whose it is, and its dialect if it is an LLM call.

Reads the rows of `table` and imports nothing else of llmprof, because the proxy loads it too.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from llmprof_addon.providers.table import (
    APIS,
    CHAT,
    COMPLETIONS,
    EMBEDDINGS,
    GEMINI,
    LIST_PRICES,
    MESSAGES,
    OLLAMA_CHAT,
    OLLAMA_GENERATE,
    PROVIDERS,
    RESPONSES,
    Provider,
)

__all__ = ["APIS", "LIST_PRICES", "NONE", "PROVIDERS", "api_of", "by_name", "by_prefix", "is_llm_call", "match_host"]

SOCKET_APIS = frozenset({RESPONSES})
"""Dialects that are also spoken over a WebSocket at the same path, one call after the other. `/v1/realtime` is none."""

NONE: Mapping[str, str] = MappingProxyType({})

# The whole path must match, so that what lies below a call (`/v1/responses/{id}/cancel`, `/v1/messages/count_tokens`,
# `/v1/messages/batches`, `/v1/responses/input_tokens`) is none, nor what is beside it (`:countTokens`).
# `/v1/threads/{id}/messages` has its own segment before.
_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?:/.*)?/chat/completions"), CHAT),
    (re.compile(r"(?:/.*)?/responses(?:/compact)?"), RESPONSES),
    (re.compile(r"(?:/.*)?/v1/messages"), MESSAGES),
    (re.compile(r"(?:/.*)?/publishers/anthropic/models/[^/]+:(?:streamR|r)awPredict"), MESSAGES),
    (re.compile(r"/.*:(?:streamG|g)enerateContent"), GEMINI),
    (re.compile(r"(?:/.*)?/api/chat"), OLLAMA_CHAT),
    (re.compile(r"(?:/.*)?/api/generate"), OLLAMA_GENERATE),
    (re.compile(r"(?:/.*)?/completions"), COMPLETIONS),
    (re.compile(r"(?:/.*)?/embeddings"), EMBEDDINGS),
)

# Endpoints that a declared host (`LLMPROF_LLM_HOSTS`) may serve beside its calls.
_NOT_CALLS = re.compile(
    r".*/(?:count_tokens|input_tokens|batches|models|files|threads|assistants|moderations|health|rerank|tokenize|realtime"
    r"|images/.*|audio/.*|responses/.*|messages/.*|files/.*|batches/.*|api/(?:tags|show|ps|pull|embed))"
    r"|.*:(?:countTokens|embedContent|batch\w+|compute\w+)"
)

_LOOPBACK = ("localhost", "127.0.0.1", "::1", "[::1]", "0.0.0.0", "host.docker.internal")


def match_host(host: str, port: int | None = None, extra: Mapping[str, str] = NONE) -> Provider | None:
    """The provider at this host. `extra` maps `host` or `host:port` to an api, for hosts that only the user knows."""
    host = host.lower().rstrip(".")
    if port is None and host.count(":") == 1:
        host, _, digits = host.partition(":")
        port = int(digits) if digits.isdigit() else None
    with_port = f"{host}:{port}"
    for name in (with_port, host):
        if name in extra:
            return Provider(name=name, hosts=(name,), apis=(extra[name],))
    if host in _LOOPBACK:
        with_port = f"localhost:{port}"
    return _row_of(host, with_port)


# Asked for every request that passes; a host that no row fits costs a look at all of them.
@lru_cache(4096)
def _row_of(host: str, with_port: str) -> Provider | None:
    return next((row for row in PROVIDERS if any(_fits(host, with_port, pattern) for pattern in row.hosts)), None)


def _fits(host: str, with_port: str, pattern: str) -> bool:
    if "*" in pattern:
        before, _, after = pattern.partition("*")
        return host.startswith(before) and host.endswith(after) and len(host) > len(before) + len(after)
    return pattern in (host, with_port)


def by_name(name: str) -> Provider | None:
    """The provider of this name, or of this reverse-mode path prefix."""
    name = name.lower()
    return next((row for row in PROVIDERS if name == row.name or name in row.path_prefixes), None)


def by_prefix(path: str) -> tuple[Provider, str] | None:
    """Provider and rest of a reverse-mode path `/<provider>/…` or `/passthrough/<provider>/…`."""
    first, _, rest = path.removeprefix("/passthrough").lstrip("/").partition("/")
    row = by_name(first)
    return (row, "/" + rest) if row else None


def api_of(path: str, *, provider: Provider | None = None) -> str | None:
    """The dialect that a POST to this path speaks, by the path's shape; `None` if it is no LLM call."""
    path = path.partition("?")[0].rstrip("/")
    for pattern, api in provider.paths if provider else ():
        if re.fullmatch(pattern, path):
            return api
    for shape, api in _SHAPES:
        if shape.fullmatch(path):
            return api if provider is None or api in provider.apis else None
    return None


def is_llm_call(
    method: str, host: str, path: str, extra: Mapping[str, str] = NONE, *, port: int | None = None
) -> str | None:
    """The dialect of a request to a known host that is an LLM call, else `None`."""
    provider = match_host(host, port, extra)
    if provider is None or method.upper() != "POST":
        return None
    declared = extra.get(provider.name)
    if declared is None:
        return api_of(path, provider=provider)
    # A declared host may serve its dialect under any path, and others under their usual ones.
    return api_of(path) or (None if _NOT_CALLS.fullmatch(path.partition("?")[0]) else declared)
