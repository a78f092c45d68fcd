from typing import Any

import pytest

from llmprof_addon.capture.routing import connects_to, goes_through_proxy, is_ourselves, route
from llmprof_addon.settings import Settings, load


def settings(**environ: str) -> Settings:
    return load({}, {f"LLMPROF_{name}" if name != "NO_PROXY" else name: value for name, value in environ.items()})


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
        ("https://api.openai.com", "/groq/v1/chat/completions", "https://api.groq.com/openai/v1/chat/completions"),
        ("http://h:1", "/passthrough/openrouter/v1/messages", "https://openrouter.ai/api/v1/messages"),
        ("https://api.openai.com", "/openai/v1/responses", "https://api.openai.com/v1/responses"),
        ("https://api.openai.com", "/anthropic/v1/messages", "https://api.anthropic.com/v1/messages"),
        ("https://api.openai.com", "/anything/else", "https://api.openai.com/anything/else"),
    ],
)
def test_where_a_path_goes(upstream: str, path: str, url: str) -> None:
    assert route(path, {}, settings(UPSTREAM=upstream)).url == url


@pytest.mark.parametrize(
    ("path", "headers", "provider", "host"),
    [
        ("/v1/messages", {}, None, "api.anthropic.com"),
        ("/v1/messages/batches/x/results", {}, None, "api.anthropic.com"),
        ("/v1/messagesx", {}, None, "api.openai.com"),
        ("/v1/models", {"anthropic-version": "2023-06-01"}, None, "api.anthropic.com"),
        ("/api/hello", {"authorization": "Bearer sk-ant-fake-0123"}, None, "api.anthropic.com"),
        ("/v1/models", {"authorization": "Bearer sk-fake-0123"}, None, "api.openai.com"),
        ("/v1/models", {}, "anthropic", "api.anthropic.com"),
        ("/v1/messages", {}, "openai", "api.openai.com"),
        ("/v1/messages", {}, "groq", "api.anthropic.com"),
    ],
)
def test_which_upstream(path: str, headers: Any, provider: str | None, host: str) -> None:
    assert route(path, headers, settings(), provider).host == host


def test_connections_made_elsewhere() -> None:
    at = settings(CONNECT="API.openai.com:443=http://127.0.0.1:9")
    there = connects_to("api.openai.com", 443, at)
    assert there is not None
    assert there.url == "http://127.0.0.1:9"
    assert connects_to("api.openai.com", 80, at) is None
    assert connects_to("api.openai.com", 443, settings()) is None


def test_what_goes_through_the_proxy() -> None:
    at = settings(UPSTREAM_PROXY="http://corp:3128", NO_PROXY="inside.example,.corp")
    assert goes_through_proxy("api.openai.com", at)
    assert not goes_through_proxy("llm.inside.example", at)
    assert not goes_through_proxy("127.0.0.1", at)
    assert not goes_through_proxy("api.openai.com", settings())


def test_ourselves() -> None:
    ports = {"reverse": 4000, "forward": 4001}
    assert is_ourselves("127.0.0.1", 4000, ports, "127.0.0.1")
    assert is_ourselves("localhost", 4001, ports, "127.0.0.1")
    assert is_ourselves("192.0.2.7", 4000, ports, "192.0.2.7")
    assert not is_ourselves("127.0.0.1", 4002, ports, "127.0.0.1")
    assert not is_ourselves("api.openai.com", 4000, ports, "127.0.0.1")
