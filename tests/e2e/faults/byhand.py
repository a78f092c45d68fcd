"""Planned calls through one proxy, all at once, for tests that choose their faults one by one."""

import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.faults.client import Connection, judge, make, speak
from tests.e2e.faults.plans import Plan
from tests.e2e.faults.proxies import Slot
from tests.e2e.faults.storm import Made
from tests.e2e.faults.upstream import Upstream


@contextmanager
def serving(upstream: Upstream) -> Iterator[Upstream]:
    """Run it on a loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(upstream.__aenter__(), loop).result(10)
    try:
        yield upstream
    finally:
        asyncio.run_coroutine_threadsafe(upstream.__aexit__(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def call(port: int, plan: Plan, slot: Slot) -> Made:
    """Make the call on a connection of its own."""
    if plan.wire == "websocket":
        verdict = judge(plan, await speak(plan, port))
    else:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**22)
        connection = Connection(reader, writer, 0.0)
        verdict = judge(plan, await make(plan, connection))
        connection.leave(hard=False)
    return Made(plan=plan, slot=slot, opened=0.0, started=0.0, ended=time.monotonic(), verdict=verdict)


def calls(home: Path, port: int, plans: Sequence[Plan]) -> list[Made]:
    """All of them at once, through the proxy at this port."""
    slot = Slot(home, "the one", {})

    async def all_of_them() -> list[Made]:
        return await asyncio.gather(*(call(port, plan, slot) for plan in plans))

    return asyncio.run(all_of_them())


def waiting(home: Path) -> int:
    """How many files are in the spool."""
    return len(list((home / "spool").glob("*.exchange")))
