"""The reverse listener of a real proxy: routing, streaming, its own endpoints, failures, and what is kept of a call."""

import gzip
import http.client
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmprof_addon.spool import files
from tests.e2e.replay import Answer, Replay, Request
from tests.e2e.running import Proxy, running, until

CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"
KEY = "sk-fake-secret-0123456789"
EVENTS = [b'data: {"n": %d}\n\n' % number for number in range(5)]
SSE = (("content-type", "text/event-stream"),)
SLOW = Answer(headers=SSE, framing="chunked", chunks=EVENTS, pause_seconds=0.4)


def answer(request: Request) -> Answer:
    if request.header("x-answer") == "slow":
        return SLOW
    told = {"target": request.target, "method": request.method, "headers": [list(pair) for pair in request.headers]}
    return Answer(chunks=[json.dumps(told).encode()])


@pytest.fixture(scope="module")
def openai() -> Iterator[Replay]:
    with Replay(answer) as server:
        yield server


@pytest.fixture(scope="module")
def anthropic() -> Iterator[Replay]:
    with Replay(answer) as server:
        yield server


@pytest.fixture(scope="module")
def proxy(openai: Replay, anthropic: Replay, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    home = tmp_path_factory.mktemp("reverse") / "home"
    kept = str(home / "kept")
    upstreams = {"upstream": f"{openai.url}/prefix/v1", "anthropic_upstream": anthropic.url}
    with running(home, capture=kept, upstream_proxy="", **upstreams) as proxy:
        yield proxy


def ask(
    proxy: Proxy, method: str, target: str, body: bytes | None = None, **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.reverse_port, timeout=120)
    connection.request(method, target, body, {name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    return response, response.read()


def kept(proxy: Proxy) -> list[Any]:
    return [files.decode(path.read_bytes()) for path in sorted((proxy.home / "kept").glob("*.exchange"))]


def kept_with(proxy: Proxy, session: str) -> Any:
    """The exchange that was sent with this `x-llmprof-session`."""

    def found() -> list[Any]:
        return [exchange for exchange in kept(proxy) if exchange.session == session]

    until(lambda: bool(found()), 10, lambda: proxy.log)
    (exchange,) = found()
    return exchange


@pytest.mark.parametrize(
    ("method", "target", "headers", "goes_to", "as_"),
    [
        ("POST", "/v1/chat/completions?a=1&b=%2Fx", {}, "openai", "/prefix/v1/chat/completions?a=1&b=%2Fx"),
        ("POST", "/v1/responses", {}, "openai", "/prefix/v1/responses"),
        ("GET", "/v1/models?limit=1000", {}, "openai", "/prefix/v1/models?limit=1000"),
        ("POST", "/chat/completions", {}, "openai", "/prefix/v1/chat/completions"),
        ("DELETE", "/v1/files/x", {}, "openai", "/prefix/v1/files/x"),
        ("POST", "/v1/messages?beta=true", {}, "anthropic", "/v1/messages?beta=true"),
        ("POST", "/v1/messages/count_tokens?beta=true", {}, "anthropic", "/v1/messages/count_tokens?beta=true"),
        ("GET", "/v1/models", {"anthropic_version": "2023-06-01"}, "anthropic", "/v1/models"),
        ("HEAD", "/api/hello", {"x_api_key": "sk-ant-fake-01234567"}, "anthropic", "/api/hello"),
        ("GET", "/v1/models", {"x_llmprof_provider": "anthropic"}, "anthropic", "/v1/models"),
        ("POST", "/v1/messages", {"x_llmprof_provider": "openai"}, "openai", "/prefix/v1/messages"),
    ],
)
def test_routes(
    proxy: Proxy, openai: Replay, anthropic: Replay, method: str, target: str, headers: Any, goes_to: str, as_: str
) -> None:
    there = {"openai": openai, "anthropic": anthropic}[goes_to]
    before = len(there.requests)
    ask(proxy, method, target, b"{}" if method == "POST" else None, x_probe="kept As-Is", **headers)
    assert len(there.requests) == before + 1
    got = there.requests[-1]
    assert (got.method, got.target) == (method, as_)
    assert got.header("host") == f"127.0.0.1:{there.port}"
    assert got.header("x-probe") == "kept As-Is"
    assert not [name for name, _ in got.headers if name.lower().startswith("x-llmprof")]


def test_keep_alive_serves_both_upstreams(proxy: Proxy, openai: Replay, anthropic: Replay) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.reverse_port, timeout=120)
    for target in (CHAT, MESSAGES, CHAT, MESSAGES):
        connection.request("POST", target, b"{}")
        assert target in json.loads(connection.getresponse().read())["target"]


def test_first_byte_is_not_held_back(proxy: Proxy) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.reverse_port, timeout=120)
    headers = {"x-answer": "slow", "x-llmprof-session": "streamed", "x-llmprof-tag": "team:red, solo"}
    connection.request("POST", CHAT, b"{}", headers)
    response = connection.getresponse()
    pieces, times = [], []
    while piece := response.read1(1000):
        pieces.append(piece)
        times.append(time.monotonic())
    assert pieces == EVENTS
    assert times[-1] - times[0] > 1.2  # the upstream takes 1.6 s from its first event to its last
    exchange = kept_with(proxy, "streamed")
    assert exchange.response_body == b"".join(EVENTS)
    assert (exchange.mode, exchange.transport, exchange.outcome, exchange.status) == ("reverse", "sse", "complete", 200)
    assert exchange.tags == (("team", "red"), ("solo", ""))
    assert exchange.started_ns < exchange.first_chunk_ns < exchange.ended_ns - 1_200_000_000
    assert exchange.client.peer == "127.0.0.1"


def test_only_calls_are_kept(proxy: Proxy) -> None:
    before = len(kept(proxy))
    for method, target in (("GET", "/v1/models"), ("POST", "/v1/messages/count_tokens"), ("POST", "/v1/embeddings2")):
        ask(proxy, method, target, b"{}" if method == "POST" else None)
    ask(proxy, "POST", CHAT, b"{}", x_llmprof_session="the-one")
    kept_with(proxy, "the-one")
    assert len(kept(proxy)) == before + 1


def test_large_upload_that_is_no_call_passes(proxy: Proxy, openai: Replay) -> None:
    body = b"x" * 5_000_000
    response, _ = ask(proxy, "POST", "/v1/files", body)
    assert response.status == 200
    assert openai.requests[-1].body == body


def test_a_client_that_leaves_is_aborted(proxy: Proxy) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.reverse_port, timeout=120)
    connection.request("POST", CHAT, b"{}", {"x-answer": "slow", "x-llmprof-session": "left"})
    assert connection.getresponse().read1(1000) == EVENTS[0]
    assert connection.sock is None or connection.sock.shutdown(socket.SHUT_RDWR) is None
    connection.close()
    exchange = kept_with(proxy, "left")
    assert exchange.outcome == "aborted"
    assert exchange.response_body.startswith(EVENTS[0])


def test_no_secret_reaches_the_disk(proxy: Proxy, openai: Replay) -> None:
    other = "ghp_fake0123456789abcdefghijklmnop"
    text = {"messages": [{"role": "user", "content": f"key {KEY}\n{other} -----BEGIN PRIVATE KEY-----\nMII\n"}]}
    plain = json.dumps(text).encode()
    headers = {"authorization": f"Bearer {KEY}", "cookie": "session=fake-cookie-value-0123", "api_key": KEY}
    ask(proxy, "POST", f"{CHAT}?api_key={KEY}&keep=1", plain, x_llmprof_session="plain", **headers)
    packed = gzip.compress(plain)
    ask(proxy, "POST", CHAT, packed, x_llmprof_session="packed", content_encoding="gzip", **headers)
    assert openai.requests[-1].body == packed
    assert openai.requests[-1].header("authorization") == f"Bearer {KEY}"
    for session in ("plain", "packed"):
        exchange = kept_with(proxy, session)
        json.loads(exchange.request_body)
        assert exchange.header("content-encoding") is None
        assert exchange.header("authorization") == "[redacted]"
        assert exchange.redactions >= 6
    assert "keep=1" in kept_with(proxy, "plain").url
    clean = gzip.compress(b'{"messages": []}')
    ask(proxy, "POST", CHAT, clean, x_llmprof_session="clean", content_encoding="gzip", **headers)
    assert kept_with(proxy, "clean").request_body == clean
    until(lambda: not any((proxy.home / "spool").glob("*.exchange")), 120)
    signs = [sign.encode() for sign in (KEY, other, "fake-cookie-value-0123", "MII")]
    for path in proxy.home.rglob("*"):
        if path.is_file() and path.parent.name != "ca":
            assert not [sign for sign in signs if sign in path.read_bytes()], path


def test_own_endpoints(proxy: Proxy, openai: Replay) -> None:
    before = len(openai.requests)
    response, body = ask(proxy, "GET", "/llmprof/health")
    health = json.loads(body)
    assert response.status == 200
    assert health["pid"] == proxy.process.pid
    assert health["ports"] == {"reverse": proxy.reverse_port, "forward": proxy.forward_port}
    assert health["upstreams"]["openai"] == f"{openai.url}/prefix/v1"
    response, body = ask(proxy, "GET", "/")
    assert response.status == 200
    assert b"llmprof" in body
    response, body = ask(proxy, "HEAD", "/")
    assert (response.status, body) == (200, b"")
    assert ask(proxy, "GET", "/llmprof/nothing")[0].status == 404
    assert ask(proxy, "POST", "/llmprof/health", b"{}")[0].status == 405
    assert ask(proxy, "GET", "/llmprof/health", host="evil.example")[0].status == 421
    assert len(openai.requests) == before


def test_upstream_that_is_ourselves(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with running(
        tmp_path / "home", "--port", str(port), upstream=f"http://localhost:{port}", upstream_proxy=""
    ) as proxy:
        response, body = ask(proxy, "POST", CHAT, b"{}")
        assert response.status == 508
        assert "LLMPROF_UPSTREAM" in json.loads(body)["error"]["message"]


def test_upstream_that_hangs_up_without_an_answer(tmp_path: Path) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        with running(tmp_path / "home", anthropic_upstream=url, upstream_proxy="") as proxy:
            connection = http.client.HTTPConnection("127.0.0.1", proxy.reverse_port, timeout=120)
            connection.request("POST", MESSAGES, b"{}")
            taken, _ = server.accept()
            taken.recv(1000)
            taken.close()
            response = connection.getresponse()
            assert (response.status, json.loads(response.read())["type"]) == (502, "error")


def test_websockets_pass_and_are_not_kept(tmp_path: Path) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        home = tmp_path / "home"
        with running(home, upstream=url, upstream_proxy="", capture=str(home / "kept")) as proxy:
            client = socket.create_connection(("127.0.0.1", proxy.reverse_port), timeout=120)
            client.sendall(
                b"GET /v1/responses HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
                b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            )
            upstream, _ = server.accept()
            upstream.settimeout(30)
            head = upstream.recv(4000)
            assert b"upgrade: websocket" in head
            upstream.sendall(
                b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
                b"sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
            )
            assert client.recv(4000).startswith(b"HTTP/1.1 101")
            client.sendall(b"\x81\x85\x00\x00\x00\x00hello")
            frame = upstream.recv(4000)
            assert frame[0] == 0x81
            assert bytes(byte ^ frame[2 + at % 4] for at, byte in enumerate(frame[6:])) == b"hello"
            upstream.sendall(b"\x81\x05again")
            assert client.recv(4000) == b"\x81\x05again"
            client.close()
            upstream.close()
        assert not (home / "kept").exists()
        assert "Traceback" not in proxy.log
