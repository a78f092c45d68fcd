"""What the two ends of the wire may do to a call, one by one, and many streams at once.

Long version by `LLMPROF_FAULTS=long`: 2,000 streams.
"""

import asyncio
import os
import socket
import ssl
from collections.abc import Iterator

import httpx2
import pytest

from tests.e2e.faults.byhand import calls, serving, waiting
from tests.e2e.faults.plans import FAULTS, Plan, plan
from tests.e2e.faults.storm import Weather
from tests.e2e.faults.upstream import HINTS, TRAILERS, Upstream, pieces
from tests.e2e.faults.verdict import examine, has_row
from tests.e2e.running import Proxy, running, until

IS_LONG = os.environ.get("LLMPROF_FAULTS") == "long"
STREAMS = 2_000 if IS_LONG else 100
TOGETHER_SECONDS = 120
SEED = 20
OF_EACH = 4
PLANS = [plan(SEED, number, fault=fault) for number, fault in enumerate([*FAULTS, "", ""] * OF_EACH)]


STREAMED = [plan(SEED, len(PLANS) + number, fault="slow") for number in range(STREAMS)]


class Together(Upstream):
    """Goes on with the answers to `STREAMED` once all of them have begun."""

    def __init__(self) -> None:
        super().__init__([*PLANS, *STREAMED].__getitem__)
        self._missing = STREAMS
        self._all = asyncio.Event()

    async def answer(self, plan: Plan, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        if plan.number < len(PLANS):
            return await super().answer(plan, reader, writer)
        first, *rest = pieces(plan)
        writer.write(first)
        self._missing -= 1
        if not self._missing:
            self._all.set()
        async with asyncio.timeout(TOGETHER_SECONDS):
            await self._all.wait()
        for piece in rest:
            writer.write(piece)
            await writer.drain()
        return plan.framing != "close"


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with serving(Together()) as upstream:
        yield upstream


@pytest.fixture(scope="module")
def proxy(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    there = f"http://127.0.0.1:{upstream.port}"
    home = tmp_path_factory.mktemp("wire") / "home"
    with running(
        home, upstream=there, anthropic_upstream=there, connect=f"api.openai.com:443={there}", upstream_proxy=""
    ) as proxy:
        yield proxy


def test_each_fault_is_seen_as_it_happened_and_stored_once(proxy: Proxy, upstream: Upstream) -> None:
    weather = Weather(made=calls(proxy.home, proxy.reverse_port, PLANS), changed=upstream.changed)
    until(lambda: proxy.stored() >= sum(has_row(plan) is True for plan in PLANS), 60)
    until(lambda: not waiting(proxy.home), 60)
    result = examine(proxy.home, weather)
    assert {name: bad for name, bad in result.bad.items() if bad} == {}
    assert result.finished > 100
    assert "Traceback" not in proxy.log


def test_many_streams_at_once(proxy: Proxy, upstream: Upstream) -> None:
    before = proxy.stored()
    weather = Weather(made=calls(proxy.home, proxy.reverse_port, STREAMED), changed=upstream.changed)
    until(lambda: proxy.stored() >= before + STREAMS and not waiting(proxy.home), 300)
    result = examine(proxy.home, weather)
    assert {name: bad for name, bad in result.bad.items() if bad} == {}
    assert result.finished == STREAMS
    assert "Traceback" not in proxy.log


def exchanged(proxy: Proxy, sent: bytes, end: bytes) -> bytes:
    """Send bytes, and give back what comes, to this end."""
    with socket.create_connection(("127.0.0.1", proxy.reverse_port), timeout=30) as connection:
        connection.sendall(sent)
        got = b""
        while not got.endswith(end) and (more := connection.recv(65536)):
            got += more
        return got


def request(plan: Plan, version: str = "1.1") -> bytes:
    head = f"POST {plan.path} HTTP/{version}\r\nhost: localhost\r\nx-number: {plan.number}\r\n"
    return f"{head}content-length: {len(plan.body)}\r\n\r\n".encode() + plan.body


def of(fault: str) -> Plan:
    return next(plan for plan in PLANS if plan.fault == fault and plan.framing == "chunked")


def test_interim_answers_go_to_the_client_before_the_answer(proxy: Proxy) -> None:
    got = exchanged(proxy, request(of("early hints")), b"0\r\n\r\n")
    hints, _, rest = got.rpartition(HINTS)
    assert hints.count(HINTS) * len(HINTS) == len(hints)
    assert rest.startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_client_of_an_older_version_gets_the_answer_alone(proxy: Proxy) -> None:
    assert exchanged(proxy, request(of("early hints"), "1.0"), b"0\r\n\r\n").startswith(b"HTTP/1.1 200 OK\r\n")


def test_trailers_go_to_the_client_behind_the_body(proxy: Proxy) -> None:
    end = b"0\r\n" + TRAILERS + b"\r\n"
    got = exchanged(proxy, request(of("trailers")), end)
    assert got.endswith(b"\r\n" + end)


@pytest.mark.parametrize("fault", ["early hints", "trailers"])
async def test_both_towards_a_client_of_http2(proxy: Proxy, fault: str) -> None:
    planned = of(fault)
    trusting = ssl.create_default_context(cafile=str(proxy.bundle))
    async with httpx2.AsyncClient(proxy=proxy.forward_url, verify=trusting, http2=True, timeout=30) as client:
        answer = await client.post(
            f"https://api.openai.com{planned.path}", content=planned.body, headers={"x-number": str(planned.number)}
        )
    assert (answer.http_version, answer.status_code, answer.content) == ("HTTP/2", 200, planned.payload)
