"""What host and path say of a request before its body is looked at: whose it is, and its dialect if it is an LLM call.

Reads the rows of `table` and imports nothing else of llmprof, because the proxy loads it too.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from llmprof_addon.providers.provider import (
    AS_LISTED,
    ASSISTANTS,
    CHAT,
    COMPLETIONS,
    CONVERSE,
    EMBEDDINGS,
    GEMINI,
    GEMINI_EMBED,
    IMAGES,
    INVOKE,
    MESSAGES,
    OLLAMA_CHAT,
    OLLAMA_GENERATE,
    RESPONSES,
    Provider,
)
from llmprof_addon.providers.table import APIS, HOMES, LIST_PRICES, PROVIDERS

__all__ = [
    "APIS",
    "NONE",
    "PROVIDERS",
    "SOCKET_APIS",
    "Provider",
    "api_of",
    "by_name",
    "home_of",
    "is_llm_call",
    "key_header",
    "match_host",
    "price_provider",
]

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
    (re.compile(r"(?:/.*)?/model/.+/converse(?:-stream)?"), CONVERSE),
    (re.compile(r"(?:/.*)?/model/.+/invoke(?:-with-response-stream)?"), INVOKE),
    (re.compile(r"/.*:(?:embedContent|batchEmbedContents)"), GEMINI_EMBED),
    (re.compile(r"(?:/.*)?/threads(?:/[^/]+)?/runs(?:/[^/]+/submit_tool_outputs)?"), ASSISTANTS),
    (re.compile(r"(?:/.*)?/images/generations"), IMAGES),
    (re.compile(r"(?:/.*)?/completions"), COMPLETIONS),
    (re.compile(r"(?:/.*)?(?<!/api)/embeddings"), EMBEDDINGS),
)

# Endpoints that a declared host (`LLMPROF_LLM_HOSTS`) may serve beside its calls.
_NOT_CALLS = re.compile(
    r".*/(?:count_tokens|input_tokens|batches|models|files|threads|assistants|moderations|health|rerank|tokenize|realtime"
    r"|images/.*|audio/.*|responses/.*|messages/.*|files/.*|batches/.*|api/(?:tags|show|ps|pull|embed))"
    r"|.*:(?:countTokens|embedContent|batch\w+|compute\w+)"
)

_LOOPBACK = ("localhost", "127.0.0.1", "::1", "[::1]", "0.0.0.0", "host.docker.internal")


def match_host(host: str, port: int | None = None, extra: Mapping[str, str] = NONE) -> Provider | None:
    """The provider at this host. `extra` maps hosts that only the user knows, `host` or `host:port`, to an api, to a
    provider's name, or to a name of their own: there the path says what is spoken.
    """
    host = host.lower().rstrip(".")
    if port is None and host.count(":") == 1:
        host, _, digits = host.partition(":")
        port = int(digits) if digits.isdigit() else None
    with_port = f"{host}:{port}"
    declared = next(((name, extra[name]) for name in (with_port, host) if name in extra), None) if extra else None
    if declared and declared[1] in APIS:
        return Provider(name=declared[0], hosts=(declared[0],), apis=(declared[1],))
    if declared and (named := by_name(declared[1])):
        return named
    if host in _LOOPBACK:
        with_port = f"localhost:{port}"
    row = _row_of(host, with_port)
    if row is None and declared:
        return Provider(name=declared[1], hosts=(declared[0],), apis=APIS, price_provider=AS_LISTED)
    return row


# Asked for every request that passes; a host that no row fits costs a look at all of them.
@lru_cache(4096)
def _row_of(host: str, with_port: str) -> Provider | None:
    return next((row for row in PROVIDERS if any(_fits(host, with_port, pattern) for pattern in row.hosts)), None)


def _fits(host: str, with_port: str, pattern: str) -> bool:
    if "*" in pattern:
        before, _, after = pattern.partition("*")
        return host.startswith(before) and host.endswith(after) and len(host) > len(before) + len(after)
    return pattern in (host, with_port)


def _plain(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


_BY_NAME = {_plain(name): row for row in PROVIDERS for name in (row.name, *row.path_prefixes)}


def by_name(name: str) -> Provider | None:
    """The provider of this name, or of this reverse-mode path prefix; `-`, `_` and `.` are the same."""
    return _BY_NAME.get(_plain(name))


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


def price_provider(provider: Provider | None, api: str | None) -> str | None:
    """Whose prices hold: the provider's own, or those that the dialect's vendor lists."""
    if provider is None or provider.price_provider == AS_LISTED:
        return LIST_PRICES.get(api or "")
    return provider.price_provider


def key_header(provider: Provider, api: str | None) -> str:
    """The header in which the provider takes its key for this dialect."""
    for each, header in provider.key_headers:
        if each == api:
            return header
    return "x-api-key" if api == MESSAGES and "x-api-key" in provider.auth_headers else provider.auth_headers[0]


def home_of(api: str | None) -> Provider:
    """The provider whose dialect this is; OpenAI for all others."""
    return by_name(HOMES.get(api or "", "openai")) or PROVIDERS[0]
