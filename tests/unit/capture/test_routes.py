from pathlib import Path
from typing import Any

import pytest

from llmprof_addon.capture.routes import Decision, Routes, Target
from llmprof_addon.errors import ConfigError
from llmprof_addon.settings import Settings, load, parse_endpoint


def settings(config: str = "", home: Path | None = None, **environ: str) -> Settings:
    if home is not None:
        (home / "config.toml").write_text(config)
    return load({"home": home}, {f"LLMPROF_{name}": value for name, value in environ.items()})


def sent(decision: Decision) -> str:
    assert decision.url is not None
    return decision.url.url


@pytest.mark.parametrize(
    ("upstream", "path", "url"),
    [
        ("https://api.openai.com", "/v1/chat/completions?x=1", "https://api.openai.com/v1/chat/completions?x=1"),
        ("https://api.openai.com/v1", "/v1/chat/completions", "https://api.openai.com/v1/chat/completions"),
        ("http://h:1/prefix/v1", "/v1/models", "http://h:1/prefix/v1/models"),
        ("http://h:1/prefix", "/v1/models", "http://h:1/prefix/v1/models"),
        ("http://h:1/openai/v1", "/chat/completions", "http://h:1/openai/v1/chat/completions"),
        ("http://h:1/v1", "/v1beta/models", "http://h:1/v1/v1beta/models"),
        ("http://h:1/v1", "/v1?x", "http://h:1/v1?x"),
        ("http://h:1", "/openai/deployments/m/chat/completions", "http://h:1/openai/deployments/m/chat/completions"),
        ("http://h:1", "/azure/openai/v1/responses", "http://h:1/azure/openai/v1/responses"),
        ("http://h:1", "/api/chat", "http://h:1/api/chat"),
        ("https://api.openai.com", "/groq/v1/chat/completions", "https://api.groq.com/openai/v1/chat/completions"),
        ("http://h:1", "/passthrough/openrouter/v1/messages", "https://openrouter.ai/api/v1/messages"),
        ("https://api.openai.com", "/openai/v1/responses", "https://api.openai.com/v1/responses"),
        ("https://api.openai.com", "/anthropic/v1/messages", "https://api.anthropic.com/v1/messages"),
        ("https://api.openai.com", "/x_ai/v1/responses", "https://api.x.ai/v1/responses"),
        ("https://api.openai.com", "/llama.cpp/v1/models", "http://127.0.0.1:8080/v1/models"),
        ("https://api.openai.com", "/groq/openai/v1/models", "https://api.groq.com/openai/v1/models"),
        ("https://api.openai.com", "/groq?x=/y", "https://api.openai.com/groq?x=/y"),
        ("https://api.openai.com", "/anything/else", "https://api.openai.com/anything/else"),
        ("https://api.openai.com", "/api/tags", "http://127.0.0.1:11434/api/tags"),
        ("https://api.openai.com", "/v2/chat", "https://api.cohere.com/v2/chat"),
        (
            "https://api.openai.com",
            "/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse",
            "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse",
        ),
        (
            "https://api.openai.com",
            "/v1/projects/p/locations/us-east5/publishers/google/models/m:generateContent",
            "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5/publishers/google/models/m:generateContent",
        ),
        (
            "https://api.openai.com",
            "/vertex/v1/projects/p/locations/global/publishers/google/models/m:generateContent",
            "https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/google/models/m:generateContent",
        ),
    ],
)
def test_where_a_path_goes(upstream: str, path: str, url: str) -> None:
    assert sent(Routes(settings(UPSTREAM=upstream)).decide(path, {})) == url


@pytest.mark.parametrize(
    ("path", "headers", "provider", "url"),
    [
        ("/v1/messages", {}, None, "https://api.anthropic.com/v1/messages"),
        ("/v1/messages/batches/x/results", {}, None, "https://api.anthropic.com/v1/messages/batches/x/results"),
        ("/v1/messagesx", {}, None, "https://api.openai.com/v1/messagesx"),
        ("/v1/models", {"anthropic-version": "2023-06-01"}, None, "https://api.anthropic.com/v1/models"),
        ("/api/hello", {"authorization": "Bearer sk-ant-fake-0123"}, None, "https://api.anthropic.com/api/hello"),
        ("/api/tags", {"x-api-key": "sk-ant-fake-0123"}, None, "https://api.anthropic.com/api/tags"),
        ("/v1/models", {"authorization": "Bearer sk-fake-0123"}, None, "https://api.openai.com/v1/models"),
        ("/v1/models", {}, "anthropic", "https://api.anthropic.com/v1/models"),
        ("/v1/messages", {}, "openai", "https://api.openai.com/v1/messages"),
        ("/v1/chat/completions", {}, "Groq", "https://api.groq.com/openai/v1/chat/completions"),
        ("/groq/v1/models", {}, "groq", "https://api.groq.com/openai/v1/models"),
        ("/groq/v1/models", {}, "mistral", "https://api.mistral.ai/groq/v1/models"),
        ("/v1/models", {}, "azure", "https://api.openai.com/v1/models"),
        ("/v1/messages", {}, "nobody", "https://api.anthropic.com/v1/messages"),
    ],
)
def test_which_upstream(path: str, headers: Any, provider: str | None, url: str) -> None:
    assert sent(Routes(settings()).decide(path, headers, provider=provider)) == url


@pytest.mark.parametrize(
    "path", ["/azure/openai/v1/responses", "/passthrough/bedrock/model/m/converse", "/model/m/converse"]
)
def test_a_provider_whose_host_is_the_customer_s_own_leads_nowhere(path: str) -> None:
    decision = Routes(settings()).decide(path, {})
    assert decision.url is None
    there = Routes(settings(ENDPOINT_AZURE_URL="https://ours.openai.azure.com", ENDPOINT_BEDROCK_URL="http://b"))
    assert there.decide(path, {}).url is not None


def test_an_endpoint_by_its_name() -> None:
    environ = {
        "ENDPOINT_MY_CORP_URL": "https://llm.corp.example/x/v1",
        "ENDPOINT_MY_CORP_PROVIDER": "azure",
        "ENDPOINT_MY_CORP_KEY": "fake-key-0123",
    }
    routes = Routes(settings(**environ))
    for path in ("/my-corp/v1/models?a=1", "/My_Corp/v1/models?a=1", "/passthrough/my_corp/models?a=1"):
        decision = routes.decide(path, {})
        assert sent(decision) == "https://llm.corp.example/x/v1/models?a=1"
        assert decision.key_variable == "LLMPROF_ENDPOINT_MY_CORP_KEY"
        assert decision.target.serves_as == "azure.openai"
    assert sent(routes.decide("/v1/models", {}, provider="my_corp")) == "https://llm.corp.example/x/v1/models"
    assert routes.upstreams()["my-corp"] == "https://llm.corp.example/x/v1"
    assert "fake-key" not in repr(vars(routes))


def test_an_endpoint_stands_in_for_the_provider_of_its_name() -> None:
    routes = Routes(settings(ENDPOINT_OPENAI_URL="http://h:1", ENDPOINT_GEMINI_URL="http://g:1"))
    assert sent(routes.decide("/v1/responses", {})) == "http://h:1/v1/responses"
    for path in ("/gemini/v1beta/models", "/gcp.gemini/v1beta/models"):
        assert sent(routes.decide(path, {})) == "http://g:1/v1beta/models"


ROUTES = """
[routes]
"gpt-5" = "groq"
"gpt-*" = "corp"
"gpt-5-*" = {to = "openrouter", model = "openai/gpt-5", key_env = "OTHER_KEY"}
[endpoints.corp]
url = "http://corp:1/v1"
key_env = "CORP_KEY"
models = ["llama-*", "gpt-5"]
"""


@pytest.mark.parametrize(
    ("model", "url", "asks_for", "key"),
    [
        ("gpt-5", "https://api.groq.com/openai/v1/messages", None, None),
        ("gpt-4o", "http://corp:1/v1/messages", None, "CORP_KEY"),
        ("gpt-5-mini", "https://openrouter.ai/api/v1/messages", "openai/gpt-5", "OTHER_KEY"),
        ("llama-3", "http://corp:1/v1/messages", None, "CORP_KEY"),
        ("claude", "https://api.anthropic.com/v1/messages", None, None),
        (None, "https://api.anthropic.com/v1/messages", None, None),
    ],
)
def test_by_model(tmp_path: Path, model: str | None, url: str, asks_for: str | None, key: str | None) -> None:
    decision = Routes(settings(ROUTES, tmp_path)).decide("/v1/messages", {}, model=model)
    assert (sent(decision), decision.model, decision.key_variable) == (url, asks_for, key)
    assert decision.why


def test_prefix_and_header_come_before_the_model(tmp_path: Path) -> None:
    routes = Routes(settings(ROUTES, tmp_path))
    assert sent(routes.decide("/mistral/v1/x", {}, model="gpt-5")) == "https://api.mistral.ai/v1/x"
    assert sent(routes.decide("/v1/x", {}, provider="mistral", model="gpt-5")) == "https://api.mistral.ai/v1/x"


def found(name: str, *models: str) -> Target:
    return Target(name=name, origin="found", base=parse_endpoint(f"http://{name}:1", name), models=models)


def test_what_is_found_comes_last(tmp_path: Path) -> None:
    routes = Routes(settings(ROUTES, tmp_path))
    routes.add_found([found("ollama", "llama-3", "qwen3"), found("lmstudio", "qwen3", "phi4")])
    assert sent(routes.decide("/v1/x", {}, model="llama-3")) == "http://corp:1/v1/x"
    assert sent(routes.decide("/v1/x", {}, model="qwen3")) == "http://ollama:1/v1/x"
    assert sent(routes.decide("/v1/x", {}, model="phi4")) == "http://lmstudio:1/v1/x"
    assert sent(routes.decide("/ollama/api/chat", {})) == "http://ollama:1/api/chat"
    assert sent(routes.decide("/api/chat", {})) == "http://ollama:1/api/chat"


def test_what_is_found_draws_no_model_of_the_default_upstreams() -> None:
    routes = Routes(settings())
    hosted = ("gpt-5-mini", "o3", "o4-mini", "claude-opus-4", "gemini-2.5-pro", "text-embedding-3-small")
    local = ("gpt-oss:20b", "olmo", "text-embedding-nomic-embed-text-v1.5")
    routes.add_found([found("litellm", *hosted, *local)])
    assert [rule.pattern for rule in routes.rules] == list(local)
    assert sent(routes.decide("/v1/x", {}, model="gpt-5-mini")) == "https://api.openai.com/v1/x"


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ('[routes]\n"m" = "nobody"', "leads to 'nobody', which nothing is"),
        ('[routes]\n"m" = "azure"', "leads to azure, which has no address of its own"),
        ('[endpoints.x]\nurl = "http://h"\nprovider = "nobody"', "unknown provider: nobody"),
    ],
)
def test_a_name_that_leads_nowhere_is_said_at_start(tmp_path: Path, config: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Routes(settings(config, tmp_path))
    assert said in caught.value.message
