import json

import pytest

from llmprof_addon.model.call import Answer, Call
from llmprof_addon.model.part import PartKind
from llmprof_addon.model.tree import assemble, chains
from llmprof_addon.providers.gemini_generate_content import read_request, read_response
from llmprof_addon.providers.reader import read_call
from tests.factories import fixture_cases, fixture_exchange

API = "gemini.generate_content"


def read(case: str) -> Call:
    exchange = fixture_exchange(API, case)
    return read_call(exchange, exchange.request_body, exchange.response_body)


@pytest.mark.parametrize("case", fixture_cases(API))
def test_fixtures_read_without_a_fault(case: str) -> None:
    call = read(case)
    assert (call.api, call.operation, call.warnings) == (API, "generate_content", ())
    assert call.request_model
    assert bool(call.error) == case.startswith(("error", "blocked"))
    body = json.loads(fixture_exchange(API, case).request_body)
    assert assemble(call.prompt.params, call.prompt.parts) == body


def test_sections_and_paths() -> None:
    prompt = read("tool_turn").prompt
    assert [part.path for part in prompt.tools] == [f"tools[0].functionDeclarations[{at}]" for at in (0, 1)]
    assert [(part.path, part.role) for part in prompt.system] == [("systemInstruction.parts[0]", "system")]
    assert [part.path for part in prompt.messages] == [
        *("contents[0].parts[0]", "contents[1].parts[0]", "contents[1].parts[1]"),
        *("contents[2].parts[0]", "contents[2].parts[1]"),
    ]
    assert [part.role for part in prompt.messages] == ["user", "model", "model", "user", "user"]
    assert prompt.params == {"toolConfig": {"functionCallingConfig": {"mode": "AUTO"}}}


def test_code_assist_nests_and_its_answer_opens_the_next_prompt() -> None:
    call = read("code_assist")
    assert call.stream
    assert call.request_model == "gemini-3.5-flash"
    assert call.identity.session or call.identity.weak_session
    assert call.prompt.system[0].path == "request.systemInstruction.parts[0]"
    assert set(call.prompt.params) == {"model", "project", "user_prompt_id", "request"}
    body = json.loads(fixture_exchange(API, "code_assist").request_body)
    answered = {"role": "model", "parts": [part.value for part in call.answer.parts]}
    longer = {**body, "request": {**body["request"], "contents": [*body["request"]["contents"], answered]}}
    following = chains(read_request(longer)).messages
    assert chains(call.prompt, call.answer.parts).answer_head == following[-1].key


def test_an_answer_that_is_sent_back_is_the_same_node() -> None:
    call = read("stream")
    parts = [part.value for part in call.answer.parts]
    asked = {"contents": [{"role": "user", "parts": [{"text": "Which lamp oil burns longest?"}]}]}
    following = {"contents": [*asked["contents"], {"parts": parts, "role": "model"}]}
    assert chains(read_request(asked), call.answer.parts).answer_head == chains(read_request(following)).message_head


def test_output_schemas_are_the_last_tools() -> None:
    assert [part.path for part in read("all_thoughts").prompt.tools] == ["generationConfig.responseJsonSchema"]
    snake = read("snake_case").prompt
    assert [part.path for part in snake.tools] == [
        *("tools[0].function_declarations[0]", "generation_config.response_schema"),
    ]
    assert snake.tools[-1].kind is PartKind.OUTPUT_SCHEMA
    assert snake.system[0].form == "whole"


def test_a_system_instruction_may_be_a_text() -> None:
    (part,) = read_request({"systemInstruction": "Be brief."}).system
    assert (part.text, part.path) == ("Be brief.", "systemInstruction")
    (message,) = read_request({"contents": "Hi."}).messages
    assert (message.text, message.role, message.path) == ("Hi.", "user", "contents")


def test_cached_content_is_a_prompt_before_this_one() -> None:
    assert read("cached_content").prompt.continues == "cachedContents/fake-harbour-rules"


def test_a_stream_is_put_together() -> None:
    answer = read("stream").answer
    thoughts, text = answer.parts
    assert (thoughts.kind, thoughts.text) == (PartKind.REASONING, "**Comparing oils**\n\nRapeseed or paraffin?\n")
    assert text.text == "Rapeseed oil, by an hour."
    assert text.inner[0].hidden
    assert text.path == "candidates[0].content.parts[1]"
    assert (answer.finish_reasons, answer.response_id) == (("STOP",), "resp-fake-0002")
    assert "parts" not in json.dumps(answer.rest)


def test_tiers_and_reasons_of_vertex() -> None:
    answer = read("vertex").answer
    assert (answer.finish_reasons, answer.service_tier) == (("STOP",), "ON_DEMAND")
    assert read("code_assist").answer.service_tier == "PROVISIONED_THROUGHPUT"
    assert read("plain").answer.service_tier == "standard"


def test_a_prompt_that_was_refused_says_why() -> None:
    assert read("blocked").error == "prompt blocked: PROHIBITED_CONTENT: The prompt was blocked."
    assert read_response({"promptFeedback": {"blockReason": "SAFETY"}}).error == "prompt blocked: SAFETY"


def test_chunks_that_came_at_once_are_one_answer() -> None:
    chunks = [{"candidates": [{"content": {"parts": [{"text": word}]}}]} for word in ("one ", "two")]
    assert [part.text for part in read_response(chunks).parts] == ["one two"]


@pytest.mark.parametrize("body", [None, 7, "x", [], {}, {"candidates": {}}, {"candidates": [None, {"content": 7}]}])
def test_odd_answers(body: object) -> None:
    assert isinstance(read_response(body), Answer)
    assert read_response(body).parts == ()
