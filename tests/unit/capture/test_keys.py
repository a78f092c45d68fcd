from pathlib import Path

import pytest
from mitmproxy import http

from llmprof_addon.capture.keys import configured, inject
from llmprof_addon.providers.registry import by_name
from llmprof_addon.settings import load

KEY = "sk-fake-0123456789"


def request(**headers: str) -> http.Request:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return http.Request.make("POST", "http://127.0.0.1:4000/", b"{}", fields)


@pytest.mark.parametrize(
    ("provider", "path", "header", "value"),
    [
        ("openai", "/v1/responses", "authorization", f"Bearer {KEY}"),
        ("anthropic", "/v1/messages", "x-api-key", KEY),
        ("gemini", "/v1beta/models/m:generateContent", "x-goog-api-key", KEY),
        ("azure", "/openai/v1/responses", "api-key", KEY),
        (None, "/v1/messages", "x-api-key", KEY),
        (None, "/v1/models", "authorization", f"Bearer {KEY}"),
        (None, "/v1beta/models/m:generateContent", "x-goog-api-key", KEY),
    ],
)
def test_a_key_goes_where_the_provider_takes_it(provider: str | None, path: str, header: str, value: str) -> None:
    asked = request(accept="x")
    inject(asked, path, by_name(provider) if provider else None, KEY)
    assert dict(asked.headers) == {"accept": "x", "content-length": "2", header: value}


@pytest.mark.parametrize(
    ("provider", "path", "header", "value"),
    [
        ("openai", "/v1/responses", "Authorization", "Bearer sk-fake-client"),
        ("anthropic", "/v1/messages", "authorization", "Bearer sk-fake-client"),
        ("gemini", "/v1beta/models/m:generateContent?key=fake", "x", "y"),
    ],
)
def test_the_client_s_own_key_stays(provider: str, path: str, header: str, value: str) -> None:
    asked = request(**{header: value})
    inject(asked, path, by_name(provider), KEY)
    assert asked.headers[header] == value
    assert KEY not in str(asked.headers)


@pytest.mark.parametrize("value", ["", " ", "Bearer", "Bearer "])
def test_an_empty_header_is_none(value: str) -> None:
    asked = request(authorization=value)
    inject(asked, "/v1/responses", by_name("openai"), KEY)
    assert asked.headers.get_all("authorization") == [f"Bearer {KEY}"]


def test_only_what_is_configured_and_set(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        '[endpoints.a]\nurl = "http://h"\nkey_env = "A_KEY"\n[routes]\n"m" = {to = "groq", key_env = "R_KEY"}'
    )
    environ = {"LLMPROF_ENDPOINT_B_URL": "http://b", "LLMPROF_ENDPOINT_B_KEY": KEY, "A_KEY": "", "GROQ_API_KEY": KEY}
    settings = load({"home": tmp_path}, environ)
    assert configured(settings, environ) == {"LLMPROF_ENDPOINT_B_KEY": KEY}
    assert configured(settings, {"A_KEY": " k ", "R_KEY": "r"}) == {"A_KEY": "k", "R_KEY": "r"}
    assert KEY not in repr(settings)
