"""Where a request of the reverse listener goes: a pure function of its path and headers.

`/v1/messages…` and whatever carries Anthropic's headers goes to the Anthropic upstream, `/<provider>/…` to that
provider, everything else to the OpenAI-compatible upstream. Path and query are kept but for that prefix.
"""

import re
from collections.abc import Mapping
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # typeshed hides it; requests uses it too

from llmprof_addon.providers import registry
from llmprof_addon.settings import Endpoint, Settings, parse_endpoint

LOOPBACK = ("127.0.0.1", "localhost", "::1", "0.0.0.0", "::")
_VERSION = re.compile(r"v\d+(alpha|beta)?\d*")


def route(path: str, headers: Mapping[str, str], settings: Settings, provider: str | None = None) -> Endpoint:
    """The endpoint of a request with this path (query included); its `path` is the one to send.

    `provider` is the one that the client named in `x-llmprof-provider`.
    """
    if found := _by_prefix(path, settings):
        return found
    named = {"anthropic": settings.anthropic_upstream, "openai": settings.upstream}.get(provider or "")
    if named is None:
        named = settings.anthropic_upstream if _is_anthropic(path, headers) else settings.upstream
    return _below(named, path)


def _by_prefix(path: str, settings: Settings) -> Endpoint | None:
    found = registry.by_prefix(path)
    if found is None:
        return None
    provider, rest = found
    # A gateway may have a folder `/openai/` of its own, as Azure does.
    own_folder = not path.startswith("/passthrough/") and settings.upstream.host != "api.openai.com"
    if provider.name == "openai":
        return None if own_folder else _below(settings.upstream, rest)
    if provider.name == "anthropic":
        return None if own_folder else _below(settings.anthropic_upstream, rest)
    return _below(parse_endpoint(provider.base_url, provider.name), rest) if provider.base_url else None


def _is_anthropic(path: str, headers: Mapping[str, str]) -> bool:
    bare = path.partition("?")[0]
    if bare == "/v1/messages" or bare.startswith("/v1/messages/") or "anthropic-version" in headers:
        return True
    # Side calls (`HEAD /api/hello`) lack the version header; an Anthropic key must not go to another provider.
    key = headers.get("x-api-key") or headers.get("authorization", "").removeprefix("Bearer ")
    return key.startswith("sk-ant-")


def _below(base: Endpoint, path: str) -> Endpoint:
    """The path below a base URL; a version that ends the one and begins the other stands once."""
    prefix = base.path
    last, first = prefix.rpartition("/")[2], path.lstrip("/").partition("/")[0].partition("?")[0]
    if _VERSION.fullmatch(last) and first == last:
        prefix = prefix[: -len(last) - 1]
    return Endpoint(scheme=base.scheme, host=base.host, port=base.port, path=prefix + path)


def connects_to(host: str, port: int, settings: Settings) -> Endpoint | None:
    """Where `LLMPROF_CONNECT` says to connect instead."""
    return settings.connect.get(f"{host.lower()}:{port}") if settings.connect else None


def goes_through_proxy(host: str, settings: Settings) -> bool:
    """Whether a connection to this host goes through the upstream proxy."""
    if settings.upstream_proxy is None or host in LOOPBACK:
        return False
    return not proxy_bypass_environment(host, {"no": settings.no_proxy})


def is_ourselves(host: str, port: int, listening: Mapping[str, int], bound_to: str) -> bool:
    """Whether this address is one of our own listeners."""
    host = host.strip("[]").lower()
    return port in listening.values() and (host in LOOPBACK or host.startswith("127.") or host == bound_to)
