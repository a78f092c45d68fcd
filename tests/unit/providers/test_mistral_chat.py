import json

import pytest

from llmprof_addon.model.call import Call
from llmprof_addon.model.part import PartKind
from llmprof_addon.model.tree import assemble
from llmprof_addon.providers.reader import read_call
from tests.factories import fixture_cases, fixture_exchange

API = "mistral.chat"


def read(case: str) -> Call:
    exchange = fixture_exchange(API, case)
    return read_call(exchange, exchange.request_body, exchange.response_body)


@pytest.mark.parametrize("case", fixture_cases(API))
def test_fixtures_read_without_a_fault(case: str) -> None:
    call = read(case)
    assert (call.provider, call.api, call.operation, call.warnings) == ("mistral", API, "chat", ())
    assert bool(call.error) == (case == "error")
    body = json.loads(fixture_exchange(API, case).request_body)
    assert assemble(call.prompt.params, call.prompt.parts) == body


def test_thinking_is_a_list_of_texts_and_media_are_addresses() -> None:
    call = read("thinking")
    text, document, picture, thought, said, _ = call.prompt.messages
    assert (text.kind, document.kind, picture.kind) == (PartKind.TEXT, PartKind.DOCUMENT, PartKind.IMAGE)
    assert (document.name, thought.kind, thought.text, said.text) == (
        *("rules.pdf", PartKind.REASONING, "One is a text.", "They agree."),
    )
    assert [(part.kind, part.text) for part in call.answer.parts] == [
        (PartKind.REASONING, "Look again."),
        (PartKind.TEXT, "Quite sure."),
    ]


def test_fill_in_the_middle() -> None:
    call = read("fill_in_the_middle")
    assert [part.path for part in call.prompt.messages] == ["prompt", "suffix"]
    assert [part.text for part in call.answer.parts] == ['state = "lit" if on else "dark"']


def test_a_streamed_call() -> None:
    call = read("stream")
    (part,) = call.answer.parts
    assert (call.stream, part.name, part.call_id) == (True, "read_log", "fakeCall1")
    assert call.answer.usage
    assert call.answer.usage.input_tokens == 81
