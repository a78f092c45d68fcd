import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llmprof_addon.export.shapes import call_json, component_json, run_json
from llmprof_addon.model.component import Component, Kind
from llmprof_addon.model.exchange import Exchange
from llmprof_addon.model.record import CallRecord
from llmprof_addon.model.usage import Source
from llmprof_addon.pipeline import Effort, Explanation, explain, process
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.store.open import Store, open_store
from llmprof_addon.store.queries import call as stored_row
from llmprof_addon.store.queries import calls, runs
from tests.factories import CHAT_URL, RESPONSES_URL, STARTED_NS, fixture_exchange, make_exchange

BOOK = PriceBook()
KEY = "sk-fake-0123456789abcdefghij"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path}/llmprof.db") as opened:
        yield opened


def chat(
    messages: list[Any], answer: Any = None, *, number: int = 1, usage: Any = "default", **fields: Any
) -> Exchange:
    """A call to Chat Completions; calls of higher numbers come later."""
    given = {"prompt_tokens": 100, "completion_tokens": 5, "total_tokens": 105} if usage == "default" else usage
    message = {"role": "assistant", "content": "Done."} if answer is None else answer
    response = {
        "id": f"chatcmpl-{number}",
        "model": "gpt-4.1-2025-04-14",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": given,
    }
    at = STARTED_NS + number * 10**10
    times = {"started_ns": at, "first_chunk_ns": at + 10**8, "ended_ns": at + 10**9}
    request = {"model": "gpt-4.1", "messages": messages}
    return make_exchange(request, response, url=CHAT_URL, id=f"{number:032x}", **(times | fields))


def done(exchange: Exchange, store: Store, **more: Any) -> CallRecord:
    record = process(exchange, store, BOOK, **more)
    assert record is not None
    return record


def explained(record: CallRecord, store: Store) -> Explanation:
    row = stored_row(store, record.exchange.id)
    assert row is not None
    return explain(store, row)


HISTORY = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is in the file?"}]


def test_the_next_turn_tokenises_and_stores_only_what_is_new(store: Store) -> None:
    effort = Effort()
    first = done(chat(HISTORY), store, effort=effort)
    tokenised, rows = effort.tokenised_bytes, store.counters.rows_written
    longer = [*HISTORY, {"role": "assistant", "content": "Done."}, {"role": "user", "content": "Thanks!"}]
    second = done(chat(longer, number=2), store, effort=effort)
    assert effort.tokenised_bytes - tokenised == len("Thanks!") + len("Done.")  # the same answer stands elsewhere now
    assert second.run.reason == "ancestry"
    assert second.run.run_id is not None
    assert first.run.reason == "new"
    assert effort.calls == 2
    assert store.counters.rows_written - rows <= rows
    (run,) = runs(store)
    assert run.calls == 2
    assert run.usage.input_tokens == 200


def test_without_reported_usage_the_count_stands_and_says_so(store: Store) -> None:
    record = done(chat(HISTORY, usage=None), store)
    assert record.usage.source is not Source.REPORTED
    assert record.usage.input_tokens == record.estimated_input_tokens
    assert record.cost is not None
    assert sum(total.tokens for total in record.composition) == record.usage.input_tokens


def test_a_failed_call_costs_nothing_and_shows_its_prompt(store: Store) -> None:
    error = {"error": {"type": "rate_limit", "message": "Too many requests."}}
    record = done(
        make_exchange({"model": "no-such-model", "messages": HISTORY}, error, url=CHAT_URL, status=429), store
    )
    assert record.cost is not None
    assert record.cost.total == 0
    assert record.usage.input_tokens is None
    assert {total.kind for total in record.composition} >= {Kind.SYSTEM, Kind.USER}


@pytest.mark.parametrize(
    "case",
    [("openai.responses", "failed_stream"), ("openai.chat", "error_in_stream")],
)
def test_what_a_stream_cost_that_failed_without_usage_is_not_known(case: tuple[str, str], store: Store) -> None:
    record = done(fixture_exchange(*case), store)
    assert record.exchange.status == 200
    assert record.cost is None
    assert (record.usage.input_tokens, record.usage.output_tokens) == (None, None)
    assert sum(total.tokens for total in record.composition) == record.estimated_input_tokens


def test_what_a_stream_cost_that_failed_with_usage_is_known(store: Store) -> None:
    record = done(fixture_exchange("anthropic.messages", "error_in_stream"), store)
    assert record.call.error
    assert record.cost is not None
    assert record.usage.input_tokens == 11


def test_sound_has_the_tokens_that_were_reported_for_it(store: Store) -> None:
    shown = explained(done(fixture_exchange("openai.chat", "audio"), store), store)
    heard, spoken = find(shown.components, Kind.AUDIO), find(shown.output_components, Kind.AUDIO)
    assert (heard.tokens, spoken.tokens) == (40, 46)
    assert heard.token_source is spoken.token_source is Source.REPORTED


def test_an_unknown_model_is_unpriced_not_free(store: Store) -> None:
    request = {"model": "house-model", "messages": HISTORY}
    response = {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 0}}
    record = done(make_exchange(request, response, url=CHAT_URL), store)
    assert record.cost is None
    shown = call_json(next(calls(store)))
    assert shown["cost"] is None


@pytest.mark.parametrize(
    "other",
    [
        {"url": "https://api.openai.com/v1/models", "method": "GET"},
        {"url": "https://api.openai.com/v1/chat/completions", "method": "OPTIONS"},
        {"url": "https://example.org/index.html"},
    ],
)
def test_what_is_no_llm_call_is_not_stored(other: dict[str, str], store: Store) -> None:
    assert process(make_exchange({}, {}, **other), store, BOOK) is None
    assert list(calls(store)) == []


def test_bad_bodies_are_stored_as_what_they_are(store: Store) -> None:
    for number, body in enumerate((b"{not json", b"", b"\xff\xfe\x00", b'"text"', b"[1]", b'{"messages": 7}'), 1):
        exchange = make_exchange(body, b"<html>no</html>", url=CHAT_URL, status=400, id=f"{number:032x}")
        record = done(exchange, store)
        assert record.call.error
        assert explained(record, store).row.status == 400


def test_lone_surrogates_and_special_tokens_pass(store: Store) -> None:
    odd = [{"role": "user", "content": "<|endoftext|> \ud83d and \u0000"}]
    body = json.dumps({"model": "gpt-4.1", "messages": odd}).encode()
    record = done(make_exchange(body, chat(odd).response_body, url=CHAT_URL), store)
    assert explained(record, store).body["messages"] == odd


def test_a_key_that_only_shows_once_the_stream_is_put_together_is_not_stored(store: Store, tmp_path: Path) -> None:
    pieces = ["Your key is ", KEY[:9], KEY[9:], "."]
    chunks = [{"id": "x", "choices": [{"index": 0, "delta": {"content": piece}}]} for piece in pieces]
    stream = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
    headers = (("content-type", "text/event-stream"),)
    exchange = chat(HISTORY, response_body=stream.encode(), response_headers=headers)
    record = done(exchange, store)
    (text,) = record.call.answer.parts
    assert KEY not in (text.text or "")
    assert (text.text or "").startswith("Your key is ")
    assert record.exchange.redactions == exchange.redactions + 1
    shown = explained(record, store)
    assert KEY not in repr(shown)


def responses(number: int, items: list[Any], output: list[Any], **more: Any) -> Exchange:
    usage = {"input_tokens": 50 * number, "output_tokens": 9, "total_tokens": 50 * number + 9}
    response = {"id": f"resp_{number}", "object": "response", "model": "gpt-4.1", "output": output, "usage": usage}
    at = STARTED_NS + number * 10**10
    request = {"model": "gpt-4.1", "input": items, **more}
    return make_exchange(
        request,
        response,
        url=RESPONSES_URL,
        id=f"{number:032x}",
        started_ns=at,
        first_chunk_ns=None,
        ended_ns=at + 10**9,
    )


def find(tree: tuple[Component, ...], kind: Kind) -> Component:
    return next(component for component in tree if component.kind is kind)


def test_a_call_that_continues_another_by_id_shows_what_came_before(store: Store) -> None:
    call = {"type": "function_call", "call_id": "c1", "name": "read_file", "arguments": '{"path": "a.txt"}'}
    done(responses(1, [{"role": "user", "content": "What is in the file?"}], [call]), store)
    result = {"type": "function_call_output", "call_id": "c1", "output": "Nothing at all."}
    second = done(responses(2, [result], [], previous_response_id="resp_1"), store)
    shown = explained(second, store)
    assert second.run.reason == "continues"
    assert [component.name for component in find(shown.components, Kind.TOOL_RESULTS).children] == ["read_file"]
    assert find(shown.components, Kind.TOOL_RESULTS).children[0].children[0].path == "input[0]"
    user = find(shown.components, Kind.USER).children[0]
    assert (user.name, user.path) == ("turn 1: What is in the file?", None)
    assert {total.kind: total.tokens for total in second.composition if total.tokens} == {
        component.kind: component.tokens for component in shown.components if component.tokens
    }
    assert sum(component.tokens for component in shown.components) == 100
    assert shown.body == json.loads(second.exchange.request_body)


def test_what_came_before_is_elided_where_it_is_not_known(store: Store) -> None:
    record = done(responses(3, [{"role": "user", "content": "And then?"}], [], previous_response_id="resp_2"), store)
    shown = explained(record, store)
    assert find(shown.components, Kind.ELIDED).tokens > 100
    assert sum(component.tokens for component in shown.components) == 150


def test_a_cut_stream_counts_what_was_received(store: Store) -> None:
    chunks = [{"id": "x", "model": "gpt-4.1", "choices": [{"index": 0, "delta": {"content": "word " * 20}}]}]
    stream = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + 'data: {"id": "x", "cho'
    exchange = chat(HISTORY, response_body=stream.encode(), response_headers=(("content-type", "text/event-stream"),))
    record = done(replace(exchange, outcome="aborted"), store)
    assert record.usage.source is not Source.REPORTED
    assert (record.usage.output_tokens or 0) >= 20
    assert record.cost is not None
    assert record.cost.output > 0


def test_all_leaves_make_up_the_cost(store: Store) -> None:
    record = done(chat(HISTORY), store)
    shown = explained(record, store)
    assert record.cost is not None
    leaves = (*shown.leaves.prompt, *shown.leaves.answer)
    assert sum(leaf.cost or 0 for leaf in leaves) == record.cost.total


CALL_FIELDS = [
    *("id", "run_id", "lane", "turn", "predecessor", "link", "started_ns", "ttft_ms", "duration_ms", "tool_ms"),
    *("idle_ms", "output_tokens_per_second", "mode", "transport", "outcome", "status", "error"),
    *("provider", "api", "operation", "request_model", "response_model", "stream", "finish_reasons", "app", "tags"),
    *("request_class", "identity", "usage", "estimated_input_tokens", "context_window", "cost", "composition"),
    "cache",
    "bodies",
]
RUN_FIELDS = [
    *("id", "key", "label", "app", "models", "started_ns", "ended_ns", "calls", "lanes"),
    *("model_ms", "tool_ms", "idle_ms", "output_tokens_per_second", "usage", "cost"),
    *("peak_context_tokens", "cache_hit_ratio", "cache_breaks", "cache_expiries", "wasted_usd"),
    *("reclaimable_tokens", "reclaimable_usd", "findings"),
]


def test_the_json_shapes_have_the_promised_fields(store: Store) -> None:
    usage = {"prompt_tokens": 100, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 64}}
    record = done(chat(HISTORY, usage=usage, tags=(("team", "blue"),)), store)
    shown = call_json(next(calls(store)))
    assert list(shown) == CALL_FIELDS
    assert (shown["ttft_ms"], shown["duration_ms"], shown["tags"]) == (100.0, 1000.0, {"team": "blue"})
    assert shown["cost"]["total_usd"] == "0.000144"  # 36 x $2 + 64 x $0.50 + 5 x $8 per million
    assert shown["cost"]["price"]["model"] == "gpt-4.1"
    assert sum(shown["composition"].values()) == shown["usage"]["input_tokens"] == 100
    run = run_json(next(runs(store)), ())
    assert list(run) == RUN_FIELDS
    assert (run["cache_hit_ratio"], run["calls"], run["peak_context_tokens"]) == (0.64, 1, 100)
    assert run["cost"]["total_usd"] == "0.000144"
    component = component_json(explained(record, store).components[0])
    assert list(component) == [
        *("kind", "name", "tokens", "token_source", "cost_usd", "read_tokens", "write_tokens", "fresh_tokens", "path"),
        "children",
    ]
    json.dumps([shown, run, component])
