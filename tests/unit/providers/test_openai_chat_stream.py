import json

import pytest

from llmprof_addon.model.part import Json
from llmprof_addon.providers.openai_chat import read_response
from llmprof_addon.providers.openai_chat_stream import STREAM_WARNINGS, fold
from llmprof_addon.wire.sse import Event
from tests.unit.providers.test_openai_fixtures import names, read


def events(*chunks: Json) -> list[Event]:
    return [Event(data=chunk if isinstance(chunk, str) else json.dumps(chunk)) for chunk in chunks]


def deltas(*held: Json, **more: Json) -> list[Event]:
    return events(*({"id": "r", "choices": [{"index": 0, "delta": delta}], **more} for delta in held), "[DONE]")


def message(*held: Json) -> Json:
    return fold(deltas(*held))["choices"][0]["message"]


def call(arguments: str | None = None, **fields: Json) -> Json:
    function = {key: value for key, value in (("name", fields.pop("name", None)), ("arguments", arguments)) if value}
    return {**fields, "function": function}


def test_the_fold_is_the_unstreamed_body() -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    stream = [
        {"id": "r", "object": "chat.completion.chunk", "model": "m", "choices": [], "prompt_filter_results": [1]},
        {"id": "r", "object": "chat.completion.chunk", "model": "m", "obfuscation": "zz", "choices": [
            {"index": 0, "delta": {"role": "assistant", "content": "", "refusal": None}, "finish_reason": None}]},
        {"id": "r", "model": "m", "choices": [{"index": 0, "delta": {"content": "He"}, "logprobs": {"content": [1]}}]},
        {"id": "r", "model": "m", "choices": [{"index": 0, "delta": {"content": "y"}, "logprobs": {"content": [2]}}]},
        {"id": "r", "model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        {"id": "r", "model": "m", "service_tier": "default", "choices": [], "usage": usage},
    ]  # fmt: skip
    assert fold(events(*stream, "[DONE]")) == {
        "id": "r",
        "object": "chat.completion",
        "model": "m",
        "prompt_filter_results": [1],
        "service_tier": "default",
        "usage": usage,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hey", "refusal": None},
                "finish_reason": "stop",
                "logprobs": {"content": [1, 2]},
            }
        ],
    }


def test_calls_are_joined_by_index() -> None:
    held = message(
        {"tool_calls": [call(index=0, id="a", type="function", name="f"), call(index=1, id="b", name="g")]},
        {"tool_calls": [call("{", index=0), call("[", index=1)]},
        {"tool_calls": [call("]", index=1)]},
        {"tool_calls": [call("}", index=0)]},
    )
    assert held["content"] is None
    assert held["tool_calls"] == [
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}},
        {"id": "b", "function": {"name": "g", "arguments": "[]"}},
    ]


@pytest.mark.parametrize("index", [{}, {"index": 0}])
def test_parallel_calls_without_indexes_of_their_own(index: dict[str, int]) -> None:
    held = message(
        {"tool_calls": [call("{}", **index, id="a", name="f")]},
        {"tool_calls": [call("[]", **index, id="b", name="f")]},
    )
    assert [entry["id"] for entry in held["tool_calls"]] == ["a", "b"]
    assert [entry["function"]["arguments"] for entry in held["tool_calls"]] == ["{}", "[]"]


def test_a_repeated_name_or_a_new_id_alone_is_no_new_call() -> None:
    held = message(
        {"tool_calls": [call("{", index=0, id="a", name="f")]},
        {"tool_calls": [call("1", index=0, id="a", name="f")]},
        {"tool_calls": [call("}", index=0, id="other")]},
    )
    assert held["tool_calls"] == [{"id": "a", "function": {"name": "f", "arguments": "{1}"}}]


def test_custom_and_legacy_calls() -> None:
    held = message(
        {"tool_calls": [{"index": 0, "id": "a", "type": "custom", "custom": {"name": "sql", "input": "sel"}}]},
        {"tool_calls": [{"index": 0, "custom": {"input": "ect"}}]},
    )
    assert held["tool_calls"][0]["custom"] == {"name": "sql", "input": "select"}
    held = message({"function_call": {"name": "f", "arguments": "{"}}, {"function_call": {"arguments": "}"}})
    assert held["function_call"] == {"name": "f", "arguments": "{}"}


def test_reasoning_details_are_joined_by_index_and_type() -> None:
    def detail(index: int, **fields: Json) -> Json:
        return {"reasoning_details": [{"index": index, **fields}]}

    held = message(
        detail(0, type="reasoning.text", text="a"),
        detail(0, type="reasoning.text", text="b"),
        detail(0, type="reasoning.text", signature="s", text=None),
        detail(1, type="reasoning.encrypted", id="x", data="1"),
        detail(1, type="reasoning.encrypted", id="y", data="2"),
    )
    assert held["reasoning_details"] == [
        {"index": 0, "type": "reasoning.text", "text": "ab", "signature": "s"},
        {"index": 1, "type": "reasoning.encrypted", "id": "x", "data": "1"},
        {"index": 1, "type": "reasoning.encrypted", "id": "y", "data": "2"},
    ]


def test_blocks_sound_and_lists() -> None:
    held = message(
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "h"}]}]},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "m"}]}]},
        {"content": [{"type": "text", "text": "yes"}]},
        {"audio": {"id": "a", "transcript": "la"}},
        {"audio": {"transcript": "la", "data": "AA", "expires_at": 1}},
        {"annotations": [1]},
        {"annotations": [2]},
    )
    assert held["content"] == [
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
        {"type": "text", "text": "yes"},
    ]
    assert held["audio"] == {"id": "a", "expires_at": 1, "transcript": "lala", "data": "AA"}
    assert held["annotations"] == [1, 2]
    assert [part.text for part in read_response({"choices": [{"message": held}]}).parts] == ["hm", "yes", "lala"]


def test_the_last_usage_wins_and_null_never_does() -> None:
    stream = [{"usage": {"prompt_tokens": 1}}, {"usage": {"prompt_tokens": 2}}, {"usage": None}, {"usage": {}}]
    assert fold(events(*stream))["usage"] == {"prompt_tokens": 2}
    stream = [{"x_groq": {"id": "g"}}, {"x_groq": {"usage": {"prompt_tokens": 9, "completion_tokens": 1}}}]
    body = fold(events(*stream))
    assert body["x_groq"]["id"] == "g"
    usage = read_response(body).usage
    assert usage is not None
    assert usage.input_tokens == 9


def test_a_text_beside_the_delta_is_not_said_twice() -> None:
    chunk = {"choices": [{"index": 0, "text": "hi", "delta": {"content": "hi"}}]}
    assert fold(events(chunk))["choices"][0]["message"]["content"] == "hi"
    assert fold(events({"choices": [{"index": 0, "text": "hi"}]}))["choices"][0]["message"]["content"] == "hi"


def test_a_message_in_the_last_chunk_stands_in_for_missing_deltas() -> None:
    given = {"role": "assistant", "content": "all"}
    assert fold(events({"choices": [{"index": 0, "message": given}]}))["choices"][0]["message"] == given
    chunk = {"choices": [{"index": 0, "message": given, "delta": {"content": "x"}}]}
    assert fold(events(chunk))["choices"][0]["message"]["content"] == "x"


def test_error_events() -> None:
    assert fold([Event("error", '{"message":"gone"}')]) == {"error": {"message": "gone"}}
    assert fold(events({"error": {"message": "gone"}}))["error"] == {"message": "gone"}


def test_data_that_is_no_json() -> None:
    body = fold([*events("oops", "[1]"), Event(data='{"id":"r","cho', complete=False)])
    assert body == {STREAM_WARNINGS: ["stream event is no JSON object: oops", "stream event is no JSON object: [1]"]}
    assert len(read_response(body).warnings) == 2


def test_nothing_gives_an_empty_body() -> None:
    assert fold([]) == {}


def test_fixtures() -> None:
    _, _, answer = read("openai.chat", "streamed_tools")
    assert names(answer.parts) == ["tool_call:read_file", "tool_call:mcp__harbour__tide_table"]
    assert answer.finish_reasons == ("tool_calls",)
    _, _, answer = read("openai.chat", "cut_stream")
    assert [part.text for part in answer.parts] == ["I will open it.", '{"pa']
    assert (answer.usage, answer.finish_reasons, answer.warnings) == (None, (), ())
    _, _, answer = read("openai.chat", "reasoning_openrouter")
    assert [(part.text, part.hidden) for part in answer.parts] == [
        ("Grouping matters.", False),
        (None, True),
        ("It is 3 or 2.", False),
    ]
