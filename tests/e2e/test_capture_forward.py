"""The forward listener of a real proxy: what is decrypted, what passes through, and through which proxy."""

import asyncio
import http.client
import json
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from llmprof_addon.spool import files
from tests.e2e.replay import Answer, Replay, Request, server_context
from tests.e2e.running import Proxy, running, until

CHAT = "/v1/chat/completions"
LLM, OTHER, CORP = "api.openai.com", "files.example", "llm.corp.example"
BODY = b'{"model": "gpt-4o-mini", "messages": []}'


class Counting(Replay):
    """A server that counts its connections."""

    connections = 0

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        await super()._connected(reader, writer)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    return server_context(tmp_path_factory.mktemp("authority"), [LLM, OTHER, CORP])


@pytest.fixture(scope="module")
def upstream(authority: tuple[ssl.SSLContext, Path]) -> Iterator[Counting]:
    def answer(request: Request) -> Answer:
        return Answer(chunks=[json.dumps({"protocol": request.protocol, "target": request.target}).encode()])

    with Counting(answer, tls=authority[0]) as server:
        yield server


@pytest.fixture(scope="module")
def proxy(
    upstream: Replay, authority: tuple[ssl.SSLContext, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    home = tmp_path_factory.mktemp("forward") / "home"
    with running(
        home,
        connect=",".join(f"{host}:443={upstream.url}" for host in (LLM, OTHER, CORP)),
        upstream_ca=str(authority[1]),
        llm_hosts=f"{CORP}=openai.chat",
        upstream_proxy="",
        capture=str(home / "kept"),
    ) as proxy:
        yield proxy


def ask(proxy: Proxy, host: str, ca: Path, target: str = CHAT, agent: str = "") -> tuple[str, bytes]:
    """The issuer of the certificate that the client saw, and the answer."""
    connection = http.client.HTTPSConnection(
        "127.0.0.1", proxy.forward_port, timeout=120, context=ssl.create_default_context(cafile=str(ca))
    )
    connection.set_tunnel(host, 443, {"user-agent": agent} if agent else None)
    connection.request("POST", target, BODY, {"content-type": "application/json"})
    assert isinstance(connection.sock, ssl.SSLSocket)
    certificate = connection.sock.getpeercert()
    assert certificate
    issuer = dict(pair for part in certificate["issuer"] for pair in part)
    return str(issuer["commonName"]), connection.getresponse().read()


def kept(proxy: Proxy) -> list[str]:
    return [files.decode(path.read_bytes()).url for path in sorted((proxy.home / "kept").glob("*.exchange"))]


@pytest.mark.parametrize("host", [LLM, CORP])
def test_llm_host_is_decrypted_and_recorded(proxy: Proxy, host: str) -> None:
    issuer, body = ask(proxy, host, proxy.bundle)
    assert issuer == "llmprof"
    assert json.loads(body)["target"] == CHAT
    url = f"https://{host}{CHAT}"
    until(lambda: url in kept(proxy), 10, lambda: proxy.log)


def test_connection_is_used_again(proxy: Proxy, upstream: Counting) -> None:
    connection = http.client.HTTPSConnection(
        "127.0.0.1", proxy.forward_port, timeout=120, context=ssl.create_default_context(cafile=str(proxy.bundle))
    )
    connection.set_tunnel(LLM, 443)
    before = upstream.connections
    for _ in range(3):
        connection.request("POST", CHAT, BODY)
        connection.getresponse().read()
        assert upstream.requests[-1].header("host") == LLM
    assert upstream.connections == before + 1


def test_other_hosts_keep_their_certificate(proxy: Proxy, authority: tuple[ssl.SSLContext, Path]) -> None:
    issuer, body = ask(proxy, OTHER, authority[1])
    assert issuer != "llmprof"
    assert json.loads(body)["target"] == CHAT
    ask(proxy, LLM, proxy.bundle, f"{CHAT}?afterwards")
    until(lambda: f"https://{LLM}{CHAT}?afterwards" in kept(proxy), 10, lambda: proxy.log)
    assert not [url for url in kept(proxy) if OTHER in url]


def test_a_client_that_refuses_our_authority_is_told_once_and_let_through(
    proxy: Proxy, authority: tuple[ssl.SSLContext, Path]
) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        ask(proxy, LLM, authority[1], f"{CHAT}?refused", "python-requests/2.34")
    until(lambda: "python-requests/2.34 does not trust" in proxy.log, 10, lambda: proxy.log)
    for time in ("once", "again"):
        issuer, body = ask(proxy, LLM, authority[1], f"{CHAT}?{time}", "python-requests/2.34")
        assert issuer != "llmprof"
        assert json.loads(body)["target"] == f"{CHAT}?{time}"
    # Another client, and another host of the same client, are decrypted as before.
    assert ask(proxy, LLM, proxy.bundle, f"{CHAT}?other", "curl/8.5")[0] == "llmprof"
    assert ask(proxy, CORP, proxy.bundle, f"{CHAT}?host", "python-requests/2.34")[0] == "llmprof"
    until(lambda: f"https://{CORP}{CHAT}?host" in kept(proxy), 10, lambda: proxy.log)
    assert f"https://{LLM}{CHAT}?other" in kept(proxy)
    assert not [url for url in kept(proxy) if url.endswith(("?refused", "?once", "?again"))]
    assert [line for line in proxy.log.splitlines() if "does not trust" in line and "python-requests" in line] == [
        next(line for line in proxy.log.splitlines() if f"set REQUESTS_CA_BUNDLE to {proxy.bundle}" in line)
    ]


def test_what_an_llm_host_serves_beside_calls_is_not_recorded(proxy: Proxy) -> None:
    ask(proxy, LLM, proxy.bundle, "/v1/files")
    ask(proxy, LLM, proxy.bundle, f"{CHAT}?last")
    until(lambda: f"https://{LLM}{CHAT}?last" in kept(proxy), 10, lambda: proxy.log)
    assert not [url for url in kept(proxy) if "/v1/files" in url]


def test_plain_http_of_other_hosts_passes(proxy: Proxy) -> None:
    with Replay(lambda request: Answer(chunks=[request.target.encode()])) as server:
        connection = http.client.HTTPConnection("127.0.0.1", proxy.forward_port, timeout=120)
        connection.request("GET", f"{server.url}/some/page")
        assert connection.getresponse().read() == b"/some/page"


def test_a_request_to_the_proxy_itself_is_refused(proxy: Proxy) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.forward_port, timeout=120)
    connection.request("POST", f"{proxy.reverse_url}{CHAT}", BODY)
    response = connection.getresponse()
    assert response.status == 508
    assert "NO_PROXY" in json.loads(response.read())["error"]["message"]


class Tunnel(socketserver.BaseRequestHandler):
    """A proxy that connects every CONNECT to one address, and keeps what it was asked."""

    asked: list[bytes]
    there: tuple[str, int]

    def handle(self) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += self.request.recv(1000)
        self.asked.append(head)
        with socket.create_connection(self.there) as upstream:
            self.request.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=self.pump, args=(upstream, self.request), daemon=True)
            back.start()
            self.pump(self.request, upstream)
            back.join(5)

    @staticmethod
    def pump(source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass


@contextmanager
def tunnel(port: int) -> Iterator[tuple[int, list[bytes]]]:
    asked: list[bytes] = []
    handler = type("Handler", (Tunnel,), {"asked": asked, "there": ("127.0.0.1", port)})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], asked
        server.shutdown()


def test_upstream_proxy(tmp_path: Path, upstream: Replay, authority: tuple[ssl.SSLContext, Path]) -> None:
    with (
        tunnel(upstream.port) as (port, asked),
        running(
            tmp_path / "home",
            upstream_proxy=f"http://me:word@127.0.0.1:{port}",
            upstream_ca=str(authority[1]),
        ) as proxy,
    ):
        assert json.loads(ask(proxy, LLM, proxy.bundle)[1])["target"] == CHAT
        assert json.loads(ask(proxy, OTHER, authority[1])[1])["target"] == CHAT
        connection = http.client.HTTPConnection("127.0.0.1", proxy.reverse_port, timeout=120)
        connection.request("POST", CHAT, BODY)
        assert json.loads(connection.getresponse().read())["target"] == CHAT
    assert [head.split()[1] for head in asked] == [b"api.openai.com:443", b"files.example:443", b"api.openai.com:443"]
    assert all(b"Basic bWU6d29yZA==" in head for head in asked)
