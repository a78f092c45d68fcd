import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from mitmproxy import exceptions
from mitmproxy.test import taddons

from llmprof_addon.capture import scope as scope_
from llmprof_addon.capture.scope import SPARED_SECONDS, Scope, decrypts, hint
from llmprof_addon.settings import load

AT = load({}, {"LLMPROF_LLM_HOSTS": "llm.corp.example=openai.chat,here.example:8443=openai.chat"})


@pytest.mark.parametrize(
    ("sni", "address", "expected"),
    [
        ("api.openai.com", ("api.openai.com", 443), True),
        ("API.Anthropic.com", ("api.anthropic.com", 443), True),
        ("llm.corp.example", ("llm.corp.example", 443), True),
        ("here.example", ("here.example", 8443), True),
        ("here.example", ("here.example", 443), False),
        (None, ("api.openai.com", 443), True),
        ("api.openai.com", ("192.0.2.1", 443), True),
        ("api.openai.com", None, True),
        ("bank.example", ("bank.example", 443), False),
        ("api.openai.com", ("bank.example", 443), False),
        ("bank.example", ("api.openai.com", 443), False),
        (None, ("192.0.2.1", 443), False),
        (None, None, False),
    ],
)
def test_what_is_decrypted(sni: str | None, address: tuple[str, int] | None, expected: bool) -> None:
    assert decrypts(sni, address, AT) is expected


@pytest.mark.parametrize(
    ("agent", "variable"),
    [
        ("node", "NODE_EXTRA_CA_CERTS"),
        ("claude-cli/2.1 (external)", "NODE_EXTRA_CA_CERTS"),
        ("python-requests/2.34", "REQUESTS_CA_BUNDLE"),
        ("codex_exec/0.169", "CODEX_CA_CERTIFICATE"),
        ("curl/8.5", "CURL_CA_BUNDLE"),
        ("OpenAI/Python 3.1", "SSL_CERT_FILE"),
        ("", "SSL_CERT_FILE"),
    ],
)
def test_the_hint_names_the_variable(agent: str, variable: str) -> None:
    line = hint("api.openai.com", agent, Path("/home/me/.llmprof/ca/bundle.pem"))
    assert f"set {variable}" in line
    assert "/home/me/.llmprof/ca/bundle.pem" in line
    assert "\n" not in line


async def test_the_option_is_checked() -> None:
    scope = Scope(AT, default="all")
    with taddons.context(scope) as context:
        context.configure(scope, llmprof_scope="llm")
        with pytest.raises(exceptions.OptionsError, match="must be llm or all"):
            context.configure(scope, llmprof_scope="some")


class Client:
    """Connections of one client to a host, and the clock."""

    def __init__(self, scope: Scope, agent: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.scope, self.agent, self.now, self.number = scope, agent, 0.0, 0
        monkeypatch.setattr(scope_, "time", SimpleNamespace(monotonic=lambda: self.now))

    def connect(self, error: str | None) -> bool:
        """Whether the connection passes through; else the handshake ends with this error, or well."""
        self.number += 1
        client = SimpleNamespace(id=f"{self.agent} {self.number}", proxy_mode=None)
        request = SimpleNamespace(headers={"user-agent": self.agent})
        self.scope.http_connect(SimpleNamespace(client_conn=client, request=request))  # type: ignore[arg-type]
        server = SimpleNamespace(address=("api.openai.com", 443))
        data: Any = SimpleNamespace(
            context=SimpleNamespace(client=client, server=server),
            client_hello=SimpleNamespace(sni="api.openai.com"),
            conn=SimpleNamespace(sni="api.openai.com", error=error),
            ignore_connection=False,
        )
        self.scope.tls_clienthello(data)
        if not data.ignore_connection:
            self.scope.tls_established_client(data) if error is None else self.scope.tls_failed_client(data)
        self.scope.client_disconnected(client)
        return bool(data.ignore_connection)


REFUSED = "The client does not trust the proxy's certificate for api.openai.com (alert unknown ca)"
HUNG_UP = f"{REFUSED.partition(' (')[0]}: The client disconnected during the handshake."


async def test_a_client_that_refuses_is_let_through_for_a_while(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    scope = Scope(AT, bundle=Path("/ca/bundle.pem"))
    with taddons.context(scope), caplog.at_level(logging.WARNING):
        client = Client(scope, "curl/8.5", monkeypatch)
        assert not client.connect(REFUSED)
        client.now = SPARED_SECONDS - 1
        assert client.connect(None)
        assert not Client(scope, "node", monkeypatch).connect(None)
        client.now = SPARED_SECONDS + 1
        monkeypatch.setattr(scope_, "time", SimpleNamespace(monotonic=lambda: client.now))
        assert not client.connect(REFUSED)
        assert client.connect(None)
    assert [record.message for record in caplog.records] == [hint("api.openai.com", "curl/8.5", Path("/ca/bundle.pem"))]


async def test_hanging_up_once_is_no_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    scope = Scope(AT, bundle=Path("/ca/bundle.pem"))
    with taddons.context(scope):
        client = Client(scope, "node", monkeypatch)
        assert [client.connect(error) for error in (HUNG_UP, None, HUNG_UP, HUNG_UP, None)] == [*[False] * 4, True]
