import json

import pytest

from llmprof_addon.model.exchange import Client
from llmprof_addon.model.part import Json
from llmprof_addon.providers.identity import app_of, identify
from tests.factories import make_exchange

SESSION = "5f0c1c5e-0000-4000-8000-0000000000aa"
CODEX = {"user-agent": "codex_exec/0.169.0 (Linux)", "originator": "codex_exec"}


@pytest.mark.parametrize(
    ("headers", "body", "source"),
    [
        ({"X-Claude-Code-Session-Id": SESSION}, {}, "x-claude-code-session-id"),
        ({}, {"metadata": {"user_id": json.dumps({"device_id": "d", "session_id": SESSION})}}, "metadata.user_id"),
        ({}, {"metadata": {"user_id": f"user_ab12_account__session_{SESSION}"}}, "metadata.user_id"),
        (CODEX, {"client_metadata": {"session_id": SESSION}}, "client_metadata.session_id"),
        ({"x-codex-turn-metadata": json.dumps({"session_id": SESSION})}, {}, "x-codex-turn-metadata"),
        ({"session-id": SESSION}, {}, "session-id"),
        ({"session_id": SESSION}, {}, "session_id"),
        ({"x-opencode-session": SESSION}, {}, "x-opencode-session"),
        ({"x-session-affinity": SESSION}, {}, "x-session-affinity"),
        ({"x-amp-thread-id": SESSION}, {}, "x-amp-thread-id"),
        ({}, {"conversation": SESSION}, "conversation"),
        ({}, {"conversation": {"id": SESSION}}, "conversation.id"),
        ({}, {"conversation_id": SESSION}, "conversation_id"),
        (CODEX, {"prompt_cache_key": SESSION}, "prompt_cache_key"),
    ],
)
def test_ids_that_decide_alone(headers: dict[str, str], body: Json, source: str) -> None:
    identity = identify(make_exchange(request_headers=tuple(headers.items())), body)
    assert (identity.session, identity.session_source, identity.weak_session) == (SESSION, source, None)


@pytest.mark.parametrize(
    ("headers", "body", "source"),
    [
        ({"user-agent": "my-app/1.0"}, {"prompt_cache_key": "tenant-7"}, "prompt_cache_key"),
        ({"x-session-id": "tenant-7"}, {}, "x-session-id"),
        ({}, {"metadata": {"user_id": "tenant-7"}}, "metadata.user_id"),
    ],
)
def test_ids_that_only_narrow_down(headers: dict[str, str], body: Json, source: str) -> None:
    identity = identify(make_exchange(request_headers=tuple(headers.items())), body)
    assert (identity.session, identity.weak_session, identity.session_source) == (None, "tenant-7", source)


def test_the_first_of_several_ids_counts() -> None:
    headers = (("x-session-id", "weak"), ("session-id", SESSION))
    identity = identify(make_exchange(request_headers=headers), {"prompt_cache_key": "weaker"})
    assert (identity.session, identity.weak_session) == (SESSION, None)


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "text",
        {"metadata": None},
        {"metadata": {"user_id": 7}},
        {"metadata": {"user_id": "{broken"}},
        {"metadata": {"user_id": "{}"}},
        {"conversation": []},
        {"client_metadata": "x"},
    ],
)
def test_odd_bodies_name_no_session(body: Json) -> None:
    assert identify(make_exchange(request_headers=()), body).session is None


@pytest.mark.parametrize(
    ("headers", "app"),
    [
        ({"user-agent": "claude-cli/2.1.329 (external, cli)", "x-app": "cli"}, "claude-code"),
        ({"x-app": "cli-bg", "user-agent": "Bun/1.3"}, "claude-code"),
        (CODEX, "codex"),
        ({"user-agent": "MyEditor/1", "originator": "codex_vscode"}, "codex"),
        ({"user-agent": "opencode/1.2.3 ai-sdk/provider-utils/3"}, "opencode"),
        ({"user-agent": "OpenAI/JS 6.1.0", "x-title": "Cline"}, "cline"),
        ({"user-agent": "OpenAI/Python 2.54.0"}, "openai-python"),
        ({"user-agent": "AsyncAzureOpenAI/Python 1.9"}, "openai-python"),
        ({"user-agent": "AsyncAnthropic/Python 0.76.0"}, "anthropic-python"),
        ({"user-agent": "AnthropicVertex/Python 0.76.0"}, "anthropic-python"),
        ({"user-agent": "Anthropic/JS 0.71.2"}, "anthropic-js"),
        ({"user-agent": "Agents/Python 0.4"}, "openai-agents"),
        ({"user-agent": "litellm/1.106.0"}, "litellm"),
        ({"user-agent": "langchain-anthropic/1.0"}, "langchain"),
        ({"user-agent": "aider/0.86.2"}, "aider"),
        ({"user-agent": "GeminiCLI/0.9 (linux)"}, "gemini-cli"),
        ({"user-agent": "curl/8.5.0"}, "curl"),
        ({"user-agent": "acme-bot/3 (x)"}, "acme-bot"),
        ({"x-stainless-lang": "kotlin"}, "sdk-kotlin"),
        ({}, None),
    ],
)
def test_app_names(headers: dict[str, str], app: str | None) -> None:
    assert app_of(make_exchange(request_headers=tuple(headers.items()), client=Client())) == app
