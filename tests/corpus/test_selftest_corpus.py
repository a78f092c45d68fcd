"""The laws of the numbers over recorded calls, by `llmprof selftest --corpus`. Skipped where they are absent."""

import base64
import gzip
import json
import random
from pathlib import Path

import pytest

from llmprof_addon import cli
from llmprof_addon.model.exchange import Exchange
from llmprof_addon.model.part import Json
from llmprof_addon.spool import files
from tests.factories import STARTED_NS, body_bytes, make_exchange

CALLS = Path(__file__).parents[3] / "shared" / "corpus" / "calls.jsonl.gz"
APIS = ("openai.chat", "openai.responses", "anthropic.messages")
SAMPLE = 150

pytestmark = pytest.mark.skipif(not CALLS.exists(), reason=f"no recorded calls at {CALLS}")


def exchange(number: int, row: Json) -> Exchange:
    """A recorded call as capture would hand it over; its bodies are stored decoded."""
    request, response = row["request"], row["response"]
    body = response.get("body_base64")
    started_ns = STARTED_NS + number * 3_000_000_000
    return make_exchange(
        id=f"recorded{number:06d}",
        started_ns=started_ns,
        first_chunk_ns=started_ns + 100_000_000,
        ended_ns=started_ns + 2_000_000_000,
        transport="sse" if response["streamed"] else "http",
        method=request["method"],
        url=request["url"],
        status=response["status"],
        request_headers=headers(request["headers"]),
        response_headers=headers(response["headers"]),
        request_body=text_bytes(request["body"]),
        response_body=base64.b64decode(body) if body else text_bytes(response["body_text"] or ""),
    )


def text_bytes(body: Json) -> bytes:
    return body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body_bytes(body)


def headers(given: dict[str, Json] | None) -> tuple[tuple[str, str], ...]:
    gone = ("content-encoding", "content-length", "transfer-encoding")
    pairs = [(name, each[0] if isinstance(each, list) else each) for name, each in (given or {}).items()]
    return tuple((name, str(value)) for name, value in pairs if name.lower() not in gone)


def test_recorded_calls_obey_the_laws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with gzip.open(CALLS, "rt", encoding="utf-8") as lines:
        rows = [row for row in map(json.loads, lines) if row["api"] in APIS]
    chosen = sorted(random.Random(20261121).sample(range(len(rows)), SAMPLE))
    for number in chosen:
        (tmp_path / f"{number:06d}.exchange").write_bytes(files.encode(exchange(number, rows[number])))
    code = cli.main(["selftest", "--corpus", str(tmp_path), "--home", str(tmp_path / "none")])
    out = capsys.readouterr().out
    assert code == 0, out
    assert out.startswith(f"{SAMPLE} calls and ")
    assert out.endswith(" checked: no breaches\n")
