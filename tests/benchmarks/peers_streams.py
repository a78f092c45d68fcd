"""Streams through each way while prompts of some 200 KB go by at 20 a second: first byte, and gaps between chunks.

A slot is so many large calls at a steady pace over connections of their own; beside them some clients read streams
without a pause. What the baseline does from round to round, without any change, stands beside what we do.
"""

import asyncio
import itertools
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from llmprof_addon.model.exchange import Exchange
from tests.benchmarks.peers_client import Connection
from tests.benchmarks.peers_installed import OURS, STREAMING
from tests.benchmarks.peers_script import AGENTS, PAUSE_SECONDS, background, small
from tests.benchmarks.peers_table import Row, Table, percentile, ratio, rounds, turned
from tests.benchmarks.peers_ways import Way

ROUNDS = 7
PART_SECONDS = 480
"""After which no further round begins."""
LARGE_A_SECOND = 20
LARGE_CALLS = 50
"""In one slot."""
READERS = 4
"""Streams at a time."""

_numbers = itertools.count(1)


@dataclass(slots=True)
class Slot:
    """What was seen in one slot, in milliseconds."""

    first: list[float] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    large: list[float] = field(default_factory=list)
    """Times of the large calls."""
    failures: list[str] = field(default_factory=list)


async def measured(port: int, large: Sequence[Exchange]) -> Slot:
    """One slot."""
    slot = Slot()
    connections = [Connection(port) for _ in range(AGENTS)]
    free = [asyncio.Lock() for _ in connections]

    async def send(number: int, body: bytes) -> None:
        async with free[number]:  # an agent waits for its answer
            try:
                reply = await connections[number].call(body)
                slot.large.append(1000 * reply.total)
                if reply.status != 200:
                    slot.failures.append(f"{reply.status}")
            except OSError as error:
                slot.failures.append(str(error))
                connections[number] = Connection(port)

    async def pace() -> None:
        began = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for number, exchange in enumerate(large):
                await asyncio.sleep(max(0.0, began + number / LARGE_A_SECOND - time.perf_counter()))
                tasks.create_task(send(number % AGENTS, exchange.request_body))

    async def read() -> None:
        connection = Connection(port)
        while not passing.done():
            try:
                reply = await connection.call(small(next(_numbers), stream=True))
            except OSError as error:
                slot.failures.append(str(error))
                connection = Connection(port)
                continue
            if reply.status != 200 or not reply.gaps:
                slot.failures.append(f"{reply.status}, {len(reply.gaps)} gaps")
                continue
            slot.first.append(1000 * reply.first)
            slot.gaps += [1000 * gap for gap in reply.gaps]
        connection.close()

    passing = asyncio.create_task(pace())
    await asyncio.sleep(0.1)
    await asyncio.gather(*(read() for _ in range(READERS)))
    await passing
    for connection in connections:
        connection.close()
    return slot


async def run(ways: Sequence[Way], most: int | None = None) -> Table:
    """All rounds, the ways in turn."""
    most = most or ROUNDS
    able = [way for way in ways if not way.failure]
    slots: dict[str, list[Slot]] = {way.name: [] for way in able}
    large = background(LARGE_CALLS * most)
    for number in rounds(most, PART_SECONDS):
        for way in turned(able, number):
            slots[way.name].append(await measured(way.port, large[number * LARGE_CALLS : (number + 1) * LARGE_CALLS]))
            await way.settled()
    return _table(ways, slots)


def _table(ways: Sequence[Way], slots: dict[str, list[Slot]]) -> Table:
    def of(name: str, value: Callable[[Slot], list[float]], share: float) -> list[float]:
        return [percentile(value(slot), share) if value(slot) else float("nan") for slot in slots[name]]

    def cells(name: str) -> tuple[str, ...]:
        made = []
        for value in (_first, _gaps):
            for share in (0.5, 0.99):
                some = of(name, value, share)
                made.append(f"{statistics.median(some):.2f} ({min(some):.2f}..{max(some):.2f})")
        return (*made, f"{statistics.median(one for slot in slots[name] for one in slot.large or [float('nan')]):.1f}")

    columns = ("first byte p50 ms", "first byte p99 ms", "gap p50 ms", "gap p99 ms", "large call p50 ms")
    rows = [Row(name=way.name, cells=() if way.failure else cells(way.name), failure=way.failure) for way in ways]
    failed = {name: [one for slot in some for one in slot.failures] for name, some in slots.items()}
    notes = [f"{name}: {len(some)} calls failed, the last one: {some[-1]}" for name, some in failed.items() if some]
    if slots.get(OURS) and slots.get(STREAMING):
        for what, value in (("first byte", _first), ("gap", _gaps)):
            beside = ratio(of(OURS, value, 0.5), of(STREAMING, value, 0.5))
            notes.append(f"target: median {what} within 1.05x of {STREAMING}; measured {beside}")
            base, ours = of(STREAMING, value, 0.99), statistics.median(of(OURS, value, 0.99))
            spread = f"{min(base):.2f}..{max(base):.2f}"
            notes.append(f"target: p99 of {what} within the baseline's own {spread} ms; measured {ours:.2f} ms")
    title = (
        f"Streams of chunks {1000 * PAUSE_SECONDS:.0f} ms apart, {READERS} at a time, beside prompts of 200 KB at "
        f"{LARGE_A_SECOND} a second; median (least..largest) of {len(next(iter(slots.values())))} rounds"
    )
    return Table(title=title, columns=columns, rows=rows, notes=notes)


def _first(slot: Slot) -> list[float]:
    return slot.first


def _gaps(slot: Slot) -> list[float]:
    return slot.gaps
