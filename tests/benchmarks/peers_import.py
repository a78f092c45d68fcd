"""How fast `llmprof import` reads recorded conversations, and what the worker's share of turn N costs over N."""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from llmprof_addon.model.exchange import Exchange
from llmprof_addon.pipeline import Effort, process
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.spool.files import encode
from llmprof_addon.store.open import open_store
from tests.benchmarks.load import ROOT
from tests.benchmarks.peers_script import TURNS, talks
from tests.benchmarks.peers_table import Row, Table

CONVERSATIONS = 2
REPEATS = 3
NAMED_TURNS = (10, 25, 50, TURNS)
SAMPLED_TURNS = 5


def speed() -> Table:
    """MB/s with the start of the command, of exchange files and of a HAR with the same calls."""
    exchanges = [exchange for talk in talks(CONVERSATIONS) for exchange in talk]
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "files").mkdir()
        for exchange in exchanges:
            (folder / "files" / f"{exchange.id}.exchange").write_bytes(encode(exchange))
        (folder / "recorded.har").write_text(json.dumps(har(exchanges)))
        for what, path in (("exchange files", folder / "files"), ("HAR", folder / "recorded.har")):
            size = sum(file.stat().st_size for file in path.iterdir()) if path.is_dir() else path.stat().st_size
            homes = [folder / f"home-{path.name}-{number}" for number in range(REPEATS)]
            rates = [size / 2**20 / _imported(home, path, len(exchanges)) for home in homes]
            cells = (f"{len(exchanges)}", f"{size / 2**20:.0f}", f"{statistics.median(rates):.1f}")
            rows.append(Row(name=what, cells=(*cells, f"{min(rates):.1f}..{max(rates):.1f}")))
    return Table(title="llmprof import", columns=("calls", "MB", "MB/s", "spread"), rows=rows)


def _imported(home: Path, path: Path, calls: int) -> float:
    command = [sys.executable, "-m", "llmprof_addon", "import", "--home", str(home), str(path)]
    began = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=300)
    spent = time.perf_counter() - began
    assert f"{calls} calls added" in done.stdout, done.stdout
    return spent


def har(exchanges: Iterable[Exchange]) -> dict[str, Any]:
    """They as a browser would save them."""
    creator = {"name": "bench", "version": "1"}
    return {"log": {"version": "1.2", "creator": creator, "entries": [_entry(exchange) for exchange in exchanges]}}


def _entry(exchange: Exchange) -> dict[str, Any]:
    common = {"httpVersion": "HTTP/1.1", "cookies": [], "headersSize": -1}
    request = common | {
        "method": exchange.method, "url": exchange.url, "queryString": [], "bodySize": len(exchange.request_body),
        "headers": [{"name": name, "value": value} for name, value in exchange.request_headers],
        "postData": {"mimeType": "application/json", "text": exchange.request_body.decode()},
    }  # fmt: skip
    content = {"size": len(exchange.response_body), "mimeType": "application/json"}
    response = common | {
        "status": exchange.status, "statusText": "OK", "redirectURL": "", "bodySize": len(exchange.response_body),
        "headers": [{"name": name, "value": value} for name, value in exchange.response_headers],
        "content": content | {"text": exchange.response_body.decode()},
    }  # fmt: skip
    started = datetime.fromtimestamp(exchange.started_ns / 1e9, UTC).isoformat()
    took = {"startedDateTime": started, "time": 2000, "timings": {"send": 0, "wait": 1000, "receive": 1000}}
    return took | {"request": request, "response": response, "cache": {}}


def turns() -> Table:
    """The worker's part of a turn, in this process, beside `json.loads` and SHA-256 of the same body."""
    book = PriceBook(None)
    spent: dict[int, list[float]] = {turn: [] for turn in NAMED_TURNS}
    plain: dict[int, list[float]] = {turn: [] for turn in NAMED_TURNS}
    made: dict[int, tuple[int, int, int]] = {}
    for talk in talks(CONVERSATIONS + 1):
        with tempfile.TemporaryDirectory() as name, open_store(f"sqlite:///{name}/llmprof.db") as store:
            effort = Effort()
            for number, exchange in enumerate(talk, 1):
                tokenised, rows = effort.tokenised_bytes, store.counters.rows_written
                began = time.process_time()
                json.loads(exchange.request_body), sha256(exchange.request_body)
                read = time.process_time()
                process(exchange, store, book, effort=effort)
                ended = time.process_time()
                size = len(exchange.request_body)
                made[number] = (size, effort.tokenised_bytes - tokenised, store.counters.rows_written - rows)
                for named in NAMED_TURNS:
                    if named - SAMPLED_TURNS < number <= named:
                        plain[named].append(1000 * (read - began))
                        spent[named].append(1000 * (ended - read))
    rows_made = [
        Row(name=f"turn {turn}", cells=(
            f"{made[turn][0] / 1000:.0f}", f"{statistics.median(spent[turn]):.2f}",
            f"{statistics.median(plain[turn]):.2f}", f"{made[turn][1]}", f"{made[turn][2]}",
        ))
        for turn in NAMED_TURNS
    ]  # fmt: skip
    columns = ("prompt KB", "worker CPU ms", "loads + SHA-256 ms", "bytes tokenised", "rows written")
    return Table(title="Cost of turn N over N, in the worker", columns=columns, rows=rows_made)
