"""What the two ends of the wire may do to a call, one by one, and many streams at once."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.e2e.faults.client import Connection, judge, make, speak
from tests.e2e.faults.plans import FAULTS, Plan, plan
from tests.e2e.faults.proxies import Slot
from tests.e2e.faults.storm import Made, Weather
from tests.e2e.faults.upstream import HINTS, TRAILERS, Upstream
from tests.e2e.faults.verdict import examine, has_row
from tests.e2e.running import Proxy, running, until

SEED = 20
OF_EACH = 4
PLANS = [plan(SEED, number, fault=fault) for number, fault in enumerate([*FAULTS, "", ""] * OF_EACH)]
STREAMS = 300


@contextmanager
def serving(plans: list[Plan]) -> Iterator[Upstream]:
    """An upstream for these plans, on a loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    upstream = Upstream(plans.__getitem__)
    asyncio.run_coroutine_threadsafe(upstream.__aenter__(), loop).result(10)
    try:
        yield upstream
    finally:
        asyncio.run_coroutine_threadsafe(upstream.__aexit__(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with serving(PLANS) as upstream:
        yield upstream


@pytest.fixture(scope="module")
def proxy(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    there = f"http://127.0.0.1:{upstream.port}"
    home = tmp_path_factory.mktemp("wire") / "home"
    with running(home, upstream=there, anthropic_upstream=there, upstream_proxy="") as proxy:
        yield proxy


async def call(proxy: Proxy, plan: Plan, slot: Slot) -> Made:
    """Make the call on a connection of its own."""
    if plan.wire == "websocket":
        verdict = judge(plan, await speak(plan, proxy.reverse_port))
    else:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.reverse_port, limit=2**22)
        connection = Connection(reader, writer, 0.0)
        verdict = judge(plan, await make(plan, connection))
        connection.leave(hard=False)
    return Made(plan=plan, slot=slot, opened=0.0, started=0.0, ended=time.monotonic(), verdict=verdict)


async def calls(proxy: Proxy, plans: list[Plan]) -> list[Made]:
    """All of them at once."""
    slot = Slot(proxy.home, "the one", {})
    return await asyncio.gather(*(call(proxy, plan, slot) for plan in plans))


def test_each_fault_is_seen_as_it_happened_and_stored_once(proxy: Proxy, upstream: Upstream) -> None:
    weather = Weather(made=asyncio.run(calls(proxy, PLANS)), changed=upstream.changed)
    until(lambda: proxy.stored() >= sum(has_row(plan) is True for plan in PLANS), 60)
    until(lambda: not any((proxy.home / "spool").glob("*.exchange")), 60)
    result = examine(proxy.home, weather)
    assert {name: bad for name, bad in result.bad.items() if bad} == {}
    assert result.finished > 100
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
