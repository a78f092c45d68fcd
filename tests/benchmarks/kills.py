"""`kill -9` of proxy, worker or both at random moments under load: which finished calls are in the store afterwards?

Each call carries a tag of its own. Of those whose last byte reached the client 50 ms or more before the kill, all have
to be there once; the later ones are counted.
"""

import asyncio
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.load import REQUEST, ROOT, free_port, started, upstream

ROUNDS = 50
CLIENTS = 4
PAUSE_SECONDS = 0.01
"""Of a client between two calls: together some 300 calls a second, ten times what a busy team of agents makes."""
GRACE_NS = 50_000_000
VICTIMS = ("proxy", "worker", "both")


@dataclass
class Round:
    """One kill and what came of it."""

    victim: str
    done_ns: dict[str, int] = field(default_factory=dict)
    """Tag of a finished call to the time of its last byte."""
    killed_ns: int = 0
    stored: list[str] = field(default_factory=list)

    @property
    def early(self) -> set[str]:
        """Calls that have to be in the store."""
        return {tag for tag, at in self.done_ns.items() if at <= self.killed_ns - GRACE_NS}

    @property
    def lost(self) -> set[str]:
        """Early calls that are not."""
        return self.early - set(self.stored)

    @property
    def twice(self) -> int:
        """Calls that are there more than once."""
        return len(self.stored) - len(set(self.stored))


async def _client(port: int, name: str, result: Round, stop: asyncio.Event) -> None:
    body = REQUEST % b""
    number = 0
    while not stop.is_set():
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            while not stop.is_set():
                number += 1
                tag = f"{name}-{number}"
                head = (
                    f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
                    f"x-llmprof-tag: call:{tag}\r\ncontent-length: {len(body)}\r\n\r\n"
                )
                writer.write(head.encode() + body)
                answer = await reader.readuntil(b"\r\n\r\n")
                length = next(line for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length"))
                await reader.readexactly(int(length.partition(b":")[2]))
                if answer.startswith(b"HTTP/1.1 200"):
                    result.done_ns[tag] = time.monotonic_ns()
                await asyncio.sleep(PAUSE_SECONDS)
        except (OSError, asyncio.IncompleteReadError):
            await asyncio.sleep(0.02)


def _worker_pid(home: Path) -> int | None:
    with contextlib.suppress(OSError, ValueError):
        state: dict[str, int] = json.loads((home / "worker.json").read_text())
        return state["pid"]
    return None


def _kill(pid: int | None) -> None:
    with contextlib.suppress(ProcessLookupError):
        if pid:
            os.kill(pid, signal.SIGKILL)


def stored_tags(home: Path) -> list[str]:
    """The `call` tags of all stored calls."""
    command = [sys.executable, "-m", "llmprof_addon", "calls", "--json", "--home", str(home)]
    lines = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120).stdout
    return [json.loads(line)["tags"]["call"] for line in lines.splitlines()]


async def one_round(seed: int, victim: str) -> Round:
    """Load, kill, restart, drain, look."""
    rng = random.Random(seed)
    result = Round(victim)
    with tempfile.TemporaryDirectory() as name:
        home = Path(name, "home")
        async with upstream() as there:
            port = free_port()
            command = [sys.executable, "-m", "llmprof_addon", "up", "--home", str(home), "--port", str(port)]
            command += ["--forward-port", "0"]
            environ = {"LLMPROF_UPSTREAM": f"http://127.0.0.1:{there}"}
            stop = asyncio.Event()
            with started(command, port, **environ) as proxy:
                until = time.monotonic() + 20
                while _worker_pid(home) is None and time.monotonic() < until:
                    await asyncio.sleep(0.02)
                clients = [asyncio.create_task(_client(port, f"c{n}", result, stop)) for n in range(CLIENTS)]
                await asyncio.sleep(rng.uniform(0.3, 1.5))
                worker = _worker_pid(home)
                result.killed_ns = time.monotonic_ns()
                if victim in ("proxy", "both"):
                    _kill(proxy.pid)
                if victim in ("worker", "both"):
                    _kill(worker)
                if victim == "worker":
                    # Load goes on over the worker's death: the proxy starts another one.
                    await asyncio.sleep(0.5)
                stop.set()
                await asyncio.gather(*clients)
                if victim == "worker":
                    result.killed_ns = time.monotonic_ns() + GRACE_NS
                    await asyncio.sleep(0.1)
            port = free_port()
            command[command.index("--port") + 1] = str(port)
            with started(command, port, **environ):
                until = time.monotonic() + 60
                while any((home / "spool").glob("*.exchange")) and time.monotonic() < until:
                    await asyncio.sleep(0.05)
        result.stored = stored_tags(home)
    return result


def main() -> None:
    """`python -m tests.benchmarks kills`."""
    rounds = [asyncio.run(one_round(seed, VICTIMS[seed % len(VICTIMS)])) for seed in range(ROUNDS)]
    columns = ("rounds", "finished", "50 ms before", "lost", "twice", "later", "of them lost")
    print(f"{'killed':<10}" + "".join(f"{column:>14}" for column in columns))
    for victim in VICTIMS:
        mine = [one for one in rounds if one.victim == victim]
        later = sum(len(one.done_ns.keys() - one.early) for one in mine)
        late_lost = sum(len(one.done_ns.keys() - one.early - set(one.stored)) for one in mine)
        finished, early = sum(len(one.done_ns) for one in mine), sum(len(one.early) for one in mine)
        lost, twice = sum(len(one.lost) for one in mine), sum(one.twice for one in mine)
        print(
            f"{victim:<10}" + "".join(f"{n:>14}" for n in (len(mine), finished, early, lost, twice, later, late_lost))
        )
    if any(one.lost or one.twice for one in rounds):
        raise SystemExit(1)
