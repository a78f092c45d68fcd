import json

import pytest

from llmprof_addon.model.part import Json
from llmprof_addon.providers.openai_chat_stream import STREAM_WARNINGS
from llmprof_addon.providers.openai_responses import read_response
from llmprof_addon.providers.openai_responses_stream import fold
from llmprof_addon.wire import sse
from llmprof_addon.wire.sse import Event
from tests.factories import fixture_cases, fixture_exchange
from tests.unit.providers.test_openai_fixtures import read

STREAMS = [
    case
    for case in fixture_cases("openai.responses")
    if fixture_exchange("openai.responses", case).transport == "sse" and case not in ("cut_stream", "failed_stream")
]


def events(*datas: Json) -> list[Event]:
    return [Event(data["type"], json.dumps(data)) for data in datas]


def output(*datas: Json) -> Json:
    return fold(events(*datas))["output"]


@pytest.mark.parametrize("case", STREAMS)
def test_the_output_put_together_equals_that_of_the_final_event(case: str) -> None:
    stream = sse.parse(fixture_exchange("openai.responses", case).response_body)
    whole = fold(stream)
    without_final = fold(stream[:-1])
    # The items of a finished stream come from their own last events, which say all that the final one says.
    assert without_final["output"] == whole["output"]
    deltas_only = fold([event for event in stream[:-1] if not event.event.endswith(".done")])
    texts = [[part.text for part in read_response(body).parts] for body in (whole, deltas_only)]
    assert texts[0] == texts[1]
    assert whole["status"] == "completed"
    assert without_final["status"] == "in_progress"
    assert read_response(without_final).finish_reasons == ()


def test_a_cut_stream_gives_what_is_there() -> None:
    _, _, answer = read("openai.responses", "cut_stream")
    assert [part.text for part in answer.parts] == ["Thinking of rope.", "Take a bowline, then", '{"what":']
    assert (answer.response_id, answer.usage, answer.finish_reasons, answer.warnings) == ("resp_x1", None, (), ())


def test_a_final_event_without_output() -> None:
    _, _, answer = read("openai.responses", "codex_lite")
    assert [(part.kind, part.name, part.text) for part in answer.parts] == [
        ("reasoning", None, ""),
        ("tool_call", "exec", "ls harbour"),
    ]
    assert answer.usage is not None
    assert (answer.usage.input_tokens, answer.usage.cache_creation_input_tokens) == (9120, 1400)


def test_deltas_whose_item_never_started() -> None:
    assert output(
        {"type": "response.reasoning_summary_text.delta", "output_index": 0, "item_id": "a", "delta": "hm"},
        {"type": "response.output_text.delta", "output_index": 1, "item_id": "b", "content_index": 1, "delta": "x"},
        {"type": "response.custom_tool_call_input.delta", "output_index": 2, "item_id": "c", "delta": "ls"},
        {"type": "response.mcp_call_arguments.done", "output_index": 3, "item_id": "d", "arguments": "{}"},
        {"type": "response.code_interpreter_call_code.delta", "output_index": 4, "item_id": "e", "delta": "1"},
    ) == [
        {"type": "reasoning", "id": "a", "summary": [{"type": "summary_text", "text": "hm"}]},
        {"type": "message", "id": "b", "role": "assistant", "content": [{}, {"type": "output_text", "text": "x"}]},
        {"type": "custom_tool_call", "id": "c", "input": "ls"},
        {"type": "mcp_call", "id": "d", "arguments": "{}"},
        {"type": "code_interpreter_call", "id": "e", "code": "1"},
    ]


def test_reasoning_text_annotations_and_log_probabilities() -> None:
    at = {"output_index": 0, "content_index": 0, "item_id": "a"}
    assert output(
        {"type": "response.reasoning_text.delta", **at, "delta": "w"},
        {"type": "response.reasoning_text.delta", **at, "delta": "hy"},
        {"type": "response.output_text.delta", **at, "output_index": 1, "delta": "x", "logprobs": [1]},
        {"type": "response.output_text.delta", **at, "output_index": 1, "delta": "y", "logprobs": [2]},
        {"type": "response.output_text.annotation.added", **at, "output_index": 1, "annotation": {"type": "c"}},
        {"type": "response.web_search_call.searching", **at, "output_index": 2},
        {"type": "keepalive"},
    ) == [
        {"type": "reasoning", "id": "a", "content": [{"type": "reasoning_text", "text": "why"}]},
        {
            "type": "message",
            "id": "a",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "xy", "logprobs": [1, 2], "annotations": [{"type": "c"}]}],
        },
    ]


def test_shell_commands() -> None:
    at = {"output_index": 0, "command_index": 1}
    assert output(
        {"type": "response.shell_call_command.added", **at, "command": ""},
        {"type": "response.shell_call_command.delta", **at, "delta": "l"},
        {"type": "response.shell_call_command.delta", **at, "delta": "s"},
        {"type": "response.shell_call_command.done", **at, "command_index": 0, "command": "date"},
    ) == [{"type": "shell_call", "id": None, "action": {"commands": ["date", "ls"]}}]


def test_what_an_event_says_whole_wins() -> None:
    at = {"output_index": 0, "content_index": 0}
    assert output(
        {"type": "response.output_text.delta", **at, "delta": "a"},
        {"type": "response.output_text.done", **at, "text": "ab"},
    )[0]["content"] == [{"type": "output_text", "text": "ab"}]
    assert output(
        {"type": "response.output_text.delta", **at, "delta": "a"},
        {"type": "response.content_part.done", **at, "part": {"type": "output_text", "text": "abc"}},
    )[0]["content"] == [{"type": "output_text", "text": "abc"}]
    item = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "abcd"}]}
    assert output(
        {"type": "response.output_text.delta", **at, "delta": "a"},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.output_text.delta", **at, "delta": "late"},
    ) == [item]


def test_errors() -> None:
    error = {"type": "error", "code": "server_error", "message": "gone", "sequence_number": 3}
    assert read_response(fold(events(error))).error == "server_error: gone"
    nested = {"type": "error", "status": 429, "error": {"type": "usage_limit_reached", "message": "later"}}
    assert read_response(fold(events(nested))).error == "usage_limit_reached: later"
    assert read_response(fold([Event(data='{"error":{"message":"plain"}}')])).error == "plain"
    failed = {"type": "response.failed", "response": {"status": "failed", "error": {"code": "x", "message": "y"}}}
    assert read_response(fold(events(error, failed))).error == "x: y"


def test_types_stand_in_the_data_or_in_the_event_name() -> None:
    data = {"output_index": 0, "content_index": 0, "delta": "x"}
    body = fold([Event("response.output_text.delta", json.dumps(data))])
    assert body["output"][0]["content"][0]["text"] == "x"
    assert fold([Event(data=json.dumps({"type": "response.output_text.delta", **data}))])["output"] == body["output"]


def test_odd_events() -> None:
    body = fold(
        [
            Event(data="nonsense"),
            Event(data='{"type":"response.outp', complete=False),
            *events(
                {"type": "response.output_text.delta", "output_index": None, "delta": "x"},
                {"type": "response.output_text.delta", "output_index": 0, "content_index": 10**9, "delta": 4},
                {"type": "response.output_text.delta", "output_index": 0, "content_index": -1, "delta": "y"},
                {"type": "response.output_item.added", "output_index": 1, "item": None},
                {"type": "response.completed", "response": {"id": "r", "output": None}},
            ),
        ]
    )
    assert body["output"][0]["content"] == [{"type": "output_text", "text": "y"}]
    assert (body["id"], body["status"]) == ("r", "completed")
    assert body[STREAM_WARNINGS] == ["stream event is no JSON object: nonsense"]
    assert fold([]) == {}
