import json

import pytest

from llmprof_addon.model.call import Answer, Call
from llmprof_addon.model.tree import assemble
from llmprof_addon.providers.openai_embeddings import fold, read_response
from llmprof_addon.providers.reader import read_call
from tests.factories import fixture_cases, fixture_exchange

API = "openai.embeddings"


def read(case: str) -> Call:
    exchange = fixture_exchange(API, case)
    return read_call(exchange, exchange.request_body, exchange.response_body)


@pytest.mark.parametrize("case", fixture_cases(API))
def test_fixtures_read_without_a_fault(case: str) -> None:
    call = read(case)
    assert (call.api, call.operation, call.stream, call.warnings) == (API, "embeddings", False, ())
    assert bool(call.error) == (case == "error")
    assert call.answer.parts == ()
    body = json.loads(fixture_exchange(API, case).request_body)
    assert assemble(call.prompt.params, call.prompt.parts) == body


def test_of_vectors_the_size_is_kept() -> None:
    assert read("plain").answer.rest["data"] == {"vectors": 2, "dimensions": 12}
    assert read("base64").answer.rest["data"] == {"vectors": 1, "bytes": 48}
    assert read_response({"data": []}).rest == {"data": {"vectors": 0}}
    assert read_response({"data": [None]}).rest == {"data": {"vectors": 1}}


def test_there_is_no_output_unless_it_is_reported() -> None:
    usage = read("plain").answer.usage
    assert usage
    assert (usage.input_tokens, usage.output_tokens) == (14, None)
    reported = read_response({"usage": {"prompt_tokens": 3, "completion_tokens": 0}}).usage
    assert reported
    assert reported.output_tokens == 0


def test_a_total_is_all_input() -> None:
    usage = read("voyage").answer.usage
    assert usage
    assert (usage.input_tokens, usage.output_tokens) == (6, None)


@pytest.mark.parametrize("body", [None, [], {}, {"data": 7}, {"usage": {"total_tokens": "many"}}])
def test_odd_answers(body: object) -> None:
    assert isinstance(read_response(body), Answer)
    assert fold([]) == {}
