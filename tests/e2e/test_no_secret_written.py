"""Planted keys of many kinds, everywhere in a call, through a real proxy and worker: afterwards none is on the disk.

Searched is every file below the home and every value of every row, packed ones unpacked, for the middle of each key as
it is and as encodings write it.
"""

import asyncio
import gzip
import hashlib
import http.client
import json
import sqlite3
import zlib
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from llmprof_addon.spool import files
from llmprof_addon.store.compress import unpack, unsqueeze
from tests.e2e import answers
from tests.e2e.replay import Answer, Replay, Request
from tests.e2e.running import Proxy, running
from tests.e2e.sockets import Peer, Sockets, Upgrade, connect


def made_up(kind: str, length: int) -> str:
    """Letters and digits that follow from a name, and look like a key's."""
    digest = hashlib.sha512(f"fake {kind}".encode()).hexdigest()
    return (f"{digest[0]}FaKe" + "".join(a.upper() if at % 3 else a for at, a in enumerate(digest)))[:length]


def key(kind: str, form: str, length: int = 40) -> str:
    return form.replace("*", made_up(kind, length))


KEYS = {
    "openai": key("openai", "sk-*", 48),
    "openai-project": key("openai-project", "sk-proj-*", 80),
    "openai-service": key("openai-service", "sk-svcacct-*", 60),
    "openai-admin": key("openai-admin", "sk-admin-*", 60),
    "anthropic": key("anthropic", "sk-ant-api03-*-AA", 80),
    "openrouter": key("openrouter", "sk-or-v1-*", 64),
    "groq": key("groq", "gsk_*", 52),
    "xai": key("xai", "xai-*", 80),
    "hugging-face": key("hugging-face", "hf_*", 34),
    "perplexity": key("perplexity", "pplx-*", 48),
    "nvidia": key("nvidia", "nvapi-*", 64),
    "stripe": key("stripe", "sk_live_*", 40),
    "github": key("github", "ghp_*", 36),
    "github-oauth": key("github-oauth", "gho_*", 36),
    "github-user": key("github-user", "ghu_*", 36),
    "github-server": key("github-server", "ghs_*", 36),
    "github-fine": key("github-fine", "github_pat_*", 70),
    "gitlab": key("gitlab", "glpat-*", 20),
    "npm": key("npm", "npm_*", 36),
    "pypi": key("pypi", "pypi-AgE*", 60),
    "aws": "AKIA" + made_up("aws", 16).upper(),
    "aws-session": "ASIA" + made_up("aws-session", 16).upper(),
    "google": "AIza" + made_up("google", 35),
    "google-oauth": key("google-oauth", "ya29.*", 60),
    "slack": key("slack", "xoxb-123456789012-*", 24),
    "sendgrid": f"SG.{made_up('sendgrid', 22)}.{made_up('sendgrid-2', 43)}",
    "vault": key("vault", "hvs.*", 40),
    "jwt": f"eyJ{made_up('jwt', 20)}.eyJ{made_up('jwt-2', 40)}.{made_up('jwt-3', 43)}",
    "pem": f"-----BEGIN RSA PRIVATE KEY-----\n{made_up('pem', 64)}\n{made_up('x', 40)}\n-----END RSA PRIVATE KEY-----",
    "openssh": f"-----BEGIN OPENSSH PRIVATE KEY-----\n{made_up('ssh', 70)}\n-----END OPENSSH PRIVATE KEY-----",
}
OPAQUE = {kind: f"fake/opaque+{made_up(kind, 30)}=" for kind in ("bearer", "x-api-key", "cookie", "query", "basic")}
"""Keys of no known form: they are known because they authenticate the call."""
CHAT, MESSAGES, RESPONSES = "/v1/chat/completions", "/v1/messages", "/v1/responses"


def middle(planted: str) -> str:
    """What no other text holds, and what is left if only an end of the key was overwritten."""
    body = max(planted.replace("\n", " ").split(), key=len)
    body = max(body.split("."), key=len)
    return body[len(body) // 2 - 6 : len(body) // 2 + 6]


def shapes(planted: str) -> list[bytes]:
    """Its middle, plain and encoded, wherever the encoding starts."""
    inner = middle(planted)
    plain = inner.encode()
    packed = [b64encode(b"\0" * shift + plain)[4 if shift else 0 : -4] for shift in range(3)]
    return [plain, *packed, plain.hex().encode(), quote(inner, safe="").encode()]


def answer(request: Request) -> Answer:
    """What was said last is said back, streamed in pieces of five letters; a header and a cookie repeat it, too."""
    packed = request.header("content-encoding") == "gzip"
    told = answers.answer(replace(request, body=gzip.decompress(request.body)) if packed else request)
    planted = request.header("x-echo") or ""
    more = (("x-echoed", planted), ("set-cookie", f"session={OPAQUE['cookie']}; path=/"))
    chunks = told.chunks
    if request.header("x-wants") == "error":
        message = {"error": {"message": f"Incorrect API key provided: {planted}", "type": "invalid_request_error"}}
        return Answer(
            status=401, headers=(("content-type", "application/json"), *more), chunks=[json.dumps(message).encode()]
        )
    headers = (*told.headers, *more)
    if request.header("x-wants") == "gzip":
        chunks, headers = [gzip.compress(b"".join(chunks))], (*headers, ("content-encoding", "gzip"))
    return Answer(status=told.status, headers=headers, chunks=list(chunks), framing=told.framing)


async def socket_script(peer: Peer, upgrade: Upgrade) -> None:
    while (message := await peer.receive()) is not None:
        request = json.loads(message)
        events = answers.responses(request)[1]
        for event in events:
            await peer.send(event.partition("data: ")[2].strip())


def calls(planted: str) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Path, body and what the provider shall do: the key in each place where an agent would put one."""
    tool = {"name": "run", "description": f"Runs with {planted}", "parameters": {"type": "object"}}
    arguments = json.dumps({"command": f"export KEY={planted}\necho done"})
    call = {"id": "call_1", "type": "function", "function": {"name": "run", "arguments": arguments}}
    system = {"role": "system", "content": f"The key:\n\t{planted}"}
    asked, result = {"role": "assistant", "tool_calls": [call]}, {"role": "tool", "tool_call_id": "call_1"}
    history = [system, asked, result | {"content": json.dumps({"env": f"KEY='{planted}'", "lines": [planted]})}]
    chat = {"model": "gpt-4o-mini", "messages": history, "tools": [{"type": "function", "function": tool}]}
    yield CHAT, chat | {"stream": True, "user": planted, "metadata": {planted: planted}}, ""
    yield CHAT, {"model": "gpt-4o-mini", "messages": [*history, {"role": "user", "content": planted}]}, "gzip"
    yield CHAT, chat, "error"
    block = {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": f"cat .env\n{planted}"}]}
    turn = {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "run", "input": {"k": planted}}]}
    said = [{"role": "user", "content": planted}, turn, {"role": "user", "content": [block]}]
    yield (
        MESSAGES,
        {"model": "claude-haiku-4-5", "max_tokens": 9, "system": planted, "messages": said, "stream": True},
        "",
    )
    yield RESPONSES, {"model": "gpt-4o-mini", "input": planted, "instructions": planted, "stream": True}, ""


def send(proxy: Proxy, number: int, planted: str) -> int:
    """Send the calls of one key, and say how many they were."""
    sent = 0
    streamed, *others = calls(planted)
    for path, body, wants in (streamed, others[number % len(others)]):
        connection = http.client.HTTPConnection("127.0.0.1", proxy.reverse_port, timeout=120)
        echo = planted.replace("\n", " ")
        headers = {"content-type": "application/json", "x-echo": echo, "x-wants": wants, "x-llmprof-tag": f"k:{echo}"}
        headers |= {"cookie": f"session={OPAQUE['cookie']}", "user-agent": f"agent/1 {echo}"}
        match number % 3:
            case 0:
                headers["authorization"] = f"Bearer {OPAQUE['bearer']}"
            case 1:
                headers["x-api-key"] = OPAQUE["x-api-key"]
            case _:
                headers["authorization"] = "Basic " + b64encode(f"me-and-you:{OPAQUE['basic']}".encode()).decode()
        query = f"?key={quote(OPAQUE['query'], safe='')}&note={quote(planted, safe='')}&x={quote(echo)}"
        used = [OPAQUE[kind] for kind in ("cookie", "query", ("bearer", "x-api-key", "basic")[number % 3])]
        data = json.dumps(body | {"note": used} if number % 2 else body).encode()
        if number % 4 == 3:
            data, headers["content-encoding"] = gzip.compress(data), "gzip"
        connection.request("POST", path + query, data, headers)
        connection.getresponse().read()
        connection.close()
        sent += 1
    return sent


async def speak(proxy: Proxy) -> int:
    """Every key over one WebSocket."""
    peer = await connect(proxy.reverse_port, "/openai-sockets/v1/responses", host="localhost")
    for planted in KEYS.values():
        request = {"model": "gpt-4o-mini", "input": f"It is\n{planted}", "instructions": planted, "stream": True}
        await peer.send(json.dumps({"type": "response.create", **request}))
        while '"response.completed"' not in str(await peer.receive()):
            pass
    await peer.close()
    return len(KEYS)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a proxy that has stored all calls and ended."""
    home = tmp_path_factory.mktemp("planted") / "home"
    with Replay(answer) as server, Sockets(socket_script) as sockets:
        ways = {"upstream": server.url, "anthropic_upstream": server.url, "upstream_proxy": ""}
        ways |= {"endpoint_openai_sockets_url": sockets.url, "endpoint_openai_sockets_provider": "openai"}
        with running(home, "--debug", capture=str(home / "kept"), **ways) as proxy:
            sent = sum(send(proxy, number, planted) for number, planted in enumerate(KEYS.values()))
            sent += asyncio.run(speak(proxy))
            proxy.settle(sent)
        assert any(KEYS["gitlab"].encode() in each.body for each in server.requests), "the provider gets what was sent"
    return home


def unpacked(data: bytes) -> Iterator[bytes]:
    """The value itself, and whatever a reader would make of it."""
    yield data
    for inflate in (
        zlib.decompress,
        gzip.decompress,
        lambda packed: unpack(packed, -1),
        lambda packed: json.dumps(unsqueeze(packed)).encode(),
    ):
        try:
            yield inflate(data)
        except Exception:  # not packed that way
            continue


def values(path: Path) -> Iterator[tuple[str, bytes]]:
    """Every value of every row of a database, with where it stands."""
    with closing(sqlite3.connect(path.as_uri() + "?mode=ro", uri=True)) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        # An index of texts holds its terms packed; this lists them.
        db.execute("CREATE VIRTUAL TABLE temp.terms USING fts5vocab(main, search_index, 'row')")
        tables[tables.index("search_index")] = "terms"
        for table in tables:
            for row in db.execute(f'SELECT * FROM "{table}"'):
                for value in row:
                    if isinstance(value, str | bytes):
                        yield table, value.encode() if isinstance(value, str) else value


def test_nothing_is_on_the_disk(home: Path) -> None:
    looked_for = {kind: shapes(planted) for kind, planted in (KEYS | OPAQUE).items()}
    assert len(looked_for) >= 25
    found: set[tuple[str, str]] = set()
    count = 0

    def search(where: str, data: bytes) -> None:
        nonlocal count
        for content in unpacked(data):
            count += 1
            if where == "table terms":
                found.update((where, kind) for kind, each in looked_for.items() if each[0].lower() in content)
            found.update((where, kind) for kind, each in looked_for.items() if any(shape in content for shape in each))

    for path in home.rglob("*"):
        if path.is_file():
            search(path.relative_to(home).parts[0], path.read_bytes())
            if path.suffix == files.SUFFIX:
                exchange = files.decode(path.read_bytes())
                search("request", exchange.request_body)
                search("response", exchange.response_body)
    for table, value in values(home / "llmprof.db"):
        search(f"table {table}", value)
    assert sorted(found) == []
    assert count > 2_000
    assert not list((home / "spool").glob("failed/*"))


def test_a_search_finds_what_is_there(home: Path) -> None:
    """That nothing was found means something: what stands beside the keys is there."""
    stored = [content for _, value in values(home / "llmprof.db") for content in unpacked(value)]
    assert any(b"export KEY=[redacted]" in each for each in stored)
    assert any(b"cat .env" in each for each in stored)
    assert any(b"You said: [redacted]" in each for each in stored)
