"""Responses over WebSocket, as Codex speaks it, through the real proxy in both modes."""

import asyncio
import json
import os
import random
import ssl
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import httpx2
import pytest
import zstandard

from llmprof_addon.pipeline import Explanation
from llmprof_addon.store import queries
from llmprof_addon.store.open import open_store
from llmprof_addon.store.rows import CallRow
from tests.e2e.codex_socket import (
    HOSTS,
    KEY,
    SESSION,
    SYSTEM,
    Client,
    ask,
    create,
    events,
    provider,
    run,
    said,
    session,
    tokens,
)
from tests.e2e.replay import Answer, Replay, Request, server_context
from tests.e2e.running import Proxy, llmprof, running
from tests.e2e.sockets import Peer, Refused, Sockets, Upgrade


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    return server_context(tmp_path_factory.mktemp("authority"), HOSTS)


@pytest.fixture(scope="module", params=[True, False], ids=["deflate", "plain"])
def servers(request: pytest.FixtureRequest, tls: tuple[ssl.SSLContext, Path]) -> Iterator[dict[str, Sockets]]:
    with (
        Sockets(provider, deflate=request.param) as reverse,
        Sockets(provider, deflate=request.param, tls=tls[0]) as forward,
    ):
        yield {"reverse": reverse, "forward": forward}


@pytest.fixture(scope="module")
def proxy(
    servers: dict[str, Sockets], tls: tuple[ssl.SSLContext, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    home = tmp_path_factory.mktemp("sockets") / "home"
    there = ",".join(f"{host}:443={servers['forward'].url}" for host in HOSTS)
    ways = {"upstream": servers["reverse"].url, "connect": there, "upstream_ca": str(tls[1]), "upstream_proxy": ""}
    with running(home, capture=str(home / "kept"), **ways) as proxy:
        yield proxy
        assert "Traceback" not in proxy.log


@pytest.fixture(params=["reverse", "forward"])
def client(request: pytest.FixtureRequest, proxy: Proxy) -> Client:
    return Client(proxy, request.param)


def case_of(request: pytest.FixtureRequest) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in request.node.name)


@pytest.fixture
def case(request: pytest.FixtureRequest) -> str:
    return case_of(request)


def test_a_session(client: Client, case: str, servers: dict[str, Sockets]) -> None:
    peer = run(session(client, case))
    there = servers[client.way].peers[-1]
    assert (there.got, there.sent) == (peer.sent, peer.got)
    upgrade = servers[client.way].upgrades[-1]
    assert upgrade.header("authorization") == f"Bearer {KEY}"
    assert not [name for name, _ in upgrade.headers if "llmprof" in name.lower()]

    calls = client.explained(case, 3)
    for number, call in enumerate(calls):
        row = call.row
        assert (row.transport, row.outcome, row.status, row.stream) == ("websocket", "complete", 101, True)
        assert (row.api, row.app) == ("openai.responses", "codex")
        assert (row.usage.input_tokens, row.usage.cache_read_input_tokens) == (400, 128)
        assert (row.identity["agent"], row.identity["turn"]) == (SESSION, f"turn-{case}")
        assert call.body == json.loads(peer.sent[number + 1])
        split = tokens(call)
        assert sum(split.values()) == 400
        assert split["system"] > 100
        assert "elided" not in split
        assert row.finish_reasons == ("completed",)
    assert len({call.row.run_id for call in calls}) == 1
    assert [call.row.depth for call in calls] == [2, 4, 6]
    assert [call.row.continues for call in calls[1:]] == [call.row.response_id for call in calls[:-1]]
    assert set(tokens(calls[0])) < set(tokens(calls[1])) < set(tokens(calls[2]))
    assert tokens(calls[2])["tool_results"] == tokens(calls[1])["tool_results"] > 10
    texts = [part.text for part in calls[2].whole.prompt.messages]
    assert texts == [
        "<place>workshop</place>",
        "Please look.",
        '{"cmd": "ls"}',
        "clock.txt " * 30,
        "It ticks.",
        "Thank you.",
    ]
    assert calls[2].whole.prompt.messages[3].name == "exec_command"

    one = client.kept(case)[1]
    assert one.request_body == peer.sent[1].encode()
    assert next(json.loads(line)["type"] for line in one.response_body.splitlines()) == "codex.rate_limits"
    assert one.header("authorization") == "[redacted]"


def test_laws_hold(proxy: Proxy, case: str) -> None:
    run(session(Client(proxy, "reverse"), case))
    Client(proxy, "reverse").explained(case, 3)
    done = llmprof(proxy.home, "selftest")
    assert done.returncode == 0, done.stdout + done.stderr


def test_pieces_and_binary_messages(client: Client, case: str, servers: dict[str, Sockets]) -> None:
    async def talk() -> Peer:
        peer = await client.connect(case)
        await peer.send(b"\0\xff" * 1000, [1, 77])
        assert await peer.receive() == b"\xff\0" * 1000
        text = json.dumps(create(said("In pieces, ünïcode 🕰 " * 20_000), case=case), ensure_ascii=False)
        await peer.send(text, sorted(random.Random(1).sample(range(1, len(text)), 20)))
        while json.loads(await peer.receive() or "{}")["type"] != "response.completed":
            pass
        await peer.send(json.dumps({"type": "response.processed", "response_id": "x"}))
        await peer.send("no json")
        await peer.close()
        return peer

    async def unharmed(peer: Peer) -> None:
        there = servers[client.way].peers[-1]
        assert there.got[:2] == peer.sent[:2]
        for _ in range(500):  # it notes what it sent when that has gone, which may be after it arrived
            if len(there.sent) >= len(peer.got):
                break
            await asyncio.sleep(0.01)
        assert there.sent == peer.got

    peer = run(talk())
    run(unharmed(peer))
    (call,) = client.explained(case, 1)
    assert call.row.outcome == "complete"
    (one,) = client.kept(case)
    assert one.request_body == str(peer.sent[1]).encode()


def test_how_calls_end(client: Client, case: str) -> None:
    async def talk() -> None:
        peer = await client.connect(case)
        assert (await ask(peer, create(said("Do refuse."), case=case)))["status"] == 400
        await peer.send(json.dumps(create(said("Please wait."), case=case)))
        while "response.created" not in str(await peer.receive()):
            pass
        await peer.abort()
        peer = await client.connect(case)
        await peer.send(json.dumps(create(said("Please die now."), case=case)))
        while await peer.receive() is not None:
            pass

    run(talk())
    refused, left, died = (call.row for call in client.explained(case, 3))
    assert (refused.outcome, refused.status, refused.error) == ("complete", 400, "invalid_request_error: Who?")
    assert refused.failed
    assert (left.outcome, left.response_id) == ("aborted", "resp_waiting")
    assert (died.outcome, died.response_id) == ("error", "resp_dying")
    assert "closed the socket" in (died.error or "")


def test_a_cancelled_request_and_several_at_once(client: Client, case: str) -> None:
    async def talk() -> None:
        peer = await client.connect(case)
        await peer.send(json.dumps(create(said("Please wait."), case=case)))
        await peer.send(json.dumps({"type": "response.cancel"}))
        for number in range(2):
            await peer.send(json.dumps(create(said(f"Number {number}"), case=case)))
        ends = 0
        while ends < 2:
            ends += "response.completed" in str(await peer.receive())
        await peer.close()

    run(talk())
    rows = [call.row for call in client.explained(case, 3)]
    assert [row.outcome for row in rows] == ["aborted", "complete", "complete"]
    assert [call.body["input"][0]["content"][0]["text"] for call in client.explained(case, 3)][1:] == [
        "Number 0",
        "Number 1",
    ]


def test_a_secret_in_a_message_is_overwritten(client: Client, case: str) -> None:
    async def talk() -> Peer:
        peer = await client.connect(case)
        await ask(peer, create(said(f"My key is {KEY}."), case=case))
        await peer.close()
        return peer

    peer = run(talk())
    assert KEY in str(peer.sent[0])
    (call,) = client.explained(case, 1)
    assert "My key is [redacted]." in json.dumps(call.body)
    assert call.row.redactions >= 2


def test_the_same_call_makes_the_same_row(proxy: Proxy, case: str, tmp_path: Path) -> None:
    """Over HTTP, streamed, zstd-encoded; and over WebSocket."""
    request = create(SYSTEM, said("One thing."), case=case)
    told = events(request, "resp_same")

    def answer(http: Request) -> Answer:
        assert zstandard.ZstdDecompressor().decompressobj().decompress(http.body) == sent
        chunks = [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in told]
        return Answer(headers=(("content-type", "text/event-stream"),), framing="chunked", chunks=chunks)

    async def script(peer: Peer, upgrade: Upgrade) -> None:
        await peer.receive()
        for event in told:
            await peer.send(json.dumps(event))
        await peer.receive()

    async def talk(proxy: Proxy) -> None:
        peer = await Client(proxy, "reverse").connect(case)
        await ask(peer, request)
        await peer.close()

    sent = json.dumps({key: value for key, value in request.items() if key != "type"}).encode()
    headers = {"authorization": f"Bearer {KEY}", "content-encoding": "zstd", "content-type": "application/json"}
    headers |= {"originator": "codex_exec", "user-agent": "codex_exec/0.169.0 (Linux)", "session-id": SESSION}
    made: list[Explanation] = []
    with Replay(answer) as http, running(tmp_path / "http", upstream=http.url, upstream_proxy="") as other:
        packed = zstandard.ZstdCompressor().compress(sent)
        tag = {"x-llmprof-tag": f"case:{case}"}
        with httpx2.Client(trust_env=False) as sender:
            got = sender.post(f"{other.reverse_url}/v1/responses", content=packed, headers=headers | tag)
        assert got.status_code == 200
        assert http.requests[-1].body == packed
        made += Client(other, "reverse").explained(case, 1)
    with Sockets(script) as server, running(tmp_path / "ws", upstream=server.url, upstream_proxy="") as other:
        run(talk(other))
        made += Client(other, "reverse").explained(case, 1)
    over_http, over_ws = made
    aside = ("id", "number", "started_ns", "first_chunk_ns", "ended_ns", "transport", "method", "status", "url")
    for name in (each.name for each in fields(CallRow) if each.name not in aside):
        assert getattr(over_http.row, name) == getattr(over_ws.row, name), name
    assert over_http.components == over_ws.components
    assert over_http.output_components == over_ws.output_components


@pytest.mark.parametrize("status", [404, 426])
def test_a_refused_upgrade_passes_as_it_is(tmp_path: Path, status: int) -> None:
    async def nothing(peer: Peer, upgrade: Upgrade) -> None:
        raise AssertionError("no socket was asked for")

    home = tmp_path / "home"
    with (
        Sockets(nothing, refuses=status) as server,
        running(home, upstream=server.url, upstream_proxy="", capture=str(home / "kept")) as proxy,
    ):
        with pytest.raises(Refused) as refused:
            run(Client(proxy, "reverse").connect("refused"))
        assert (refused.value.status, refused.value.body) == (status, b'{"refused": true}')
        assert not (home / "kept").exists()
        assert proxy.stored() == 0


def test_the_proxy_stops_in_the_middle(tmp_path: Path) -> None:
    home = tmp_path / "home"

    async def begin(proxy: Proxy) -> None:
        peer = await Client(proxy, "reverse").connect("stopped")
        await ask(peer, create(said("First."), case="stopped"))
        await peer.send(json.dumps(create(said("Please wait."), case="stopped")))
        while "response.created" not in str(await peer.receive()):
            pass
        proxy.process.terminate()
        while await peer.receive() is not None:
            pass

    with Sockets(provider) as server, running(home, upstream=server.url, upstream_proxy="") as proxy:
        run(begin(proxy))
        proxy.process.wait(120)
    with open_store(f"sqlite:///{home}/llmprof.db", read_only=True) as store:
        assert [row.outcome for row in queries.calls(store)] == ["aborted", "complete"]


def resident(pid: int) -> int:
    """Bytes of memory that a process has."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS"))


async def written(proxy: Proxy) -> None:
    """What ended has left the memory: its queue to the spool has bounds and tests of its own."""
    async with httpx2.AsyncClient(trust_env=False) as client:
        for _ in range(600):
            health = await client.get(f"{proxy.reverse_url}/llmprof/health")
            if not health.json()["queued_bytes"]:
                return
            await asyncio.sleep(0.1)
    raise AssertionError("the spool's writer has not caught up within a minute")


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="reads memory from /proc")
@pytest.mark.parametrize("path", ["/v1/responses", "/v1/realtime?model=gpt-realtime"], ids=["calls", "others"])
def test_memory_stays_flat(proxy: Proxy, path: str, case: str) -> None:
    """10,000 messages of 10 KB over one socket: as 100 calls, or of an API that is not recorded."""

    async def talk() -> tuple[int, int]:
        peer = await Client(proxy, "reverse").connect(case, path)
        peer.keeps = False
        sizes = []
        for turn in range(100):
            if "realtime" in path:
                for _ in range(50):
                    await peer.send("x" * 10_000)
                    assert await peer.receive() is not None
            else:
                await ask(peer, create(said(f"Please flood {turn}"), case=case))
            if turn % 10 == 9:  # on a machine that has other work the writer falls behind
                await written(proxy)
            if turn in (19, 99):
                sizes.append(resident(proxy.process.pid))
        await peer.close()
        return sizes[0], sizes[1]

    before, after = run(talk())
    print(f"{path}: {before / 1e6:.1f} MB after 2,000 messages, {after / 1e6:.1f} MB after 10,000")
    assert after - before < 30_000_000  # the messages were 80 MB
    if "realtime" in path:
        assert not Client(proxy, "reverse").kept(case)
    else:
        assert len(Client(proxy, "reverse").explained(case, 100)) == 100
