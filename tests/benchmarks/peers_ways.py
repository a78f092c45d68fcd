"""The ways from client to provider that are compared: directly, through mitmdump, through llmprof, through its peers.

Every way stands ready at once, each with a home of its own below one folder, and is ended with SIGTERM. One that
cannot be installed, started or used stays in all tables with the reason.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks import peers_proc as proc
from tests.benchmarks.load import ROOT, free_port
from tests.benchmarks.peers_client import Connection
from tests.benchmarks.peers_installed import OWN, PEERS, Peer, Start, encodings, installed
from tests.benchmarks.peers_script import small

START_SECONDS = 90
DIRECT = "direct"


@dataclass(slots=True, kw_only=True)
class Way:
    """One of them, running; or what keeps it from that."""

    peer: Peer
    home: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    failure: str | None = None

    @property
    def name(self) -> str:
        """What it is called in tables."""
        return self.peer.name

    def usage(self) -> proc.Usage:
        """What it has used so far."""
        return proc.usage(self.process.pid) if self.process else proc.Usage(cpu=0, own=0, resident=0)

    async def settled(self, windows: int = 2) -> None:
        """Wait until it has nothing left to do, and no file in a spool of its."""
        if self.process and not await proc.settled(self.process.pid, self.home / "spool", windows):
            print(f"{self.name} was still busy after {proc.SETTLE_SECONDS} s", file=sys.stderr, flush=True)


@contextmanager
def ways(upstream_port: int, folder: Path, peers: Sequence[Peer] = OWN + PEERS) -> Iterator[list[Way]]:
    """The direct one and these, those that work checked with a call; ended at the end."""
    nobody = Peer(name=DIRECT, what="no proxy", attributes=False, bodies=False, command=lambda start: [])
    known = [Way(peer=nobody, home=folder, port=upstream_port)]
    try:
        for number, peer in enumerate(peers):
            way = Way(peer=peer, home=folder / str(number), port=free_port())
            known.append(way)
            way.home.mkdir(mode=0o700)
            try:
                way.failure = _started(way, installed(peer), f"http://127.0.0.1:{upstream_port}")
            except RuntimeError as error:
                way.failure = str(error)
            if way.failure:
                print(f"{way.name}: {way.failure}", file=sys.stderr, flush=True)
                _end(way)
        yield known
    finally:
        for way in known:
            _end(way)


def _started(way: Way, programs: Path, upstream: str) -> str | None:
    """Start it; what is wrong if it does not answer in time."""
    start = Start(port=way.port, web_port=free_port(), upstream=upstream, home=way.home, bin=programs)
    way.peer.prepare(start)
    kept = {k: v for k, v in os.environ.items() if not k.startswith("LLMPROF_") and not k.lower().endswith("_proxy")}
    kept |= {"HOME": str(way.home), "LLMPROF_HOME": str(way.home), "LLMPROF_LOCAL_DISCOVERY": "0"}
    kept |= {"TIKTOKEN_CACHE_DIR": str(encodings())} | way.peer.environ
    log = way.home.with_suffix(".log")  # beside it: what it says is not what it keeps
    with log.open("wb") as said:
        way.process = subprocess.Popen(
            way.peer.command(start), env=kept, cwd=way.home, stdin=subprocess.DEVNULL, stdout=said, stderr=said,
            start_new_session=True,
        )  # fmt: skip
    until = time.monotonic() + START_SECONDS
    wrong: str | None = None
    while time.monotonic() < until:
        if way.process.poll() is not None:
            return f"ended with {way.process.returncode}: {_last_line(log)}"
        if (wrong := asyncio.run(_tried(way.port))) is None:
            return None
        time.sleep(0.1)
    return f"after {START_SECONDS} s: {wrong}"


async def _tried(port: int) -> str | None:
    """What is wrong with its answer to a small call."""
    connection = Connection(port)
    try:
        reply = await connection.call(small(0))
    except OSError as error:
        return str(error)
    finally:
        connection.close()
    if reply.status != 200:
        return f"answers {reply.status} {bytes(reply.body[:200])!r}"
    return None if b'"text":"ok"' in bytes(reply.body).replace(b" ", b"") else "the answer is not the provider's"


def _last_line(log: Path) -> str:
    said = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return said[-1][:200] if said else "it says nothing"


def _end(way: Way) -> None:
    if way.process is None:
        return
    # The group: some start others that they do not end.
    for number, patience in ((signal.SIGTERM, 20), (signal.SIGKILL, 5)):
        try:
            os.killpg(way.process.pid, number)
            way.process.wait(patience)
        except ProcessLookupError:
            break
        except subprocess.TimeoutExpired:
            continue
    way.process = None


@contextmanager
def upstream(conversations: int, step: int, calls: int) -> Iterator[int]:
    """The scripted provider in a process of its own; its port."""
    command = [sys.executable, "-m", "tests.benchmarks.peers_upstream", *map(str, (conversations, step, calls))]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.terminate()
