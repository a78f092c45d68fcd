"""Speed of the proxy beside a stock mitmdump with an empty streaming addon, interleaved in one run, as ratios.

A raw asyncio upstream stamps every SSE chunk with the time it was sent, so that the client sees the delay of each chunk
and the gaps between them, whatever the scheduler does to the upstream itself.
"""

import asyncio
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
SSE_CHUNKS = 200
CHUNK_PAUSE_SECONDS = 0.005
REQUESTS = 1500
CONNECTIONS = 16
ROUNDS = 5
SMALL = (
    b'{"id":"chatcmpl-1","object":"chat.completion","model":"gpt-4o-mini","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"ok"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":9,"completion_tokens":1,"total_tokens":10}}'
)
REQUEST = b'{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Say ok, please."}]%s}'


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer small JSON, or an SSE stream if the request body asks for one."""
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = int(re.search(rb"content-length: (\d+)", head, re.I)[1])  # type: ignore[index]
            body = await reader.readexactly(length)
            if b'"stream":true' not in body:
                writer.write(
                    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(SMALL)
                )
                writer.write(SMALL)
                await writer.drain()
                continue
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
            for index in range(SSE_CHUNKS):
                choice = b'{"index":0,"delta":{"content":"word%d "}}' % index
                data = b'data: {"id":"c","at":%d,"choices":[%s]}\n\n' % (time.monotonic_ns(), choice)
                writer.write(b"%x\r\n%s\r\n" % (len(data), data))
                await writer.drain()
                await asyncio.sleep(CHUNK_PAUSE_SECONDS)
            writer.write(b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


@asynccontextmanager
async def upstream() -> AsyncIterator[int]:
    """The upstream on a free loopback port."""
    server = await asyncio.start_server(_serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def _until_open(port: int, process: subprocess.Popen[bytes], seconds: float = 30) -> None:
    import socket

    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process.poll() is not None:
            raise SystemExit(f"{process.args!r} ended with {process.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise SystemExit(f"nothing listens on port {port} after {seconds} s")


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def started(command: list[str], port: int, **environ: str) -> Iterator[subprocess.Popen[bytes]]:
    """A child process that listens on `port`, ended with SIGTERM."""
    env = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    env |= {"LLMPROF_LOCAL_DISCOVERY": "0"} | environ
    process = subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _until_open(port, process)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


@contextmanager
def stock(upstream_port: int, folder: Path) -> Iterator[int]:
    """A stock mitmdump with an addon that only streams."""
    addon = folder / "stream_all.py"
    addon.write_text("def responseheaders(flow):\n    flow.response.stream = True\n")
    port = free_port()
    command = [str(Path(sys.executable).parent / "mitmdump"), "-q", "--set", "flow_detail=0", "-s", str(addon)]
    command += ["--set", f"confdir={folder}", "--mode", f"reverse:http://127.0.0.1:{upstream_port}@127.0.0.1:{port}"]
    with started(command, port):
        yield port


@contextmanager
def llmprof(upstream_port: int, home: Path) -> Iterator[int]:
    """The real proxy with the real worker."""
    port = free_port()
    command = [sys.executable, "-m", "llmprof_addon", "up", "--home", str(home), "--port", str(port)]
    with started([*command, "--forward-port", "0"], port, LLMPROF_UPSTREAM=f"http://127.0.0.1:{upstream_port}"):
        yield port


def _head(length: int) -> bytes:
    return (
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
        b"authorization: Bearer sk-fake-bench\r\ncontent-length: %d\r\n\r\n" % length
    )


async def requests_per_second(port: int) -> float:
    """Closed loop of small JSON calls over `CONNECTIONS` keep-alive connections."""
    body = REQUEST % b""
    left = REQUESTS

    async def client() -> None:
        nonlocal left
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while left > 0:
            left -= 1
            writer.write(_head(len(body)) + body)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(re.search(rb"content-length: (\d+)", head, re.I)[1]))  # type: ignore[index]
        writer.close()

    started_at = time.monotonic()
    await asyncio.gather(*(client() for _ in range(CONNECTIONS)))
    return REQUESTS / (time.monotonic() - started_at)


@dataclass
class Stream:
    """What one client saw of one SSE stream, in milliseconds."""

    first: float = 0
    gaps: list[float] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)


async def stream(port: int) -> Stream:
    """Read one SSE stream chunk by chunk."""
    body = REQUEST % b',"stream":true'
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    seen = Stream()
    started_at = time.monotonic_ns()
    writer.write(_head(len(body)) + body)
    await reader.readuntil(b"\r\n\r\n")
    before = 0
    while size := int(await reader.readline(), 16):
        data = await reader.readexactly(size)
        await reader.readexactly(2)
        now = time.monotonic_ns()
        for sent in re.findall(rb'"at":(\d+)', data):
            seen.delays.append((now - int(sent)) / 1e6)
        if before:
            seen.gaps.append((now - before) / 1e6)
        else:
            seen.first = (now - started_at) / 1e6
        before = now
    writer.close()
    return seen


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` of all lie."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


async def drained(home: Path, seconds: float = 60) -> None:
    """Wait until the worker has caught up, so that it takes no time from what is measured next."""
    until = time.monotonic() + seconds
    while any((home / "spool").glob("*.exchange")) and time.monotonic() < until:
        await asyncio.sleep(0.1)
    await asyncio.sleep(0.5)


async def measure() -> None:
    """Run all rounds and print the table."""
    rates: dict[str, list[float]] = {}
    streams: dict[str, list[Stream]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with upstream() as there:
            # The children are started from a thread, so that the upstream goes on while they come up.
            with stock(there, folder) as mitmdump, llmprof(there, folder / "home") as ours:
                ways = {"direct": there, "mitmdump": mitmdump, "llmprof": ours}
                for port in ways.values():
                    await requests_per_second(port)
                for _ in range(ROUNDS):
                    for way, port in ways.items():
                        rates.setdefault(way, []).append(await requests_per_second(port))
                        await drained(folder / "home")
                for _ in range(ROUNDS * 2):
                    for way, port in ways.items():
                        streams.setdefault(way, []).append(await stream(port))
    _print(rates, streams)


def _print(rates: dict[str, list[float]], streams: dict[str, list[Stream]]) -> None:
    def line(label: str, value: Callable[[str], list[float]]) -> None:
        ratios = [ours / theirs for ours, theirs in zip(value("llmprof"), value("mitmdump"), strict=True)]
        cells = [f"{statistics.median(value(way)):>10.2f}" for way in ("direct", "mitmdump", "llmprof")]
        spread = f"{min(ratios):.2f}..{max(ratios):.2f}"
        print(f"{label:<34}{''.join(cells)}   {statistics.median(ratios):>5.2f}x   {spread}")

    print(f"{'':<34}{'direct':>10}{'mitmdump':>10}{'llmprof':>10}   ratio    spread")
    line(f"requests/s, {CONNECTIONS} connections", lambda way: rates[way])
    line("SSE: time to first byte, ms", lambda way: [one.first for one in streams[way]])
    line("SSE: gap between chunks p50, ms", lambda way: [percentile(one.gaps, 0.5) for one in streams[way]])
    line("SSE: gap between chunks p99, ms", lambda way: [percentile(one.gaps, 0.99) for one in streams[way]])
    line("SSE: delay of a chunk p50, ms", lambda way: [percentile(one.delays, 0.5) for one in streams[way]])
    line("SSE: delay of a chunk p99, ms", lambda way: [percentile(one.delays, 0.99) for one in streams[way]])


def main() -> None:
    """`python -m tests.benchmarks load`."""
    task: Awaitable[None] = measure()
    asyncio.run(task)  # type: ignore[arg-type]
