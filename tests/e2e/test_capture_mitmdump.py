"""The same capture in a real `mitmdump`: live, and over saved flows and HAR files."""

import asyncio
import http.client
import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from llmprof_addon.capture.loader import write_loader
from tests.e2e import answers
from tests.e2e.replay import Replay
from tests.e2e.running import ROOT, clean_environ, llmprof, rows, until
from tests.e2e.sockets import Peer, Sockets, Upgrade, connect

MITMDUMP = shutil.which("mitmdump", path=str(Path(sys.executable).parent))
pytestmark = pytest.mark.skipif(MITMDUMP is None, reason="no mitmdump beside this interpreter")

CHAT = "/v1/chat/completions"
BODY = json.dumps({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Good morning."}]}).encode()
STREAMED = BODY.replace(b"{", b'{"stream": true, "stream_options": {"include_usage": true}, ', 1)


def mitmdump(folder: Path, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(MITMDUMP), "--set", f"confdir={folder / 'confdir'}", *arguments]
    return subprocess.run(
        command, cwd=folder, env=clean_environ(LLMPROF_HOME=str(home)), capture_output=True, text=True, timeout=120
    )


@contextmanager
def serving(folder: Path, home: Path, *arguments: str) -> Iterator[int]:
    """A mitmdump that serves; its port. Stopped by SIGTERM."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [str(MITMDUMP), "--set", f"confdir={folder / 'confdir'}", "--listen-host", "127.0.0.1", "-p", str(port)]
    with (folder / "mitmdump.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, *arguments], cwd=folder, env=clean_environ(LLMPROF_HOME=str(home)), stdout=log, stderr=log
        )
    try:
        until(lambda: reachable(port) and (home / "proxies").is_dir() and any((home / "proxies").iterdir()), 120)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(120)
    assert "Traceback" not in (folder / "mitmdump.log").read_text()


def reachable(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that holds the loader, and nothing of the project."""
    write_loader(tmp_path)
    return tmp_path


@pytest.fixture
def upstream() -> Iterator[Replay]:
    with Replay(answers.answer) as server:
        yield server


def ask(port: int, body: bytes = BODY, target: str = CHAT) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request("POST", target, body, {"content-type": "application/json", "x-llmprof-session": "one"})
    return connection.getresponse().read()


def test_mitmdump_with_the_loader(folder: Path, upstream: Replay) -> None:
    home = folder / "home"
    with serving(folder, home, "-s", "llmprof_addon", "--mode", f"reverse:{upstream.url}") as port:
        whole, streamed = ask(port), ask(port, STREAMED)
    assert json.loads(whole)["object"] == "chat.completion"
    assert streamed.endswith(b"data: [DONE]\n\n")
    assert upstream.requests[0].header("x-llmprof-session") is None
    told = [(row["mode"], row["stream"], row["outcome"], row["usage"]["input_tokens"]) for row in rows(home, 2)]
    assert told == [("reverse", False, "complete", 110), ("reverse", True, "complete", 110)]


def test_the_file_of_a_checkout(folder: Path, upstream: Replay) -> None:
    home = folder / "home"
    script = str(ROOT / "llmprof_addon" / "addon.py")
    with serving(folder, home, "-s", script, "--mode", f"reverse:{upstream.url}") as port:
        ask(port)
    assert len(rows(home, 1)) == 1


def test_saved_flows_are_read_once(folder: Path, upstream: Replay) -> None:
    home, saved = folder / "home", folder / "saved.flows"
    recording = ("-w", str(saved), "-s", "llmprof_addon", "--mode", f"reverse:{upstream.url}")
    with serving(folder, folder / "other", *recording, "--set", "store_streamed_bodies=true") as port:
        ask(port), ask(port, STREAMED), ask(port, target="/v1/files")
    for _ in range(2):
        done = mitmdump(folder, home, "-nr", str(saved), "-s", "llmprof_addon")
        assert done.returncode == 0, done.stderr
        told = [(row["mode"], row["stream"], row["usage"]["input_tokens"]) for row in rows(home, 2)]
        assert told == [("import", False, 110), ("import", True, 110)]
    done = llmprof(home, "import", str(saved))
    assert done.returncode == 0, done.stderr
    assert len(rows(home, 2)) == 2


def test_calls_over_a_saved_websocket(folder: Path) -> None:
    """Live and out of the file they are the same; the messages stay in the user's flow."""
    home, saved = folder / "home", folder / "saved.flows"
    request = json.dumps({"type": "response.create", "model": "gpt-4.1", "input": "Hi"})
    usage = {"input_tokens": 8, "output_tokens": 1, "total_tokens": 9}

    async def answer(peer: Peer, upgrade: Upgrade) -> None:
        while await peer.receive() is not None:
            response = {"id": f"resp_{len(peer.got)}", "model": "gpt-4.1", "output": [], "usage": usage}
            await peer.send(json.dumps({"type": "response.created", "response": {"id": response["id"]}}))
            await peer.send(json.dumps({"type": "response.completed", "response": response}))

    async def talk(port: int) -> None:
        peer = await connect(port, "/v1/responses", host="127.0.0.1")
        for _ in range(2):
            await peer.send(request)
            await peer.receive(), await peer.receive()
        await peer.close()

    with Sockets(answer) as server:
        recording = ("-w", str(saved), "-s", "llmprof_addon", "--mode", f"reverse:{server.url}")
        with serving(folder, folder / "other", *recording) as port:
            asyncio.run(talk(port))
    told = ("transport", "stream", "outcome", "usage", "composition")
    live = [[row[name] for name in told] for row in rows(folder / "other", 2)]
    assert len(live) == 2
    for _ in range(2):
        done = mitmdump(folder, home, "-nr", str(saved), "-s", "llmprof_addon")
        assert done.returncode == 0, done.stderr
        assert [[row[name] for name in told] for row in rows(home, len(live))] == live
    assert llmprof(home, "import", str(saved)).returncode == 0
    assert len(rows(home, 2)) == 2


def test_har_is_read_once(folder: Path) -> None:
    home, har = folder / "home", folder / "saved.har"
    reply = {"id": "c-1", "object": "chat.completion", "model": "gpt-4o-mini", "choices": [], "usage": None}
    entry = {
        "startedDateTime": "2026-03-01T10:00:00.250Z",
        "time": 1500,
        "request": {
            "method": "POST",
            "url": "https://api.openai.com/v1/chat/completions",
            "httpVersion": "HTTP/1.1",
            "headers": [{"name": "authorization", "value": "Bearer sk-fake-har-0123456789"}],
            "postData": {"mimeType": "application/json", "text": BODY.decode()},
        },
        "response": {
            "status": 200,
            "httpVersion": "HTTP/1.1",
            "headers": [{"name": "content-type", "value": "application/json"}],
            "content": {"mimeType": "application/json", "text": json.dumps(reply)},
        },
    }
    later = entry | {"startedDateTime": "2026-03-01T10:00:02.000Z"}
    har.write_text(json.dumps({"log": {"version": "1.2", "entries": [entry, later]}}))
    for _ in range(2):
        done = mitmdump(folder, home, "-nr", str(har), "-s", "llmprof_addon")
        assert done.returncode == 0, done.stderr
        assert [row["duration_ms"] for row in rows(home, 2)] == [1500, 1500]
    llmprof(home, "import", str(har))
    assert len(rows(home, 2)) == 2
    assert not [path for path in home.rglob("*") if path.is_file() and b"sk-fake-har" in path.read_bytes()]


def test_a_wrong_setting_ends_it_with_one_line(folder: Path) -> None:
    command = [str(MITMDUMP), "-q", "-s", "llmprof_addon", "-p", "0", "--set", f"confdir={folder / 'confdir'}"]
    environ = clean_environ(LLMPROF_HOME=str(folder / "home"), LLMPROF_DB_URL="mysql://x/y")
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "LLMPROF_DB_URL" in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


def test_a_changed_loader_is_loaded_again(folder: Path, upstream: Replay) -> None:
    home = folder / "home"
    with serving(folder, home, "-s", "llmprof_addon", "--mode", f"reverse:{upstream.url}") as port:
        ask(port)
        time.sleep(1.1)
        (folder / "llmprof_addon").touch()
        time.sleep(4)
        ask(port)
    assert len(rows(home, 2)) == 2
