import json

import pytest

from llmprof_addon.model.secrets import (
    REDACTED,
    credentials,
    is_secret_header,
    redact_bytes,
    redact_cut_bytes,
    redact_cut_text,
    redact_headers,
    redact_json,
    redact_text,
    redact_url,
)

SECRETS = [
    "sk-fake-0123456789abcdef",
    "sk-ant-fake-abcdefgh",
    "sk-proj-abcdefgh",
    "sk_live_fake0123456789abcdef",
    "ghp_fake0123456789abcdef",
    "github_pat_fake0123456789abcdef",
    "AKIAFAKE0123456789AB",
    "AIzaFake0123456789abcdefghijklmnopqrstu",
    "xoxb-0123456789-fake",
    "eyJmYWtlIjoxMjM0fQ.eyJmYWtlIjoxMjM0fQ.c2lnbmF0dXJl",
    "pplx-fake0123456789abcdef0123",
    "nvapi-fake_0123456789-abcdefgh",
    "gho_fake0123456789abcdef",
    "ghu_fake0123456789abcdef",
    "glpat-fake-0123456789abcd",
    "npm_fake0123456789abcdefghijklmnopqrst",
    "pypi-AgEfake0123456789abcdefghijklmnopqrst",
    "ya29.fake-0123456789_abcdefghij",
    "SG.fake0123456789abcdef.fake0123456789abcdefghijklm",
    "hvs.fake0123456789abcdefghij",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIfake+/=\nabc\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\nMIIcut",
]
HARMLESS = [
    "the task-list of disk-usage-1234567890123456",
    "sk-text-repr-fallback sk-container-id-1",
    "sk-learn",
    "aAKIAABCDEFGHIJKLMNOPq",
    "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----",
    "eyJ",
    "npm_config_registry npm_package_dependencies_typescript_eslint",
    "pypi-publish-action r8_decompiler_of_the_whole_application",
    "MSG.format.SG.x hvs.vscode ya29.x pplx-api tvly-client",
    "task_id_for_the_whole_module_0123456789",
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("around", ["{}", "KEY={}", "line\n{}\nline", "\t{} ", '"{}"', "({}).", "a,{},b"])
def test_every_pattern_is_overwritten_and_json_stays_json(secret: str, around: str) -> None:
    text = around.format(secret)
    redacted, count = redact_text(text)
    assert count == 1
    assert secret not in redacted
    assert REDACTED in redacted
    for once in (json.dumps({"a": text, "b": 1}), json.dumps({"a": json.dumps([text]), "b": 1})):
        data, count = redact_bytes(once.encode())
        assert count == 1
        assert json.loads(data)["b"] == 1
        assert secret.encode() not in data
    value, count = redact_json({"a": [text, {"k": 1}], text: None})
    assert count == 2
    assert secret not in json.dumps(value)


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_alike_stays(text: str) -> None:
    assert redact_text(text) == (text, 0)
    assert redact_bytes(text.encode()) == (text.encode(), 0)


def test_what_is_clean_is_not_copied() -> None:
    value = {"a": ["b", {"c": 1}]}
    assert redact_json(value)[0] is value
    data = b"nothing here"
    assert redact_bytes(data)[0] is data


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        *((name, True) for name in ("Authorization", "proxy-authorization", "x-api-key", "api-key", "x-goog-api-key")),
        *(
            (name, True)
            for name in ("anthropic-api-key", "openai-api-key", "chatgpt-account-id", "cookie", "Set-Cookie")
        ),
        *(
            (name, True)
            for name in ("x-amz-security-token", "x-oai-attestation", "cf-aig-authorization", "helicone-auth")
        ),
        *((name, False) for name in ("anthropic-ratelimit-tokens-remaining", "x-ratelimit-limit-tokens", "user-agent")),
        *(
            (name, False)
            for name in ("idempotency-key", "x-request-id", "anthropic-version", "authority", "session-id")
        ),
    ],
)
def test_headers_by_name(name: str, secret: bool) -> None:
    assert is_secret_header(name) is secret
    ((_, value),) = redact_headers(((name, "some value"),))[0]
    assert (value == REDACTED) is secret


def test_credentials_of_a_call() -> None:
    headers = (
        ("Authorization", "Bearer opaque-token/with+signs="),
        ("x-api-key", "plain-key-value"),
        ("proxy-authorization", "Basic dXNlcm5hbWU6aHVudGVyMi1odW50ZXIy"),
        ("cookie", "theme=dark; session=0123456789abcdef"),
        ("user-agent", "not-a-secret-agent"),
    )
    known = credentials(headers, "https://h/v1?key=query-key-1&model=gpt-fake-model&sig=short")
    assert set(known) == {
        "opaque-token/with+signs=",
        "plain-key-value",
        "dXNlcm5hbWU6aHVudGVyMi1odW50ZXIy",
        "username",
        "hunter2-hunter2",
        "0123456789abcdef",
        "query-key-1",
    }
    for body in ("opaque-token/with+signs=", r"opaque-token\/with+signs=", "opaque-token%2Fwith%2Bsigns%3D"):
        assert redact_text(f"<{body}>", known) == (f"<{REDACTED}>", 1)


def test_urls() -> None:
    url = "https://me:word@host/v1/x?key=abcdefgh&alt=sse&api-version=1&access_token=t"
    redacted, count = redact_url(url)
    assert redacted == f"https://host/v1/x?key={REDACTED}&alt=sse&api-version=1&access_token={REDACTED}"
    assert count == 3
    plain = "https://host/v1?beta=true&x=%2F"
    assert redact_url(plain) == (plain, 0)
    assert redact_url(redacted) == (redacted, 0)
    assert redact_url("http://[oops/sk-fake-0123456789abcdef") == (f"http://[oops/{REDACTED}", 1)
    assert (
        redact_url("https://the-host-key/x/the-host-key", ("the-host-key",))[0] == f"https://the-host-key/x/{REDACTED}"
    )


@pytest.mark.parametrize("secret", [each for each in SECRETS if not each.startswith("-----")])
def test_a_key_in_which_an_answer_breaks_off(secret: str) -> None:
    for end in range(len(secret) // 2, len(secret)):
        text = f"It is\n{secret[:end]}"
        assert redact_cut_text(text) == (f"It is\n{REDACTED}", 1)
        assert redact_cut_bytes(json.dumps(text).encode()[:-1]) == (b'"It is\\n[redacted]', 1)
    whole = f"{secret} it is."
    assert redact_cut_text(whole) == (whole, 0)
    value = {"text": f"It is {secret[:-3]}", "more": ["fine"]}
    assert redact_json(value, cut=True)[0] == {"text": f"It is {REDACTED}", "more": ["fine"]}


@pytest.mark.parametrize("text", ["", "the disk-", "a task-list", "MSG.format", "see hf_", "x" * 10_000])
def test_an_answer_that_breaks_off_in_a_word(text: str) -> None:
    assert redact_cut_text(text) == (text, 0)
