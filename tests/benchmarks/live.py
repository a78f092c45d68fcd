"""How soon a call that is over stands on the screen, while 50 calls a second arrive (`make bench ARGS=live`).

Another process sends calls through a real proxy and its worker at a steady rate for a minute, and says when it had the
last byte of each. The application runs here, without a terminal, on the list of runs, with the cursor in the middle of
the list: a timer finds the longest time without an answer of its event loop, and reads how many calls the top line
says.
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
from http.client import HTTPConnection
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import urlsplit

from llmprof_tui.app import LlmprofApp
from llmprof_tui.screens.runs import RunsScreen
from llmprof_tui.source import Source
from llmprof_tui.widgets.status_bar import StatusBar
from llmprof_tui.widgets.window_table import WindowTable

from llmprof_addon.model.exchange import Exchange
from tests.e2e.replay import Answer, Replay
from tests.e2e.running import running
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
def _sending(home: Path) -> Iterator[Connection]:
    """Another process with a proxy, which begins to send calls when it is told to, and what it says."""
    spawn = multiprocessing.get_context("spawn")
    heard, say = spawn.Pipe()
    sender = spawn.Process(target=_send, args=(home, say))  # no daemon, since it starts processes itself
    sender.start()
    say.close()  # so that its end is heard here
    try:
        heard.recv()
        yield heard
        sender.join()
    finally:
        sender.kill()


def _send(home: Path, say: Connection) -> None:
    """Send calls at a steady rate; says when the proxy is up, the time of each last byte, and `None` at the end."""
    answers: list[bytes] = []
    with (
        Replay(lambda request: Answer(chunks=answers)) as upstream,
        running(home, anthropic_upstream=upstream.url, upstream_proxy="") as proxy,
    ):
        client = HTTPConnection("127.0.0.1", proxy.reverse_port)
        say.send("up")
        say.recv()
        traffic = _traffic(time.time_ns())
        began = time.monotonic()
        for number in range(CALLS_PER_SECOND * SECONDS):
            exchange = next(traffic)
            answers[:] = [exchange.response_body]
            time.sleep(max(0.0, began + number / CALLS_PER_SECOND - time.monotonic()))
            client.request("POST", urlsplit(exchange.url).path, exchange.request_body, dict(exchange.request_headers))
            assert client.getresponse().read() == exchange.response_body
            say.send(time.monotonic())
        say.send(None)
        client.close()


async def _measure(url: str, home: Path) -> None:
    app = LlmprofApp(Source(url, home))
    # The process is started first: standard error is no file while the application runs.
    with _sending(home) as times:
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
            over: list[float] = []
            shown: list[float] = []
            gaps: list[float] = []
            last, ended = time.monotonic(), None
            while ended is None or (len(shown) < len(over) and last < ended + 10):
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
                        over.append(at)
    waits = sorted(seen - at for at, seen in zip(over, shown, strict=False))
    gaps.sort()
    rate = (len(over) - 1) / (over[-1] - over[0])
    print(f"calls over and on screen                {len(over):6} {len(shown):6}   at {rate:.1f} a second")
    print(f"from last byte to screen, p50           {1000 * statistics.median(waits):6.0f} ms")
    print(f"                       longest          {1000 * waits[-1]:6.0f} ms   (1000)")
    print(f"event loop without answer, p99          {1000 * gaps[int(0.99 * len(gaps))]:6.0f} ms")
    print(f"                           longest      {1000 * gaps[-1]:6.0f} ms   (100)")
    print(f"                           over 100 ms  {sum(gap > 0.1 for gap in gaps):6}")
    print(f"cursor and its line on screen           {'stood still' if stood else 'MOVED'}")


def _calls(screen: RunsScreen) -> int:
    """How many calls the line at the top says."""
    said = str(screen.query_one(StatusBar).render())
    return int(re.findall(r"([\d,]+) calls?", said)[-1].replace(",", ""))
