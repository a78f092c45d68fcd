"""Every recorded call of the Messages API reads, is assembled again, and gives the usage that was reported."""

import gzip
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from llmprof_addon.model.part import PartKind
from llmprof_addon.model.tree import assemble, chains
from llmprof_addon.providers.reader import read_call
from tests.factories import make_exchange

CORPUS = Path(__file__).parents[2].parent / "shared" / "corpus" / "calls.jsonl.gz"

pytestmark = pytest.mark.skipif(not CORPUS.exists(), reason=f"the recorded calls are not at {CORPUS}")


@cache
def rows() -> tuple[dict[str, Any], ...]:
    with gzip.open(CORPUS, "rt", encoding="utf-8") as lines:
        return tuple(row for line in lines if (row := json.loads(line))["api"] == "anthropic.messages")


def pairs(headers: Any) -> tuple[tuple[str, str], ...]:
    items = headers.items() if isinstance(headers, dict) else headers
    return tuple((name, value if isinstance(value, str) else ", ".join(value)) for name, value in items)


def calls() -> Iterator[tuple[dict[str, Any], Any, Any]]:
    for row in rows():
        sent, got = row["request"], row["response"]
        body = sent["body"] if isinstance(sent["body"], str) else json.dumps(sent["body"])
        exchange = make_exchange(
            body.encode("utf-8", "surrogatepass"),
            got["body_text"].encode("utf-8", "surrogatepass"),
            url=sent["url"],
            method=sent["method"],
            status=got["status"],
            request_headers=pairs(sent["headers"]),
            response_headers=pairs(got["headers"]),
        )
        yield row, json.loads(body), read_call(exchange, exchange.request_body, exchange.response_body)


def where(row: dict[str, Any]) -> str:
    return f"{row['source']['repo']} {row['source']['path']} #{row['source']['index']}"


def test_every_request_is_assembled_again() -> None:
    for row, body, call in calls():
        assert call.api == "anthropic.messages", where(row)
        assert assemble(call.prompt.params, call.prompt.parts) == body, where(row)
        assert all(part.path for part in call.prompt.parts), where(row)
        assert chains(call.prompt, call.answer.parts), where(row)


def test_nothing_is_unread() -> None:
    for row, _, call in calls():
        assert not call.warnings, where(row)
        parts = (*call.prompt.parts, *call.answer.parts)
        everything = [*parts, *(inner for part in parts for inner in part.inner)]
        assert not [part for part in everything if part.kind is PartKind.GENERIC], where(row)
        assert call.request_model, where(row)


def test_usage_is_what_was_reported() -> None:
    seen = 0
    for row, _, call in calls():
        reported, usage = row["usage_reported"], call.answer.usage
        if not reported:
            assert usage is None, where(row)
            continue
        seen += 1
        assert usage is not None, where(row)
        assert usage.input_tokens == reported["input_total"], where(row)
        assert usage.output_tokens == reported["output"], where(row)
        assert usage.cache_read_input_tokens == reported["cached_read"], where(row)
        assert usage.cache_creation_input_tokens == reported["cache_write"], where(row)
        assert usage.reasoning_output_tokens == reported["reasoning"], where(row)
    assert seen > 400


def test_failed_calls_say_why() -> None:
    failed = 0
    for row, _, call in calls():
        if row["response"]["status"] >= 400:
            failed += 1
            assert call.error, where(row)
            assert "\n" not in call.error, where(row)
        else:
            assert call.error is None, where(row)
            assert call.answer.finish_reasons, where(row)
    assert failed
