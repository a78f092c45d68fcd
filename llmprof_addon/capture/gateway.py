"""What llmprof's own proxy does beside recording: sends requests where they belong, and answers a few itself."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any

from mitmproxy import http
from mitmproxy.proxy import mode_specs, server_hooks

from llmprof_addon.capture import endpoints
from llmprof_addon.capture.exchange import PROVIDER
from llmprof_addon.capture.failures import ANSWERS_JSON, error_response
from llmprof_addon.capture.hooks import OWN, URL_SCHEME
from llmprof_addon.capture.routing import connects_to, goes_through_proxy, is_ourselves, route
from llmprof_addon.providers.registry import match_host
from llmprof_addon.settings import Settings


class Gateway:
    """Addon, in front of the capture class."""

    def __init__(self, settings: Settings, ports: Mapping[str, int], health: Callable[[], Mapping[str, Any]]):
        """`ports` are those that we listen on, filled in once they are known."""
        self._settings = settings
        self._ports = ports
        self._health = health
        self._asked: dict[str, tuple[str, int]] = {}
        """Addresses that connections were asked for, while `LLMPROF_CONNECT` opens them elsewhere."""

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        request = flow.request
        if isinstance(flow.client_conn.proxy_mode, mode_specs.ReverseMode):
            flow.metadata[ANSWERS_JSON] = True
            if endpoints.is_own(request.method, request.path):
                flow.metadata[OWN] = "endpoint"
                return
            there = route(request.path, request.headers, self._settings, request.headers.get(PROVIDER))
            request.scheme, request.host, request.port, request.path = there.scheme, there.host, there.port, there.path
        elif match_host(request.host, request.port, self._settings.llm_hosts):
            flow.metadata[ANSWERS_JSON] = True
        elsewhere = connects_to(request.host, request.port, self._settings)
        target = (elsewhere.host, elsewhere.port) if elsewhere else (request.host, request.port)
        if is_ourselves(*target, self._ports, self._settings.host):
            flow.metadata[OWN] = "loop"
        if elsewhere:
            flow.metadata[URL_SCHEME] = request.scheme
            request.scheme = elsewhere.scheme
        proxy = self._settings.upstream_proxy
        if proxy is not None:
            through = elsewhere is None and goes_through_proxy(request.host, self._settings)
            flow.server_conn.via = (
                ("https" if proxy.scheme == "https" else "http", (proxy.host, proxy.port)) if through else None
            )

    def request(self, flow: http.HTTPFlow) -> None:
        own = flow.metadata.get(OWN)
        if own == "endpoint":
            request = flow.request
            host = request.host_header or ""
            flow.response = endpoints.answer(request.method, request.path, host, self._settings, self._health)
        elif own == "loop":
            message = f"llmprof: {flow.request.host}:{flow.request.port} is llmprof itself; " + (
                "set LLMPROF_UPSTREAM and LLMPROF_ANTHROPIC_UPSTREAM to the provider"
                if isinstance(flow.client_conn.proxy_mode, mode_specs.ReverseMode)
                else "set NO_PROXY=127.0.0.1,localhost"
            )
            flow.response = error_response(flow.request.path, 508, "loop_detected", message)

    def server_connect(self, data: server_hooks.ServerConnectionHookData) -> None:
        address = data.server.address
        elsewhere = connects_to(address[0], address[1], self._settings) if address else None
        if address and elsewhere:
            self._asked[data.server.id] = address
            data.server.address = (elsewhere.host, elsewhere.port)

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
