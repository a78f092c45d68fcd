import re

import pytest

from llmprof_addon.providers.provider import AS_LISTED
from llmprof_addon.providers.registry import (
    APIS,
    PROVIDERS,
    api_of,
    by_name,
    home_of,
    is_llm_call,
    key_header,
    match_host,
    price_provider,
)

CALLS = [
    ("api.openai.com", "/v1/chat/completions", "openai", "openai.chat"),
    ("api.openai.com", "/v1/responses", "openai", "openai.responses"),
    ("api.openai.com", "/v1/responses/compact", "openai", "openai.responses"),
    ("eu.api.openai.com", "/v1/chat/completions", "openai", "openai.chat"),
    ("api.anthropic.com", "/v1/messages?beta=true", "anthropic", "anthropic.messages"),
    ("API.Anthropic.com.", "/v1/messages/", "anthropic", "anthropic.messages"),
    ("api.anthropic.com", "/v1/chat/completions", "anthropic", "openai.chat"),
    (
        "ours.openai.azure.com",
        "/openai/deployments/gpt-4o/chat/completions?api-version=x",
        "azure.openai",
        "openai.chat",
    ),
    ("ours.openai.azure.com", "/openai/v1/responses", "azure.openai", "openai.responses"),
    ("ours.cognitiveservices.azure.com", "/openai/responses", "azure.openai", "openai.responses"),
    ("ours.services.ai.azure.com", "/anthropic/v1/messages", "azure.openai", "anthropic.messages"),
    ("chatgpt.com", "/backend-api/codex/responses", "chatgpt", "openai.responses"),
    ("openrouter.ai", "/api/v1/chat/completions", "openrouter", "openai.chat"),
    ("openrouter.ai", "/api/v1/messages", "openrouter", "anthropic.messages"),
    ("api.groq.com", "/openai/v1/chat/completions", "groq", "openai.chat"),
    ("api.deepseek.com", "/beta/chat/completions", "deepseek", "openai.chat"),
    ("api.z.ai", "/api/coding/paas/v4/chat/completions", "zai", "openai.chat"),
    ("api.perplexity.ai", "/chat/completions", "perplexity", "openai.chat"),
    ("api.minimaxi.com", "/anthropic/v1/messages", "minimax", "anthropic.messages"),
    ("generativelanguage.googleapis.com", "/v1beta/openai/chat/completions", "gcp.gemini", "openai.chat"),
    (
        "europe-west1-aiplatform.googleapis.com",
        "/v1/projects/p/locations/l/publishers/anthropic/models/claude-sonnet-4-5@20250929:streamRawPredict",
        "gcp.vertex_ai",
        "anthropic.messages",
    ),
    ("gateway.ai.cloudflare.com", "/v1/acc/gw/openai/chat/completions", "cloudflare", "openai.chat"),
    ("api.cloudflare.com", "/client/v4/accounts/a/ai/v1/chat/completions", "cloudflare", "openai.chat"),
    ("adb-1.2.azuredatabricks.net", "/serving-endpoints/mine/invocations", "databricks", "openai.chat"),
    ("coding.dashscope.aliyuncs.com", "/v1/chat/completions", "dashscope", "openai.chat"),
    ("api.writer.com", "/v1/chat", "writer", "openai.chat"),
    ("localhost:11434", "/v1/chat/completions", "ollama", "openai.chat"),
    ("127.0.0.1:1234", "/v1/chat/completions", "lmstudio", "openai.chat"),
    ("127.0.0.1:11434", "/api/chat", "ollama", "ollama.chat"),
    ("ollama.com", "/api/chat", "ollama", "ollama.chat"),
    ("localhost:11434", "/api/generate", "ollama", "ollama.generate"),
    ("localhost:4000", "/v1/messages", "litellm", "anthropic.messages"),
    ("api.openai.com", "/v1/embeddings", "openai", "openai.embeddings"),
    ("api.together.xyz", "/v1/completions", "together", "openai.completions"),
    ("openrouter.ai", "/api/v1/embeddings", "openrouter", "openai.embeddings"),
    ("generativelanguage.googleapis.com", "/v1beta/openai/embeddings", "gcp.gemini", "openai.embeddings"),
    (
        "generativelanguage.googleapis.com",
        "/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse",
        "gcp.gemini",
        "gemini.generate_content",
    ),
    (
        "us-east5-aiplatform.googleapis.com",
        "/v1/projects/p/locations/us-east5/publishers/google/models/gemini-2.5-pro:generateContent",
        "gcp.vertex_ai",
        "gemini.generate_content",
    ),
    ("api.mistral.ai", "/v1/chat/completions", "mistral", "mistral.chat"),
    ("codestral.mistral.ai", "/v1/fim/completions", "mistral", "mistral.chat"),
    ("api.cohere.com", "/v2/chat", "cohere", "cohere.chat"),
    ("api.cohere.ai", "/v1/chat", "cohere", "cohere.chat"),
    ("api.cohere.com", "/v1/generate", "cohere", "cohere.generate"),
    ("api.cohere.com", "/v2/embed", "cohere", "cohere.embed"),
    ("api.anthropic.com", "/v1/complete", "anthropic", "anthropic.complete"),
    ("generativelanguage.googleapis.com", "/v1beta/models/g:batchEmbedContents", "gcp.gemini", "gemini.embed"),
    ("api.openai.com", "/v1/images/generations", "openai", "openai.images"),
    ("api.openai.com", "/v1/threads/thread_1/runs", "openai", "openai.assistants"),
    ("api.openai.com", "/v1/threads/runs", "openai", "openai.assistants"),
    ("api.openai.com", "/v1/threads/t/runs/r/submit_tool_outputs", "openai", "openai.assistants"),
    (
        "bedrock-runtime.us-east-1.amazonaws.com",
        "/model/arn:aws:bedrock:us-east-1:0:inference-profile/us.a.b/converse",
        "aws.bedrock",
        "bedrock.converse",
    ),
    ("bedrock-runtime.us-west-2.amazonaws.com", "/openai/v1/chat/completions", "aws.bedrock", "openai.chat"),
    ("bedrock-runtime.eu-west-1.amazonaws.com", "/model/a.b-v1%3A0/converse-stream", "aws.bedrock", "bedrock.converse"),
    ("bedrock-runtime.us-east-1.amazonaws.com", "/model/a.b-v1%3A0/invoke", "aws.bedrock", "bedrock.invoke"),
    ("api.voyageai.com", "/v1/embeddings", "voyageai", "openai.embeddings"),
]


@pytest.mark.parametrize(("host", "path", "provider", "api"), CALLS)
def test_a_call_is_known_by_host_and_path(host: str, path: str, provider: str, api: str) -> None:
    row = match_host(host)
    assert row is not None
    assert row.name == provider
    assert is_llm_call("POST", host, path) == api


@pytest.mark.parametrize(
    ("method", "host", "path"),
    [
        ("GET", "api.openai.com", "/v1/responses"),
        ("GET", "api.openai.com", "/v1/responses/resp_1"),
        ("POST", "api.openai.com", "/v1/responses/resp_1/cancel"),
        ("POST", "api.openai.com", "/v1/responses/input_tokens"),
        ("POST", "api.openai.com", "/v1/threads/thread_1/messages"),
        ("POST", "api.openai.com", "/v1/threads"),
        ("POST", "api.openai.com", "/v1/assistants"),
        ("POST", "api.openai.com", "/v1/realtime/sessions"),
        ("GET", "api.openai.com", "/v1/realtime"),
        ("POST", "api.openai.com", "/v1/realtime"),
        ("POST", "api.openai.com", "/v1/audio/transcriptions"),
        ("POST", "api.cohere.com", "/v2/rerank"),
        ("POST", "api.cohere.com", "/v1/tokenize"),
        ("POST", "generativelanguage.googleapis.com", "/v1beta/models/g:countTokens"),
        ("POST", "bedrock-runtime.us-east-1.amazonaws.com", "/model/m/count-tokens"),
        ("POST", "localhost:11434", "/api/embeddings"),
        ("POST", "localhost:11434", "/api/embed"),
        ("POST", "api.anthropic.com", "/v1/messages/count_tokens?beta=true"),
        ("POST", "api.anthropic.com", "/v1/messages/batches"),
        ("POST", "api.anthropic.com", "/api/event_logging/v2/batch"),
        ("HEAD", "api.anthropic.com", "/v1/messages"),
        ("GET", "chatgpt.com", "/backend-api/codex/models"),
        ("POST", "us-aiplatform.googleapis.com", "/v1/projects/p/publishers/google/models/g:rawPredict"),
        ("POST", "example.org", "/v1/chat/completions"),
        ("POST", "localhost:9999", "/v1/chat/completions"),
        ("POST", "evil-openrouter.ai.example", "/api/v1/chat/completions"),
        ("POST", "openai.azure.com", "/openai/v1/responses"),
    ],
)
def test_what_is_no_call(method: str, host: str, path: str) -> None:
    assert is_llm_call(method, host, path) is None


def test_every_row_is_sound() -> None:
    names = [name for row in PROVIDERS for name in (row.name, *row.path_prefixes)]
    assert len(names) == len(set(names))
    hosts = [host for row in PROVIDERS for host in row.hosts]
    assert len(hosts) == len(set(hosts))
    for row in PROVIDERS:
        assert row.apis
        assert all(header == header.lower() for header in row.auth_headers)
        assert row.base_url is None or re.fullmatch(r"https?://[^/]+(/[^/]+)*", row.base_url)
        assert {header for _, header in row.key_headers} <= set(row.auth_headers)
        for pattern in row.reverse_paths:
            re.compile(pattern)
        for pattern, api in row.paths:
            re.compile(pattern)
            assert api in row.apis


def test_prices_are_looked_up_under_names_that_exist() -> None:
    from genai_prices.data_snapshot import get_snapshot

    known = {provider.id for provider in get_snapshot().providers}
    assert {row.price_provider for row in PROVIDERS if row.price_provider} <= {*known, AS_LISTED}


def test_hosts_that_only_the_user_knows() -> None:
    extra = {"llm.corp.example": "anthropic.messages", "gw.corp.example:8443": "openai.chat"}
    assert is_llm_call("POST", "LLM.corp.example", "/any/path", extra) == "anthropic.messages"
    assert is_llm_call("POST", "llm.corp.example", "/v1/chat/completions", extra) == "openai.chat"
    assert is_llm_call("POST", "llm.corp.example", "/v1/messages/count_tokens", extra) is None
    assert is_llm_call("GET", "llm.corp.example", "/any/path", extra) is None
    assert is_llm_call("POST", "gw.corp.example", "/x", extra, port=8443) == "openai.chat"
    assert is_llm_call("POST", "gw.corp.example", "/x", extra, port=443) is None


def test_a_provider_by_its_names() -> None:
    assert by_name("OpenRouter") is match_host("openrouter.ai")
    assert by_name("azure") is by_name("azure.openai") is by_name("azure_openai") is not None
    assert by_name("v1") is None


def test_a_declared_host_may_be_a_provider_s_or_anything() -> None:
    extra = {"gw.corp.example": "azure.openai", "any.corp.example": "corp", "api.openai.com": "corp"}
    assert match_host("gw.corp.example", 443, extra) is by_name("azure")
    assert is_llm_call("POST", "gw.corp.example", "/openai/v1/responses", extra) == "openai.responses"
    assert is_llm_call("POST", "any.corp.example", "/x/v1/messages", extra) == "anthropic.messages"
    assert is_llm_call("POST", "any.corp.example", "/x", extra) is None
    assert (match_host("any.corp.example", 443, extra) or pytest.fail("no provider")).name == "corp"
    assert match_host("api.openai.com", 443, extra) is by_name("openai"), "a row knows more than the declaration"


@pytest.mark.parametrize(
    ("provider", "api", "header"),
    [
        ("openai", "openai.chat", "authorization"),
        ("anthropic", "anthropic.messages", "x-api-key"),
        ("anthropic", "openai.chat", "authorization"),
        ("gcp.gemini", "gemini.generate_content", "x-goog-api-key"),
        ("gcp.gemini", "openai.chat", "authorization"),
        ("azure.openai", "openai.responses", "api-key"),
        ("azure.openai", "anthropic.messages", "x-api-key"),
        ("zai", "anthropic.messages", "x-api-key"),
        ("groq", None, "authorization"),
    ],
)
def test_where_a_key_goes(provider: str, api: str | None, header: str) -> None:
    assert key_header(by_name(provider) or pytest.fail("no provider"), api) == header


@pytest.mark.parametrize("api", APIS)
def test_every_dialect_has_a_home_that_serves_it(api: str) -> None:
    assert api in home_of(api).apis or api == "mistral.chat"


def test_a_gateway_bills_what_the_vendor_lists() -> None:
    assert price_provider(by_name("litellm"), "anthropic.messages") == "anthropic"
    assert price_provider(None, "openai.chat") == "openai"
    assert price_provider(by_name("groq"), "openai.chat") == "groq"
    assert price_provider(by_name("nvidia"), "openai.chat") is None


def test_a_shape_that_the_provider_does_not_serve() -> None:
    gemini = by_name("gemini")
    assert api_of("/v1/messages", provider=gemini) is None
    assert api_of("/v1/messages") == "anthropic.messages"
