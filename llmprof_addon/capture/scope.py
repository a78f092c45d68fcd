"""What is decrypted in forward mode: the hosts of LLM providers, and nothing else.

All other TLS passes through with its original certificate. Where a client does not trust ours, a line says which
variable of its runtime to set, and its next connections to that host pass through, so that it works.
"""

import ipaddress
import logging
import time
from pathlib import Path

from mitmproxy import ctx, exceptions, http, tls
from mitmproxy.addonmanager import Loader
from mitmproxy.proxy import mode_specs

from llmprof_addon.capture import handshake
from llmprof_addon.providers.registry import match_host
from llmprof_addon.settings import Settings

logger = logging.getLogger(__name__)

# By the start of the `User-Agent` that the client sends with CONNECT, or later with its requests.
_VARIABLES = (
    (("node", "undici", "claude", "bun", "deno", "axios", "openai/js", "anthropic/js"), "NODE_EXTRA_CA_CERTS"),
    (("python-requests", "python-urllib3"), "REQUESTS_CA_BUNDLE"),
    (("codex",), "CODEX_CA_CERTIFICATE"),
    (("git",), "GIT_SSL_CAINFO"),
    (("curl",), "CURL_CA_BUNDLE"),
    (("python", "openai/python", "anthropic/python", "go-", "aiohttp"), "SSL_CERT_FILE"),
)
_ANY = "SSL_CERT_FILE (httpx, OpenAI and Anthropic SDKs, Go, Rust), REQUESTS_CA_BUNDLE or NODE_EXTRA_CA_CERTS (Node)"


def decrypts(sni: str | None, address: tuple[str, int] | None, settings: Settings) -> bool:
    """Whether a TLS connection is to an LLM host, by the server name it asks for and the address it was opened to.

    Both must say so, lest a wrong name open another host's traffic; an address in digits says nothing.
    """
    port = address[1] if address else None
    names = [sni] if sni else []
    if address and not (sni and _is_digits(address[0])):
        names.append(address[0])
    if names and all(name == handshake.HOST for name in names):
        return True
    return bool(names) and all(match_host(name, port, settings.known_hosts) is not None for name in names)


def hint(host: str, user_agent: str, bundle: Path) -> str:
    """What to do for a client that does not trust the proxy's authority."""
    agent = user_agent.lower()
    variable = next((name for starts, name in _VARIABLES if agent.startswith(starts)), _ANY)
    who = user_agent.split()[0] if user_agent else "a client"
    return f"{who} does not trust llmprof's certificate for {host}: set {variable} to {bundle} for it"


SPARED_SECONDS = 600.0
"""How long a client that does not trust us is left alone, before it is tried again."""


class Scope:
    """Addon: decides per TLS connection. In a mitmproxy of the user's own only with `--set llmprof_scope=llm`."""

    def __init__(self, settings: Settings, *, bundle: Path | None = None, default: str = "llm"):
        self._settings = settings
        self._bundle = bundle
        self._default = default
        self._agents: dict[str, str] = {}
        self._told: set[tuple[str, str]] = set()
        self._refused: dict[tuple[str, str], int] = {}
        """How often in a row a client, by its host and user agent, broke off the handshake."""
        self._spared: dict[tuple[str, str], float] = {}
        """Until when its connections pass through, in seconds of the monotonic clock."""

    def load(self, loader: Loader) -> None:
        """Declare the option."""
        loader.add_option(
            "llmprof_scope", str, self._default, "Decrypt everything (all), or only the hosts of LLM providers (llm)."
        )

    def configure(self, updated: set[str]) -> None:
        # `choices` of an option are not enforced for values that were given before the script was loaded.
        if "llmprof_scope" in updated and ctx.options.llmprof_scope not in ("llm", "all"):
            raise exceptions.OptionsError(f"llmprof_scope must be llm or all, not {ctx.options.llmprof_scope!r}")

    def http_connect(self, flow: http.HTTPFlow) -> None:
        if agent := flow.request.headers.get("user-agent"):
            self._agents[flow.client_conn.id] = agent

    def client_disconnected(self, client: object) -> None:
        self._agents.pop(getattr(client, "id", ""), None)

    def tls_clienthello(self, data: tls.ClientHelloData) -> None:
        if ctx.options.llmprof_scope == "all" or isinstance(data.context.client.proxy_mode, mode_specs.ReverseMode):
            return
        if not decrypts(data.client_hello.sni, data.context.server.address, self._settings):
            data.ignore_connection = True
            return
        host = data.client_hello.sni or (data.context.server.address or ("",))[0]
        if self._spared.get((host, self._agents.get(data.context.client.id, "")), 0.0) > time.monotonic():
            data.ignore_connection = True

    def tls_established_client(self, data: tls.TlsData) -> None:
        self._refused.pop(self._who(data), None)

    def tls_failed_client(self, data: tls.TlsData) -> None:
        who, error = self._who(data), data.conn.error or ""
        # mitmproxy says so of clients that send that alert, and of those that hang up in the handshake.
        # Nobody else answers for the host of the handshake, so that to let it pass would help no client.
        if self._bundle is None or "does not trust" not in error or who[0] == handshake.HOST:
            return
        self._refused[who] = self._refused.get(who, 0) + 1
        # A client may hang up for reasons of its own, once.
        if "disconnected during the handshake" not in error or self._refused[who] > 1:
            self._spared[who] = time.monotonic() + SPARED_SECONDS
        if who not in self._told:
            self._told.add(who)
            logger.warning(hint(*who, self._bundle))

    def _who(self, data: tls.TlsData) -> tuple[str, str]:
        """Host and user agent of a connection."""
        host = data.conn.sni or (data.context.server.address or ("an unknown host",))[0]
        return host, self._agents.get(data.context.client.id, "")


def _is_digits(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
