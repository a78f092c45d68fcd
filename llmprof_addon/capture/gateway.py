"""What llmprof's own proxy does beside recording: sends requests where they belong, and answers a few itself."""

import os
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from mitmproxy import http
from mitmproxy.proxy import mode_specs, server_hooks

from llmprof_addon.capture import endpoints, guard, handshake, keys, loops, model_name
from llmprof_addon.capture.entrance import Entrance
from llmprof_addon.capture.exchange import PROVIDER
from llmprof_addon.capture.failures import ANSWERS_JSON, IS_DIRECT, OWN, error_response
from llmprof_addon.capture.hooks import BODY_FIRST, SERVED_AS, URL_SCHEME
from llmprof_addon.capture.routes import Decision, Routes
from llmprof_addon.capture.routing import connects_to, goes_through_proxy, is_ourselves
from llmprof_addon.providers.registry import api_of, match_host
from llmprof_addon.settings import Settings

_BODY_BYTES = 32 * 1024 * 1024
"""Longer bodies that are no LLM call's are not held back for their model."""
_ENCODED_BYTES = 4 * 1024 * 1024
"""Longer encoded bodies are not decoded for it."""


class Gateway:
    """Addon, in front of the capture class."""

    def __init__(
        self,
        settings: Settings,
        routes: Routes,
        ports: Mapping[str, int],
        health: Callable[[], Mapping[str, Any]],
        refused: Counter[str],
        token: str | None = None,
        environ: Mapping[str, str] = os.environ,
    ):
        """`ports` are those that we listen on, filled in once they are known; `refused` is counted up by code; keys are
        taken from `environ`.
        """
        self._settings = settings
        self._hosts = settings.known_hosts
        self._routes = routes
        self._ports = ports
        self._health = health
        self._keys = keys.configured(settings, environ)
        self._entrance = Entrance(settings, refused, has_keys=bool(self._keys), token=token)
        self._rate = guard.Rate(endpoints.PER_SECOND)
        self._asked: dict[str, tuple[str, int]] = {}
        """Addresses that connections were asked for, while `LLMPROF_CONNECT` opens them elsewhere."""

    def http_connect(self, flow: http.HTTPFlow) -> None:
        if refusal := self._entrance.refuse_connect(flow):
            flow.response = refusal

    def client_disconnected(self, client: object) -> None:
        self._entrance.left(getattr(client, "id", ""))

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        request = flow.request
        if not isinstance(flow.client_conn.proxy_mode, mode_specs.ReverseMode):
            if refusal := self._entrance.refuse_proxied(flow, is_direct=IS_DIRECT in flow.metadata):
                flow.metadata[OWN] = lambda: refusal
                return
            if request.host == handshake.HOST:
                flow.metadata[OWN] = handshake.answer
                return
            if match_host(request.host, request.port, self._hosts):
                flow.metadata[ANSWERS_JSON] = True
            self._connect(flow)
            return
        flow.metadata[ANSWERS_JSON] = True
        if refusal := self._entrance.refuse(flow):
            flow.metadata[OWN] = lambda: refusal
            return
        path = request.path
        if endpoints.is_own(request.method, path):
            flow.metadata[OWN] = self._own_answer(request)
            return
        model = model_name.in_path(path) if self._routes.rules else None
        decision = self._routes.decide(path, request.headers, provider=request.headers.get(PROVIDER), model=model)
        if self._routes.rules and not decision.is_explicit and model is None and _may_name_model(request):
            flow.metadata[BODY_FIRST] = True
        else:
            self._send(flow, decision)

    def _own_answer(self, request: http.Request) -> Callable[[], http.Response]:
        if not self._rate.allows(time.monotonic()):
            return partial(endpoints.too_many, request.method)
        length = request.headers.get("content-length", "")
        return partial(
            endpoints.answer,
            request.method,
            request.path,
            request.host_header or "",
            self._health,
            int(length) if length.isdecimal() else 0,
        )

    def request(self, flow: http.HTTPFlow) -> None:
        if BODY_FIRST in flow.metadata:
            request = flow.request
            model = model_name.in_body(_decoded(request))
            self._send(flow, self._routes.decide(request.path, request.headers, model=model))
        if answer := flow.metadata.get(OWN):
            flow.response = answer()

    def _send(self, flow: http.HTTPFlow, decision: Decision) -> None:
        """Aim a request of the reverse listener at its upstream."""
        request, there, target = flow.request, decision.url, decision.target
        if there is None:
            message = f"llmprof: {target.name} has no address of its own: set {target.url_variable}"
            flow.metadata[OWN] = partial(error_response, request.path, 404, "no_upstream", message)
            return
        if (key := self._keys.get(decision.key_variable or "")) is not None:
            keys.inject(request, there.path, target.provider, key)
        if target.serves_as:
            flow.metadata[SERVED_AS] = target.serves_as
        path = there.path
        if decision.model is not None:
            path = model_name.replaced_in_path(path, decision.model)
            if BODY_FIRST in flow.metadata:
                _rewrite(request, decision.model)
        request.scheme, request.host, request.port, request.path = there.scheme, there.host, there.port, path
        self._connect(flow)

    def _connect(self, flow: http.HTTPFlow) -> None:
        """How the address of a request is reached."""
        request = flow.request
        elsewhere = connects_to(request.host, request.port, self._settings)
        target = (elsewhere.host, elsewhere.port) if elsewhere else (request.host, request.port)
        if is_ourselves(*target, self._ports, self._settings.host):
            flow.metadata[OWN] = partial(error_response, request.path, 508, "loop_detected", _loop(flow))
        if elsewhere:
            flow.metadata[URL_SCHEME] = request.scheme
            request.scheme = elsewhere.scheme
        proxy = self._settings.upstream_proxy
        if proxy is not None:
            through = elsewhere is None and goes_through_proxy(request.host, self._settings)
            flow.server_conn.via = (
                ("https" if proxy.scheme == "https" else "http", (proxy.host, proxy.port)) if through else None
            )

    async def server_connect(self, data: server_hooks.ServerConnectionHookData) -> None:
        address = data.server.address
        elsewhere = connects_to(address[0], address[1], self._settings) if address else None
        if address and elsewhere:
            self._asked[data.server.id] = address
            data.server.address = (elsewhere.host, elsewhere.port)
        if data.server.address and data.server.via is None:
            host, port = data.server.address[:2]
            if await loops.leads_to_us(host, port, self._ports.values()):
                data.server.error = f"{host}:{port} is llmprof itself"

    def server_connected(self, data: server_hooks.ServerConnectionHookData) -> None:
        self._restore(data)

    def server_connect_error(self, data: server_hooks.ServerConnectionHookData) -> None:
        self._restore(data)

    def _restore(self, data: server_hooks.ServerConnectionHookData) -> None:
        # By its address a connection is found again for the next request, and its certificate is checked. An open
        # connection refuses a new address, which here is its old one.
        if asked := self._asked.pop(data.server.id, None):
            vars(data.server)["address"] = asked

    def http_connect_upstream(self, flow: http.HTTPFlow) -> None:
        proxy = self._settings.upstream_proxy
        if proxy is not None and proxy.userinfo:
            token = b64encode(proxy.userinfo.encode()).decode()
            flow.request.headers["proxy-authorization"] = f"Basic {token}"


def _loop(flow: http.HTTPFlow) -> str:
    return f"llmprof: {flow.request.host}:{flow.request.port} is llmprof itself; " + (
        "set LLMPROF_UPSTREAM and LLMPROF_ANTHROPIC_UPSTREAM to the provider"
        if isinstance(flow.client_conn.proxy_mode, mode_specs.ReverseMode)
        else "set NO_PROXY=127.0.0.1,localhost"
    )


def _may_name_model(request: http.Request) -> bool:
    """Whether a request has a body to look for a model in. That of an LLM call is held in any case."""
    if request.method != "POST":
        return False
    if api_of(request.path) is not None:
        return True
    length = request.headers.get("content-length", "")
    return "json" in request.headers.get("content-type", "") and length.isdecimal() and int(length) <= _BODY_BYTES


def _decoded(request: http.Request) -> bytes:
    """The body without its content encoding; empty if it cannot be had."""
    raw = request.raw_content or b""
    if "content-encoding" not in request.headers:
        return raw
    try:
        return (request.content or b"") if len(raw) <= _ENCODED_BYTES else b""
    except ValueError:
        return b""


def _rewrite(request: http.Request, model: str) -> None:
    """Ask for another model: the one string changes, the length with it, and a content encoding is taken off."""
    body = _decoded(request)
    if model_name.in_body(body) is None:
        return
    request.raw_content = model_name.replaced_in_body(body, model)
    request.headers.pop("content-encoding", None)
    fields = request.headers.fields
    length = str(len(request.raw_content)).encode()
    request.headers.fields = tuple(
        (name, length if name.lower() == b"content-length" else value) for name, value in fields
    )
