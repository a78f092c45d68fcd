import json
from typing import Any

from llmprof_addon.providers.gemini_stream import STREAM_WARNINGS, fold, fold_chunks
from llmprof_addon.wire.sse import Event


def chunk(*parts: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"candidates": [{"content": {"role": "model", "parts": list(parts)}, **fields}]}


def folded(*chunks: dict[str, Any]) -> list[Any]:
    return fold_chunks(chunks)["candidates"][0]["content"]["parts"]


def test_text_continues_up_to_its_signature() -> None:
    assert folded(
        chunk({"text": "a"}), chunk({"text": "b"}), chunk({"text": "", "thoughtSignature": "s"}), chunk({"text": "c"})
    ) == [{"text": "ab", "thoughtSignature": "s"}, {"text": "c"}]


def test_thoughts_calls_and_text_do_not_mix() -> None:
    call = {"functionCall": {"name": "f", "args": {}}}
    thought = {"text": "hm", "thought": True}
    assert folded(chunk(thought), chunk({"text": "a"}), chunk(call), chunk(call), chunk({"text": "b"})) == [
        *(thought, {"text": "a"}, call, call, {"text": "b"}),
    ]


def test_candidates_keep_apart_and_later_fields_win() -> None:
    body = fold_chunks(
        [
            {
                "candidates": [
                    {"index": 1, "content": {"parts": [{"text": "x"}]}},
                    {"content": {"parts": [{"text": "y"}]}},
                ]
            },
            {"candidates": [{"index": 1, "finishReason": "STOP"}], "usageMetadata": {"promptTokenCount": 1}},
            {"usageMetadata": {"totalTokenCount": 3, "promptTokenCount": None}, "modelVersion": "g"},
        ]
    )
    assert [each["content"]["parts"][0]["text"] for each in body["candidates"]] == ["y", "x"]
    assert body["candidates"][1]["finishReason"] == "STOP"
    assert body["usageMetadata"] == {"promptTokenCount": 1, "totalTokenCount": 3}


def test_wrapped_chunks_stay_wrapped() -> None:
    body = fold_chunks([{"response": chunk({"text": "a"}), "traceId": "t"}, {"response": chunk({"text": "b"})}])
    assert body["response"]["candidates"][0]["content"]["parts"] == [{"text": "ab"}]
    assert body["traceId"] == "t"


def test_errors_come_in_batches_and_what_is_no_json_is_named() -> None:
    error = {"error": {"code": 429, "message": "slow down"}}
    assert fold([Event(data=json.dumps([error]))]) == error
    body = fold([Event(data="{broken"), Event(data="7"), Event(data="{cut", complete=False), Event(data="[DONE]")])
    assert len(body[STREAM_WARNINGS]) == 2
    assert fold([]) == {}


def test_the_chunks_are_left_as_they_were() -> None:
    chunks = [chunk({"text": "a"}), chunk({"text": "b"})]
    before = json.dumps(chunks)
    fold_chunks(chunks)
    assert json.dumps(chunks) == before
