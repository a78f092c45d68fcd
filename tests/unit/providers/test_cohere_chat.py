"""Cohere's chat, both versions, by its fixtures."""

import pytest

from llmprof_addon.model.call import Call
from llmprof_addon.model.part import Json, PartKind
from llmprof_addon.model.tree import assemble, chains
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.pricing.cost import cost
from llmprof_addon.providers.cohere_chat import fold, read_request, read_response
from llmprof_addon.providers.cohere_usage import usage_of
from llmprof_addon.providers.reader import read_call
from llmprof_addon.wire import sse
from tests.factories import STARTED_NS, fixture_exchange


def call(case: str) -> Call:
    exchange = fixture_exchange("cohere.chat", case)
    return read_call(exchange, exchange.request_body, exchange.response_body)


def test_what_is_counted_is_read_and_what_is_billed_is_paid() -> None:
    found = call("plain")
    usage = found.answer.usage
    assert usage is not None
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.billed_input_tokens) == (212, 192, 9)
    rates = PriceBook().rates(found, usage, STARTED_NS)
    assert rates is not None
    paid = cost(usage, rates)
    assert paid is not None
    assert paid.input == 9 * (rates.input or 0)
    assert paid.cache_read == 0


@pytest.mark.parametrize(
    ("body", "counts"),
    [
        ({"usage": {"billed_units": {"input_tokens": 5.0, "output_tokens": 2}}}, (5, None, 2)),
        ({"usage": {"tokens": {"input_tokens": 50, "output_tokens": 9}}}, (50, None, 9)),
        ({"meta": {"billed_units": {"input_tokens": 5}, "tokens": {"input_tokens": 5}}}, (5, None, None)),
        ({"meta": {"billed_units": {"input_tokens": 3}}, "token_count": {"prompt_tokens": 40}}, (40, 3, None)),
        ({"usage": {"tokens": {"input_tokens": 50, "image_tokens": 20}}}, (70, None, None)),
        ({"usage": {"tokens": {"input_tokens": float("inf")}}}, (None, None, None)),
    ],
)
def test_usage(body: dict[str, Json], counts: tuple[int | None, ...]) -> None:
    usage = usage_of(body)
    assert usage is not None
    assert (usage.input_tokens, usage.billed_input_tokens, usage.output_tokens) == counts


@pytest.mark.parametrize("body", [{}, {"usage": {}}, {"meta": {"api_version": {"version": "1"}}}, {"usage": 3}])
def test_no_usage(body: dict[str, Json]) -> None:
    assert usage_of(body) is None


def test_a_plan_its_calls_and_their_results() -> None:
    found = call("tools")
    assert [(part.kind, part.name) for part in found.prompt.messages] == [
        (PartKind.TEXT, None),
        (PartKind.REASONING, None),
        (PartKind.TOOL_CALL, "tide_table"),
        (PartKind.TOOL_RESULT, "tide_table"),
    ]
    assert found.prompt.messages[-1].text == '{"high":"17:40"}'
    assert [part.name for part in found.prompt.tools] == ["tide_table"]


def test_a_stream_is_folded_to_the_body_that_is_not_streamed() -> None:
    body = fold(sse.parse(fixture_exchange("cohere.chat", "stream_tools").response_body))
    tides = [
        {"id": f"tide_table_fake{n}", "type": "function", "function": {"name": "tide_table", "arguments": arguments}}
        for n, arguments in ((1, '{"harbour": "Oban"}'), (2, '{"harbour": "Mallaig"}'))
    ]
    assert body["message"] == {
        "role": "assistant",
        "tool_plan": "I look up both.",
        "tool_calls": tides,
        "content": [{"type": "thinking", "thinking": "Two harbours, two calls."}],
    }
    assert body["finish_reason"] == "TOOL_CALL"
    assert body["id"] == "fake-cohere-3"


def test_what_is_answered_is_the_path_of_the_next_prompt() -> None:
    message = {
        "role": "assistant",
        "tool_plan": "I look.",
        "tool_calls": [{"id": "t1", "type": "function", "function": {"name": "tide", "arguments": "{}"}}],
    }
    asked = {"messages": [{"role": "user", "content": "Oban?"}]}
    answer = read_response({"id": "x", "message": {**message, "citations": []}, "finish_reason": "TOOL_CALL"})
    following = read_request({"messages": [*asked["messages"], message, {"role": "tool", "content": "17:40"}]})
    head = chains(read_request(asked), answer.parts).answer_head
    assert head in {link.key for link in chains(following).messages}


def test_documents_stand_before_the_conversation() -> None:
    found = call("documents")
    assert [(part.kind, part.name) for part in found.prompt.system] == [
        (PartKind.DOCUMENT, "d1"),
        (PartKind.DOCUMENT, None),
    ]
    assert found.prompt.tools[0].kind is PartKind.OUTPUT_SCHEMA


def test_version_1_has_a_history_beside_its_message() -> None:
    found = call("v1")
    assert [(part.role, part.kind) for part in found.prompt.system] == [
        ("system", PartKind.TEXT),
        ("system", PartKind.TEXT),
        ("", PartKind.DOCUMENT),
    ]
    assert [(part.role, part.text) for part in found.prompt.messages] == [
        ("user", "What is a ketch?"),
        ("assistant", "A boat with two masts."),
        ("user", "And which one lies at Oban?"),
    ]
    assert [(part.kind, part.name) for part in found.answer.parts] == [(PartKind.TOOL_CALL, "berths")]


def test_a_cut_stream_of_version_1_gives_the_text_so_far() -> None:
    events = [sse.Event(data='{"event_type": "stream-start", "generation_id": "g"}')]
    events += [sse.Event(data=f'{{"event_type": "text-generation", "text": "{text}"}}') for text in ("A", " fae")]
    answer = read_response(fold([*events, sse.Event(data='{"event_type": "text-gen', complete=False)]))
    assert [part.text for part in answer.parts] == ["A fae"]
    assert answer.usage is None


def test_errors_say_why() -> None:
    assert call("error").error == "model 'command-nightly-fake' was removed"
    ended = '{"type": "message-end", "delta": {"finish_reason": "ERROR", "error": "no such tool", "error_type": "BAD"}}'
    assert read_response(fold([sse.Event(data='{"delta": {"message": {}}}'), sse.Event(data=ended)])).error == (
        "BAD: no such tool"
    )


def test_the_turns_of_version_1_chain() -> None:
    first: dict[str, Json] = {"model": "command-r", "message": "What is a yawl?", "preamble": "You know ships."}
    said = read_response({"text": "A boat with two masts.", "finish_reason": "COMPLETE"})
    history = [
        {"role": "USER", "message": "What is a yawl?"},
        {"role": "CHATBOT", "message": "A boat with two masts."},
    ]
    second: dict[str, Json] = first | {"chat_history": history, "message": "And a ketch?"}
    before, after = chains(read_request(first), said.parts), chains(read_request(second))
    assert [link.key for link in after.messages[:2]] == [before.message_head, before.answer_head]
    assert [link.part.path for link in after.messages] == [
        "chat_history[0].message",
        "chat_history[1].message",
        "message",
    ]
    for body in (first, second):
        prompt = read_request(body)
        assert assemble(prompt.params, prompt.parts) == body
