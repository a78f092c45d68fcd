"""Which program a call came from, of those that were started to be recorded: each has addresses of its own.

Forward: a name and an id as user and password of the proxy's URL. Reverse: a prefix of the path. Both are taken off the
request; the call gets the tag `launch`.
"""

import re
from base64 import b64decode

from mitmproxy import http
from mitmproxy.proxy import mode_specs

from llmprof_addon.capture.exchange import TAG

LAUNCH = "launch"
"""The tag's name, and the user in the proxy's URL."""
_PREFIX = re.compile(r"/llmprof/launch/([0-9a-z]+)(?=[/?]|$)")
_HEADER = "proxy-authorization"


def forward_url(host: str, port: int, launch: str) -> str:
    """The proxy's URL for the program of this launch."""
    return f"http://{LAUNCH}:{launch}@{host}:{port}"


def reverse_url(host: str, port: int, launch: str) -> str:
    """The base URL for it."""
    return f"http://{host}:{port}/llmprof/launch/{launch}"


class Launches:
    """Addon, in front of the gateway."""

    def __init__(self) -> None:
        self._by_connection: dict[str, str] = {}

    def http_connect(self, flow: http.HTTPFlow) -> None:
        if launch := _launch_in(flow.request):
            self._by_connection[flow.client_conn.id] = launch

    def client_disconnected(self, client: object) -> None:
        self._by_connection.pop(getattr(client, "id", ""), None)

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        request = flow.request
        launch = self._by_connection.get(flow.client_conn.id)
        if isinstance(flow.client_conn.proxy_mode, mode_specs.ReverseMode):
            if found := _PREFIX.match(request.path):
                launch = found.group(1)
                request.path = request.path[found.end() :] or "/"
        elif launch is None and (launch := _launch_in(request)):
            del request.headers[_HEADER]
        if launch is not None:
            said = request.headers.get(TAG)
            request.headers[TAG] = f"{said}, {LAUNCH}:{launch}" if said else f"{LAUNCH}:{launch}"


def _launch_in(request: http.Request) -> str | None:
    """The launch that the proxy's user and password name."""
    scheme, _, token = request.headers.get(_HEADER, "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = b64decode(token).decode().partition(":")
    except ValueError:
        return None
    return password if user == LAUNCH and password.isalnum() else None
