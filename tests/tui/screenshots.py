"""`python -m tests.tui.screenshots [DIR]`: the README's pictures, of the demo's conversation and some other runs.

The same on every machine: clock, time zone, sizes and texts are fixed, and nothing goes over a network.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from llmprof_tui.app import LlmprofApp
from llmprof_tui.screens.loading import SETTLE_SECONDS
from llmprof_tui.source import Source

from llmprof_addon import clock
from llmprof_addon.cli.demo import agent, upstream
from llmprof_addon.cli.demo.script import REMINDER, REQUEST, TURNS
from llmprof_addon.model.exchange import Client, Exchange
from llmprof_addon.model.part import Json
from tests.factories import STARTED_NS, make_exchange
from tests.tui import recording
from tests.tui.recording import MINUTE, SECOND, call_id, record
from tests.tui.settling import settled

FOLDER = Path(__file__).parents[2] / "tui" / "screenshots"
SIZE = (110, 32)
RUN = 9
"""The number of the demo's run."""
PICTURES = {
    "runs": [],
    "run": ["enter", "left", "left", "left"],
    "call": ["enter", "enter", "down", "down"],
    "diff": ["enter", *["left"] * 9, "d"],
}
"""Keys, from the list of runs on, by the name of the picture that is then taken."""


def conversation(started_ns: int) -> Iterator[Exchange]:
    """The demo's run, as its provider answers it."""
    provider = upstream.Provider()
    reminder = REMINDER.format(started="2027-01-15 09:20:00")
    blocks = [{"type": "text", "text": reminder}, {"type": "text", "text": REQUEST}]
    messages: list[Json] = [{"role": "user", "content": blocks}]
    for number, turn in enumerate(TURNS):
        body = agent._body(messages)
        events = upstream.events(body, provider.usage(body))
        stream = b"".join(f"event: {name}\ndata: {json.dumps(value)}\n\n".encode() for name, value in events)
        at = started_ns + number * 14 * SECOND
        yield replace(
            make_exchange(body, stream, response_headers=(("content-type", "text/event-stream"),)),
            id=call_id(RUN, number),
            transport="sse",
            started_ns=at,
            first_chunk_ns=at + (900 + 130 * (number % 4)) * 1_000_000,
            ended_ns=at + (4 + number % 5) * SECOND,
            client=Client(user_agent="claude-cli/2.1.0 (external, cli)", peer="127.0.0.1"),
        )
        answer = agent._blocks(stream)
        used = [block for block in answer if block["type"] == "tool_use"]
        results = [{"type": "tool_result", "tool_use_id": block["id"], "content": turn.result} for block in used]
        messages += [{"role": "assistant", "content": answer}, {"role": "user", "content": results}]


def others() -> Iterator[Exchange]:
    """What else was recorded that morning."""
    titles = {
        10: (26, b"Move the settings page to the new router."),
        11: (7, b"Why does the nightly build take an hour?"),
        12: (18, b"Write tests for the importer, then refactor it."),
        13: (3, b"Rename the flag --dry to --dry-run everywhere."),
        14: (34, b"Find the memory leak in the image worker."),
    }
    for run, (turns, title) in titles.items():
        for exchange in recording.agent(turns, STARTED_NS + (run - 12) * 25 * MINUTE, run):
            body = exchange.request_body.replace(b"Fix the flaky upload test, and say what was wrong.", title)
            yield replace(exchange, request_body=body)
    yield from recording.codex(9)
    yield recording.local()
    yield recording.overloaded()


async def take(home: Path, url: str, name: str) -> str:
    """The picture of this name, as SVG."""
    with closing(Source(url, home)) as source:
        app = LlmprofApp(source)
        async with app.run_test(size=SIZE) as pilot:
            await settled(pilot)
            for key in PICTURES[name]:
                await pilot.press(key)
                await settled(pilot)
            await pilot.pause(2 * SETTLE_SECONDS)  # what stands below the list waits for the cursor to rest
            await settled(pilot)
            return app.export_screenshot(title="llmprof")


def main(folder: Path = FOLDER) -> None:
    """Take all pictures."""
    for variable in [each for each in os.environ if each.startswith("LLMPROF_") or each == "NO_COLOR"]:
        del os.environ[variable]
    os.environ |= {"TZ": "UTC", "TEXTUAL_ANIMATIONS": "none", "COLORTERM": "truecolor"}
    time.tzset()
    folder.mkdir(exist_ok=True)
    started_ns = STARTED_NS + 80 * MINUTE
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        url = record(home, [*others(), *conversation(started_ns)])
        real, clock.now_ns = clock.now_ns, lambda: started_ns + 60 * MINUTE
        try:
            for picture in PICTURES:
                svg = asyncio.run(take(home, url, picture))
                (folder / f"{picture}.svg").write_text(svg, encoding="utf-8")
                print(f"{picture}: {len(svg) / 1000:.0f} KB")
        finally:
            clock.now_ns = real


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
