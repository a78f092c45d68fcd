import json

import pytest

from llmprof_addon.model.call import Call
from llmprof_addon.model.tree import assemble
from llmprof_addon.providers.reader import read_call
from tests.factories import fixture_cases, fixture_exchange

API = "openai.completions"


def read(case: str) -> Call:
    exchange = fixture_exchange(API, case)
    return read_call(exchange, exchange.request_body, exchange.response_body)


@pytest.mark.parametrize("case", fixture_cases(API))
def test_fixtures_read_without_a_fault(case: str) -> None:
    call = read(case)
    assert (call.api, call.operation, call.warnings) == (API, "text_completion", ())
    assert bool(call.error) == (case == "error")
    body = json.loads(fixture_exchange(API, case).request_body)
    assert assemble(call.prompt.params, call.prompt.parts) == body


def test_a_text_for_each_prompt() -> None:
    call = read("stream")
    assert call.stream
    assert [part.text for part in call.prompt.messages] == ["Fog is", "Rain is"]
    assert [part.text for part in call.answer.parts] == [" grey and low.", " wet and loud."]
    assert call.answer.finish_reasons == ("stop", "stop")
    assert call.answer.usage
    assert (call.answer.usage.input_tokens, call.answer.usage.output_tokens) == (5, 8)


def test_prefix_and_suffix_and_no_usage() -> None:
    call = read("suffix")
    assert [part.path for part in call.prompt.messages] == ["prompt", "suffix"]
    assert (call.provider, call.answer.usage) == ("vllm", None)


def test_prompts_as_token_ids() -> None:
    assert [len(part.value) for part in read("token_ids").prompt.messages] == [3, 2]
