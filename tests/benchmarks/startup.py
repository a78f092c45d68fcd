"""How soon the commands are there, each in a process of its own, interleaved in one run (`make bench ARGS=startup`).

`llmprof up` is measured until its port takes a connection, beside the time in which the same Python imports mitmproxy's
proxy core and ends.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from llmprof_addon.pipeline import process
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.store.open import open_store
from tests.benchmarks.growth import conversation
from tests.benchmarks.load import free_port, started
from tests.benchmarks.peers_table import Row, Table, ratio, rounds, turned

ROUNDS = 15
PART_SECONDS = 120
CORE = (
    "from mitmproxy import http, master, options; from mitmproxy.proxy import mode_servers, server; "
    "from mitmproxy.addons import core, next_layer, proxyserver, tlsconfig"
)
"""What no proxy made with mitmproxy does without."""
PLAIN = "import sys; sys.modules['psycopg'] = None; from llmprof_addon.cli import main; sys.exit(main())"
"""As installed without the extra for PostgreSQL, whose driver Peewee imports wherever it is there."""
PYTHON, IMPORT, UP, RUNS = "python -c pass", "import of mitmproxy's core", "llmprof up, ready", "llmprof runs"
RUNS_WITH = "llmprof runs, psycopg installed"


def main() -> None:
    """`python -m tests.benchmarks startup`."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        with open_store(f"sqlite:///{home}/llmprof.db") as store:
            book = PriceBook(None)
            for seed in range(20):
                for exchange in conversation(seed, 3):
                    process(exchange, store, book)
        ways: dict[str, Callable[[], float]] = {
            PYTHON: lambda: _ran(["-c", "pass"]),
            IMPORT: lambda: _ran(["-c", CORE]),
            UP: lambda: _up(home),
            RUNS: lambda: _ran(["-c", PLAIN, "runs", "--home", name]),
            RUNS_WITH: lambda: _ran(["-m", "llmprof_addon", "runs", "--home", name]),
        }
        seen: dict[str, list[float]] = {way: [] for way in ways}
        for way in ways.values():
            way()
        for number in rounds(ROUNDS, PART_SECONDS):
            for way in turned(list(ways), number):
                seen[way].append(1000 * ways[way]())
    rows = [
        Row(name=way, cells=tuple(f"{one:.0f}" for one in (statistics.median(some), min(some), max(some))))
        for way, some in seen.items()
    ]
    notes = [
        f"target: up within 1.25x of the import; measured {ratio(seen[UP], seen[IMPORT])}",
        f"target: runs in less than 350 ms; measured {statistics.median(seen[RUNS]):.0f} ms",
    ]
    columns = ("median ms", "least", "largest")
    print(Table(title=f"Start; {len(seen[UP])} rounds", columns=columns, rows=rows, notes=notes).text())


def _ran(arguments: list[str]) -> float:
    """Seconds until a Python with these arguments has ended."""
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def _up(home: Path) -> float:
    """Seconds until it takes connections; it is stopped afterwards."""
    port = free_port()
    command = [sys.executable, "-m", "llmprof_addon", "up", "--home", str(home), "--port", str(port)]
    began = time.perf_counter()
    with started([*command, "--forward-port", "0"], port):
        return time.perf_counter() - began


if __name__ == "__main__":
    main()
