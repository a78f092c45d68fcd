"""What may go wrong outside of a proxy under way: the bytes unharmed for clients, nothing lost, one clear line."""

import http.client
import json
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmprof_addon.spool.files import encode
from llmprof_addon.spool.folder import file_name
from tests.e2e import answers
from tests.e2e.replay import Answer, Replay, Request
from tests.e2e.running import ROOT, Proxy, clean_environ, llmprof, rows, running, until
from tests.factories import fixture_exchange

CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"
MODEL = "gpt-4o-mini"
BIG = 50 * 1024 * 1024
JSON = (("content-type", "application/json"),)
SSE = (("content-type", "text/event-stream; charset=utf-8"),)
USAGE = {"prompt_tokens": 900, "completion_tokens": 7, "total_tokens": 907}


class Upstream(Replay):
    """A server whose next answers a test decides by the header `x-case`."""

    def __init__(self) -> None:
        super().__init__(answer=lambda request: self.answers[request.header("x-case") or ""])
        self.answers: dict[str, Answer] = {}

    def received(self, case: str) -> Request:
        return next(request for request in reversed(self.requests) if request.header("x-case") == case)


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


@pytest.fixture(scope="module")
def proxy(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    there = f"api.openai.com:443={upstream.url},api.anthropic.com:443={upstream.url}"
    with running(tmp_path_factory.mktemp("bad") / "home", connect=there, upstream_proxy="") as proxy:
        yield proxy


def post(proxy: Proxy, case: str, body: bytes, path: str = CHAT) -> tuple[int, bytes, bool]:
    """Send one request; the status, the bytes of the answer, and whether it ended as it should."""
    connection = http.client.HTTPConnection("127.0.0.1", proxy.reverse_port, timeout=120)
    headers = {"content-type": "application/json", "x-case": case, "x-llmprof-tag": f"case:{case}"}
    headers |= {"authorization": "Bearer sk-fake-0123456789-bad", "accept": "*/*"}
    try:
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        pieces = []
        try:
            while piece := response.read1(2**16):
                pieces.append(piece)
        except (http.client.IncompleteRead, ConnectionError) as error:
            partial = error.partial if isinstance(error, http.client.IncompleteRead) else b""
            return response.status, b"".join([*pieces, partial]), False
        # `read1` takes the end of a body that is too short for an end.
        return response.status, b"".join(pieces), not response.length
    finally:
        connection.close()


def exchanged(
    proxy: Proxy, upstream: Upstream, case: str, request: bytes, answer: Answer, path: str = CHAT
) -> tuple[dict[str, Any], bool]:
    """Send a request for this answer: the bytes of both have to arrive as they are. The row, and if it ended well."""
    upstream.answers[case] = answer
    status, got, ended = post(proxy, case, request, path)
    assert status == answer.status
    assert got == b"".join(answer.chunks)[: answer.declared_bytes]
    assert upstream.received(case).body == request
    (row,) = proxy.tagged(case, 1)
    return row, ended


def shown(proxy: Proxy, row: dict[str, Any]) -> dict[str, Any]:
    done = llmprof(proxy.home, "show", row["id"], "--json")
    assert done.returncode == 0, done.stderr
    value: dict[str, Any] = json.loads(done.stdout)
    return value


def body(text: str, **more: Any) -> bytes:
    return json.dumps({"model": MODEL, "messages": [{"role": "user", "content": text}], **more}).encode()


def reply(text: str = "Aye.") -> Answer:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    whole = {"id": "chatcmpl-1", "object": "chat.completion", "model": MODEL, "choices": [choice], "usage": USAGE}
    return Answer(chunks=[json.dumps(whole, ensure_ascii=False).encode()], headers=JSON)


@pytest.mark.parametrize(
    "request_body",
    [b'{"model": "gpt-4o-mini", "messages": [{"role": "user"', b"\x00\xff\xfe not JSON", b"", b"[1, 2]", b"null"],
    ids=["cut", "noise", "empty", "list", "null"],
)
def test_malformed_request(proxy: Proxy, upstream: Upstream, request: Any, request_body: bytes) -> None:
    refused = Answer(
        status=400, chunks=[b'{"error": {"message": "We could not parse that.", "type": "invalid_request_error"}}']
    )
    row, _ = exchanged(proxy, upstream, f"malformed-{request.node.callspec.id}", request_body, refused)
    assert row["status"] == 400
    assert row["api"] == "openai.chat"
    assert row["error"]
    shown(proxy, row)


def test_big_bodies(proxy: Proxy, upstream: Upstream) -> None:
    text = ("The harbour lay in fog. " * (BIG // 24 + 1))[:BIG]
    asked, _ = exchanged(proxy, upstream, "big-request", body(text), reply())
    told, _ = exchanged(proxy, upstream, "big-response", body("Say much."), reply(text))
    for row in (asked, told):
        assert row["error"] is None
        assert row["outcome"] == "complete"
        assert row["usage"]["input_tokens"] == USAGE["prompt_tokens"]
        assert row["usage"]["output_tokens"] == USAGE["completion_tokens"]


@pytest.mark.parametrize(
    ("case", "text"),
    [
        ("spaces", " " * 1_000_000),
        ("letters", "a" * 1_000_000),
        ("surrogates", "half \ud83d a pair, \udc00 the other way"),
        ("special", "<|endoftext|><|im_start|>system<|fim_prefix|>"),
        ("control", "\x00\x01\x1b[31m red \u202e\u0085\u2028"),
    ],
    ids=["spaces", "letters", "surrogates", "special", "control"],
)
def test_strange_texts(proxy: Proxy, upstream: Upstream, case: str, text: str) -> None:
    tool = {"type": "function", "function": {"name": "look_up", "description": text[:1000], "parameters": {}}}
    answered = Answer(chunks=[reply(text[:1000]).chunks[0]] if case != "surrogates" else [_escaped(text)])
    row, _ = exchanged(proxy, upstream, case, body(text, tools=[tool]), answered)
    assert row["error"] is None
    assert sum(row["composition"].values()) == USAGE["prompt_tokens"]
    messages = shown(proxy, row)["messages"]
    (asked,) = [part for part in messages if part["section"] == "messages"]
    assert asked["text"] == text
    assert llmprof(proxy.home, "show", row["id"]).returncode == 0


def _escaped(text: str) -> bytes:
    return json.dumps({**json.loads(reply().chunks[0]), "choices": [_choice(text)]}).encode()


def _choice(text: str) -> dict[str, Any]:
    return {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}


def _delta(text: str) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": MODEL, "choices": [choice]}
    return f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n".encode()


@pytest.mark.parametrize("framing", ["cut", "chunked", "close"])
@pytest.mark.parametrize("where", ["character", "event"])
def test_cut_streams(proxy: Proxy, upstream: Upstream, framing: Any, where: str) -> None:
    last = _delta("über")
    end = last.index("ü".encode()) + 1 if where == "character" else last.index(b'"choices"')
    answer = Answer(headers=SSE, framing=framing, chunks=[_delta("Fog "), _delta("everywhere "), last[:end]])
    row, ended = exchanged(proxy, upstream, f"{framing}-{where}", body("Weather?", stream=True), answer)
    assert ended == (framing != "cut")
    assert row["stream"] is True
    assert row["outcome"] == ("complete" if framing != "cut" else "error")
    assert row["usage"]["source"] != "reported"
    said = "".join(part["text"] for part in shown(proxy, row)["messages"] if part["section"] == "answer")
    assert said.startswith("Fog everywhere ")


def test_too_short_for_its_content_length(proxy: Proxy, upstream: Upstream) -> None:
    answer = Answer(chunks=reply().chunks, declared_bytes=len(reply().chunks[0]) + 100)
    row, ended = exchanged(proxy, upstream, "too-short", body("Hello."), answer)
    assert not ended
    assert row["outcome"] == "error"
    assert row["error"]


def test_longer_than_its_content_length(proxy: Proxy, upstream: Upstream) -> None:
    (whole,) = reply().chunks
    answer = Answer(chunks=[whole + b"more than was announced"], declared_bytes=len(whole))
    row, ended = exchanged(proxy, upstream, "too-long", body("Hello."), answer)
    assert ended
    assert row["usage"]["input_tokens"] == USAGE["prompt_tokens"]


def test_unknown_blocks_and_fields(proxy: Proxy, upstream: Upstream) -> None:
    hologram = {"type": "hologram", "beams": [1, 2, {"hue": "green"}]}
    asked = {
        "model": "claude-haiku-4-5",
        "max_tokens": 10,
        "warp_factor": {"nine": True},
        "tools": [{"type": "teleporter_20991231", "name": "beam"}, "not even an object"],
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Look."}, hologram], "mood": "curious"}],
    }
    whole = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-haiku-4-5",
        "content": [{"type": "smell", "scent": "sea"}, {"type": "text", "text": "Salt."}],
        "stop_reason": "bored",
        "usage": {"input_tokens": 50, "output_tokens": 5, "daydream_tokens": 3},
        "aura": "blue",
    }
    answer = Answer(chunks=[json.dumps(whole).encode()])
    row, _ = exchanged(proxy, upstream, "unknown", json.dumps(asked).encode(), answer, MESSAGES)
    assert row["error"] is None
    assert row["finish_reasons"] == ["bored"]
    assert sum(row["composition"].values()) == row["usage"]["input_tokens"] == 50
    texts = " ".join(str(part["text"]) for part in shown(proxy, row)["messages"])
    assert "hologram" in texts
    assert "smell" in texts


def test_html_error_page(proxy: Proxy, upstream: Upstream) -> None:
    page = b"<html><head><title>503 Service Temporarily Unavailable</title></head><body>Try later.</body></html>"
    answer = Answer(status=503, headers=(("content-type", "text/html"), ("retry-after", "1")), chunks=[page])
    row, _ = exchanged(proxy, upstream, "html", body("Hello."), answer)
    assert row["status"] == 503
    assert row["error"]
    assert row["cost"] is None or float(row["cost"]["total_usd"]) == 0


def test_damaged_file_in_the_spool(proxy: Proxy, upstream: Upstream) -> None:
    spool = proxy.home / "spool"
    exchange = fixture_exchange("openai.chat", "plain")
    name = file_name(exchange)
    (spool / name).write_bytes(encode(exchange)[:-5])
    row, _ = exchanged(proxy, upstream, "after-damage", body("Still there?"), reply())
    assert row["error"] is None
    until(lambda: not (spool / name).exists(), 120)
    assert (spool / "failed" / name).exists()
    told = list((spool / "failed").glob(f"{name.removesuffix('.exchange')}*.txt"))
    assert "damaged exchange file" in told[0].read_text()
    status = llmprof(proxy.home, "status")
    assert status.returncode == 1
    assert "1 exchange not processed" in status.stdout
    shutil.rmtree(spool / "failed")


def test_upstream_down(tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        down = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        connect = f"api.openai.com:443={down},api.anthropic.com:443={down}"
        with running(tmp_path / "home", connect=connect, upstream_proxy="") as proxy:
            status, got, _ = post(proxy, "down-openai", body("Hello?"))
            assert status == 502
            error = json.loads(got)["error"]
            assert {"message", "type", "param", "code"} <= error.keys()
            assert "api.openai.com" in error["message"]
            status, got, _ = post(proxy, "down-anthropic", body("Hello?"), MESSAGES)
            assert status == 502
            value = json.loads(got)
            assert value["type"] == "error"
            assert {"type", "message"} <= value["error"].keys()
            assert "api.anthropic.com" in value["error"]["message"]
            for case in ("down-openai", "down-anthropic"):
                (row,) = proxy.tagged(case, 1)
                assert row["outcome"] == "error"
                assert row["error"]
                assert row["cost"] is None or float(row["cost"]["total_usd"]) == 0


def test_client_that_does_not_trust(proxy: Proxy, upstream: Upstream) -> None:
    connection = http.client.HTTPSConnection(
        "127.0.0.1", proxy.forward_port, timeout=120, context=ssl.create_default_context()
    )
    connection.set_tunnel("api.openai.com", 443)
    with pytest.raises(ssl.SSLCertVerificationError):
        connection.request("POST", CHAT, body("Hello."), {"content-type": "application/json"})
    until(lambda: "does not trust" in proxy.log, 10, lambda: proxy.log)
    (line,) = [line for line in proxy.log.splitlines() if "does not trust" in line]
    assert "api.openai.com" in line
    assert "SSL_CERT_FILE" in line
    assert "NODE_EXTRA_CA_CERTS" in line
    assert str(proxy.bundle) in line
    assert "Traceback" not in proxy.log
    row, _ = exchanged(proxy, upstream, "after-tls", body("Still there?"), reply())
    assert row["error"] is None


def test_store_that_is_away_for_a_while(tmp_path: Path, upstream: Upstream) -> None:
    """Another process holds the database; the calls wait in the spool, and the proxy may even be killed meanwhile."""
    home = tmp_path / "home"
    connect = f"api.openai.com:443={upstream.url}"
    with running(home, connect=connect, upstream_proxy="") as proxy:
        row, _ = exchanged(proxy, upstream, "before", body("Before."), reply())
        assert row["error"] is None
        holder = sqlite3.connect(home / "llmprof.db", isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")
        upstream.answers["meanwhile"] = reply()
        for number in range(3):
            assert post(proxy, "meanwhile", body(f"Meanwhile {number}."))[0] == 200
        until(lambda: len(list((home / "spool").glob("*.exchange"))) == 3, 120)
        proxy.process.send_signal(signal.SIGKILL)
        holder.execute("ROLLBACK")
        holder.close()
    until(lambda: len(rows(home)) == 4, 120)


def test_ctrl_c_at_start(tmp_path: Path) -> None:
    """Stopped before it is up: quietly, and soon."""
    command = [sys.executable, "-m", "llmprof_addon", "up", "--home", str(tmp_path / "home")]
    command += ["--port", "0", "--forward-port", "0"]
    with subprocess.Popen(command, cwd=ROOT, env=clean_environ(), stderr=subprocess.PIPE, text=True) as process:
        until((tmp_path / "home").exists, 120)
        process.send_signal(signal.SIGINT)
        try:
            _, told = process.communicate(timeout=120)
        finally:
            process.kill()
    assert "Traceback" not in told


def test_answers_of_the_made_up_provider_are_no_errors(proxy: Proxy, upstream: Upstream) -> None:
    """The other tests would prove nothing if every row had an error."""
    request = Request(protocol="http/1.1", method="POST", target=CHAT, headers=(), body=body("Hello."))
    row, ended = exchanged(proxy, upstream, "good", request.body, answers.answer(request))
    assert ended
    assert row["error"] is None
