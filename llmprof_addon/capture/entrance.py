"""Who comes in, at both listeners: `guard`'s decision on what a request of mitmproxy's says, counted where it is no.

The token comes as the header `x-llmprof-token`, in front of the path (`/llmprof/token/TOKEN/v1/…`), or as password of
the proxy's user `token`; it is taken off before anything else sees the request.
"""

import hmac
import logging
import socket
from base64 import b64decode
from collections import Counter

from mitmproxy import http

from llmprof_addon.capture import endpoints, guard
from llmprof_addon.capture.failures import error_response
from llmprof_addon.settings import Settings

logger = logging.getLogger(__name__)

HEADER = "x-llmprof-token"
PREFIX = "/llmprof/token/"
USER = "token"
_PROXY_HEADER = "proxy-authorization"
_LOOKED_AT = (b"host", b"origin", b"sec-fetch-site", HEADER.encode())


class Entrance:
    """Of one proxy."""

    def __init__(self, settings: Settings, refused: Counter[str], *, has_keys: bool = False, token: str | None = None):
        """`refused` is counted up by code. Without a token nobody has it."""
        self._rules = guard.Rules(
            bound_to=settings.host, machine=socket.gethostname(), has_keys=has_keys, origins=settings.allow_origins
        )
        self._is_open = not guard.is_loopback(settings.host)
        self._token = (token or "").encode()
        self._refused = refused
        self._let_in: set[str] = set()
        """Connections whose CONNECT had the token."""

    def refuse(self, flow: http.HTTPFlow) -> http.Response | None:
        """The refusal of a request of the reverse listener, `None` if it may come in."""
        request = flow.request
        said: dict[bytes, str] = {}
        names = [request.authority] if request.authority else []
        for name, value in request.headers.fields:
            if (lower := name.lower()) in _LOOKED_AT:
                text = value.decode("latin-1")
                if lower == b"host":
                    names.append(text)
                said[lower] = f"{said[lower]}, {text}" if lower in said else text
        token = said.get(_LOOKED_AT[3])
        if token is not None:
            del request.headers[HEADER]
        elif request.path.startswith(PREFIX):
            token, _, rest = request.path.removeprefix(PREFIX).partition("/")
            request.path = f"/{rest}"
        path = request.path
        is_own = endpoints.is_own(request.method, path)
        origin, site = said.get(b"origin"), said.get(b"sec-fetch-site")
        asked = guard.Asked(
            names=tuple(names),
            origin=origin,
            site=None if site is None else site.strip().lower(),
            is_own=is_own,
            is_data=is_own and endpoints.is_data(path),
            is_near=not self._is_open or _is_near(flow),
            has_token=token is not None and self._is_token(token),
        )
        no = guard.refusal(asked, self._rules)
        return None if no is None else self.refused(request, no)

    def refuse_connect(self, flow: http.HTTPFlow) -> http.Response | None:
        """The refusal of a CONNECT of the forward listener."""
        if not self._is_open or _is_near(flow):
            return None
        if self._takes_token(flow.request):
            self._let_in.add(flow.client_conn.id)
            return None
        return self._ask_for_token(flow.request)

    def refuse_proxied(self, flow: http.HTTPFlow, *, is_direct: bool) -> http.Response | None:
        """The same for a request there; `is_direct`: it was sent to us as if we were its server, as a page would."""
        request = flow.request
        has_token = self._takes_token(request)
        if is_direct:
            message = (
                f"llmprof: this is a proxy (HTTPS_PROXY), and {request.host_header!r:.100} is not to be reached so"
            )
            return self.refused(request, guard.Refusal(421, "misdirected", message))
        if not self._is_open or has_token or flow.client_conn.id in self._let_in or _is_near(flow):
            return None
        return self._ask_for_token(request)

    def left(self, client_id: str) -> None:
        """A connection is over."""
        self._let_in.discard(client_id)

    def refused(self, request: http.Request, no: guard.Refusal) -> http.Response:
        """Count a refusal, tell the log of the first of its kind, and answer it in the dialect of the path."""
        if no.code not in self._refused:
            logger.warning("refused a request: %s", no.message.removeprefix("llmprof: "))
        self._refused[no.code] += 1
        answer = error_response(request.path, no.status, no.code, no.message)
        answer.headers["cache-control"] = "no-store"
        if request.method == "HEAD":
            answer.text = ""
        if no.status == 401:
            answer.headers["www-authenticate"] = 'Token realm="llmprof"'
        elif no.status == 407:
            answer.headers["proxy-authenticate"] = 'Basic realm="llmprof"'
        return answer

    def _ask_for_token(self, request: http.Request) -> http.Response:
        message = f"llmprof: this proxy needs its token: http://{USER}:TOKEN@host:port"
        return self.refused(request, guard.Refusal(407, "token_required", message))

    def _takes_token(self, request: http.Request) -> bool:
        """Whether a request to the proxy has the token, which is then taken off it."""
        found = request.headers.pop(HEADER, None)
        scheme, _, value = request.headers.get(_PROXY_HEADER, "").partition(" ")
        if scheme.lower() == "basic":
            try:
                user, _, password = b64decode(value).decode().partition(":")
            except ValueError:
                user = password = ""
            if user == USER:
                del request.headers[_PROXY_HEADER]
                found = password if found is None else found
        return found is not None and self._is_token(found)

    def _is_token(self, given: str) -> bool:
        return bool(self._token) and hmac.compare_digest(given.encode("utf-8", "surrogateescape"), self._token)


def _is_near(flow: http.HTTPFlow) -> bool:
    peer, own = flow.client_conn.peername, flow.client_conn.sockname
    return bool(peer and own) and guard.is_near(peer[0], own[0])
