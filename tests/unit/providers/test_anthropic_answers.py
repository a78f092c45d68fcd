"""Answers of the Messages API, whole and streamed, and their usage."""

import pytest

from llmprof_addon.model.part import PartKind
from llmprof_addon.providers.anthropic_messages import read_response, read_usage
from llmprof_addon.providers.reader import read_call
from tests.factories import fixture_exchange

DIALECT = "anthropic.messages"


def answer_of(case: str):
    exchange = fixture_exchange(DIALECT, case)
    return read_call(exchange, exchange.request_body, exchange.response_body).answer


def test_a_stream_gives_what_the_whole_body_gives() -> None:
    answer = answer_of("tools_stream")
    assert [(part.kind.value, part.name, part.text) for part in answer.parts] == [
        ("text", None, "First the list."),
        ("tool_call", "list_cities", "{}"),
        ("tool_call", "get_weather", '{"city":"Bergen","unit":"celsius"}'),
    ]
    assert answer.parts[0].wrapper == {"role": "assistant"}
    assert [part.wrapper for part in answer.parts[1:]] == [None, None]
    assert answer.finish_reasons == ("tool_use",)
    assert (answer.response_id, answer.response_model) == ("msg_fixture_01", "claude-sonnet-4-5-20250929")


def test_thinking_keeps_its_signature() -> None:
    thought, text = answer_of("thinking").parts
    assert thought.value == {
        "type": "thinking",
        "thinking": "Test the primes up to 31: none divides it.",
        "signature": "YW5vdGhlci1zaWduYXR1cmU=",
    }
    assert (thought.kind, text.text) == (PartKind.REASONING, "Yes, 1009 is prime.")
    usage = answer_of("thinking").usage
    assert usage
    assert (usage.output_tokens, usage.reasoning_output_tokens) == (64, 41)


def test_server_tools_and_citations() -> None:
    answer = answer_of("server_tools")
    search, found, run, printed, text = answer.parts
    assert [part.name for part in (search, found, run, printed)] == ["web_search"] * 2 + ["bash_code_execution"] * 2
    assert found.hidden
    assert printed.text == "1086\n"
    assert text.value["citations"][0]["cited_text"] == "18 hours 6 minutes"
    assert answer.usage
    assert answer.usage.server_tool_requests == (("web_search", 1),)
    assert answer.usage.input_tokens == 9480


def test_a_cut_stream() -> None:
    answer = answer_of("cut_stream")
    assert [part.text for part in answer.parts] == ["One moment.", '{"city": "Ber']
    assert answer.usage
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (590, None)
    assert answer.finish_reasons == ()
    assert answer.warnings


def test_an_error_event_in_the_stream() -> None:
    answer = answer_of("error_in_stream")
    assert answer.error == "overloaded_error: Overloaded"
    assert answer.parts[0].text == "One, two,"


@pytest.mark.parametrize(
    "body", [None, [], "x", 5, {"content": "text"}, {"content": [None]}, {"usage": []}, {"error": None}]
)
def test_odd_answers(body) -> None:
    answer = read_response(body)
    assert answer.usage is None
    assert answer.error is None


# --- usage


def counts(usage):
    read = read_usage(usage)
    assert read
    return (
        read.input_tokens,
        read.cache_read_input_tokens,
        read.cache_creation_input_tokens,
        read.cache_creation_5m_input_tokens,
        read.cache_creation_1h_input_tokens,
        read.output_tokens,
    )


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"input_tokens": 9, "output_tokens": 4}, (9, None, None, None, None, 4)),
        (
            {"input_tokens": 3, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 20, "output_tokens": 4},
            (123, 100, 20, None, None, 4),
        ),
        (
            {
                "input_tokens": 3,
                "cache_creation_input_tokens": 30,
                "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
                "output_tokens": 0,
            },
            (33, None, 30, 10, 20, 0),
        ),
        # The split lags behind the total.
        (
            {"input_tokens": 3, "cache_creation_input_tokens": 30, "cache_creation": {"ephemeral_5m_input_tokens": 10}},
            (33, None, 30, None, None, None),
        ),
        # Only the split.
        ({"input_tokens": 3, "cache_creation": {"ephemeral_1h_input_tokens": 7}}, (10, None, 7, None, 7, None)),
        ({"cache_read_input_tokens": 5, "output_tokens": 2}, (None, None, None, None, None, 2)),
        ({"input_tokens": "9", "output_tokens": -1}, (None, None, None, None, None, None)),
        ({}, (None, None, None, None, None, None)),
    ],
)
def test_usage(usage, expected) -> None:
    assert counts(usage) == expected


def test_late_zeros_do_not_wipe_out_the_cache() -> None:
    usage = answer_of("cache_1h").usage
    assert usage
    assert (usage.input_tokens, usage.cache_creation_5m_input_tokens, usage.cache_creation_1h_input_tokens) == (
        1205,
        22,
        1180,
    )


def test_tiers_and_iterations() -> None:
    fast = {"input_tokens": 1, "output_tokens": 1, "speed": "fast", "service_tier": "standard"}
    assert read_response({"usage": fast}).service_tier == "fast"
    assert read_response({"usage": {"service_tier": "priority"}}).service_tier == "priority"
    beside = {"iterations": [{"type": "message"}, {"type": "compaction"}, 5]}
    assert read_response({"usage": beside}).warnings == (
        "tokens of compaction iterations are not in the reported totals",
    )
