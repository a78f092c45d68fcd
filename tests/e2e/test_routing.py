"""Endpoints, routes, keys and local servers at a real proxy: where requests go, and what is told and kept of keys."""

import gzip
import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmprof_addon.spool.proxies import living
from tests.e2e.replay import Answer, Replay, Request
from tests.e2e.running import Proxy, llmprof, running, until

CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"
CORP_KEY, ROUTE_KEY, OWN_KEY = "sk-fake-corp-0123456789", "fake-route-0123456789", "sk-fake-own-0123456789"
USAGE = {"prompt_tokens": 40, "completion_tokens": 5, "total_tokens": 45}
CONFIG = """
[routes]
"fast" = {{to = "corp", model = "big-\u00e9"}}
"gem-*" = {{to = "google", model = "gemini-9", key_env = "ROUTE_KEY"}}
"claude-local" = "corp"
[endpoints.corp]
url = "{corp}/base/v1"
key_env = "CORP_KEY"
models = ["corp-*"]
provider = "groq"
[endpoints.google]
url = "{corp}"
provider = "gemini"
"""


def answer(request: Request) -> Answer:
    if request.target == "/api/tags":
        return Answer(chunks=[b'{"models": [{"name": "tiny:1b"}, {"name": "corp-small"}]}'])
    if request.method != "POST":
        return Answer(status=404, chunks=[b"{}"])
    chat = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}]}
    return Answer(chunks=[json.dumps({**chat, "usage": USAGE, "said": request.header("authorization")}).encode()])


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Replay, Replay, Replay]]:
    with Replay(answer) as default, Replay(answer) as corp, Replay(answer) as ollama:
        yield default, corp, ollama


@pytest.fixture(scope="module")
def proxy(servers: tuple[Replay, Replay, Replay], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    default, corp, ollama = servers
    home = tmp_path_factory.mktemp("routing") / "home"
    home.mkdir()
    (home / "config.toml").write_text(CONFIG.format(corp=corp.url), encoding="utf-8")
    with running(
        home,
        "--debug",
        upstream=default.url,
        anthropic_upstream=default.url,
        upstream_proxy="",
        endpoint_raw_url=ollama.url,
        endpoint_raw_key=CORP_KEY,
        local_discovery="1",
        discovery_peers=f"127.0.0.1:{ollama.port},nowhere.invalid:1,127.0.0.1:9",
        CORP_KEY=CORP_KEY,
        ROUTE_KEY=ROUTE_KEY,
    ) as proxy:
        until(lambda: any(each["url"] == ollama.url for each in health(proxy)["local_servers"]), 20, lambda: proxy.log)
        yield proxy


def ask(
    proxy: Proxy, target: str, body: bytes | None = None, method: str = "POST", **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.reverse_port, timeout=120)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, target, body, {"content-type": "application/json"} | named)
    response = connection.getresponse()
    return response, response.read()


def health(proxy: Proxy) -> Any:
    return json.loads(ask(proxy, "/llmprof/health", method="GET")[1])


def body(model: str) -> bytes:
    return (
        b'{ "messages":[{"role":"user","content":"Say \\u0061."}],"model" : %s,"x":1.50 }' % json.dumps(model).encode()
    )


def test_by_model_with_another_model_and_a_key(proxy: Proxy, servers: tuple[Replay, Replay, Replay]) -> None:
    _, corp, _ = servers
    response, _ = ask(proxy, f"{CHAT}?a=1", body("fast"))
    assert response.status == 200
    got = corp.requests[-1]
    assert got.target == f"/base{CHAT}?a=1"
    assert got.body == body("big-é"), "every other byte stays"
    assert got.header("content-length") == str(len(got.body))
    assert got.header("authorization") == f"Bearer {CORP_KEY}"
    assert got.header("host") == f"127.0.0.1:{corp.port}"


def test_the_client_s_own_key_is_kept(proxy: Proxy, servers: tuple[Replay, Replay, Replay]) -> None:
    ask(proxy, CHAT, body("corp-large"), authorization=f"Bearer {OWN_KEY}")
    got = servers[1].requests[-1]
    assert (got.body, got.header("authorization")) == (body("corp-large"), f"Bearer {OWN_KEY}")


def test_an_encoded_body_is_read_and_only_rewritten_where_a_route_says_so(
    proxy: Proxy, servers: tuple[Replay, Replay, Replay]
) -> None:
    packed = gzip.compress(body("corp-large"))
    ask(proxy, CHAT, packed, content_encoding="gzip")
    got = servers[1].requests[-1]
    assert (got.body, got.header("content-encoding")) == (packed, "gzip")
    ask(proxy, CHAT, gzip.compress(body("fast")), content_encoding="gzip")
    got = servers[1].requests[-1]
    assert (got.body, got.header("content-encoding")) == (body("big-é"), None)


def test_a_model_in_the_path(proxy: Proxy, servers: tuple[Replay, Replay, Replay]) -> None:
    sent = b'{"contents": []}'
    ask(proxy, "/v1beta/models/gem-1:generateContent?alt=sse", sent)
    got = servers[1].requests[-1]
    assert (got.target, got.body) == ("/v1beta/models/gemini-9:generateContent?alt=sse", sent)
    assert got.header("x-goog-api-key") == ROUTE_KEY
    ask(proxy, "/v1beta/models/gem-1:generateContent?key=fake", sent)
    assert servers[1].requests[-1].header("x-goog-api-key") is None


def test_what_no_rule_covers_goes_to_the_default(proxy: Proxy, servers: tuple[Replay, Replay, Replay]) -> None:
    default = servers[0]
    for target, sent in ((CHAT, body("unheard")), (MESSAGES, body("unheard")), (CHAT, b"no json"), (CHAT, b"")):
        ask(proxy, target, sent)
        got = default.requests[-1]
        assert (got.target, got.body) == (target, sent)
        assert got.header("authorization") is None
    large = b'{"file": "' + b"x" * 3_000_000 + b'"}'
    ask(proxy, "/v1/files", large, content_type="application/octet-stream")
    assert default.requests[-1].body == large


def test_a_request_that_is_no_call_is_routed_as_well(proxy: Proxy, servers: tuple[Replay, Replay, Replay]) -> None:
    ask(proxy, "/v1/images/generations", b'{"model": "corp-image"}')
    assert servers[1].requests[-1].target == "/base/v1/images/generations"


def test_prefix_and_header_win(proxy: Proxy, servers: tuple[Replay, Replay, Replay]) -> None:
    default, corp, _ = servers
    ask(proxy, f"/corp{CHAT}", body("unheard"))
    assert corp.requests[-1].target == f"/base{CHAT}"
    ask(proxy, "/passthrough/corp/models?x", method="GET")
    assert corp.requests[-1].target == "/base/v1/models?x"
    ask(proxy, CHAT, body("fast"), x_llmprof_provider="openai")
    assert default.requests[-1].body == body("fast")


def test_a_local_server_that_was_found(proxy: Proxy, servers: tuple[Replay, Replay, Replay]) -> None:
    default, corp, ollama = servers
    (found,) = (each for each in health(proxy)["local_servers"] if each["url"] == ollama.url)
    name = found["name"]
    assert name in ("ollama", "ollama-auto"), "whoever runs this may have one of their own"
    assert found == {"name": name, "url": ollama.url, "provider": "ollama", "models": ["tiny:1b", "corp-small"]}
    assert health(proxy)["upstreams"][name] == ollama.url
    ask(proxy, CHAT, body("tiny:1b"))
    assert ollama.requests[-1].body == body("tiny:1b")
    ask(proxy, CHAT, body("corp-small"))
    assert corp.requests[-1].body == body("corp-small"), "a configured rule covers it"
    ask(proxy, f"/{name}/api/chat", body("x"))
    assert ollama.requests[-1].target == "/api/chat"
    ask(proxy, "/api/chat", body("x"))
    assert default.requests[-1].target == "/api/chat", "an upstream of the user's own may have any path"
    assert "nowhere.invalid:1 is no LLM server" in proxy.log
    until(lambda: living(proxy.home)[0].local_servers != [], 10)  # the state file is written once a second
    told = [json.loads(line) for line in llmprof(proxy.home, "providers", "--json").stdout.splitlines()]
    assert ollama.url in [row["url"] for row in told if row["origin"] == "found"]
    explained = json.loads(llmprof(proxy.home, "routes", "tiny:1b", "--json").stdout)
    assert (explained["target"], explained["url"]) == (name, f"{ollama.url}{CHAT}")
    assert f"http://127.0.0.1:{proxy.reverse_port}{CHAT}" in explained["curl"]


def test_pages_of_other_sites_are_refused(proxy: Proxy, servers: tuple[Replay, Replay, Replay]) -> None:
    before = [len(server.requests) for server in servers]
    refusals: tuple[tuple[int, str, dict[str, str]], ...] = (
        (403, "cross_site", {"origin": "https://evil.example"}),
        (403, "cross_site", {"origin": "http://localhost:3000"}),
        (403, "cross_site", {"sec_fetch_site": "cross-site"}),
        (421, "misdirected", {"origin": "http://evil.example:4000", "host": "evil.example:4000"}),
        (421, "misdirected", {"host": "evil.example:4000"}),
    )
    for status, code, headers in refusals:
        response, told = ask(proxy, MESSAGES, body("corp-large"), **headers)
        assert (response.status, json.loads(told)["type"]) == (status, "error")
        response, told = ask(proxy, CHAT, body("corp-large"), **headers)
        assert (response.status, json.loads(told)["error"]["code"]) == (status, code)
        assert "access-control-allow-origin" not in response.headers
        assert ask(proxy, CHAT, method="OPTIONS", **headers)[0].status == status
    assert [len(server.requests) for server in servers] == before
    own = f"http://127.0.0.1:{proxy.reverse_port}"
    assert ask(proxy, CHAT, body("corp-large"), origin=own, sec_fetch_site="same-origin")[0].status == 200


def test_calls_are_recorded_as_their_provider_s(proxy: Proxy, servers: tuple[Replay, Replay, Replay]) -> None:
    ask(proxy, CHAT, body("fast"), x_llmprof_tag="case:recorded")
    ask(proxy, f"/raw{CHAT}", body("y"), x_llmprof_tag="case:recorded")
    ask(proxy, CHAT, body("tiny:1b"), x_llmprof_tag="case:recorded")
    found = proxy.tagged("recorded", 3)
    assert [row["provider"] for row in found] == ["groq", "raw", "ollama"]
    assert [row["request_model"] for row in found] == ["big-é", "y", "tiny:1b"]
    assert {row["usage"]["input_tokens"] for row in found} == {40}


def test_an_endpoint_s_host_is_recorded_in_forward_mode(proxy: Proxy, servers: tuple[Replay, Replay, Replay]) -> None:
    corp = servers[1]
    connection = http.client.HTTPConnection("127.0.0.1", proxy.forward_port, timeout=120)
    headers = {"content-type": "application/json", "x-llmprof-tag": "case:forward"}
    connection.request("POST", f"{corp.url}{CHAT}", body("fast"), headers)
    assert connection.getresponse().read()
    assert corp.requests[-1].body == body("fast"), "nothing is routed or rewritten there"
    assert corp.requests[-1].header("authorization") is None
    (row,) = proxy.tagged("forward", 1)
    assert row["mode"] == "forward"


def test_keys_are_told_nowhere(proxy: Proxy) -> None:
    state = json.dumps(health(proxy))
    out = "".join(
        llmprof(proxy.home, *words.split(), CORP_KEY=CORP_KEY).stdout for words in ("providers", "routes fast")
    )
    until(lambda: not any((proxy.home / "spool").glob("*.exchange")), 120)
    worker = Path(f"/proc/{json.loads((proxy.home / 'worker.json').read_text())['pid']}/environ")
    inherited = worker.read_bytes() if worker.exists() else b""  # no such file on macOS
    for key in (CORP_KEY, ROUTE_KEY, OWN_KEY):
        assert key.encode() not in inherited
        assert key not in state + out + proxy.log
        for path in proxy.home.rglob("*"):
            if path.is_file():
                assert key.encode() not in path.read_bytes(), path


def test_nowhere_to_go(tmp_path: Path) -> None:
    with running(tmp_path / "home", upstream_proxy="") as proxy:
        response, told = ask(proxy, "/azure/openai/v1/responses", b"{}")
        assert response.status == 404
        assert "LLMPROF_ENDPOINT_AZURE_URL" in json.loads(told)["error"]["message"]


def test_a_dead_endpoint_is_one_answer(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with running(tmp_path / "home", upstream_proxy="", endpoint_dead_url=f"http://127.0.0.1:{port}") as proxy:
        response, told = ask(proxy, f"/dead{CHAT}", body("m"))
        assert response.status == 502
        assert f"127.0.0.1:{port}" in json.loads(told)["error"]["message"]


@pytest.mark.parametrize(
    ("config", "environ", "said"),
    [
        ("", {"LLMPROF_ENDPOINT_X_MODELS": "a"}, "LLMPROF_ENDPOINT_X_MODELS: the endpoint x has no URL"),
        ("", {"LLMPROF_ENDPOINT_X_KEY": OWN_KEY}, "LLMPROF_ENDPOINT_X_KEY: the endpoint x has no URL"),
        ("", {"LLMPROF_ENDPOINT_X_URI": "http://h"}, "LLMPROF_ENDPOINT_X_URI is no setting"),
        ("", {"LLMPROF_ENDPOINT_X_URL": "h:1"}, "LLMPROF_ENDPOINT_X_URL must look like https://"),
        ("", {"LLMPROF_ENDPOINT_V1_URL": "http://h"}, "cannot be the name of an endpoint"),
        ("", {"LLMPROF_DISCOVERY_PEERS": "http://h"}, "LLMPROF_DISCOVERY_PEERS must look like host[:port]"),
        ('[routes]\n"m" = "nobody"', {}, "leads to 'nobody'"),
        ('[routes]\n"m" = ""', {}, "leads nowhere"),
        ('[routes]\n"a*b" = "groq"', {}, "exact name or prefix*"),
        ('[routes]\nm = {to = "groq", key_env = "sk-fake-own-0123456789"}', {}, "must be the name of an environment"),
        ('[endpoints.x]\nurl = "http://h"\nkey = "sk-fake-own-0123456789"', {}, "unknown field: key"),
        ('[endpoints.x]\nurl = "http://h"\nprovider = "nobody"', {}, "unknown provider: nobody"),
        ("[endpoints]\nx = 1", {}, "must be a table"),
    ],
)
def test_what_cannot_be_right_is_one_line_at_start(
    tmp_path: Path, config: str, environ: dict[str, str], said: str
) -> None:
    (tmp_path / "config.toml").write_text(config)
    ran = llmprof(tmp_path, "up", "--port", "0", "--forward-port", "0", **environ)
    assert (ran.returncode, ran.stdout) == (2, ""), ran.stderr
    assert said in ran.stderr
    assert ran.stderr.count("\n") == 1
    assert "sk-fake" not in ran.stderr
