import json
import logging
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from llmprof_addon.capture import discovery
from llmprof_addon.capture.routes import Routes, Target
from llmprof_addon.settings import load

OPENAI_LIST = {"object": "list", "data": [{"id": "qwen3", "owned_by": "vllm"}, {"id": "phi4"}, {"no": 1}, "odd"]}
TAGS = {"models": [{"name": "llama3:8b", "model": "llama3:8b"}]}


@contextmanager
def server(answers: Mapping[str, Any], pause_seconds: float = 0.0) -> Iterator[int]:
    """A loopback server with these JSON answers by path; its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            time.sleep(pause_seconds)
            body = json.dumps(answers[self.path]).encode() if self.path in answers else b"none"
            self.send_response(200 if self.path in answers else 404)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:  # a client that has left
            pass

    listening = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    try:
        yield listening.server_port
    finally:
        listening.shutdown()
        listening.server_close()


@pytest.fixture(autouse=True)
def nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the peers are asked, whatever runs on this machine."""
    monkeypatch.setattr(discovery, "_PORTS", {})


def found(*peers: str, **environ: str) -> list[Target]:
    settings = load({}, {"LLMPROF_DISCOVERY_PEERS": ",".join(peers)} | environ)
    return discovery.find(settings, lambda host, port: False)


def test_servers_are_told_apart_by_what_they_say() -> None:
    with server({"/v1/models": OPENAI_LIST}) as vllm, server({"/api/tags": TAGS}) as ollama:
        first, second = found(f"127.0.0.1:{vllm}", f"127.0.0.1:{ollama}")
    assert (first.name, first.base and first.base.url) == ("vllm", f"http://127.0.0.1:{vllm}")
    assert first.models == ("qwen3", "phi4")
    assert (second.name, second.models) == ("ollama", ("llama3:8b",))
    assert second.provider is not None
    assert discovery.from_json(json.loads(json.dumps(discovery.to_json(second)))) == second


def test_names_never_collide() -> None:
    environ = {"LLMPROF_ENDPOINT_OLLAMA_URL": "http://mine:1"}
    with server({"/api/tags": TAGS}) as one, server({"/api/tags": TAGS}) as two:
        names = [each.name for each in found(f"127.0.0.1:{one}", f"localhost:{two}", **environ)]
        assert names == ["ollama-auto", "ollama-auto2"]
        routes = Routes(load({}, environ))
        routes.add_found(found(f"127.0.0.1:{one}", **environ))
        decision = routes.decide("/ollama/api/chat", {})
        assert decision.url is not None
        assert decision.url.host == "mine"


def test_other_machines_are_named_after_their_host(monkeypatch: pytest.MonkeyPatch) -> None:
    with server({"/v1/models": {"data": [{"id": "m", "owned_by": "organization_owner"}]}}) as port:
        real = socket.getaddrinfo
        monkeypatch.setattr(
            socket,
            "getaddrinfo",
            lambda host, *rest, **more: real("127.0.0.1" if host == "nas.lan" else host, *rest, **more),
        )
        (one,) = found(f"nas.lan:{port}")
    assert one.name == "lmstudio-nas-lan"


def test_what_is_no_llm_server_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        dead = closed.getsockname()[1]
    caplog.set_level(logging.INFO)
    with server({}) as empty, server({"/v1/models": [1]}) as odd, server({"/v1/models": {"data": []}}) as none:
        assert found(*(f"127.0.0.1:{port}" for port in (dead, empty, odd, none)), "nowhere.invalid:1") == []
    assert f"127.0.0.1:{dead} is no LLM server" in caplog.text
    assert all(record.levelno == logging.INFO for record in caplog.records)


def test_a_proxy_of_ours_is_not_asked_for_models() -> None:
    with server({"/llmprof/health": {"pid": 1, "ports": {}}, "/v1/models": OPENAI_LIST}) as port:
        assert found(f"127.0.0.1:{port}") == []
    with server({"/v1/models": OPENAI_LIST}) as port:
        settings = load({}, {"LLMPROF_DISCOVERY_PEERS": f"127.0.0.1:{port}"})
        assert discovery.find(settings, lambda host, asked: asked == port) == []


def test_off(monkeypatch: pytest.MonkeyPatch) -> None:
    with server({"/v1/models": OPENAI_LIST}) as port:
        assert found(f"127.0.0.1:{port}", LLMPROF_LOCAL_DISCOVERY="0") == []


def test_a_slow_server_holds_nothing_up() -> None:
    with server({"/v1/models": OPENAI_LIST}, pause_seconds=3.0) as port:
        started = time.monotonic()
        assert found(f"127.0.0.1:{port}") == []
        assert time.monotonic() - started < 2.9
