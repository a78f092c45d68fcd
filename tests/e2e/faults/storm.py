"""Many calls through two proxies that share a home, while the wire, the disk and the processes fail by chance.

All chance follows from one seed. What a client saw is judged at once; what is stored, once all has been drained.
"""

import asyncio
import contextlib
import math
import os
import random
import sqlite3
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e.faults import disk, proxies
from tests.e2e.faults.client import Connection, Verdict, judge, make, speak
from tests.e2e.faults.plans import Plan, plan
from tests.e2e.faults.proxies import Slot
from tests.e2e.faults.upstream import Upstream

LATE_SECONDS = 0.05
"""So long before a kill a call should be over to be finished: its file is written behind its last byte."""
GRACE_SECONDS = 0.25
"""So long before it has to be: a busy machine may keep the thread that writes waiting. What was seen in the spool is
finished in any case.
"""
RECOVERY_SECONDS = 5.0
"""So long after a disk has come back a call of that time may still wait in memory."""
CALLS_A_CONNECTION = 20
SETTLE_SECONDS = 2400.0
VICTIMS = ("proxy", "worker", "both")
DISK_FAULTS = ("full", "read-only", "locked")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """How long and how rough it is to be."""

    seed: int
    calls: int
    kills: int
    disk_faults: int
    rate: float
    """Calls a second."""
    share: float = 0.13
    """Of the calls, that the wire fails."""
    clients: int = 24
    grace_seconds: float = GRACE_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One call as its client saw it. Times are seconds of the monotonic clock."""

    plan: Plan
    slot: Slot
    opened: float
    started: float
    ended: float
    verdict: Verdict
    saw: str = ""
    """What its client saw, if that is not what it should have seen."""


@dataclass(kw_only=True)
class Weather:
    """What has happened."""

    made: list[Made] = field(default_factory=list)
    wire: Counter[str] = field(default_factory=Counter)
    disk: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    shaky: list[tuple[float, float]] = field(default_factory=list)
    """When the disk took nothing, or had not done so for long enough to have taken what waited."""
    in_place: set[str] = field(default_factory=set)
    """Ids of all exchanges that were seen in the spool: those are finished whatever happens next."""
    changed: list[int] = field(default_factory=list)
    """Calls whose request was not what was sent."""
    means: str = ""
    """How the disk was made to fail."""
    seconds: float = 0.0
    grace_seconds: float = GRACE_SECONDS

    def disk_failed(self, start: float, end: float) -> None:
        """The disk took nothing between two times, the latest so far."""
        if self.shaky and start <= self.shaky[-1][1] + RECOVERY_SECONDS:
            start = self.shaky.pop()[0]
        self.shaky.append((start, end))

    def excused(self, call: Made) -> bool:
        """Whether a kill came too early for this call to be finished."""
        grace = self.grace_seconds if call.verdict == "fine" and call.plan.ending == "whole" else 1.0
        if call.slot.killed(call.opened, call.ended + grace):
            return True
        return any(
            start <= call.ended + grace and call.ended <= end + RECOVERY_SECONDS
            and call.slot.killed(call.started, end + RECOVERY_SECONDS)
            for start, end in self.shaky
        )  # fmt: skip


class Storm:
    """One run, in a home of its own."""

    def __init__(self, home: Path, wanted: Wanted, small: disk.SmallDisk | None) -> None:
        """`small`: the disk that the spool lies on."""
        means = "tmpfs, read-only mount" if small else "limits on written files"
        self.weather = Weather(means=means, grace_seconds=wanted.grace_seconds)
        self._home = home
        self._wanted = wanted
        self._small = small
        self._plans: dict[int, Plan] = {}
        self._taken = 0
        self._due = 0.0
        self._slots: list[Slot] = []
        self._rng = random.Random(f"fates {wanted.seed}")

    async def run(self) -> Weather:
        """All of it: load, faults, the end."""
        began = time.monotonic()
        async with Upstream(self._plan_of) as upstream:
            there = f"http://127.0.0.1:{upstream.port}"
            environ = {"LLMPROF_UPSTREAM": there, "LLMPROF_ANTHROPIC_UPSTREAM": there, "LLMPROF_UPSTREAM_PROXY": ""}
            self._slots = [Slot(self._home, name, environ) for name in ("a", "b")]
            await asyncio.gather(*(slot.start() for slot in self._slots))
            watching = asyncio.create_task(self._watch())
            clients = [asyncio.create_task(self._client(self._slots[n % 2])) for n in range(self._wanted.clients)]
            fates = asyncio.create_task(self._fates())
            try:
                await asyncio.gather(*clients, fates)
                self.weather.seconds = time.monotonic() - began
                await self._settle()
            finally:
                watching.cancel()
                for task in (*clients, fates):
                    task.cancel()
                await asyncio.gather(*(slot.stop() for slot in self._slots))
            self.weather.changed = upstream.changed
        return self.weather

    def _plan_of(self, number: int) -> Plan:
        return self._plans.get(number) or plan(self._wanted.seed, number, self._wanted.share)

    # load

    async def _client(self, slot: Slot) -> None:
        connection: Connection | None = None
        served = 0
        while (number := await self._take()) is not None:
            await slot.up.wait()
            current = self._plans[number] = self._plan_of(number)
            if connection is not None and (served >= CALLS_A_CONNECTION or slot.killed(connection.opened, math.inf)):
                connection.leave(hard=False)
            if connection is None or not connection.usable:
                connection, served = await self._connect(slot), 0
            served += 1
            if current.wire == "websocket":  # which has a connection of its own
                await slot.up.wait()
            started = time.monotonic()
            if current.wire == "websocket":
                opened, seen = started, await speak(current, slot.port)
            else:
                opened, seen = connection.opened, await make(current, connection)
            ended = time.monotonic()
            verdict = judge(current, seen)
            if verdict != "fine" and slot.killed(opened, ended):
                connection.usable, verdict = False, "fine"
            if current.fault:
                self.weather.wire[current.fault] += 1
            self.weather.made.append(
                Made(
                    plan=current,
                    slot=slot,
                    opened=opened,
                    started=started,
                    ended=ended,
                    verdict=verdict,
                    saw="" if verdict == "fine" else seen.told_in_short,
                )
            )
            del self._plans[number]
            if current.fault == "closes after":  # or the next request meets the end of its connection on the way
                await asyncio.sleep(0.03)
        if connection is not None:
            connection.leave(hard=False)

    async def _take(self) -> int | None:
        """The next number, when it is time for it."""
        if self._taken >= self._wanted.calls:
            return None
        number, self._taken = self._taken, self._taken + 1
        now = time.monotonic()
        self._due = max(self._due + 1 / self._wanted.rate, now - 0.5)
        await asyncio.sleep(max(0.0, self._due - now))
        return number

    async def _connect(self, slot: Slot) -> Connection:
        while True:
            await slot.up.wait()
            opened = time.monotonic()
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", slot.port, limit=2**22)
                return Connection(reader, writer, opened)
            await asyncio.sleep(0.05)

    # faults

    async def _fates(self) -> None:
        """Kills and disk faults, each once so many calls have begun."""
        wanted = self._wanted
        fates = ["kill"] * wanted.kills + ["disk"] * wanted.disk_faults
        first = min(50, wanted.calls // 10)
        due = sorted((self._rng.uniform(first, wanted.calls * 0.98), self._rng.random(), fate) for fate in fates)
        async with asyncio.TaskGroup() as tasks:
            failing: asyncio.Task[None] | None = None
            for number, _, fate in due:
                while self._taken < number:
                    await asyncio.sleep(0.02)
                if fate == "kill":
                    await self._kill(tasks)
                elif failing is None or failing.done():
                    failing = tasks.create_task(self._fail_disk())
                else:
                    await failing
                    failing = tasks.create_task(self._fail_disk())

    async def _kill(self, tasks: asyncio.TaskGroup) -> None:
        victim = self._rng.choice(VICTIMS)
        slot = self._rng.choice(self._slots)
        pause = self._rng.uniform(0, 0.5)
        await slot.up.wait()
        if victim != "proxy":
            proxies.kill_worker(self._home)
        if victim != "worker":
            slot.kill()
            tasks.create_task(self._again(slot, pause))
        self.weather.kills[victim] += 1

    async def _again(self, slot: Slot, pause: float) -> None:
        await asyncio.sleep(pause)
        await slot.start()

    async def _fail_disk(self) -> None:
        kind, seconds = self._rng.choice(DISK_FAULTS), self._rng.uniform(0.1, 2.5)
        began = time.monotonic()
        if kind == "locked":
            await asyncio.to_thread(_hold, self._home / "llmprof.db", seconds)
        elif kind == "full" and self._small is not None:
            self._small.fill()
            await asyncio.sleep(seconds)
            self._small.free()
        elif kind == "read-only" and self._small is not None:
            with disk.read_only(self._home / "spool"):
                await asyncio.sleep(seconds)
        else:
            limited = [slot.process.pid for slot in self._slots if slot.process and slot.up.is_set()]
            self._limit(limited, False)
            await asyncio.sleep(seconds)
            self._limit(limited, True)
        if kind != "locked":
            self.weather.disk_failed(began, time.monotonic())
        self.weather.disk[kind] += 1

    def _limit(self, pids: list[int], yes: bool) -> None:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                disk.may_write(pid, yes)

    # the end

    async def _watch(self) -> None:
        """Note what lies in the spool, again and again; and let the worker, which is niced, have its part of a busy
        machine where that is ours to say.
        """
        while True:
            if (pid := proxies.worker_pid(self._home)) is not None:
                with contextlib.suppress(OSError):
                    os.setpriority(os.PRIO_PROCESS, pid, 0)
            self.weather.in_place.update(name[21:-9] for name in self._waiting())
            await asyncio.sleep(0.2)

    def _waiting(self) -> list[str]:
        return [path.name for path in (self._home / "spool").glob("*.exchange")]

    async def _settle(self) -> None:
        await asyncio.gather(*(slot.up.wait() for slot in self._slots))
        until = time.monotonic() + SETTLE_SECONDS
        empty = 0
        while empty < 5:  # what was said last may still be in memory
            empty = 0 if self._waiting() else empty + 1
            if time.monotonic() > until:
                raise RuntimeError(f"{len(self._waiting())} files wait in the spool after {SETTLE_SECONDS:.0f} s")
            await asyncio.sleep(0.2)


def _hold(path: Path, seconds: float) -> None:
    """Lock a SQLite database as another program would."""
    db = sqlite3.connect(path, isolation_level=None, timeout=20)
    with contextlib.closing(db), contextlib.suppress(sqlite3.OperationalError):
        db.execute("BEGIN EXCLUSIVE")
        time.sleep(seconds)
        db.execute("ROLLBACK")
