"""Who may come in, at real proxies and by raw bytes: names, pages of browsers, the token, ways back to ourselves."""

import json
import socket
import ssl
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, ResponseReceived, StreamEnded

from tests.e2e.rawserver import RawServer, read_message
from tests.e2e.running import Proxy, llmprof, running

CHAT, MESSAGES, HEALTH = "/v1/chat/completions", "/v1/messages", "/llmprof/health"
PAGE = "https://chat.corp.example"
TOKEN = "fake-token-0123456789"
BODY = b'{"model":"m","messages":[]}'


@pytest.fixture(scope="module")
def provider() -> Iterator[RawServer]:
    with RawServer() as server:
        yield server


@pytest.fixture(scope="module")
def proxy(provider: RawServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    home = tmp_path_factory.mktemp("guarded") / "home"
    common = {"upstream": provider.url, "anthropic_upstream": provider.url, "upstream_proxy": ""}
    with running(home, allow_origins=PAGE, **common) as proxy:
        yield proxy
        assert "Traceback" not in proxy.log


@pytest.fixture(scope="module")
def open_proxy(provider: RawServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    home = tmp_path_factory.mktemp("open") / "home"
    common = {"upstream": provider.url, "anthropic_upstream": provider.url, "upstream_proxy": ""}
    with running(home, "--host", "0.0.0.0", token=TOKEN, **common) as proxy:
        yield proxy
        assert "Traceback" not in proxy.log


def elsewhere() -> str:
    """An address of this machine that is not loopback: who comes from it counts as another machine's."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no address but loopback's")
        address = str(probe.getsockname()[0])
    if address.startswith("127."):
        pytest.skip("this machine has no address but loopback's")
    return address


def send(port: int, request: bytes, source: str | None = None) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of what comes back."""
    near = (source, 0) if source else None
    with socket.create_connection(("127.0.0.1", port), timeout=120, source_address=near) as connection:
        connection.sendall(request)
        answer = read_message(connection)
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    return int(first.split()[1]), {k.lower(): v.strip() for k, _, v in (each.partition(":") for each in lines)}, body


def asked(method: str, target: str, host: str, body: bytes = b"", /, **headers: str) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def code(body: bytes) -> Any:
    return json.loads(body)["error"]["code"]


def health(proxy: Proxy, **headers: str) -> Any:
    return json.loads(send(proxy.reverse_port, asked("GET", HEALTH, "localhost", **headers))[2])


@pytest.mark.parametrize("target", [HEALTH, "/", "/llmprof/nothing"])
@pytest.mark.parametrize(
    ("host", "headers", "status"),
    [
        ("evil.example", {}, 421),
        ("evil.example:{port}", {"origin": "http://evil.example:{port}"}, 421),
        ("127.0.0.1.evil.example", {}, 421),
        ("", {}, 421),
        ("localhost:{port}", {"origin": "null"}, 403),
        ("localhost:{port}", {"origin": "http://localhost:3000"}, 403),
        ("localhost:{port}", {"origin": PAGE}, 403),
        ("localhost:{port}", {"sec_fetch_site": "cross-site"}, 403),
        ("localhost:{port}", {"sec_fetch_site": "same-site"}, 403),
        ("localhost:{port}", {"sec_fetch_site": "same-origin"}, 200),
        ("localhost:{port}", {"sec_fetch_site": "none", "sec_fetch_mode": "navigate"}, 200),
        ("[::1]:{port}", {}, 200),
    ],
)
def test_own_endpoints(proxy: Proxy, target: str, host: str, headers: dict[str, str], status: int) -> None:
    port = proxy.reverse_port
    filled = {name: value.format(port=port) for name, value in headers.items()}
    got, told, body = send(port, asked("GET", target, host.format(port=port), **filled))
    assert got == (404 if status == 200 and "nothing" in target else status)
    assert "access-control-allow-origin" not in told
    if status != 200:
        assert code(body) == {403: "cross_site", 421: "misdirected"}[status]


def test_the_authority_of_absolute_form_counts(proxy: Proxy) -> None:
    port = proxy.reverse_port
    request = asked("GET", f"http://evil.example{HEALTH}", f"localhost:{port}")
    assert send(port, request)[0] == 421
    assert send(port, asked("GET", f"http://localhost:{port}{HEALTH}", f"localhost:{port}"))[0] == 200


@pytest.mark.parametrize(
    ("host", "headers", "status"),
    [
        ("client.example", {}, 200),
        ("localhost:{port}", {"sec_fetch_mode": "cors", "accept_language": "*"}, 200),  # fetch of Node
        ("localhost:{port}", {"origin": "http://localhost:3000", "sec_fetch_site": "same-site"}, 200),
        ("127.0.0.1:{port}", {"origin": "http://localhost:5173", "sec_fetch_site": "cross-site"}, 200),
        ("localhost:{port}", {"origin": "app://obsidian.md", "sec_fetch_site": "cross-site"}, 200),
        ("localhost:{port}", {"origin": PAGE, "sec_fetch_site": "cross-site"}, 200),
        ("localhost:{port}", {"origin": "https://evil.example", "sec_fetch_site": "cross-site"}, 403),
        ("localhost:{port}", {"origin": "https://evil.example"}, 403),
        ("localhost:{port}", {"origin": "null"}, 403),
        ("localhost:{port}", {"sec_fetch_site": "cross-site"}, 403),
        ("evil.example:{port}", {"origin": "http://evil.example:{port}", "sec_fetch_site": "same-origin"}, 421),
        ("evil.example:{port}", {"sec_fetch_site": "same-origin"}, 421),
    ],
)
@pytest.mark.parametrize("method", ["POST", "OPTIONS", "GET"])
def test_what_is_passed_on(
    proxy: Proxy, provider: RawServer, method: str, host: str, headers: dict[str, str], status: int
) -> None:
    port, before = proxy.reverse_port, len(provider.received)
    filled = {name: value.format(port=port) for name, value in headers.items()}
    if method == "OPTIONS":
        filled |= {"access_control_request_method": "POST", "access_control_request_headers": "authorization"}
    body = BODY if method == "POST" else b""
    got, told, answer = send(port, asked(method, CHAT, host.format(port=port), body, **filled))
    assert got == status
    assert len(provider.received) - before == (status == 200)
    if status == 200:
        assert all(
            f"{name.replace('_', '-')}: {value}".encode() in provider.received[-1] for name, value in filled.items()
        )
    else:
        assert code(answer) == {403: "cross_site", 421: "misdirected"}[status]
        assert "access-control-allow-origin" not in told


def test_a_page_opens_no_socket(proxy: Proxy, provider: RawServer) -> None:
    before = len(provider.received)
    upgrade = {"connection": "upgrade", "upgrade": "websocket", "sec_websocket_version": "13"}
    upgrade |= {"sec_websocket_key": "dGhlIHNhbXBsZSBub25jZQ=="}
    request = asked("GET", "/v1/responses", "localhost", origin="https://evil.example", **upgrade)
    assert send(proxy.reverse_port, request)[0] == 403
    assert len(provider.received) == before


def test_refusals_speak_the_dialect_and_are_counted(proxy: Proxy) -> None:
    before = health(proxy)["refused"].get("cross_site", 0)
    request = asked("POST", MESSAGES, "localhost", BODY, origin="https://evil.example")
    status, _, body = send(proxy.reverse_port, request)
    assert (status, json.loads(body)["type"]) == (403, "error")
    assert "LLMPROF_ALLOW_ORIGINS" in json.loads(body)["error"]["message"]
    assert send(proxy.reverse_port, asked("HEAD", CHAT, "localhost", origin="https://evil.example"))[2] == b""
    assert health(proxy)["refused"]["cross_site"] == before + 2
    assert proxy.log.count("refused a request: a page of") == 1, "the log is told of the first alone"


def h2_request(proxy: Proxy, path: str, authority: str, *more: tuple[str, str]) -> tuple[int, bytes]:
    trusted = ssl.create_default_context()
    trusted.check_hostname, trusted.verify_mode = False, ssl.CERT_NONE
    trusted.set_alpn_protocols(["h2"])
    plain = socket.create_connection(("127.0.0.1", proxy.reverse_port), timeout=120)
    with trusted.wrap_socket(plain, server_hostname="localhost") as connection:
        assert connection.selected_alpn_protocol() == "h2"
        client = H2Connection(H2Configuration(header_encoding=None))
        client.initiate_connection()
        status, body = 0, b""
        head = [(":method", "GET"), (":scheme", "https"), (":authority", authority), (":path", path), *more]
        client.send_headers(1, head, end_stream=True)
        connection.sendall(client.data_to_send())
        while data := connection.recv(65536):
            for event in client.receive_data(data):
                if isinstance(event, ResponseReceived):
                    status = int(dict(event.headers)[b":status"])
                elif isinstance(event, DataReceived):
                    body += event.data
                elif isinstance(event, StreamEnded):
                    return status, body
    raise AssertionError("no answer")


def test_http2(proxy: Proxy) -> None:
    own = f"localhost:{proxy.reverse_port}"
    assert h2_request(proxy, HEALTH, own)[0] == 200
    assert h2_request(proxy, HEALTH, "evil.example")[0] == 421
    assert h2_request(proxy, CHAT, own, ("origin", "https://evil.example"))[0] == 403
    assert h2_request(proxy, CHAT, "evil.example", ("sec-fetch-site", "same-origin"))[0] == 421


def test_bodies_that_nobody_reads(proxy: Proxy) -> None:
    port = proxy.reverse_port
    assert send(port, asked("GET", HEALTH, "localhost", b"x" * 70_000))[0] == 413
    assert send(port, asked("POST", CHAT, "localhost", b"x" * 2_000_000, origin="https://evil.example"))[0] == 403
    with socket.create_connection(("127.0.0.1", port), timeout=120) as connection:
        connection.sendall(b"POST /llmprof/health HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        held = resident_kilobytes(proxy.process.pid)
        for _ in range(80):
            connection.sendall(b"100000\r\n" + b"x" * 0x100000 + b"\r\n")
        assert resident_kilobytes(proxy.process.pid) - held < 40_000, "80 MB came"
        connection.sendall(b"0\r\n\r\n")
        assert read_message(connection).startswith(b"HTTP/1.1 405")
    assert health(proxy)["in_flight"] == 0


def resident_kilobytes(pid: int) -> int:
    """How much memory a process has."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        status = "VmRSS: " + subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True).stdout
    return int(status.partition("VmRSS:")[2].split()[0])


def test_too_many_questions(proxy: Proxy) -> None:
    request = asked("GET", HEALTH, "localhost")
    with socket.create_connection(("127.0.0.1", proxy.reverse_port), timeout=120) as connection:
        connection.sendall(request * 4000)
        seen = b""
        while b"429 Too Many Requests" not in seen[-200_000:]:
            more = connection.recv(65536)
            assert more, "no limit was met"
            seen += more


# The forward listener.


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "evil.example:{port}", "llmprof", ""])
def test_the_forward_listener_is_no_server(proxy: Proxy, provider: RawServer, host: str) -> None:
    port, before = proxy.forward_port, len(provider.received)
    for target in (HEALTH, "/", CHAT):
        status, _, body = send(port, asked("GET", target, host.format(port=port)))
        assert status in (400, 421)
        assert b'"pid"' not in body
    assert len(provider.received) == before


@pytest.mark.parametrize(
    "name", ["127.0.0.1", "localhost", "127.1.2.3", "0.0.0.0", "2130706433", "[::1]", "a.localhost"]
)
@pytest.mark.parametrize("which", ["reverse", "forward"])
def test_no_way_back_to_ourselves(proxy: Proxy, name: str, which: str) -> None:
    port = proxy.reverse_port if which == "reverse" else proxy.forward_port
    status, _, body = send(proxy.forward_port, asked("GET", f"http://{name}:{port}{HEALTH}", f"{name}:{port}"))
    assert status in (502, 508), body
    assert b'"pid"' not in body
    with socket.create_connection(("127.0.0.1", proxy.forward_port), timeout=120) as connection:
        connection.sendall(f"CONNECT {name}:{port} HTTP/1.1\r\nHost: {name}:{port}\r\n\r\n".encode())
        if read_message(connection).startswith(b"HTTP/1.1 200"):
            connection.sendall(asked("GET", HEALTH, "localhost"))
            assert b'"pid"' not in read_message(connection)


def test_own_names_through_the_forward_listener(proxy: Proxy) -> None:
    status, _, body = send(proxy.forward_port, asked("GET", f"http://llmprof.invalid{HEALTH}", "llmprof.invalid"))
    assert status == 502
    assert b'"pid"' not in body


# The token.


def test_other_machines_need_the_token(open_proxy: Proxy, provider: RawServer) -> None:
    port, far = open_proxy.reverse_port, elsewhere()
    before = len(provider.received)
    for target in ("/", HEALTH, CHAT, f"/llmprof/token/wrong{CHAT}", f"/llmprof/launch/x{CHAT}"):
        status, told, body = send(port, asked("GET", target, "gpu-box.lan"), far)
        assert (status, code(body)) == (401, "token_required")
        assert "www-authenticate" in told
    for wrong in ("", "x", TOKEN[:-1], f"{TOKEN}x", "\xe9"):
        assert send(port, asked("GET", CHAT, "gpu-box.lan", x_llmprof_token=wrong), far)[0] == 401
    assert len(provider.received) == before
    assert send(port, asked("GET", HEALTH, "gpu-box.lan", x_llmprof_token=TOKEN), far)[0] == 200
    assert send(port, asked("POST", CHAT, "gpu-box.lan", BODY, x_llmprof_token=TOKEN), far)[0] == 200
    assert send(port, asked("POST", f"/llmprof/token/{TOKEN}{MESSAGES}", "gpu-box.lan", BODY), far)[0] == 200
    assert len(provider.received) == before + 2
    assert not any(TOKEN.encode() in request for request in provider.received)
    assert provider.received[-1].startswith(b"POST /v1/messages HTTP/1.1\r\n")


def test_other_machines_need_the_token_of_the_forward_listener(open_proxy: Proxy, provider: RawServer) -> None:
    port, far = open_proxy.forward_port, elsewhere()
    before = len(provider.received)
    basic = {"proxy_authorization": f"Basic {b64encode(f'token:{TOKEN}'.encode()).decode()}"}
    wrong = {"proxy_authorization": f"Basic {b64encode(b'token:wrong').decode()}"}
    target, host = f"{provider.url}/v1/models", f"127.0.0.1:{provider.port}"
    for headers in ({}, wrong, {"proxy_authorization": "Basic ?"}, {"proxy_authorization": "Bearer x"}):
        for request in (asked("GET", target, host, **headers), asked("CONNECT", host, host, **headers)):
            status, told, _ = send(port, request, far)
            assert (status, told["proxy-authenticate"][:5]) == (407, "Basic")
    assert len(provider.received) == before
    assert send(port, asked("GET", target, host, **basic), far)[0] == 200
    assert b"uthorization" not in provider.received[-1]
    with socket.create_connection(("127.0.0.1", port), timeout=120, source_address=(far, 0)) as connection:
        connection.sendall(asked("CONNECT", host, host, **basic))
        assert read_message(connection).startswith(b"HTTP/1.1 200")
        for _ in range(2):
            connection.sendall(asked("GET", "/v1/models", host))
            assert read_message(connection).startswith(b"HTTP/1.1 200")
    assert len(provider.received) == before + 3


def test_this_machine_needs_no_token(open_proxy: Proxy, provider: RawServer) -> None:
    assert send(open_proxy.reverse_port, asked("POST", CHAT, "127.0.0.1", BODY))[0] == 200
    assert send(open_proxy.reverse_port, asked("GET", HEALTH, "evil.example"))[0] == 421
    assert send(open_proxy.forward_port, asked("GET", f"{provider.url}/", f"127.0.0.1:{provider.port}"))[0] == 200
    address = elsewhere()
    with socket.create_connection((address, open_proxy.reverse_port), timeout=120) as connection:
        connection.sendall(asked("GET", HEALTH, f"{address}:{open_proxy.reverse_port}"))
        assert read_message(connection).startswith(b"HTTP/1.1 200")


def test_data_needs_the_token_of_the_home(proxy: Proxy) -> None:
    port, token = proxy.reverse_port, (proxy.home / "token").read_text().strip()
    assert send(port, asked("GET", "/llmprof/api/runs", "localhost"))[0] == 401
    assert send(port, asked("GET", "/llmprof/api/runs", "localhost", x_llmprof_token="x" * 43))[0] == 401
    assert send(port, asked("GET", "/llmprof/api/runs", "localhost", x_llmprof_token=token))[0] == 404
    evil = {"x_llmprof_token": token, "origin": "https://evil.example"}
    assert send(port, asked("GET", "/llmprof/api/runs", "localhost", **evil))[0] == 403


def test_the_token_is_told_of_and_nowhere_written(open_proxy: Proxy) -> None:
    said = [line for line in open_proxy.log.splitlines() if "Other machines need the token" in line]
    assert len(said) == 1
    assert "LLMPROF_TOKEN" in said[0]
    found = [path for path in open_proxy.home.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()]
    assert found == []


def test_an_open_proxy_does_not_start_without_a_token(tmp_path: Path) -> None:
    flags = ("up", "--host", "0.0.0.0", "--port", "0", "--forward-port", "0")
    done = llmprof(tmp_path / "a", *flags, LLMPROF_TOKEN="short")
    assert done.returncode != 0
    assert "LLMPROF_TOKEN must hold a token" in done.stderr
    assert "short" not in done.stderr.replace("LLMPROF_TOKEN", "")
    home = tmp_path / "b"
    (home / "token").mkdir(parents=True)
    done = llmprof(home, *flags)
    assert done.returncode == 3
    assert "no token at" in done.stderr
    assert "Traceback" not in done.stderr
