import json

import pytest

from llmprof_addon.model.call import Answer, Call
from llmprof_addon.model.part import PartKind
from llmprof_addon.model.tree import assemble, chains
from llmprof_addon.providers.ollama_chat import read_request, read_response
from llmprof_addon.providers.reader import read_call
from tests.factories import fixture_cases, fixture_exchange

API = "ollama.chat"


def read(case: str) -> Call:
    exchange = fixture_exchange(API, case)
    return read_call(exchange, exchange.request_body, exchange.response_body)


@pytest.mark.parametrize("case", fixture_cases(API))
def test_fixtures_read_without_a_fault(case: str) -> None:
    call = read(case)
    assert (call.provider, call.api, call.operation, call.warnings) == ("ollama", API, "chat", ())
    assert bool(call.error) == (case == "error")
    body = json.loads(fixture_exchange(API, case).request_body)
    assert assemble(call.prompt.params, call.prompt.parts) == body


def test_a_stream_of_lines_is_put_together() -> None:
    call = read("stream")
    assert call.stream
    thinking, text, called = call.answer.parts
    assert (thinking.kind, thinking.text) == (PartKind.REASONING, "The log must be read.")
    assert (text.text, text.path) == ("Let me look.", "message.content")
    assert (called.name, called.call_id, called.text) == ("read_log", "call_fake1", '{"day":"2026-11-20"}')
    assert call.answer.usage
    assert (call.answer.usage.input_tokens, call.answer.usage.output_tokens) == (176, 38)
    assert call.answer.finish_reasons == ("stop",)


def test_a_prompt_that_was_cached_is_not_reported() -> None:
    usage = read("tool_turn").answer.usage
    assert usage
    assert (usage.input_tokens, usage.output_tokens) == (None, 9)
    assert read("cut_stream").answer.usage is None


def test_the_parts_of_a_tool_turn() -> None:
    user, thinking, called, result = read("tool_turn").prompt.messages
    assert [part.path for part in (user, thinking, called, result)] == [
        *("messages[0].content", "messages[1].thinking", "messages[1].tool_calls[0]", "messages[2].content"),
    ]
    assert thinking.wrapper == {"role": "assistant", "content": ""}
    assert (called.wrapper, called.text) == (None, '{"day":"2026-11-20"}')
    assert (result.kind, result.name) == (PartKind.TOOL_RESULT, "read_log")


def test_pictures_and_a_schema() -> None:
    prompt = read("images").prompt
    assert [part.kind for part in prompt.tools] == [PartKind.OUTPUT_SCHEMA]
    _, small, large = prompt.messages
    assert small.media
    assert large.media
    assert [(part.width, part.height) for part in (small.media, large.media)] == [(64, 64), (320, 200)]
    assert large.path == "messages[0].images[1]"
    assert read_request({"format": "json"}).params == {"format": "json"}


def test_system_messages_lead() -> None:
    prompt = read("plain").prompt
    assert ([part.text for part in prompt.system], len(prompt.messages)) == (["You keep a lighthouse."], 1)
    late = read_request({"messages": [{"role": "user", "content": "a"}, {"role": "system", "content": "b"}]})
    assert (len(late.system), len(late.messages)) == (0, 2)


def test_an_answer_that_is_sent_back_is_the_same_node() -> None:
    call = read("stream")
    body = json.loads(fixture_exchange(API, "stream").request_body)
    message = {
        "role": "assistant",
        "content": "Let me look.",
        "thinking": "The log must be read.",
        "tool_calls": [part.value for part in call.answer.parts if part.kind is PartKind.TOOL_CALL],
    }
    following = chains(read_request({**body, "messages": [*body["messages"], message]}))
    assert chains(call.prompt, call.answer.parts).answer_head == following.message_head


@pytest.mark.parametrize("body", [None, [], {}, {"message": 7}, {"message": {"content": ""}}, {"error": ""}])
def test_odd_answers(body: object) -> None:
    assert isinstance(read_response(body), Answer)
    assert read_response(body).parts == ()
