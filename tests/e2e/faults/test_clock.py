"""A clock that is set back by an hour and ahead by a day, also in the middle of calls."""

import asyncio
from pathlib import Path

from llmprof_addon.store import queries
from llmprof_addon.store.open import open_store
from tests.e2e.faults.byhand import call
from tests.e2e.faults.plans import plan
from tests.e2e.faults.proxies import Slot
from tests.e2e.faults.storm import Made, Weather
from tests.e2e.faults.upstream import Upstream
from tests.e2e.faults.verdict import examine
from tests.e2e.running import llmprof, stored

JUMPS_SECONDS = (-3600, 86_400, 0, -86_400)
PLANS = [plan(7, number, fault=fault) for number, fault in enumerate(["", "slow", "slow", ""] * len(JUMPS_SECONDS))]


def _set(clock: Path, ahead_seconds: int) -> None:
    draft = clock.with_suffix(".new")
    draft.write_text(str(ahead_seconds))
    draft.replace(clock)


async def record(home: Path, clock: Path) -> list[Made]:
    made: list[Made] = []
    _set(clock, 0)
    async with Upstream(PLANS.__getitem__) as upstream:
        there = f"http://127.0.0.1:{upstream.port}"
        environ = {"LLMPROF_UPSTREAM": there, "LLMPROF_ANTHROPIC_UPSTREAM": there, "LLMPROF_UPSTREAM_PROXY": ""}
        slot = Slot(home, "jumping", environ | {"FAULTS_CLOCK": str(clock)}, "tests.e2e.faults.jumping")
        await slot.start()
        try:
            for number, seconds in enumerate(JUMPS_SECONDS):
                calls = [asyncio.create_task(call(slot.port, each, slot)) for each in PLANS[4 * number :][:4]]
                await asyncio.sleep(0.03)
                _set(clock, seconds)
                made += await asyncio.gather(*calls)
            async with asyncio.timeout(60):
                while stored(home) < len(PLANS):
                    await asyncio.sleep(0.1)
        finally:
            await slot.stop()
    return made


def test_nothing_is_lost_and_no_time_is_negative(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    result = examine(home, Weather(made=asyncio.run(record(home, tmp_path / "clock"))))
    assert {name: bad for name, bad in result.bad.items() if bad} == {}
    with open_store(f"sqlite:///{home}/llmprof.db", read_only=True) as store:
        rows = list(queries.calls(store))
    assert len(rows) == len(PLANS)
    assert max(row.started_ns for row in rows) - min(row.started_ns for row in rows) > 80_000 * 10**9
    assert all(row.started_ns <= (row.first_chunk_ns or row.started_ns) <= row.ended_ns for row in rows)
    assert llmprof(home, "selftest").returncode == 0
