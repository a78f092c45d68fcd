"""Keys that the user lets us send where a client sends none: read at start, put into a request, never told.

They stand in the request's own headers, so that redaction knows them; no file, log line or answer of ours has them. A
web page must not spend them: what a browser sends from elsewhere is refused.
"""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from mitmproxy import http

from llmprof_addon.capture import endpoints
from llmprof_addon.capture.routing import LOOPBACK
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


def refusal(headers: Mapping[str, str], settings: Settings) -> str | None:
    """Why a request is one of a web page that is not ours; `None` if it is not."""
    host, origin = headers.get("host", ""), headers.get("origin")
    site = headers.get("sec-fetch-site", "none").strip().lower()
    if site not in ("same-origin", "none") or (origin is not None and urlsplit(origin).netloc.lower() != host.lower()):
        return "a page of another site may not use the keys of this proxy"
    # A name that was made to lead here (DNS rebinding) is of the same origin; in a network names are the user's own.
    if (origin is not None or settings.host in LOOPBACK) and not endpoints.is_us(host, settings):
        return f"{host!r} is no name of this machine, and this proxy has keys"
    return None
