import json
import shlex
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from llmprof_addon.capture import discovery
from llmprof_addon.cli.routes import _REQUESTS
from llmprof_addon.providers.registry import api_of, by_name
from tests.unit.capture.test_discovery import TAGS, server
from tests.unit.cli.conftest import Cli

KEY = "sk-fake-0123456789"
CONFIG = """
[routes]
"gpt-*" = "groq"
"gpt-5" = {to = "corp", model = "gpt-5-corp", key_env = "CORP_KEY"}
"gemini-*" = {to = "gemini", model = "gemini-9"}
[endpoints.corp]
url = "http://corp:1/v1"
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LLMPROF_LOCAL_DISCOVERY", "0")
    monkeypatch.setenv("CORP_KEY", KEY)
    (tmp_path / "config.toml").write_text(CONFIG)
    return tmp_path


def explained(llmprof: Cli, home: Path, *words: str) -> Any:
    ran = llmprof("routes", "--home", home, *words, "--json")
    assert KEY not in ran.out
    return json.loads(ran.out)


def test_a_configured_route(llmprof: Cli, home: Path) -> None:
    found = explained(llmprof, home, "gpt-5", "--api", "openai.responses")
    assert (found["target"], found["url"]) == ("corp", "http://corp:1/v1/responses")
    assert (found["model"], found["model_sent"]) == ("gpt-5", "gpt-5-corp")
    assert '[routes] "gpt-5"' in found["why"]
    assert found["key"] == {"from": "proxy", "header": "authorization", "variable": "CORP_KEY", "set": True}
    words = shlex.split(found["curl"])
    assert words[:3] == ["curl", "-sS", "http://127.0.0.1:4000/v1/responses"]
    assert json.loads(words[-1])["model"] == "gpt-5"
    assert "authorization" not in found["curl"]


def test_the_client_s_key_is_named_by_its_variable(llmprof: Cli, home: Path) -> None:
    found = explained(llmprof, home, "claude-x")
    assert (found["api"], found["target"]) == ("anthropic.messages", "anthropic")
    assert '-H "x-api-key: $ANTHROPIC_API_KEY"' in found["curl"]
    found = explained(llmprof, home, "gpt-4o")
    assert found["url"] == "https://api.groq.com/openai/v1/chat/completions"
    assert '-H "authorization: Bearer $GROQ_API_KEY"' in found["curl"]


def test_a_model_in_the_path(llmprof: Cli, home: Path) -> None:
    found = explained(llmprof, home, "gemini-2.5-pro")
    assert found["url"] == "https://generativelanguage.googleapis.com/v1beta/models/gemini-9:generateContent"
    assert "/models/gemini-2.5-pro:generateContent" in found["curl"]


def test_for_people(llmprof: Cli, home: Path) -> None:
    ran = llmprof("routes", "--home", home, "gpt-5")
    assert ran.code == 0
    for words in ("goes to", "corp", "gpt-5-corp instead of gpt-5", "$CORP_KEY (set)", "curl -sS"):
        assert words in ran.out
    assert KEY not in ran.out


def test_without_a_proxy_local_servers_are_asked(llmprof: Cli, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "_PORTS", {})
    monkeypatch.setenv("LLMPROF_LOCAL_DISCOVERY", "1")
    with server({"/api/tags": TAGS}) as port:
        monkeypatch.setenv("LLMPROF_DISCOVERY_PEERS", f"127.0.0.1:{port}")
        found = explained(llmprof, home, "llama3:8b")
        assert (found["target"], found["url"]) == ("ollama", f"http://127.0.0.1:{port}/v1/chat/completions")
        rows = [json.loads(line) for line in llmprof("providers", "--home", home, "--json").out.splitlines()]
    assert [(row["name"], row["models"]) for row in rows if row["origin"] == "found"] == [("ollama", ["llama3:8b"])]


def test_nowhere_is_an_answer_of_no(llmprof: Cli, home: Path) -> None:
    ran = llmprof("routes", "--home", home, "m", "--api", "bedrock.converse")
    assert ran.code == 1
    assert "set LLMPROF_ENDPOINT_BEDROCK_URL" in ran.out


def test_all_rules_in_their_order(llmprof: Cli, home: Path) -> None:
    ran = llmprof("routes", "--home", home, "--json")
    rules = [json.loads(line) for line in ran.out.splitlines()]
    kinds = list(dict.fromkeys(rule["rule"] for rule in rules))
    assert kinds == ["header", "prefix", "model", "dialect", "default"]
    models = [(rule["match"], rule["target"]) for rule in rules if rule["rule"] == "model"]
    assert models == [("gpt-5", "corp"), ("gemini-*", "gcp.gemini"), ("gpt-*", "groq")]
    assert llmprof("routes", "--home", home).out.splitlines()[0].startswith("rule")


@pytest.mark.parametrize("api", _REQUESTS)
def test_the_request_of_a_dialect_is_one(llmprof: Cli, home: Path, api: str) -> None:
    found = explained(llmprof, home, "m", "--api", api)
    url = urlsplit(found["url"] or f"http://h{found['path']}")
    assert api_of(url.path, provider=by_name(found["target"])) == api
