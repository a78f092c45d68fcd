"""How a request's address is reached: elsewhere, through a proxy, or never, because it is our own. Pure functions."""

from collections.abc import Mapping
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # typeshed hides it; requests uses it too

from llmprof_addon.settings import Endpoint, Settings

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_OURS = (*LOOPBACK, "0.0.0.0", "::")


def connects_to(host: str, port: int, settings: Settings) -> Endpoint | None:
    """Where `LLMPROF_CONNECT` says to connect instead."""
    return settings.connect.get(f"{host.lower()}:{port}") if settings.connect else None


def goes_through_proxy(host: str, settings: Settings) -> bool:
    """Whether a connection to this host goes through the upstream proxy."""
    if settings.upstream_proxy is None or host in _OURS:
        return False
    return not proxy_bypass_environment(host, {"no": settings.no_proxy})


def is_ourselves(host: str, port: int, listening: Mapping[str, int], bound_to: str) -> bool:
    """Whether this address is one of our own listeners."""
    host = host.strip("[]").lower()
    return port in listening.values() and (host in _OURS or host.startswith("127.") or host == bound_to)
