"""Recorded calls as capture would hand them over. The recordings lie beside the checkout; tests skip without them."""

import base64
import gzip
import json
import os
from functools import cache
from pathlib import Path

import pytest

from llmprof_addon.model.call import Call
from llmprof_addon.model.exchange import Exchange
from llmprof_addon.model.part import Json
from llmprof_addon.providers.reader import read_call
from tests.factories import STARTED_NS, body_bytes, make_exchange

CALLS = Path(__file__).parents[3] / "shared" / "corpus" / "calls.jsonl.gz"
needs_recordings = pytest.mark.skipif(not CALLS.exists(), reason=f"no recorded calls at {CALLS}")
FULL = os.environ.get("LLMPROF_FULL") == "1"
"""Whether tests that take a sample take everything."""


@cache
def every_row() -> tuple[Json, ...]:
    """All recorded calls, in the corpus's own names."""
    with gzip.open(CALLS, "rt", encoding="utf-8") as lines:
        return tuple(map(json.loads, lines))


@cache
def rows(*apis: str) -> tuple[Json, ...]:
    """The recorded calls of these kinds."""
    return tuple(row for row in every_row() if row["api"] in apis)


def where(row: Json) -> str:
    """How a failing test names a recording."""
    return f"{row['api']} {row['source']['path']}[{row['source']['index']}]"


def exchange_of(row: Json, number: int = 0) -> Exchange:
    """A recorded call; its bodies are stored decoded."""
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
    """A body as the recording has it, text or JSON."""
    return body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body_bytes(body)


def headers(given: dict[str, Json] | None) -> tuple[tuple[str, str], ...]:
    """Headers without those that describe the body as it was encoded."""
    gone = ("content-encoding", "content-length", "transfer-encoding")
    pairs = [(name, each[0] if isinstance(each, list) else each) for name, each in (given or {}).items()]
    return tuple((name, str(value)) for name, value in pairs if name.lower() not in gone)


@cache
def calls(*apis: str) -> tuple[tuple[Json, Exchange, Call], ...]:
    """Each recording with its exchange and the call that is read from it."""
    exchanges = [exchange_of(row, number) for number, row in enumerate(rows(*apis))]
    return tuple(
        (row, exchange, read_call(exchange, exchange.request_body, exchange.response_body))
        for row, exchange in zip(rows(*apis), exchanges, strict=True)
    )
