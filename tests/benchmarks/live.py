"""How soon a call that was stored stands on the screen, while 50 calls a second arrive (`make bench ARGS=live`).

Another process takes exchanges through the pipeline into the store at a steady rate for a minute, and says when each
was committed. The application runs here, without a terminal, on the list of runs, with the cursor in the middle of the
list: a timer finds the longest time without an answer of its event loop, and reads how many calls the top line says.
"""

import asyncio
import gc
import multiprocessing
import re
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path

from llmprof_tui.app import LlmprofApp
from llmprof_tui.screens.runs import RunsScreen
from llmprof_tui.source import Source
from llmprof_tui.widgets.status_bar import StatusBar
from llmprof_tui.widgets.window_table import WindowTable

from llmprof_addon.model.exchange import Exchange
from llmprof_addon.pipeline import process
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.store.open import open_store
from tests.tui.recording import SECOND, agent, record, varied

CALLS_PER_SECOND = 50
SECONDS = 60
TURNS = 20
BEFORE = 200
"""Runs that are there when it begins, so that there is something to scroll."""
TICK_S = 0.01


def main() -> None:
    """Print what was measured beside what is promised."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        url = record(home, [*varied(), *_traffic(time.time_ns() - 3600 * SECOND, BEFORE)])
        gc.collect()  # what made the store before
        gc.freeze()  # as the UI does when it starts
        asyncio.run(_measure(url, home))


def _traffic(started_ns: int, runs: int | None = None) -> Iterator[Exchange]:
    """Agents' runs, one after the other: of one turn each if their number is given."""
    for run in count(100) if runs is None else range(100, 100 + runs):
        said = b"flaky test number %d of %d" % (run, started_ns)
        for exchange in agent(turns=TURNS if runs is None else 1, started_ns=started_ns, run=run):
            name = f"{started_ns // SECOND & 0xFFFFFFFF:08x}{exchange.id[:16]}{'0' * 8}"
            yield replace(exchange, id=name, request_body=exchange.request_body.replace(b"flaky upload test", said))
        started_ns += SECOND


@contextmanager
def _writing(url: str) -> Iterator[Connection]:
    """Another process that begins to store calls when it is told to, and what it says."""
    spawn = multiprocessing.get_context("spawn")
    heard, say = spawn.Pipe()
    writer = spawn.Process(target=_write, args=(url, say), daemon=True)
    writer.start()
    try:
        yield heard
        writer.join()
    finally:
        writer.kill()


def _write(url: str, say: Connection) -> None:
    """Store calls at a steady rate; sends the time of each commit, and `None` at the end."""
    book = PriceBook()
    say.recv()
    traffic = _traffic(time.time_ns())
    with open_store(url) as store:
        began = time.monotonic()
        for number in range(CALLS_PER_SECOND * SECONDS):
            time.sleep(max(0.0, began + number / CALLS_PER_SECOND - time.monotonic()))
            process(next(traffic), store, book)
            say.send(time.monotonic())
        say.send(None)


async def _measure(url: str, home: Path) -> None:
    app = LlmprofApp(Source(url, home))
    # The process is started first: standard error is no file while the application runs.
    with _writing(url) as times:
        async with app.run_test(size=(200, 50)) as pilot:
            await pilot.pause(2.0)
            assert isinstance(app.screen, RunsScreen)
            screen, table = app.screen, app.screen.query_one("#runs", WindowTable)
            for _ in range(80):
                table.action_move(1)
            await pilot.pause(2.0)

            def place() -> tuple[int | None, int]:
                """The run under the cursor, and its line on the screen."""
                return table.cursor, table._index - round(table.scroll_y)

            before, stood = place(), True
            known = _calls(screen)
            times.send("go")
            committed: list[float] = []
            shown: list[float] = []
            gaps: list[float] = []
            last, ended = time.monotonic(), None
            while ended is None or (len(shown) < len(committed) and last < ended + 10):
                await asyncio.sleep(TICK_S)
                now = time.monotonic()
                gaps.append(now - last - TICK_S)
                last = now
                shown += [now] * (_calls(screen) - known - len(shown))
                stood = stood and place() == before
                while ended is None and times.poll():
                    at = times.recv()
                    if at is None:
                        ended = now
                    else:
                        committed.append(at)
    waits = sorted(seen - at for at, seen in zip(committed, shown, strict=False))
    gaps.sort()
    rate = (len(committed) - 1) / (committed[-1] - committed[0])
    print(f"calls stored and on screen              {len(committed):6} {len(shown):6}   at {rate:.1f} a second")
    print(f"from commit to screen, p50              {1000 * statistics.median(waits):6.0f} ms")
    print(f"                       longest          {1000 * waits[-1]:6.0f} ms   (1000, from the last byte)")
    print(f"event loop without answer, p99          {1000 * gaps[int(0.99 * len(gaps))]:6.0f} ms")
    print(f"                           longest      {1000 * gaps[-1]:6.0f} ms   (100)")
    print(f"                           over 100 ms  {sum(gap > 0.1 for gap in gaps):6}")
    print(f"cursor and its line on screen           {'stood still' if stood else 'MOVED'}")


def _calls(screen: RunsScreen) -> int:
    """How many calls the line at the top says."""
    said = str(screen.query_one(StatusBar).render())
    return int(re.findall(r"([\d,]+) calls?", said)[-1].replace(",", ""))
