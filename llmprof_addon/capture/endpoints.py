"""The few paths of the reverse listener that are llmprof's own: `GET /` and `GET /llmprof/health`."""

import ipaddress
import json
import socket
from collections.abc import Callable, Mapping
from typing import Any

from mitmproxy import http

from llmprof_addon import __version__
from llmprof_addon.settings import Settings

_NAMES = ("127.0.0.1", "localhost", "::1", "host.docker.internal")
_HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}

_PAGE = """\
llmprof {version} is listening here: a profiler for LLM context windows.

Set this address as the base URL of an LLM client:
  OPENAI_BASE_URL=http://{host}/v1
  ANTHROPIC_BASE_URL=http://{host}
Other providers by a prefix, http://{host}/groq/v1 and so on; llmprof providers lists them.

What passes is recorded on this machine. To look at it: llmprof runs
State of this proxy: http://{host}/llmprof/health
"""


def is_own(method: str, path: str) -> bool:
    """Whether a request is for llmprof itself."""
    bare = path.partition("?")[0]
    return (bare == "/" and method in ("GET", "HEAD")) or bare == "/llmprof" or bare.startswith("/llmprof/")


def answer(
    method: str, path: str, host: str, settings: Settings, health: Callable[[], Mapping[str, Any]]
) -> http.Response:
    """The answer to such a request; `host` is its Host header, which a page in a browser cannot forge."""
    bare = path.partition("?")[0].rstrip("/")
    if not is_us(host, settings):
        return _json(method, 403, {"error": f"{host!r} is no name of this machine"})
    if method not in ("GET", "HEAD"):
        return _json(method, 405, {"error": "only GET"})
    if bare == "":
        return _made(method, 200, _PAGE.format(version=__version__, host=host), "text/plain; charset=utf-8")
    if bare == "/llmprof/health":
        return _json(method, 200, health())
    return _json(method, 404, {"error": f"llmprof has nothing at {bare}"})


def is_us(host: str, settings: Settings) -> bool:
    """Whether a Host header is a name or an address of this machine."""
    name = (host.partition("]")[0].strip("[") if host.startswith("[") else host.partition(":")[0]).lower()
    if name in _NAMES or name == settings.host:
        return True
    if settings.host in _NAMES:
        return False
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name == socket.gethostname().lower()
    return True


def _json(method: str, status: int, value: Mapping[str, Any]) -> http.Response:
    return _made(method, status, json.dumps(value), "application/json")


def _made(method: str, status: int, text: str, content_type: str) -> http.Response:
    # mitmproxy sends the body of such an answer to HEAD as well, which clients take for the next answer.
    return http.Response.make(status, "" if method == "HEAD" else text, {"content-type": content_type, **_HEADERS})
