"""How many calls a second four workers store in one PostgreSQL server, beside one worker and SQLite: the same calls.

The spools are full from the beginning, so that every worker goes as fast as it can. The server makes every commit
durable. `SECONDS=300 make bench ARGS=postgres` measures longer than a minute.
"""

import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from llmprof_addon.spool.folder import Spool
from llmprof_addon.spool.statefile import read_state
from llmprof_addon.store import queries
from llmprof_addon.store.open import open_store
from tests.store.crowd import agent_runs, spread, worker
from tests.store.server import Server, Unavailable, install
from tests.store.test_postgresql import broken_laws, wrong_sums

WORKERS = 4
AGENTS, TURNS = 40, 25
"""That go on side by side, each on one of the hosts, and then the next ones."""
RATE = 500
"""Calls a second that the spools could hold for the whole time."""


def _measured(url: str, workers: int, seconds: float, folder: Path) -> float:
    """Calls a second that so many workers stored; prints a line."""
    homes = [folder / str(number) for number in range(workers)]
    with ThreadPoolExecutor(workers) as pool:
        processes = list(pool.map(worker, homes, [url] * workers))
    for batch in range(int(RATE * seconds) // (AGENTS * TURNS)):
        for number, home in enumerate(homes):
            name = f"run{batch}-{number}-"
            spread(list(agent_runs(AGENTS // workers, TURNS, day=batch % 20, name=name)), [home])
    spools = [Spool(home / "spool") for home in homes]
    began, before, busy = time.monotonic(), _stored(url), sum(_cpu_seconds(process.pid) for process in processes)
    while time.monotonic() - began < seconds and any(spool.scan() for spool in spools):
        time.sleep(0.5)
    spent, number = time.monotonic() - began, _stored(url) - before
    most = max(_resident_mb(process.pid) for process in processes)
    busy = sum(_cpu_seconds(process.pid) for process in processes) - busy
    for process in processes:
        process.terminate()
        process.communicate()
    states = [read_state(home / "worker.json") or {} for home in homes]
    failed = sum(state["failed"] for state in states)
    errors = "; ".join(sorted({state["last_error"] for state in states} - {None})) or "–"
    rate, each = number / spent, busy * 1000 / max(1, number)
    name = url.partition(":")[0]
    print(f"{name:<12}{workers:>8}{rate:>10.0f}{each:>12.1f}{most:>10.0f}{failed:>8}  {errors}", flush=True)
    return rate


def _stored(url: str) -> int:
    with open_store(url) as store:
        return queries.count(store)[1]


def _resident_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def _cpu_seconds(pid: int) -> float:
    # proc(5): the fields behind the name, which may hold spaces; utime and stime are the 14th and the 15th.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main(seconds: float | None = None) -> None:
    """Print both rates and their ratio, and whether any sum is wrong afterwards."""
    given = float(os.environ.get("SECONDS", 60)) if seconds is None else seconds
    print(f"{'store':<12}{'workers':>8}{'calls/s':>10}{'CPU ms/call':>12}{'MB RSS':>10}{'failed':>8}  errors")
    try:
        install()
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            server = stack.enter_context(Server(durable=True))
            alone = _measured(f"sqlite:///{folder}/llmprof.db", 1, given, folder / "sqlite")
            together = _measured(server.url(), WORKERS, given, folder / "postgresql")
            print(f"{'ratio':<20}{together / alone:>10.2f}")
            print(f"deadlocks that the server broke: {server.log.count('deadlock detected')}")
            with open_store(server.url()) as store:
                print(f"sums that are wrong: {len(wrong_sums(store))}; broken laws: {len(broken_laws(store))}")
    except Unavailable as error:
        sys.exit(str(error))
