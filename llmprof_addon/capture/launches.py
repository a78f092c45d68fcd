"""Which program or session a call is of: each has addresses of its own.

Forward: what it is and its name as user and password of the proxy's URL. Reverse: a prefix of the path. Both are taken
off the request; the call gets the tag `launch`, or the session unless its client forces another.
"""

import re
from base64 import b64decode
from typing import NamedTuple

from mitmproxy import http
from mitmproxy.proxy import mode_specs

from llmprof_addon.capture.addresses import LAUNCH, SESSION
from llmprof_addon.capture.exchange import SESSION as SESSION_HEADER
from llmprof_addon.capture.exchange import TAG

_PREFIX = re.compile(rf"/llmprof/({LAUNCH}|{SESSION})/([0-9A-Za-z._-]+)(?=[/?]|$)")
_NAME = re.compile(r"[0-9A-Za-z._-]+")
_HEADER = "proxy-authorization"


class Owner(NamedTuple):
    """Whose a call is."""

    whose: str
    name: str


class Launches:
    """Addon, in front of the gateway."""

    def __init__(self) -> None:
        self._by_connection: dict[str, Owner] = {}

    def http_connect(self, flow: http.HTTPFlow) -> None:
        if owner := _owner_in(flow.request):
            self._by_connection[flow.client_conn.id] = owner

    def client_disconnected(self, client: object) -> None:
        self._by_connection.pop(getattr(client, "id", ""), None)

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        request = flow.request
        owner = self._by_connection.get(flow.client_conn.id)
        if isinstance(flow.client_conn.proxy_mode, mode_specs.ReverseMode):
            if found := _PREFIX.match(request.path):
                owner = Owner(found[1], found[2])
                rest = request.path[found.end() :]
                request.path = rest if rest.startswith("/") else f"/{rest}"
        elif owner is None and (owner := _owner_in(request)):
            del request.headers[_HEADER]
        if owner is None:
            return
        if owner.whose == SESSION:
            request.headers.setdefault(SESSION_HEADER, owner.name)
        else:
            said = request.headers.get(TAG)
            request.headers[TAG] = f"{said}, {LAUNCH}:{owner.name}" if said else f"{LAUNCH}:{owner.name}"


def _owner_in(request: http.Request) -> Owner | None:
    """Whom the proxy's user and password name."""
    scheme, _, token = request.headers.get(_HEADER, "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = b64decode(token).decode().partition(":")
    except ValueError:
        return None
    return Owner(user, password) if user in (LAUNCH, SESSION) and _NAME.fullmatch(password) else None
