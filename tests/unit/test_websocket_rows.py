"""A streamed answer of the Responses API makes the same row and trees over WebSocket as over server-sent events."""

import json
from dataclasses import fields, replace
from pathlib import Path

import pytest

from llmprof_addon.model.exchange import KEPT_ENDS, Exchange
from llmprof_addon.pipeline import Explanation, explain, process
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.store import queries
from llmprof_addon.store.open import open_store
from llmprof_addon.store.rows import CallRow
from llmprof_addon.wire import sse
from tests.factories import FIXTURES, fixture_cases, fixture_exchange

API = "openai.responses"
STREAMED = [case for case in fixture_cases(API) if (FIXTURES / API / case / "response.sse").exists()]


def over_websocket(exchange: Exchange) -> Exchange:
    lines = [event.data for event in sse.parse(exchange.response_body) if event.complete]
    message = {"type": "response.create", **json.loads(exchange.request_body)}
    return replace(
        exchange,
        transport="websocket",
        method="GET",
        status=101,
        response_headers=(("upgrade", "websocket"),),
        request_body=json.dumps(message).encode(),
        response_body="".join(f"{line}\n" for line in lines).encode(),
    )


def stored(exchange: Exchange, folder: Path) -> Explanation:
    with open_store(f"sqlite:///{folder}/llmprof.db") as store:
        assert process(exchange, store, PriceBook()) is not None
        (row,) = queries.calls(store)
        return explain(store, row)


@pytest.mark.parametrize("case", STREAMED)
def test_the_row_is_the_same(case: str, tmp_path: Path) -> None:
    exchange = fixture_exchange(API, case)
    one, other = stored(exchange, tmp_path / "sse"), stored(over_websocket(exchange), tmp_path / "socket")
    aside = ("transport", "method", "status")
    for name in (each.name for each in fields(CallRow) if each.name not in aside):
        assert getattr(one.row, name) == getattr(other.row, name), name
    assert one.components == other.components
    assert one.output_components == other.output_components
    assert other.body == {"type": "response.create", **one.body}


def test_a_missing_middle_leaves_usage(tmp_path: Path) -> None:
    exchange = over_websocket(fixture_exchange(API, STREAMED[0]))
    delta = {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "x" * 1000}
    body = (json.dumps(delta) + "\n").encode() * 400 + exchange.response_body
    dropped = len(body) - 2 * KEPT_ENDS
    cut = replace(exchange, response_body=body[:KEPT_ENDS] + body[-KEPT_ENDS:], response_truncated=dropped)
    whole, ends = stored(exchange, tmp_path / "whole").row, stored(cut, tmp_path / "ends").row
    assert ends.usage == whole.usage
    assert any("not kept" in warning for warning in ends.warnings)
