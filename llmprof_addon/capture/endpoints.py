"""The few paths of the reverse listener that are llmprof's own: `GET /` and `GET /llmprof/health`.

Who may ask is decided before, by `guard`; what stands below `/llmprof/api/` is for who has the token.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from mitmproxy import http

from llmprof_addon import __version__

BODY_BYTES = 64 * 1024
"""Nothing here takes a body; what announces a longer one is refused by its size."""
PER_SECOND = 500.0
"""Answers a second; test suites ask every few milliseconds whether their calls have ended."""
_HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff", "x-frame-options": "DENY"}

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


def is_data(path: str) -> bool:
    """Whether such a request asks for what was recorded."""
    bare = path.partition("?")[0]
    return bare == "/llmprof/api" or bare.startswith("/llmprof/api/")


def answer(
    method: str, path: str, host: str, health: Callable[[], Mapping[str, Any]], body_bytes: int = 0
) -> http.Response:
    """The answer to such a request; `host` is its Host header, `body_bytes` the length that it announces."""
    bare = path.partition("?")[0].rstrip("/")
    if body_bytes > BODY_BYTES:
        return _json(method, 413, {"error": f"nothing here takes a body, and none over {BODY_BYTES} bytes is read"})
    if method not in ("GET", "HEAD"):
        return _json(method, 405, {"error": "only GET"})
    if bare == "":
        return _made(method, 200, _PAGE.format(version=__version__, host=host), "text/plain; charset=utf-8")
    if bare == "/llmprof/health":
        return _json(method, 200, health())
    return _json(method, 404, {"error": f"llmprof has nothing at {bare}"})


def too_many(method: str) -> http.Response:
    """The answer above `PER_SECOND`."""
    response = _json(method, 429, {"error": f"over {PER_SECOND:.0f} requests a second to llmprof itself"})
    response.headers["retry-after"] = "1"
    return response


def _json(method: str, status: int, value: Mapping[str, Any]) -> http.Response:
    return _made(method, status, json.dumps(value), "application/json")


def _made(method: str, status: int, text: str, content_type: str) -> http.Response:
    # mitmproxy sends the body of such an answer to HEAD as well, which clients take for the next answer.
    return http.Response.make(status, "" if method == "HEAD" else text, {"content-type": content_type, **_HEADERS})
