"""Whether the worker's time for a call grows with what is stored: one run of 2,000 turns, and a store of 200,000 calls.

What an agent sends stays within a window, since it begins anew every 40
turns; so that turns of the same place in their window are compared, of the first tenth and of the last.
"""

import json
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from llmprof_addon import clock
from llmprof_addon.model.exchange import Client, Exchange
from llmprof_addon.pipeline import process
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.store.open import Store, open_store
from tests.benchmarks import bigstore
from tests.benchmarks.growth import SCHEMA, SYSTEM, source_text

TURNS = 2000
WINDOW = 40
"""Turns after which the history gives way to a summary."""
LIVE = 400
"""Calls that are processed on top of a filled store."""
SECOND = 10**9


def turns(seed: int, number: int, started_ns: int) -> list[Exchange]:
    """A run of so many turns of an agent with a cache, one after the other."""
    rng = random.Random(seed)
    tools = [{"name": f"tool_{at}", "description": source_text(rng, 300), "input_schema": SCHEMA} for at in range(10)]
    made: list[Exchange] = []
    messages: list[Any] = []
    cached = 0
    for turn in range(number):
        if turn % WINDOW == 0:
            text = f"Summary {turn} of project {seed}: {source_text(rng, 300)}"
            messages, cached = [{"role": "user", "content": text}], 0
        messages[-1] = _marked(messages[-1])
        body = {"model": "claude-sonnet-4-5", "max_tokens": 1000, "system": SYSTEM, "tools": tools}
        request = json.dumps(body | {"messages": messages}).encode()
        messages[-1] = _bare(messages[-1])
        call = {"type": "tool_use", "id": f"toolu_{seed}_{turn}", "name": "tool_3", "input": {"path": f"src/{turn}.py"}}
        content = [{"type": "text", "text": f"Next is file {turn}."}, call]
        size = len(request) // 4
        usage = {"input_tokens": 3, "cache_read_input_tokens": cached, "cache_creation_input_tokens": size - cached}
        answer = {
            "id": f"msg_{seed}_{turn}", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5",
            "content": content, "stop_reason": "tool_use", "usage": usage | {"output_tokens": 60},
        }  # fmt: skip
        cached = size
        at = started_ns + turn * 3 * SECOND
        made.append(_exchange(seed, at, request, answer))
        result = {"type": "tool_result", "tool_use_id": call["id"], "content": source_text(rng, 800)}
        messages += [{"role": "assistant", "content": content}, {"role": "user", "content": [result]}]
    return made


def _marked(message: dict[str, Any]) -> dict[str, Any]:
    content = message["content"]
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else list(content)
    return message | {"content": [*blocks[:-1], blocks[-1] | {"cache_control": {"type": "ephemeral"}}]}


def _bare(message: dict[str, Any]) -> dict[str, Any]:
    blocks = [{name: block[name] for name in block if name != "cache_control"} for block in message["content"]]
    return message | {"content": blocks}


def _exchange(seed: int, at: int, request: bytes, answer: Any) -> Exchange:
    return Exchange(
        id=clock.new_id(at),
        started_ns=at,
        first_chunk_ns=at + SECOND,
        ended_ns=at + 2 * SECOND,
        mode="reverse",
        method="POST",
        url="https://api.anthropic.com/v1/messages",
        status=200,
        request_headers=(("content-type", "application/json"), ("x-claude-code-session-id", f"session-{seed}")),
        response_headers=(("content-type", "application/json"),),
        client=Client(app="bench", peer="127.0.0.1"),
        request_body=request,
        response_body=json.dumps(answer).encode(),
    )


def _spent(exchange: Exchange, store: Store, book: PriceBook) -> float:
    before = time.process_time()
    process(exchange, store, book)
    return time.process_time() - before


def _ratio(label: str, spent: list[float], parts: int = 10) -> None:
    """The last of so many parts of these times over the first, the slowest tenth of each left out."""
    tenth = len(spent) // parts
    first, last = (statistics.fmean(sorted(some)[: len(some) * 9 // 10]) for some in (spent[:tenth], spent[-tenth:]))
    print(f"{label:<44}{first * 1000:>10.2f}{last * 1000:>10.2f}{last / first:>10.2f}", flush=True)


def main(calls: int = 200_000) -> None:
    """Print both ratios."""
    book = PriceBook(None)
    started, later = clock.now_ns(), clock.now_ns() + 10**9 * SECOND
    print(f"{'worker CPU a call, ms':<44}{'first':>10}{'last':>10}{'ratio':>10}")
    with tempfile.TemporaryDirectory() as name:
        with open_store(f"sqlite:///{name}/run.db") as store:
            for exchange in turns(0, WINDOW, started):
                process(exchange, store, book)  # loads what is loaded once
            _ratio(f"one run of {TURNS:,} turns", [_spent(one, store, book) for one in turns(1, TURNS, started)])
        with open_store(f"sqlite:///{name}/empty.db") as store:
            first = [_spent(one, store, book) for one in turns(2, LIVE, later)]
        bigstore.CALLS, bigstore.RUNS = calls, calls // 50
        bigstore.build(Path(name, "grown.db"))
        with open_store(f"sqlite:///{name}/grown.db") as store:
            last = [_spent(one, store, book) for one in turns(2, LIVE, later)]
        _ratio(f"{LIVE} calls in an empty store, and on {calls:,}", first + last, parts=2)
