"""InvokeModel: the shape says whose body it is, counts come from wherever they stand."""

from base64 import b64encode

import pytest

from llmprof_addon.model.call import Call
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.providers.bedrock_invoke import fold, read_request, read_response
from llmprof_addon.providers.reader import read_call
from llmprof_addon.wire.eventstream import DAMAGED
from llmprof_addon.wire.sse import Event
from tests.factories import STARTED_NS, fixture_cases, fixture_exchange


def call(case: str) -> Call:
    exchange = fixture_exchange("bedrock.invoke", case)
    return read_call(exchange, exchange.request_body, exchange.response_body)


SAID = {
    "anthropic": ("At half past four, if the fog lifts.", 2106, 14, "end_turn"),
    "anthropic_stream": ('I look it up.{"day":"today"}', 590, 62, "tool_use"),
    "claude_2_stream": (" Rannoch Moor.", 15, 8, "stop_sequence"),
    "cohere": ("Eling.", 22, 4, "COMPLETE"),
    "jurassic": ("\nPort Askaig", 5, 6, "endoftext"),
    "llama_stream": ("Loch Katrine", 13, 5, "stop"),
    "mistral": (" The Caledonian Canal.", 11, 7, "stop"),
    "nova": ("That is a cuckoo.", 14, 6, "end_turn"),
    "nova_stream": ("The kingfisher.", 6, 5, "end_turn"),
    "openai": ("Maryhill", 83, 30, "stop"),
    "titan_stream": ("\nThe old stone bridge at Devil's Mill.", 4, 11, "FINISH"),
}


def test_every_fixture_is_expected() -> None:
    assert sorted(SAID) == fixture_cases("bedrock.invoke")


@pytest.mark.parametrize("case", SAID)
def test_texts_counts_and_ends(case: str) -> None:
    found = call(case)
    usage = found.answer.usage
    assert usage is not None
    said = "".join(part.text or "" for part in found.answer.parts)
    assert (said, usage.input_tokens, usage.output_tokens, *found.answer.finish_reasons) == SAID[case]
    assert found.warnings == ()
    assert found.request_model
    assert found.stream == case.endswith("_stream")


def test_a_cache_write_of_no_reported_retention_is_one_of_five_minutes() -> None:
    usage = call("anthropic").answer.usage
    assert usage is not None
    assert usage.cache_creation_5m_input_tokens == 2100


def test_nova_s_pieces_are_one_block_again() -> None:
    assert [part.text for part in call("nova_stream").answer.parts] == ["The kingfisher."]


def chunks(*held: bytes) -> list[Event]:
    return [Event("chunk", f'{{"bytes": "{b64encode(each).decode()}"}}') for each in held]


def test_an_exception_in_a_stream_keeps_what_came_before() -> None:
    events = [
        *chunks(b'{"generation": "A", "prompt_token_count": 3, "generation_token_count": 1}'),
        Event("throttlingException", '{"message": "Too many tokens"}'),
    ]
    answer = read_response(fold(events))
    assert answer.parts[0].text == "A"
    assert answer.error == "throttlingException: Too many tokens"


def test_damage_and_odd_chunks_are_said() -> None:
    events = [
        Event("chunk", '{"bytes": "€"}'),
        Event(DAMAGED, "event stream: 9 bytes", complete=False),
        *chunks(b"[1]"),
    ]
    assert read_response(fold(events)).warnings == ("a chunk is not base64", "event stream: 9 bytes")


@pytest.mark.parametrize(
    "body",
    [
        {"inputText": "river"},
        {"texts": ["river", "lake"], "input_type": "search_document"},
    ],
)
def test_an_embedding_has_texts_and_no_answer(body: dict[str, object]) -> None:
    assert all(part.text in ("river", "lake") for part in read_request(body).messages)
    answer = read_response({"embedding": [0.1, 0.2], "inputTextTokenCount": 2})
    assert answer.parts == ()
    assert answer.usage is not None
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (2, None)


@pytest.mark.parametrize("case", ["anthropic_stream", "nova", "mistral", "openai", "llama_stream", "titan_stream"])
def test_prices_are_found_under_bedrock_s_names(case: str) -> None:
    found = call(case)
    assert found.answer.usage is not None
    assert found.price_provider == "aws"
    assert PriceBook().rates(found, found.answer.usage, STARTED_NS) is not None
