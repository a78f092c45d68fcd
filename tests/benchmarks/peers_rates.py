"""Requests a second and their times through each way: small calls over 1, 16 and 64 connections that are kept."""

import asyncio
import itertools
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.benchmarks.peers_client import Connection
from tests.benchmarks.peers_installed import OURS, PEERS, STREAMING
from tests.benchmarks.peers_script import small
from tests.benchmarks.peers_table import Row, Table, percentile, ratio, rounds, turned
from tests.benchmarks.peers_ways import DIRECT, Way

SECONDS = 0.8
"""Of one measurement."""
ROUNDS = {1: 3, 16: 7, 64: 3}
"""By connections."""
PART_SECONDS = 420
"""After which no further round begins."""

_numbers = itertools.count(1)


@dataclass(slots=True)
class Rate:
    """One measurement."""

    seconds: float = 0
    times: list[float] = field(default_factory=list)
    """Of each call that was answered."""
    failures: list[str] = field(default_factory=list)

    @property
    def a_second(self) -> float:
        """Calls that were answered."""
        return len(self.times) / self.seconds

    def at(self, share: float) -> float:
        """A percentile of the times, in milliseconds."""
        return 1000 * percentile(self.times, share) if self.times else float("nan")


async def measured(port: int, connections: int, seconds: float) -> Rate:
    """A closed loop over so many connections."""
    rate = Rate()
    until = time.perf_counter() + seconds

    async def client() -> None:
        connection = Connection(port)
        while time.perf_counter() < until:
            try:
                reply = await connection.call(small(next(_numbers)))
                if reply.status == 200:
                    rate.times.append(reply.total)
                else:
                    rate.failures.append(f"{reply.status}")
            except OSError as error:
                rate.failures.append(str(error))
                connection = Connection(port)
        connection.close()

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(connections)))
    rate.seconds = time.perf_counter() - began
    return rate


async def run(ways: Sequence[Way], most: int | None = None) -> Table:
    """All rounds, the ways in turn."""
    able = [way for way in ways if not way.failure]
    rates: dict[tuple[str, int], list[Rate]] = {(way.name, number): [] for way in able for number in ROUNDS}
    for way in able:
        await measured(way.port, 16, SECONDS / 2)
        await way.settled()
    for number in rounds(most or max(ROUNDS.values()), PART_SECONDS):
        for connections, usual in ROUNDS.items():
            for way in turned(able, number) if number < (most or usual) else ():
                rates[way.name, connections].append(await measured(way.port, connections, SECONDS))
                await way.settled()
    return _table(ways, rates)


def _table(ways: Sequence[Way], rates: dict[tuple[str, int], list[Rate]]) -> Table:
    def medians(way: Way) -> tuple[str, ...]:
        cells: list[str] = []
        for connections in ROUNDS:
            some = rates[way.name, connections]
            cells.append(f"{statistics.median(rate.a_second for rate in some):.0f}")
            cells += [f"{statistics.median(rate.at(share) for rate in some):.1f}" for share in (0.5, 0.99)]
        return (*cells, _beside(rates, way.name))

    def row(way: Way) -> Row:
        return Row(name=way.name, cells=() if way.failure else medians(way), failure=way.failure)

    columns = [what for number in ROUNDS for what in (f"{number}: calls/s", "p50 ms", "p99 ms")]
    failed = {name: [one for rate in some for one in rate.failures] for (name, _), some in rates.items()}
    notes = [f"{name}: {len(some)} calls failed, the last one: {some[-1]}" for name, some in failed.items() if some]
    title = f"Small calls over 1, 16 and 64 connections; rounds: {', '.join(map(str, map(len, _of(rates))))}"
    able = {way.name for way in ways if not way.failure}
    if {OURS, STREAMING} <= able:
        notes.append(f"target: 1.3x of {STREAMING} with 16 connections; measured {_beside(rates, STREAMING)}")
        slow = [f"{way.name} {_beside(rates, way.name)}" for way in ways if way.peer in PEERS and way.name in able]
        notes.append(f"target: 2x of every peer; measured {'; '.join(slow) or 'none'}")
    return Table(title=title, columns=(*columns, "llmprof over it, 16"), rows=[row(way) for way in ways], notes=notes)


def _of(rates: dict[tuple[str, int], list[Rate]]) -> list[list[Rate]]:
    return [some for (name, _), some in rates.items() if name == DIRECT]


def _beside(rates: dict[tuple[str, int], list[Rate]], name: str) -> str:
    ours, other = ([rate.a_second for rate in rates.get((which, 16), [])] for which in (OURS, name))
    return ratio(ours, other) if ours else "–"
