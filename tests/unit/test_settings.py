import os
from dataclasses import replace
from pathlib import Path

import pytest

from llmprof_addon.errors import ConfigError, StartError
from llmprof_addon.model.thresholds import Thresholds
from llmprof_addon.settings import Endpoint, load


def test_defaults(tmp_path: Path) -> None:
    settings = load({}, {"HOME": str(tmp_path), "LLMPROF_HOME": str(tmp_path / "h")})
    assert (settings.host, settings.port, settings.forward_port) == ("127.0.0.1", 4000, 4001)
    assert settings.upstream.url == "https://api.openai.com"
    assert settings.anthropic_upstream.url == "https://api.anthropic.com"
    assert settings.db_url == f"sqlite:///{tmp_path}/h/llmprof.db"
    assert settings.spool_dir == tmp_path / "h" / "spool"
    assert settings.upstream_proxy is None
    assert not (tmp_path / "h").exists()


def test_flags_win_over_environment_over_file_over_defaults(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        'port = 5001\nforward_port = 5002\nhost = "::1"\n[llm_hosts]\n"A.example"="openai.chat"'
    )
    settings = load({"home": tmp_path, "port": 7, "host": None}, {"LLMPROF_PORT": "8", "LLMPROF_FORWARD_PORT": "9"})
    assert (settings.port, settings.forward_port, settings.host) == (7, 9, "::1")
    assert settings.llm_hosts == {"a.example": "openai.chat"}


def test_home_is_expanded_and_created_private(tmp_path: Path) -> None:
    settings = load({"home": tmp_path / "a" / "b"}, {})
    settings.ensure_home()
    assert {path.name for path in settings.home.iterdir()} == {"spool", "ca", "proxies"}
    assert settings.home.stat().st_mode & 0o777 == 0o700
    assert settings.home.parent.stat().st_mode & 0o777 == 0o700, "the demo's home lies in the user's"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("LLMPROF_PORT", "http", "LLMPROF_PORT must be a port number"),
        ("LLMPROF_PORT", "70000", "LLMPROF_PORT must be a port number"),
        ("LLMPROF_DB_URL", "mysql://x/y", "'mysql' is no database"),
        ("LLMPROF_DB_URL", "plain.db", "LLMPROF_DB_URL is no URL"),
        ("LLMPROF_UPSTREAM", "ftp://x", "LLMPROF_UPSTREAM must look like https://"),
        ("LLMPROF_UPSTREAM", "http://x:99999", "LLMPROF_UPSTREAM is no URL"),
        ("LLMPROF_LLM_HOSTS", "llm.corp.example", "LLMPROF_LLM_HOSTS must look like host[:port]=api"),
        ("LLMPROF_LLM_HOSTS", "a/b=openai.chat", "LLMPROF_LLM_HOSTS must look like host[:port]=api"),
        ("LLMPROF_LLM_HOSTS", "=openai.chat", "LLMPROF_LLM_HOSTS must look like host[:port]=api"),
        ("LLMPROF_LLM_HOSTS", "h=", "LLMPROF_LLM_HOSTS must look like host[:port]=api"),
        ("LLMPROF_CONNECT", "a.example=http://127.0.0.1:1", "LLMPROF_CONNECT must look like host:port="),
        ("LLMPROF_CONNECT", "a.example:443=127.0.0.1:1", "LLMPROF_CONNECT must look like"),
        ("LLMPROF_CONNECT", "a.example:443=http://127.0.0.1:1/v1", "can hold no path"),
        ("LLMPROF_UPSTREAM_CA", "/nonexistent/ca.pem", "LLMPROF_UPSTREAM_CA: no such file"),
        ("LLMPROF_DEBUG", "maybe", "LLMPROF_DEBUG must be 1 or 0"),
        ("LLMPROF_FORWARD_PORT", "4000", "cannot share port 4000"),
    ],
)
def test_bad_values_are_one_line_that_names_their_source(tmp_path: Path, name: str, value: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load({"home": tmp_path}, {name: value})
    assert said in caught.value.message
    assert "\n" not in caught.value.message


def test_an_unknown_key_of_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("prot = 1")
    with pytest.raises(ConfigError, match="unknown setting: prot"):
        load({"home": tmp_path}, {})
    (tmp_path / "config.toml").write_text("port = ")
    with pytest.raises(ConfigError, match="is not TOML"):
        load({"home": tmp_path}, {})


def test_an_unwritable_home_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StartError, match=r"cannot write to .*file/home: Not a directory"):
        load({"home": tmp_path / "file" / "home"}, {}).ensure_home()


def test_lists_of_hosts_and_connections() -> None:
    environ = {
        "LLMPROF_LLM_HOSTS": "llm.corp.example=openai.chat, b:8443=anthropic.messages,",
        "LLMPROF_CONNECT": "api.openai.com:443=https://127.0.0.1:9443",
    }
    settings = load({}, environ)
    assert settings.llm_hosts == {"llm.corp.example": "openai.chat", "b:8443": "anthropic.messages"}
    assert settings.connect == {"api.openai.com:443": Endpoint(scheme="https", host="127.0.0.1", port=9443)}


def test_the_proxy_of_the_environment_is_used_unless_it_is_ourselves() -> None:
    assert load({}, {"HTTPS_PROXY": "http://127.0.0.1:4001"}).upstream_proxy is None
    assert load({}, {"HTTPS_PROXY": "http://corp:3128", "LLMPROF_UPSTREAM_PROXY": ""}).upstream_proxy is None
    assert load({}, {"https_proxy": "socks5://127.0.0.1:1080"}).upstream_proxy is None
    proxy = load({}, {"HTTPS_PROXY": "http://me:p%40ss@corp:3128"}).upstream_proxy
    assert proxy is not None
    assert (proxy.url, proxy.userinfo) == ("http://corp:3128", "me:p@ss")
    assert "p@ss" not in repr(proxy)


def test_a_child_loads_the_same_settings_from_the_environment(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    parent = load(
        {"home": tmp_path, "port": 0, "debug": True, "upstream": "http://[::1]:8080/prefix/v1/"},
        {
            "LLMPROF_CONNECT": "a:443=http://b:80",
            "LLMPROF_LLM_HOSTS": "a=openai.chat",
            "LLMPROF_PRICING": '{"m": [1, 2]}',
            "LLMPROF_UPSTREAM_CA": str(tmp_path / "ca.pem"),
            "LLMPROF_UPSTREAM_PROXY": "http://proxy:1",
            "LLMPROF_CAPTURE": str(tmp_path / "saved"),
        },
    )
    assert load({}, parent.as_environ()) == parent
    assert parent.upstream.url == "http://[::1]:8080/prefix/v1"


ENDPOINTS = """
[endpoints.Corp_LLM]
url = "https://llm.corp.example/v1/"
key_env = "CORP_KEY"
models = ["gpt-*", "o3"]
[endpoints."gcp.gemini"]
url = "http://g:1"
[routes]
"gpt-5" = "Corp_LLM"
"m*" = {to = "groq", model = "llama", key_env = "GROQ_KEY"}
"""


def test_endpoints_and_routes(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(ENDPOINTS)
    environ = {
        "LLMPROF_ENDPOINT_CORP_LLM_MODELS": "a, b*,",
        "LLMPROF_ENDPOINT_OTHER_URL": "http://other:8080",
        "LLMPROF_ENDPOINT_OTHER_KEY": "sk-fake-0123456789",
        "LLMPROF_ENDPOINT_OTHER_PROVIDER": "azure",
        "LLMPROF_ENDPOINT_EMPTY_URL": "",
    }
    settings = load({"home": tmp_path}, environ)
    corp, gemini, other = settings.endpoints.values()
    assert (corp.name, corp.base.url, corp.key_variable) == ("corp-llm", "https://llm.corp.example/v1", "CORP_KEY")
    assert corp.models == ("a", "b*"), "the variable wins"
    assert (gemini.name, gemini.key_variable, gemini.models) == ("gcp-gemini", None, ())
    assert (other.name, other.key_variable, other.provider) == ("other", "LLMPROF_ENDPOINT_OTHER_KEY", "azure")
    assert settings.known_hosts == {"llm.corp.example": "corp-llm", "g:1": "gcp-gemini", "other:8080": "azure"}
    assert [(route.pattern, route.to, route.model, route.key_variable) for route in settings.routes] == [
        ("gpt-5", "corp-llm", None, None),
        ("m*", "groq", "llama", "GROQ_KEY"),
    ]
    child = settings.as_environ()
    assert "sk-fake" not in repr(settings) + repr(child)
    for name in ("LLMPROF_ENDPOINT_OTHER_KEY", "CORP_KEY", "GROQ_KEY"):
        assert child[name] == "", "the worker shall not inherit it"
    again = load({}, environ | child)
    assert again.known_hosts == settings.known_hosts
    assert again.routes == settings.routes
    assert again.endpoints["corp-llm"] == corp


@pytest.mark.parametrize(
    ("config", "environ", "said"),
    [
        ("endpoints = 1", {}, "[endpoints] of"),
        ("[routes]\nm = 1", {}, "must be a table with to, model, key_env"),
        ("[routes]\nm = {too = 1}", {}, "unknown field: too"),
        ('[endpoints.passthrough]\nurl = "http://h"', {}, "cannot be the name of an endpoint"),
        ('[endpoints."a/b"]\nurl = "http://h"', {}, "cannot be the name of an endpoint"),
        ('[endpoints.a]\nurl = "http://h"\nmodels = [1]', {}, "must be text"),
        ("", {"LLMPROF_ENDPOINT_A": "x"}, "LLMPROF_ENDPOINT_A is no setting"),
        ("", {"LLMPROF_LOCAL_DISCOVERY": "perhaps"}, "LLMPROF_LOCAL_DISCOVERY must be 1 or 0"),
        ("", {"LLMPROF_DISCOVERY_PEERS": "h:x"}, "LLMPROF_DISCOVERY_PEERS must look like"),
    ],
)
def test_endpoints_that_cannot_be(tmp_path: Path, config: str, environ: dict[str, str], said: str) -> None:
    (tmp_path / "config.toml").write_text(config)
    with pytest.raises(ConfigError) as caught:
        load({"home": tmp_path}, environ)
    assert said in caught.value.message
    assert "\n" not in caught.value.message


def test_nothing_is_read_from_the_real_environment_when_one_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "LLMPROF_PORT", "1234")
    assert load({}, {}).port == 4000
    assert load({}).port == 1234


def test_thresholds_of_findings_stand_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[findings]\nsaving_share = 0.05\nloop_repeats = 5\n")
    found = load({"home": tmp_path}, {}).findings
    assert (found.saving_share, found.loop_repeats) == (0.05, 5)
    assert replace(found, saving_share=0.01, loop_repeats=3) == Thresholds()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("loops = 3", "unknown threshold: loops"),
        ('loop_repeats = "three"', "loop_repeats in .* must be a number, not 'three'"),
        ("loop_repeats = true", "must be a number, not True"),
        ("loop_repeats = 0", "must be a whole number above 0, not 0"),
        ("loop_repeats = 2.5", "must be a whole number above 0, not 2.5"),
        ("saving_share = 3", "must be a part of 1, from 0 to 1, not 3"),
        ("saving_share = nan", "must be a part of 1"),
    ],
)
def test_a_threshold_that_cannot_be_right_is_named(tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / "config.toml").write_text(f"[findings]\n{line}\n")
    with pytest.raises(ConfigError, match=said):
        load({"home": tmp_path}, {})


def test_thresholds_are_a_table(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("findings = 3\n")
    with pytest.raises(ConfigError, match="must be a table"):
        load({"home": tmp_path}, {})
