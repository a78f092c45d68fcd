"""Converse by its fixtures and by what they leave out."""

from dataclasses import replace

import pytest

from llmprof_addon.model.call import Call
from llmprof_addon.model.part import PartKind
from llmprof_addon.model.tree import assemble, chains
from llmprof_addon.providers.bedrock_converse import fold, read_request, read_response, read_usage
from llmprof_addon.providers.openai_chat_stream import STREAM_WARNINGS
from llmprof_addon.providers.reader import read_call
from llmprof_addon.wire.eventstream import parse
from tests.factories import aws_message, fixture_exchange


def call(case: str) -> Call:
    exchange = fixture_exchange("bedrock.converse", case)
    return read_call(exchange, exchange.request_body, exchange.response_body)


def test_the_model_stands_encoded_in_the_address() -> None:
    found = call("plain")
    assert found.provider == "aws.bedrock"
    assert found.request_model is not None
    assert found.request_model.endswith("inference-profile/eu.anthropic.claude-sonnet-4-5-20250929-v1:0")
    assert found.stream is False
    assert call("stream").stream is True


def test_usage_excludes_the_cache_and_is_made_a_total() -> None:
    usage = call("tools_cached").answer.usage
    assert usage is not None
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (921, 690, 190)
    assert (usage.cache_creation_5m_input_tokens, usage.cache_creation_1h_input_tokens) == (190, 0)


@pytest.mark.parametrize(
    ("details", "split"),
    [
        ([{"ttl": "1h", "inputTokens": 7}, {"ttl": "5m", "inputTokens": 3}], (3, 7)),
        ([{"ttl": "1h", "inputTokens": 7}], (None, None)),
        ([], (None, None)),
        ("odd", (None, None)),
    ],
)
def test_writes_by_retention_count_where_they_sum_to_the_writes(details: object, split: tuple[int, int]) -> None:
    usage = read_usage({"inputTokens": 1, "cacheWriteInputTokens": 10, "cacheDetails": details})
    assert usage is not None
    assert (usage.cache_creation_5m_input_tokens, usage.cache_creation_1h_input_tokens) == split


def test_a_cache_point_is_a_marker_and_no_part_of_a_chain() -> None:
    found = call("tools_cached")
    points = [part for part in found.prompt.parts if part.volatile]
    assert [part.markers[0].key for part in points] == ["cachePoint"] * 4
    assert found.cache_ttl == "1h"
    moved = read_request(
        {"messages": [{"role": "user", "content": [{"text": "a"}]}, {"role": "user", "content": [{"text": "b"}]}]}
    )
    first = read_request(
        {
            "messages": [
                {"role": "user", "content": [{"text": "a"}, {"cachePoint": {"type": "default"}}]},
                {"role": "user", "content": [{"text": "b"}]},
            ]
        }
    )
    assert chains(moved).message_head == chains(first).message_head
    assert len(first.messages) == 3


def test_a_cache_point_that_opens_a_message_keeps_its_message() -> None:
    body = {"messages": [{"role": "user", "content": [{"cachePoint": {"type": "default"}}, {"text": "a"}]}]}
    prompt = read_request(body)
    assert assemble(prompt.params, prompt.parts) == body
    assert chains(prompt).messages[0].wrapper == b'{"role":"user"}'


def test_what_is_answered_is_the_path_of_the_next_prompt() -> None:
    body = {"messages": [{"role": "user", "content": [{"text": "Halton?"}]}]}
    answer = read_response(
        {"output": {"message": {"role": "assistant", "content": [
            {"text": "I look."}, {"toolUse": {"input": {"g": 1}, "name": "read", "toolUseId": "t1"}}]}}}
    )  # fmt: skip
    sent = {"role": "assistant", "content": [
        {"text": "I look."}, {"toolUse": {"toolUseId": "t1", "name": "read", "input": {"g": 1}}}]}  # fmt: skip
    result = {"role": "user", "content": [{"toolResult": {"toolUseId": "t1", "content": [{"text": "2 m"}]}}]}
    following = read_request({"messages": [*body["messages"], sent, result]})
    answered = chains(read_request(body), answer.parts).answer_head
    assert answered in {link.key for link in chains(following).messages}
    assert following.messages[-1].name == "read"


def test_blocks_of_every_kind() -> None:
    found = call("media")
    assert [part.kind for part in found.prompt.messages] == [
        PartKind.IMAGE,
        PartKind.DOCUMENT,
        PartKind.DOCUMENT,
        PartKind.TEXT,
        PartKind.REASONING,
        PartKind.REASONING,
        PartKind.TEXT,
        PartKind.DOCUMENT,
        PartKind.TEXT,
    ]
    picture, notes, levels = found.prompt.messages[:3]
    assert picture.media is not None
    assert (picture.media.type, picture.media.width, picture.media.height) == ("image/png", 64, 48)
    assert notes.text == "notes\nThe weir was rebuilt in spring."
    assert levels.media is not None
    assert (levels.media.type, levels.media.source) == ("application/csv", "file")
    assert found.prompt.messages[5].hidden
    assert [part.kind for part in found.prompt.tools] == [PartKind.OUTPUT_SCHEMA]


def test_a_stream_is_folded_to_the_body_that_is_not_streamed() -> None:
    body = fold(parse(fixture_exchange("bedrock.converse", "stream").response_body))
    assert body["output"]["message"] == {
        "role": "assistant",
        "content": [
            {
                "reasoningContent": {
                    "reasoningText": {"text": "Two gauges, two calls.", "signature": "ZmFrZS1zaWduYXR1cmU="}
                }
            },
            {"text": "I read both gauges."},
            {"toolUse": {"name": "read_gauge", "toolUseId": "tooluse_fake03", "input": {"gauge": "Halton"}}},
            {"toolUse": {"name": "read_gauge", "toolUseId": "tooluse_fake04", "input": {"gauge": "Caton"}}},
        ],
    }
    assert body["stopReason"] == "tool_use"
    assert body["usage"]["inputTokens"] == 652
    assert "p" not in body


def test_deltas_that_are_said_in_lists_or_whole() -> None:
    stream = b"".join(
        aws_message("contentBlockDelta", {"contentBlockIndex": index, "delta": delta})
        for index, delta in [
            (0, {"citation": {"title": "a"}}),
            (0, {"text": "So it is."}),
            (1, {"reasoningContent": {"redactedContent": "ZmFr"}}),
            (1, {"reasoningContent": {"redactedContent": "ZQ=="}}),
            (2, {"toolUse": {"input": '{"cut": '}}),
        ]
    )
    content = fold(parse(stream))["output"]["message"]["content"]
    assert content == [
        {"citationsContent": {"content": [{"text": "So it is."}], "citations": [{"title": "a"}]}},
        {"reasoningContent": {"redactedContent": "ZmFrZQ=="}},
        {"toolUse": {"input": '{"cut": '}},
    ]


def test_an_error_has_the_type_that_a_header_says() -> None:
    assert call("error").error == "ValidationException: The provided model identifier is invalid."
    failed = call("error_in_stream")
    assert failed.error == "modelStreamErrorException: The model stopped unexpectedly."
    assert failed.answer.usage is None
    assert failed.answer.parts[0].text == "Otters are"


def test_damage_is_a_warning_and_costs_what_it_touched() -> None:
    exchange = fixture_exchange("bedrock.converse", "stream")
    body = bytearray(exchange.response_body)
    body[body.index(b"both gauges") + 1] ^= 1
    found = read_call(replace(exchange, response_body=bytes(body)), exchange.request_body, bytes(body))
    assert [warning for warning in found.warnings if "do not check out" in warning]
    assert "".join(part.text or "" for part in found.answer.parts if part.kind is PartKind.TEXT) == "I read "
    assert found.answer.usage is not None
    assert STREAM_WARNINGS not in found.answer.rest


def test_a_client_may_leave_slashes_in_the_address() -> None:
    exchange = fixture_exchange("bedrock.converse", "plain")
    url = exchange.url.replace("%3A", ":").replace("%2F", "/")
    found = read_call(replace(exchange, url=url), exchange.request_body, exchange.response_body)
    assert found.request_model == call("plain").request_model
