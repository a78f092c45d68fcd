import json

from llmprof_addon.providers.anthropic_messages import read_response
from llmprof_addon.providers.anthropic_stream import fold, merge_usage
from llmprof_addon.wire import sse


def fold_all(*events) -> dict:
    return fold([sse.Event("", json.dumps(event)) for event in events])


def test_deltas_of_types_that_come_later() -> None:
    events = [
        {"type": "message_start", "message": {"content": []}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "compaction", "content": None}},
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "compaction_delta", "content": "They ", "encrypted_content": "eA"},
        },
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "compaction_delta", "content": "met.", "encrypted_content": None},
        },
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "start lost"}},
        {"type": "content_block_delta", "index": 2, "delta": {"type": "hum_delta", "hum": "mm", "pitch": 3}},
        {"type": "unheard_of", "x": 1},
        {"type": "content_block_delta", "index": "0", "delta": {}},
        {"type": "content_block_delta", "index": 0, "delta": None},
        {"type": "message_start", "message": None},
    ]
    body = fold(
        [sse.Event("", json.dumps(event)) for event in events] + [sse.Event("", "{broken"), sse.Event("", "[]")]
    )
    assert body["content"] == [
        {"type": "compaction", "content": "They met.", "encrypted_content": "eA"},
        {"type": "text", "text": "start lost"},
        {"type": "text", "hum": "mm", "pitch": 3},
    ]
    assert [part.text for part in read_response(body).parts[:2]] == ["They met.", "start lost"]


def test_an_empty_stream_is_an_empty_body() -> None:
    assert fold([]) == {}
    assert read_response({}).usage is None


def test_a_beginning_is_no_total() -> None:
    start = {"type": "message_start", "message": {"usage": {"input_tokens": 9, "output_tokens": 1}}}
    assert fold_all(start)["usage"] == {"input_tokens": 9}
    assert fold_all(start, {"type": "message_stop"})["usage"] == {"input_tokens": 9, "output_tokens": 1}
    delta = {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 7}}
    assert fold_all(start, delta)["usage"] == {"input_tokens": 9, "output_tokens": 7}


def test_what_the_end_brings_beside_usage() -> None:
    end = {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "container": {"id": "c"}},
        "context_management": {"applied_edits": []},
        "usage": None,
    }
    assert fold_all(end) == {
        "stop_reason": "end_turn",
        "container": {"id": "c"},
        "context_management": {"applied_edits": []},
        "usage": None,
    }


def test_later_numbers_win_but_no_late_zero() -> None:
    assert merge_usage({"input_tokens": 5, "output_tokens": 1}, {"output_tokens": 0, "input_tokens": None}) == {
        "input_tokens": 5,
        "output_tokens": 0,
    }
    assert merge_usage(None, {"a": 1}) == {"a": 1}
    assert merge_usage({"a": 1}, None) == {"a": 1}
