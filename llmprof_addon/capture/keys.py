"""Keys that the user lets us send where a client sends none: read at start, put into a request, never told.

They stand in the request's own headers, so that redaction knows them; no file, log line or answer of ours has them. A
web page must not spend them: `guard` refuses what a browser sends from elsewhere.
"""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from mitmproxy import http

from llmprof_addon.providers import registry
from llmprof_addon.settings import Settings


def configured(settings: Settings, environ: Mapping[str, str]) -> dict[str, str]:
    """The keys of endpoints and routes by the variable that holds them, as far as it is set."""
    return {name: key for name in settings.key_variables if (key := environ.get(name, "").strip())}


def inject(request: http.Request, path: str, provider: registry.Provider | None, key: str) -> None:
    """Send this key, unless the client sent one: in the header that the provider takes for the dialect of the path."""
    api = registry.api_of(path, provider=provider)
    row = provider or registry.home_of(api)
    if any(_holds_key(request.headers.get(name, "")) for name in row.auth_headers) or _in_query(path):
        return
    header = registry.key_header(row, api)
    request.headers[header] = f"Bearer {key}" if header == "authorization" else key


def _holds_key(value: str) -> bool:
    return value.strip().lower() not in ("", "bearer")


def _in_query(path: str) -> bool:
    query = path.partition("?")[2]
    return "key=" in query and any(name == "key" and value for name, value in parse_qsl(query))
