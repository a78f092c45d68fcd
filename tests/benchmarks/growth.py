"""Cost of turn N of a conversation that re-sends its history: tokenising, rows, CPU and disk, in this very process."""

import json
import random
import statistics
import tempfile
import time
import zlib
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
REPEATS = 5
"""Conversations; the figures are medians over them."""

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


def conversation(seed: int, turns: int = TURNS) -> list[Exchange]:
    """Exchanges of an agent that reads one file of 8 KB a turn."""
    rng = random.Random(seed)
    tools = [
        {
            "name": f"tool_{number}",
            "description": source_text(rng, 400),
            "input_schema": {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
        }
        for number in range(20)
    ]
    messages: list[Any] = [{"role": "user", "content": f"Please go through the files of project {seed}."}]
    exchanges = []
    at = clock.now_ns()
    for turn in range(turns):
        body = {"model": "claude-sonnet-4-5", "max_tokens": 1000, "system": "You read files.", "tools": tools}
        request = json.dumps(body | {"messages": messages}).encode()
        call = {"type": "tool_use", "id": f"toolu_{seed}_{turn}", "name": "tool_3", "input": {"path": f"src/{turn}.py"}}
        content = [{"type": "text", "text": f"Next is file {turn}."}, call]
        tokens = len(request) // 4
        answer = {
            "id": f"msg_{seed}_{turn}", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5",
            "content": content, "stop_reason": "tool_use",
            "usage": {"input_tokens": tokens, "output_tokens": 60},
        }  # fmt: skip
        exchanges.append(
            Exchange(
                id=clock.new_id(at),
                started_ns=at,
                first_chunk_ns=at + 10**9,
                ended_ns=at + 2 * 10**9,
                mode="reverse",
                method="POST",
                url="https://api.anthropic.com/v1/messages",
                status=200,
                request_headers=(("content-type", "application/json"), ("anthropic-version", "2023-06-01")),
                response_headers=(("content-type", "application/json"),),
                client=Client(app="bench", peer="127.0.0.1"),
                request_body=request,
                response_body=json.dumps(answer).encode(),
            )
        )
        at += 3 * 10**9
        result = {"type": "tool_result", "tool_use_id": call["id"], "content": source_text(rng, BYTES_A_TURN)}
        messages += [{"role": "assistant", "content": content}, {"role": "user", "content": [result]}]
    return exchanges


def _cpu(action: Any) -> float:
    before = time.process_time()
    action()
    return time.process_time() - before


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir() if file.is_file())


def main() -> None:
    """`python -m tests.benchmarks growth`."""
    book = PriceBook(None)
    cpu: dict[int, list[float]] = {10: [], TURNS: []}
    plain: dict[int, list[float]] = {10: [], TURNS: []}
    effort_at: dict[int, tuple[int, int]] = {}
    disk = []
    with tempfile.TemporaryDirectory() as name:
        warm = Path(name, "warm")
        warm.mkdir()
        with open_store(f"sqlite:///{warm}/llmprof.db") as store:
            for exchange in conversation(-1, 3):
                process(exchange, store, book)
        for seed in range(REPEATS):
            folder = Path(name, str(seed))
            folder.mkdir()
            store = open_store(f"sqlite:///{folder}/llmprof.db")
            empty = _size(folder)
            effort = Effort()
            exchanges = conversation(seed)
            for number, exchange in enumerate(exchanges, 1):
                tokenised, rows = effort.tokenised_bytes, store.counters.rows_written
                spent = _cpu(partial(process, exchange, store, book, effort=effort))
                if number in cpu:
                    cpu[number].append(spent)
                    body = exchange.request_body
                    plain[number].append(
                        statistics.median(_cpu(lambda body=body: (json.loads(body), sha256(body))) for _ in range(9))
                    )
                    effort_at[number] = (effort.tokenised_bytes - tokenised, store.counters.rows_written - rows)
            store.db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            store.close()
            last = json.loads(exchanges[-1].request_body)
            pieces = [json.dumps(piece).encode() for piece in (*last["tools"], *last["messages"])]
            unique = sum(len(zlib.compress(piece, 6)) for piece in pieces)
            disk.append((_size(folder) - empty) / unique)
    print(f"{'':<44}{'turn 10':>10}{f'turn {TURNS}':>10}")
    print(f"{'bytes tokenised':<44}{effort_at[10][0]:>10}{effort_at[TURNS][0]:>10}")
    print(f"{'rows written':<44}{effort_at[10][1]:>10}{effort_at[TURNS][1]:>10}")
    for label, values in (("worker CPU, ms", cpu), ("json.loads + SHA-256 of the body, ms", plain)):
        cells = "".join(f"{statistics.median(values[turn]) * 1000:>10.2f}" for turn in (10, TURNS))
        print(f"{label:<44}{cells}")
    ratios = [ours / theirs for ours, theirs in zip(cpu[TURNS], plain[TURNS], strict=True)]
    spread = f"{min(ratios):.1f}..{max(ratios):.1f}"
    print(f"{'CPU over json.loads + SHA-256':<44}{'':>10}{statistics.median(ratios):>9.1f}x   {spread}")
    print(f"{'database over compressed unique content':<44}{'':>10}{statistics.median(disk):>9.2f}x")


if __name__ == "__main__":
    main()
