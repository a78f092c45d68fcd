"""Cost of turn N of a conversation that re-sends its history: tokenising, rows, CPU and disk, in this very process.

CPU is compared with `json.loads` plus SHA-256 of the same body, taken right before the call is processed, so that both
find the same caches. Figures are medians over some turns up to the one that is named, of several conversations.
"""

import json
import random
import statistics
import tempfile
import time
import zlib
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from llmprof_addon import clock
from llmprof_addon.model.exchange import Client, Exchange
from llmprof_addon.pipeline import Effort, process
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.store.open import open_store

TURNS = 100
BYTES_A_TURN = 8 * 1024
SAMPLED_TURNS = 5
REPEATS = 5
"""Conversations of each kind."""

WORDS = """
return self value index error client request response handler token cache buffer stream module config parser result
offset length header worker thread queue event state update commit branch deploy metric sample vector filter reduce
mapping schema record column cursor socket timeout retry backoff signal process memory profile
""".split()


def source_text(rng: random.Random, size: int) -> str:
    """Code-like text of about `size` bytes, never the same twice."""
    lines: list[str] = []
    written = 0
    while written < size:
        words = rng.choices(WORDS, k=rng.randint(4, 10))
        line = (
            f"{'    ' * rng.randint(0, 3)}{words[0]}_{rng.randint(0, 9999)} = {'.'.join(words[1:])}({rng.random():.6f})"
        )
        lines.append(line)
        written += len(line) + 1
    return "\n".join(lines)


def conversation(seed: int, turns: int = TURNS, step: int = BYTES_A_TURN, opening: int = 0) -> list[Exchange]:
    """Exchanges of an agent that reads one file of `step` bytes a turn, in the Messages API: content in blocks.

    So many bytes more stand in what the user says first.
    """
    rng = random.Random(seed)
    tools = [{"name": name, "description": text, "input_schema": SCHEMA} for name, text in _tools(rng)]
    asked = f"Please go through the files of project {seed}.{source_text(rng, opening)}"
    messages: list[Any] = [{"role": "user", "content": asked}]
    exchanges, cached = [], 0
    for turn in range(turns):
        body = {"model": "claude-sonnet-4-5", "max_tokens": 1000, "system": SYSTEM, "tools": tools}
        request = json.dumps(body | {"messages": messages}).encode()
        call = {"type": "tool_use", "id": f"toolu_{seed}_{turn}", "name": "tool_3", "input": {"path": f"src/{turn}.py"}}
        content = [{"type": "text", "text": f"Next is file {turn}."}, call]
        answer = {
            "id": f"msg_{seed}_{turn}", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5",
            "content": content, "stop_reason": "tool_use",
            "usage": {"input_tokens": 3, "cache_read_input_tokens": cached, "output_tokens": 60,
                      "cache_creation_input_tokens": len(request) // 4 - cached},
        }  # fmt: skip
        cached = len(request) // 4
        exchanges.append(_exchange(turn, "https://api.anthropic.com/v1/messages", request, answer))
        result = {"type": "tool_result", "tool_use_id": call["id"], "content": source_text(rng, step)}
        messages += [{"role": "assistant", "content": content}, {"role": "user", "content": [result]}]
    return exchanges


def chat(seed: int, turns: int = TURNS) -> list[Exchange]:
    """The same agent in the Chat Completions API: calls beside the content, contents as strings."""
    rng = random.Random(seed)
    tools = [
        {"type": "function", "function": {"name": name, "description": text, "parameters": SCHEMA}}
        for name, text in _tools(rng)
    ]
    messages: list[Any] = [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": f"Please go through the files of project {seed}."},
    ]
    exchanges, cached = [], 0
    for turn in range(turns):
        request = json.dumps({"model": "gpt-4o", "tools": tools, "messages": messages}).encode()
        function = {"name": "tool_3", "arguments": json.dumps({"path": f"src/{turn}.py"})}
        call = {"id": f"call_{seed}_{turn}", "type": "function", "function": function}
        said = {"role": "assistant", "content": f"Next is file {turn}.", "tool_calls": [call]}
        tokens = len(request) // 4
        answer = {
            "id": f"chatcmpl-{seed}-{turn}", "object": "chat.completion", "created": 1, "model": "gpt-4o-2024-08-06",
            "choices": [{"index": 0, "message": said | {"refusal": None}, "finish_reason": "tool_calls"}],
            "usage": {"prompt_tokens": tokens, "completion_tokens": 40, "total_tokens": tokens + 40,
                      "prompt_tokens_details": {"cached_tokens": cached}},
        }  # fmt: skip
        cached = tokens // 128 * 128
        exchanges.append(_exchange(turn, "https://api.openai.com/v1/chat/completions", request, answer))
        messages += [said, {"role": "tool", "tool_call_id": call["id"], "content": source_text(rng, BYTES_A_TURN)}]
    return exchanges


SYSTEM = "You read files."
SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
KINDS: dict[str, Callable[..., list[Exchange]]] = {"anthropic.messages": conversation, "openai.chat": chat}


def _tools(rng: random.Random) -> list[tuple[str, str]]:
    return [(f"tool_{number}", source_text(rng, 400)) for number in range(20)]


def _exchange(turn: int, url: str, request: bytes, answer: Any) -> Exchange:
    at = START_NS + turn * 3 * 10**9
    return Exchange(
        id=clock.new_id(at),
        started_ns=at,
        first_chunk_ns=at + 10**9,
        ended_ns=at + 2 * 10**9,
        mode="reverse",
        method="POST",
        url=url,
        status=200,
        request_headers=(("content-type", "application/json"), ("anthropic-version", "2023-06-01")),
        response_headers=(("content-type", "application/json"),),
        client=Client(app="bench", peer="127.0.0.1"),
        request_body=request,
        response_body=json.dumps(answer).encode(),
    )


START_NS = clock.now_ns()


def _cpu(action: Callable[[], object]) -> float:
    before = time.process_time()
    action()
    return time.process_time() - before


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir() if file.is_file())


class _Run:
    """One conversation, processed into a store of its own, and what that took."""

    def __init__(self, exchanges: list[Exchange], folder: Path, book: PriceBook) -> None:
        self.cpu: dict[int, list[float]] = {10: [], TURNS: []}
        self.plain: dict[int, list[float]] = {10: [], TURNS: []}
        self.effort: dict[int, tuple[int, int]] = {}
        """Bytes tokenised and rows written by the named turn."""
        store = open_store(f"sqlite:///{folder}/llmprof.db")
        empty = _size(folder)
        effort = Effort()
        for number, exchange in enumerate(exchanges, 1):
            tokenised, rows = effort.tokenised_bytes, store.counters.rows_written
            body = exchange.request_body
            plain = _cpu(lambda body=body: (json.loads(body), sha256(body)))  # type: ignore[misc]
            spent = _cpu(partial(process, exchange, store, book, effort=effort))
            for named in self.cpu:
                if named - SAMPLED_TURNS < number <= named:
                    self.cpu[named].append(spent)
                    self.plain[named].append(plain)
            self.effort[number] = (effort.tokenised_bytes - tokenised, store.counters.rows_written - rows)
        store.db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        store.close()
        last = json.loads(exchanges[-1].request_body)
        pieces = [json.dumps(piece).encode() for piece in (*last["tools"], *last["messages"])]
        self.disk = (_size(folder) - empty) / sum(len(zlib.compress(piece, 6)) for piece in pieces)


def main() -> None:
    """`python -m tests.benchmarks growth`."""
    book = PriceBook(None)
    for kind, make in KINDS.items():
        with tempfile.TemporaryDirectory() as name:
            folders = [Path(name, str(number)) for number in range(REPEATS + 1)]
            for folder in folders:
                folder.mkdir()
            _Run(make(-1, 3), folders[-1], book)  # loads what is loaded once
            _report(kind, [_Run(make(seed), folder, book) for seed, folder in enumerate(folders[:-1])])


def _report(kind: str, runs: list[_Run]) -> None:
    print(f"{kind:<44}{'turn 10':>10}{f'turn {TURNS}':>10}")
    for row, label in enumerate(("bytes tokenised", "rows written")):
        print(f"{label:<44}{runs[-1].effort[10][row]:>10}{runs[-1].effort[TURNS][row]:>10}")
    for label, field in (("worker CPU, ms", "cpu"), ("json.loads + SHA-256 of the body, ms", "plain")):
        medians = (statistics.median(one for run in runs for one in getattr(run, field)[turn]) for turn in (10, TURNS))
        print(f"{label:<44}" + "".join(f"{seconds * 1000:>10.2f}" for seconds in medians))
    ratios = [statistics.median(run.cpu[TURNS]) / statistics.median(run.plain[TURNS]) for run in runs]
    spread = f"{min(ratios):.1f}..{max(ratios):.1f}"
    print(f"{'CPU over json.loads + SHA-256':<44}{'':>10}{statistics.median(ratios):>9.1f}x   {spread}")
    disk = statistics.median(run.disk for run in runs)
    print(f"{'database over compressed unique content':<44}{'':>10}{disk:>9.2f}x")


if __name__ == "__main__":
    main()
