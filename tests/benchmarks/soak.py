"""A day scaled to 20 minutes: 50 calls a second, every other one with a prompt of 200 KB, the rest streamed.

`make bench ARGS=soak`, or `ARGS="soak --minutes 2 --rate 20"`. Eight agents read files, each sending its whole
conversation again every turn, and begin anew when it is long. Every answer is compared with what the provider sent.
Exit code 1 if one differs, a call is missing, or what is asked for is not met.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from llmprof_addon.spool.folder import Spool
from llmprof_addon.spool.statefile import read_state
from tests.benchmarks import peers_script as script
from tests.benchmarks.growth import conversation
from tests.benchmarks.peers_client import Connection
from tests.benchmarks.peers_proc import usage
from tests.benchmarks.peers_upstream import CHUNKS, Upstream
from tests.e2e.running import Proxy, running

TURNS = 25
"""Of one conversation, whose prompts grow from 160 to 215 KB."""
SAMPLE_SECONDS = 5.0
WARM_SHARE = 0.1
"""Of the time, that is not looked at: modules are loaded, pools and caches are filled."""
FLAT = 1.05
BEHIND_SECONDS = 5.0
"""So old a call may be that waits for the worker."""
DRAIN_SECONDS = 60.0
STREAMED = b"".join(CHUNKS) + b"0\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What was so at one moment: bytes, seconds since the start, and the age of the oldest call that waits."""

    at: float
    proxy: int
    worker: int
    store: int
    waiting: int
    oldest: float
    calls: int


@dataclass
class Traffic:
    """What was sent, what came back, and what of it was new."""

    answers: dict[tuple[int, int], bytes] = field(default_factory=dict)
    sent_bytes: int = 0
    new_bytes: int = 0
    """Compressed, each piece on its own."""
    calls: int = 0
    wrong: list[str] = field(default_factory=list)
    _idle: list[Connection] = field(default_factory=list)

    def agent(self, number: int) -> Iterator[tuple[bytes, bytes]]:
        """Prompts and answers of one agent, one conversation after the other."""
        for project in range(number, sys.maxsize, script.AGENTS):
            known = 0
            exchanges = conversation(project, TURNS, script.BACKGROUND_BYTES, script.OPENING_BYTES)
            for exchange in exchanges:
                key = script.answer_key(exchange.request_body)
                assert key is not None
                said = json.loads(exchange.request_body)
                pieces = said["messages"][known:] if known else [*said["tools"], *said["messages"]]
                self.new_bytes += sum(_compressed(json.dumps(one).encode()) for one in pieces)
                known = len(said["messages"])
                self.answers[key] = exchange.response_body
                yield exchange.request_body, exchange.response_body
                del self.answers[key]

    async def call(self, port: int, prompt: bytes, answer: bytes) -> None:
        """Make one call and look at its answer."""
        connection = self._idle.pop() if self._idle else Connection(port)
        self.calls += 1
        self.sent_bytes += len(prompt)
        try:
            reply = await connection.call(prompt)
        except OSError as error:
            self.wrong.append(f"call {self.calls}: {error}")
            return
        if reply.status != 200 or bytes(reply.body) != answer:
            self.wrong.append(f"call {self.calls}: {reply.status}, {len(reply.body)} bytes instead of {len(answer)}")
        self._idle.append(connection)

    def close(self) -> None:
        """End all connections."""
        for connection in self._idle:
            connection.close()


def main(arguments: list[str]) -> int:
    """Run it as asked, and print what was measured beside what is promised."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0, metavar="N")
    parser.add_argument("--rate", type=float, default=50.0, metavar="N", help="calls a second")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_soak(Path(folder) / "home", given.minutes * 60, given.rate))


async def _soak(home: Path, seconds: float, rate: float) -> int:
    traffic = Traffic()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Upstream(traffic.answers), "127.0.0.1", 0, backlog=512)
    there = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    with running(home, anthropic_upstream=there, upstream=there, upstream_proxy="") as proxy:
        samples: list[Sample] = []
        began = time.monotonic()
        watching = asyncio.create_task(_watch(proxy, traffic, samples, began))
        took = await _send(traffic, proxy.reverse_port, seconds, rate)
        ended = time.monotonic()
        watching.cancel()
        await asyncio.to_thread(proxy.settle, traffic.calls, DRAIN_SECONDS * 10)
        drained = time.monotonic() - ended
        stored = proxy.stored()
        samples.append(_sample(proxy, traffic, began))
    traffic.close()
    server.close()
    return _report(traffic, samples, took, drained, stored)


async def _send(traffic: Traffic, port: int, seconds: float, rate: float) -> float:
    """Calls at a steady rate, as far as the answers come in time; how long it took."""
    agents = [traffic.agent(number) for number in range(script.AGENTS)]
    turns = deque(range(script.AGENTS))
    under_way: set[asyncio.Task[None]] = set()
    began = time.monotonic()

    async def turn(agent: int) -> None:
        await traffic.call(port, *next(agents[agent]))
        turns.append(agent)

    for number in range(int(seconds * rate)):
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        if number % 2:
            asked = traffic.call(port, script.small(number, stream=True), STREAMED)
            traffic.new_bytes += _compressed(script.small(number))
        else:
            while not turns:  # an agent speaks when it was answered
                await asyncio.sleep(0.001)
            asked = turn(turns.popleft())
        task = asyncio.create_task(asked)
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    await asyncio.gather(*under_way)
    return time.monotonic() - began


def _compressed(piece: bytes) -> int:
    return len(zlib.compress(piece, 6))


async def _watch(proxy: Proxy, traffic: Traffic, samples: list[Sample], began: float) -> None:
    while True:
        await asyncio.sleep(SAMPLE_SECONDS)
        samples.append(_sample(proxy, traffic, began))


def _sample(proxy: Proxy, traffic: Traffic, began: float) -> Sample:
    worker = (read_state(proxy.home / "worker.json") or {}).get("pid", 0)
    backlog = Spool(proxy.home / "spool").backlog()
    oldest = time.time() - backlog.oldest_ended_ns / 1e9 if backlog.oldest_ended_ns else 0.0
    both, below = usage(proxy.process.pid).resident, usage(worker).resident if worker else 0
    return Sample(
        at=time.monotonic() - began,
        proxy=both - below,
        worker=below,
        store=sum(file.stat().st_size for file in proxy.home.glob("llmprof.db*")),
        waiting=backlog.files,
        oldest=oldest,
        calls=traffic.calls,
    )


def _report(traffic: Traffic, samples: list[Sample], took: float, drained: float, stored: int) -> int:
    *during, last = samples
    warm = [one for one in during if one.at >= took * WARM_SHARE]
    quarters = [warm[len(warm) * part // 4 : len(warm) * (part + 1) // 4] for part in range(4)]
    proxy, worker = ([statistics.median(getattr(one, name) for one in part) for part in quarters]
                     for name in ("proxy", "worker"))  # fmt: skip
    grown = [(part[-1].store - part[0].store) / (part[-1].calls - part[0].calls) for part in quarters]
    oldest = max(one.oldest for one in warm)
    print(f"{traffic.calls:,} calls in {took:.0f} s ({traffic.calls / took:.1f}/s), {_mb(traffic.sent_bytes)} sent")
    print(f"answers that differ                    {len(traffic.wrong):10,}   (0)")
    for wrong in traffic.wrong[:10]:
        print(f"    {wrong}")
    print(f"calls that are not stored              {traffic.calls - stored:10,}   (0)")
    for name, sizes in (("proxy", proxy), ("worker", worker)):
        quarter = ", ".join(_mb(size) for size in sizes)
        print(f"{name + ', last quarter over first':<39}{sizes[-1] / sizes[0]:10.3f}   ({FLAT})  {quarter}")
    print(f"oldest call that waited for the worker {oldest:8.1f} s   ({BEHIND_SECONDS:.0f}), ", end="")
    print(f"at most {max(one.waiting for one in warm)} of them, drained after {drained:.1f} s")
    ratio = last.store / traffic.new_bytes
    print(f"store over compressed new content      {ratio:9.2f}x   {_mb(last.store)} for {_mb(traffic.new_bytes)}")
    print(f"store a call, last quarter over first  {grown[-1] / grown[0]:9.2f}x   {grown[0]:,.0f} bytes in the first")
    kept = proxy[-1] <= FLAT * proxy[0] and oldest <= BEHIND_SECONDS and drained <= DRAIN_SECONDS
    return 0 if kept and not traffic.wrong and stored == traffic.calls else 1


def _mb(size: float) -> str:
    return f"{size / 1e6:,.0f} MB"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
