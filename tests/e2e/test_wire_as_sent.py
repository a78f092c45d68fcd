"""What a provider receives is what the client sent, to the byte: reverse, routed by prefix and model, forward."""

import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.e2e.rawserver import OK, RawServer, read_message, tunnel
from tests.e2e.replay import server_context
from tests.e2e.running import Proxy, running

HOST = "api.openai.com"
HEADERS = (
    b"USER-agent: x\r\nHost: client.example:1\r\nX-Dup: 1\r\naccept: */*\r\nx-dup: 2\r\nX_Under: 1\r\nX-Latin: \xe9\r\n"
    b"X-Empty: \r\nCookie: a=1\r\nCookie: b=2\r\nAccept-Encoding: gzip, br\r\nVia: 1.1 other\r\nForwarded: for=1\r\n"
)
BODY = b'{"model":"gpt-5" , "x":"\xff\\u0041", "messages":[] }\n'
JSON = b"Content-Type: application/json\r\nCONTENT-length: %d\r\n" % len(BODY)
CASES = {
    "escapes": b"GET /v1//a/%2e%2E/b;p=1/%C3%a9/~x/%zz HTTP/1.1\r\n" + HEADERS + b"\r\n",
    "dot-segments": b"GET /v1/../a/./b HTTP/1.1\r\n" + HEADERS + b"\r\n",
    "query": b"GET /v1/models?q=1&q=2&&empty=&=v&x=%20+%2b&k&/?a=b HTTP/1.1\r\n" + HEADERS + b"\r\n",
    "empty-query": b"GET /v1/models? HTTP/1.1\r\n" + HEADERS + b"\r\n",
    "method": b"PROPFIND /v1/models HTTP/1.1\r\n" + HEADERS + b"\r\n",
    "lower-case-method": b"get /v1/models HTTP/1.1\r\n" + HEADERS + b"\r\n",
    "body-of-get": b"GET /v1/models HTTP/1.1\r\n" + HEADERS + b"Content-Length: 3\r\n\r\nabc",
    "empty-body": b"DELETE /v1/x HTTP/1.1\r\n" + HEADERS + b"content-length: 0\r\n\r\n",
    "call": b"POST /v1/chat/completions?a HTTP/1.1\r\n" + HEADERS + JSON + b"\r\n" + BODY,
    "no-call": b"POST /v1/images/generations HTTP/1.1\r\n" + HEADERS + JSON + b"\r\n" + BODY,
    "upload": b"POST /v1/files HTTP/1.1\r\n" + HEADERS + b"Content-Length: 300000\r\n\r\n" + bytes(range(250)) * 1200,
    "ours": b"POST /v1/chat/completions HTTP/1.1\r\nX-LLMProf-Session: s\r\n"
    + HEADERS
    + b"x-llmprof-tag: a:b\r\n"
    + JSON
    + b"\r\n"
    + BODY,
}


@dataclass(kw_only=True)
class Way:
    """One way to a provider."""

    proxy: Proxy
    server: RawServer
    trusted: ssl.SSLContext | None = None
    path: bytes = b""
    """What stands before the path on the way in."""

    def send(self, request: bytes) -> tuple[bytes, bytes]:
        """What the provider received, and what the client got."""
        if self.trusted:
            connection: socket.socket = tunnel(self.proxy.forward_port, HOST, self.trusted)
        else:
            connection = socket.create_connection(("127.0.0.1", self.proxy.reverse_port), timeout=120)
        before = len(self.server.received)
        with connection:
            connection.sendall(request.replace(b" /", b" " + self.path + b"/", 1))
            answer = read_message(connection)
        assert len(self.server.received) == before + 1, self.proxy.log
        return self.server.received[-1], answer


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Way]]:
    folder = tmp_path_factory.mktemp("as-sent")
    context, authority = server_context(folder, [HOST])
    context.set_alpn_protocols(["http/1.1"])
    with RawServer() as plain, RawServer(tls=context) as secure:
        routed = folder / "routed"
        routed.mkdir()
        (routed / "config.toml").write_text(
            f'[routes]\n"other-*" = "there"\n[endpoints.there]\nurl = "{plain.url}"\nmodels = ["gpt-*"]\n'
        )
        common = {"upstream_proxy": "", "upstream": plain.url, "upstream_ca": str(authority)}
        with (
            running(folder / "home", connect=f"{HOST}:443={secure.url}", **common) as proxy,
            running(routed, **common) as by_model,
        ):
            trusted = ssl.create_default_context(cafile=str(proxy.home / "ca" / "mitmproxy-ca-cert.pem"))
            yield {
                "reverse": Way(proxy=proxy, server=plain),
                "by-model": Way(proxy=by_model, server=plain),
                "by-prefix": Way(proxy=by_model, server=plain, path=b"/there"),
                "forward": Way(proxy=proxy, server=secure, trusted=trusted),
            }


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("way", ["reverse", "by-model", "by-prefix", "forward"])
def test_as_sent(ways: dict[str, Way], way: str, case: str) -> None:
    through = ways[way]
    received, answer = through.send(CASES[case])
    expected = re.sub(rb"(?im)^x-llmprof-[^\r]*\r\n", b"", CASES[case])
    if way != "forward":
        expected = expected.replace(b"client.example:1", b"127.0.0.1:%d" % through.server.port)
    assert received == expected
    port = b"443" if way == "forward" else b"%d" % through.proxy.reverse_port  # mitmproxy rewrites it in reverse mode
    assert answer == OK.replace(b'h3=":443"', b'h3=":%s"' % port)


@pytest.mark.parametrize("way", ["reverse", "by-model", "forward"])
def test_a_chunked_body(ways: dict[str, Way], way: str) -> None:
    head = b"POST /v1/chat/completions HTTP/1.1\r\n" + HEADERS + b"Transfer-Encoding: chunked\r\n\r\n"
    pieces = [BODY[:7], BODY[7:]]
    received, _ = ways[way].send(head + b"".join(b"%x\r\n%s\r\n" % (len(each), each) for each in pieces) + b"0\r\n\r\n")
    framed = received.partition(b"\r\n\r\n")[2]
    body = b""
    while framed:  # how it is cut into chunks is between neighbours
        size, _, framed = framed.partition(b"\r\n")
        body, framed = body + framed[: int(size, 16)], framed[int(size, 16) + 2 :]
    assert body == BODY
    assert b"Transfer-Encoding: chunked" in received


def test_one_connection_serves_all(ways: dict[str, Way]) -> None:
    through = ways["by-model"]
    before = len(through.server.received)
    with socket.create_connection(("127.0.0.1", through.proxy.reverse_port), timeout=120) as connection:
        for case in ("call", "query", "no-call", "empty-body"):
            connection.sendall(CASES[case])
            assert read_message(connection).startswith(b"HTTP/1.1 200")
    firsts = [request.partition(b" HTTP")[0] for request in through.server.received[before:]]
    assert firsts == [CASES[case].partition(b" HTTP")[0] for case in ("call", "query", "no-call", "empty-body")]
