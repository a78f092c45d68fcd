import json
from pathlib import Path

import pytest

from llmprof_addon.capture import ca, child
from llmprof_addon.capture.agents import GENERIC, agent_of
from llmprof_addon.settings import Settings, load

PROXY = "http://llmprof:abc@127.0.0.1:4001"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = load({"home": tmp_path / "home"}, {})
    ca.ensure_authority(settings, {})
    return settings


def test_every_runtime_finds_proxy_and_authorities(settings: Settings) -> None:
    environ = child.forward(settings, PROXY, {"PATH": "/bin"}).applied({"PATH": "/bin"})
    assert {environ[name] for name in child.PROXY_VARIABLES} == {PROXY}
    assert {environ[name] for name in child.CA_VARIABLES} == {str(settings.ca_dir / "bundle.pem")}
    assert environ["NO_PROXY"] == environ["no_proxy"] == "localhost,127.0.0.1,::1"
    assert environ["NODE_USE_ENV_PROXY"] == "1"
    assert environ["PATH"] == "/bin"


def test_what_the_environment_trusts_and_spares_stays(settings: Settings, tmp_path: Path) -> None:
    company = tmp_path / "company.pem"
    company.write_text("-----BEGIN CERTIFICATE-----\nY29tcGFueQ==\n-----END CERTIFICATE-----\n")
    given = {"REQUESTS_CA_BUNDLE": str(company), "NO_PROXY": "intern.example, localhost", "CLAUDECODE": "1"}
    given |= {"SSL_CERT_DIR": "", "SSL_CERT_FILE": str(tmp_path / "absent.pem")}
    environ = child.forward(settings, PROXY, given).applied(given)
    assert "Y29tcGFueQ==" in Path(environ["SSL_CERT_FILE"]).read_text()
    assert environ["NO_PROXY"] == "intern.example,localhost,127.0.0.1,::1"
    assert "CLAUDECODE" not in environ
    assert "SSL_CERT_DIR" not in environ
    assert child.trusted_by(given) == {name: given[name] for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")}


def test_base_urls_lead_to_the_reverse_listener() -> None:
    environ = child.reverse("http://here", GENERIC, {}).applied({})
    assert environ["OPENAI_BASE_URL"] == "http://here/v1"
    assert environ["ANTHROPIC_BASE_URL"] == "http://here"
    assert "HTTPS_PROXY" not in environ


def test_an_agent_that_reads_no_variable_gets_arguments() -> None:
    codex, claude = ["codex", "exec", "hi"], ["claude", "-p", "hi"]
    assert child.reverse_command(codex, "http://here", agent_of(codex)) == [
        *("codex", "-c", 'openai_base_url="http://here/v1"', "exec", "hi")
    ]
    command = child.reverse_command(claude, "http://here", agent_of(claude))
    assert json.loads(command[2]) == {"env": {"ANTHROPIC_BASE_URL": "http://here"}}
    assert child.reverse(" http://here", agent_of(claude), {}).variables["CLAUDE_CODE_GATEWAY_HINT_HEADERS"] == "1"
