import json
from typing import Any

from llmprof_addon.providers.ollama_stream import STREAM_WARNINGS, fold, usage_of
from llmprof_addon.wire.sse import Event


def folded(*chunks: Any) -> Any:
    return fold([Event(data=json.dumps(chunk)) for chunk in chunks])


def test_texts_continue_and_lists_grow() -> None:
    body = folded(
        {"model": "m", "message": {"role": "assistant", "content": "a", "tool_calls": [1]}, "done": False},
        {"message": {"content": "b", "thinking": "t", "tool_calls": [2], "images": None}},
        {"message": {"content": ""}, "done": True, "done_reason": "stop", "model": None},
    )
    assert body == {
        "model": "m",
        "message": {"role": "assistant", "content": "ab", "tool_calls": [1, 2], "thinking": "t", "images": None},
        "done": True,
        "done_reason": "stop",
    }
    assert folded({"response": "a", "thinking": ""}, {"response": "b"}) == {"response": "ab", "thinking": ""}


def test_an_error_in_the_middle_is_kept_beside_what_was_said() -> None:
    assert folded({"response": "a"}, {"error": "out of memory"}) == {"response": "a", "error": "out of memory"}


def test_what_is_no_json_is_named() -> None:
    body = fold([Event(data="nope"), Event(data="[1]"), Event(data='{"cut', complete=False)])
    assert len(body[STREAM_WARNINGS]) == 2


def test_counts_that_are_none_are_not_reported() -> None:
    assert usage_of({"prompt_eval_count": None, "eval_count": True}) is None
    usage = usage_of({"prompt_eval_count": 0, "eval_count": 3, "eval_duration": 9})
    assert usage
    assert (usage.input_tokens, usage.output_tokens) == (0, 3)
    assert usage.raw == {"prompt_eval_count": 0, "eval_count": 3}
