from pathlib import Path

import pytest
from mitmproxy import exceptions
from mitmproxy.test import taddons

from llmprof_addon.capture.scope import Scope, decrypts, hint
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
