"""Conversations of 100 turns through each way: what it adds in time, CPU and memory, and what it keeps on disk."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from llmprof_addon.model.exchange import Exchange
from tests.benchmarks import peers_proc as proc
from tests.benchmarks.growth import BYTES_A_TURN
from tests.benchmarks.peers_client import Connection
from tests.benchmarks.peers_installed import OURS, PEERS
from tests.benchmarks.peers_script import TURNS, talks
from tests.benchmarks.peers_table import Row, Table, ratio, rounds, turned
from tests.benchmarks.peers_ways import DIRECT, Way

ROUNDS = 5
PART_SECONDS = 300
"""After which no further round begins."""
QUIET_WINDOWS = 6
"""Of silence after which a conversation counts as done: workers may look again after a second."""


@dataclass(slots=True)
class Talk:
    """One conversation."""

    times: list[float] = field(default_factory=list)
    """Of each turn, in seconds."""
    cpu: float = 0
    own: float = 0
    """CPU of the proxy without its worker."""
    resident: int = 0
    recorded: int | None = None
    failures: list[str] = field(default_factory=list)


async def measured(way: Way, talk: Sequence[Exchange]) -> Talk:
    """One conversation, turn after turn, until all that it has caused is done."""
    seen = Talk()
    before, rows = way.usage(), _recorded(way)
    connection = Connection(way.port)
    for exchange in talk:
        began = time.perf_counter()
        try:
            reply = await connection.call(exchange.request_body)
            if reply.status != 200:
                seen.failures.append(f"{reply.status} {bytes(reply.body[:200])!r}")
        except OSError as error:
            seen.failures.append(str(error))
            connection = Connection(way.port)
        seen.times.append(time.perf_counter() - began)
    connection.close()
    await way.settled(QUIET_WINDOWS)
    used = way.usage()
    seen.cpu, seen.own, seen.resident = used.cpu - before.cpu, used.own - before.own, used.resident
    if rows is not None:
        seen.recorded = (_recorded(way) or 0) - rows
    return seen


def _recorded(way: Way) -> int | None:
    return proc.rows(way.home, way.peer.table) if way.peer.table else None


async def run(ways: Sequence[Way], most: int | None = None, step: int = BYTES_A_TURN) -> Table:
    """All rounds, the ways in turn, with so many new bytes a turn; the first conversation is only there to warm up."""
    most = most or ROUNDS
    able = [way for way in ways if not way.failure]
    warm, *real = talks(most + 1, step)
    for way in able:
        await measured(way, warm)
    disk = {way.name: proc.stored_bytes(way.home) for way in able if way.process}
    seen: dict[str, list[Talk]] = {way.name: [] for way in able}
    for number in rounds(most, PART_SECONDS):
        for way in turned(able, number):
            seen[way.name].append(await measured(way, real[number]))
    done = len(seen[DIRECT])
    kept = {way.name: (proc.stored_bytes(way.home) - disk[way.name]) / done for way in able if way.process}
    largest = len(real[0][-1].request_body) // 1000
    return _table(
        ways,
        seen,
        kept,
        f"A conversation of {TURNS} turns that grows to {largest} KB; medians of {done}, RSS the largest",
    )


def _table(ways: Sequence[Way], seen: dict[str, list[Talk]], kept: dict[str, float], title: str) -> Table:
    def total(name: str) -> float:
        return statistics.median(sum(talk.times) for talk in seen[name])

    def at(name: str, turn: int) -> str:
        return f"{1000 * statistics.median(one for talk in seen[name] for one in talk.times[turn - 5 : turn]):.1f}"

    def cells(way: Way) -> tuple[str, ...]:
        some = seen[way.name]
        wall = (f"{1000 * (total(way.name) - total(DIRECT)):.0f}", at(way.name, 10), at(way.name, TURNS))
        if way.name not in kept:
            return (*wall, *("–",) * 4)
        recorded = [talk.recorded for talk in some if talk.recorded is not None]
        cpu, resident = statistics.median(talk.cpu for talk in some), max(talk.resident for talk in some)
        used = (f"{cpu:.2f}", f"{resident / 2**20:.0f}", f"{kept[way.name] / 1024:.0f}")
        return (*wall, *used, f"{sum(recorded) / len(recorded):.0f}" if recorded else "–")

    columns = ("added ms", "turn 10 ms", f"turn {TURNS} ms", "CPU s", "RSS MB", "disk KB", "recorded")
    rows = [Row(name=way.name, cells=() if way.failure else cells(way), failure=way.failure) for way in ways]
    failed = {name: [one for talk in some for one in talk.failures] for name, some in seen.items()}
    notes = [f"{name}: {len(some)} calls failed, the last one: {some[-1]}" for name, some in failed.items() if some]
    if seen.get(OURS):
        proxy = statistics.median(talk.own for talk in seen[OURS])
        worker = statistics.median(talk.cpu - talk.own for talk in seen[OURS])
        notes.append(f"{OURS}: {proxy:.2f} s of its CPU in the proxy, {worker:.2f} s in the worker")
        able = [way for way in ways if way.peer in PEERS and not way.failure]
        for way in able:
            if way.peer.attributes:
                cpu = ratio([talk.cpu for talk in seen[OURS]], [talk.cpu for talk in seen[way.name]])
                notes.append(f"target: CPU at most 0.20x of who attributes tokens; of {way.name} {cpu}")
        for way in able:
            if way.peer.bodies:
                disk = f"{kept[OURS] / kept[way.name]:.2f}x" if kept[way.name] else "–"
                notes.append(f"target: disk at most 0.20x of who stores bodies; of {way.name} {disk}")
    return Table(title=title, columns=columns, rows=rows, notes=notes)
