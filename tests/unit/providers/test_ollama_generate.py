import json

import pytest

from llmprof_addon.model.call import Call
from llmprof_addon.model.part import PartKind
from llmprof_addon.model.tree import assemble
from llmprof_addon.providers.ollama_generate import read_request
from llmprof_addon.providers.reader import read_call
from tests.factories import fixture_cases, fixture_exchange

API = "ollama.generate"


def read(case: str) -> Call:
    exchange = fixture_exchange(API, case)
    return read_call(exchange, exchange.request_body, exchange.response_body)


@pytest.mark.parametrize("case", fixture_cases(API))
def test_fixtures_read_without_a_fault(case: str) -> None:
    call = read(case)
    assert (call.api, call.operation, call.error, call.warnings) == (API, "text_completion", None, ())
    body = json.loads(fixture_exchange(API, case).request_body)
    assert assemble(call.prompt.params, call.prompt.parts) == body


def test_the_exchange_before_comes_back_as_token_ids() -> None:
    prompt = read("plain").prompt
    assert [part.text for part in prompt.system] == ["You keep a lighthouse."]
    context, said = prompt.messages
    assert (context.text, len(context.value), context.path) == (None, 7, "context")
    assert (said.text, said.path) == ("And at dawn?", "prompt")


def test_of_the_tokens_that_are_answered_the_length_is_kept() -> None:
    assert read("plain").answer.rest["context"] == {"tokens": 10}


def test_a_stream_is_put_together() -> None:
    call = read("stream")
    assert call.stream
    assert [(part.kind, part.text, part.path) for part in call.answer.parts] == [
        (PartKind.REASONING, "A boat, surely.", "thinking"),
        (PartKind.TEXT, '{"what": "a boat"}', "response"),
    ]
    assert [part.kind for part in call.prompt.messages] == [PartKind.TEXT, PartKind.IMAGE]
    assert [part.kind for part in call.prompt.tools] == [PartKind.OUTPUT_SCHEMA]


def test_prefix_and_suffix() -> None:
    prompt = read("suffix").prompt
    assert [part.path for part in prompt.messages] == ["prompt", "suffix"]
    assert prompt.params == {
        **{"model": "codellama:7b", "system": "", "template": "", "raw": True, "stream": False},
    }


def test_empty_fields_stay_where_they_are() -> None:
    body = {"prompt": "", "context": [], "images": [], "system": "", "format": ""}
    assert (read_request(body).parts, read_request(body).params) == ((), body)
