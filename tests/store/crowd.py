"""Agents of a team, whose calls lie in several spools: for workers that drain them into one server at the same time.

They share a system prompt, tools and what they are told; half of their runs are named by a header, the others show in
their messages alone. The turns of a run go round the spools.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from llmprof_addon.model.exchange import Exchange
from llmprof_addon.spool.folder import write_exchange
from tests.e2e.running import START_SECONDS, until
from tests.factories import CHAT_URL, STARTED_NS, make_exchange

ROOT = Path(__file__).parents[2]
SECOND = 10**9
DAY = 86_400 * SECOND
FILES = ("README.md", "setup.cfg", "main.py", "notes.txt", "tests.py")
TOOLS = [
    {"type": "function", "function": {"name": name, "description": f"Does {name} with a file. " * 8}}
    for name in ("read", "write", "search")
]
SYSTEM = "You keep a garden's records. Be brief, and name your sources. " * 20


def agent_runs(runs: int, turns: int, *, day: int = 0, name: str = "run", days: int = 3) -> Iterator[Exchange]:
    """The calls of all runs, by their end; the runs go on side by side, one in each of so many days in turn."""
    played = [list(_turns(f"{name}{number}", number, turns, day + number % days)) for number in range(runs)]
    yield from sorted((call for run in played for call in run), key=lambda call: (call.ended_ns, call.id))


def _turns(name: str, number: int, turns: int, day: int) -> Iterator[Exchange]:
    messages: list[Any] = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": f"Look at plot {name}."}]
    for turn in range(turns):
        call_id = f"call_{name}_{turn}"
        arguments = json.dumps({"path": FILES[turn % len(FILES)]})
        called = {"id": call_id, "type": "function", "function": {"name": "read", "arguments": arguments}}
        answer = {"role": "assistant", "content": f"Next is bed {turn} of {name}.", "tool_calls": [called]}
        body = {"model": "gpt-4.1", "tools": TOOLS, "messages": messages}
        usage = {"prompt_tokens": 600 + 90 * turn, "completion_tokens": 25, "total_tokens": 625 + 90 * turn}
        choices = [{"index": 0, "message": answer, "finish_reason": "tool_calls"}]
        reply = {"id": f"chatcmpl-{name}-{turn}", "model": "gpt-4.1", "choices": choices, "usage": usage}
        at = STARTED_NS + day * DAY + (turn * 5 + number % 3) * SECOND + number
        yield make_exchange(
            body,
            reply,
            id=f"{name}-{turn:03d}".rjust(32, "0"),
            url=CHAT_URL,
            started_ns=at,
            first_chunk_ns=at + SECOND,
            ended_ns=at + 2 * SECOND,
            session=name if number % 2 else None,
        )
        result = {
            "role": "tool",
            "tool_call_id": call_id,
            "content": f"{FILES[turn % len(FILES)]}: " + "seed rows. " * 60,
        }
        messages = [*messages, answer, result]


def spread(calls: Sequence[Exchange], homes: Sequence[Path]) -> None:
    """Put the calls into the spools of these homes, in turn."""
    for number, call in enumerate(calls):
        write_exchange(homes[number % len(homes)] / "spool", call)


def worker(home: Path, url: str) -> subprocess.Popen[str]:
    """A worker process that drains the spool of a home into a store until its stdin is closed, and is ready."""
    process = subprocess.Popen(
        [sys.executable, "-m", "llmprof_addon.worker", "--home", str(home), "--db", url],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("LLMPROF_")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    until(lambda: (home / "worker.json").exists() or process.poll() is not None, START_SECONDS)
    return process
