"""Made-up answers in Ollama's dialect."""

import json

from tests.e2e.replay import Answer
from tests.e2e.sdks.asked import CITY, OUTPUT_TOKENS, Asked, Body, pieces


def asked(body: Body) -> Asked:
    """What a request says."""
    last = body["messages"][-1]
    tools = body.get("tools") or ()
    return Asked(
        text=last["content"],
        is_result=last["role"] == "tool",
        tool=tools[0]["function"]["name"] if tools else None,
        messages=len(body["messages"]),
    )


def answer(body: Body) -> Answer:
    """`/api/chat`, streamed as NDJSON unless the request says no."""
    said = asked(body)
    base: Body = {"model": body["model"], "created_at": "2026-11-20T08:00:00.000000Z"}
    counts = {
        "done_reason": "stop",
        "total_duration": 41_000_000,
        "load_duration": 1_000_000,
        "prompt_eval_count": said.input_tokens,
        "prompt_eval_duration": 20_000_000,
        "eval_count": OUTPUT_TOKENS,
        "eval_duration": 20_000_000,
    }
    message: Body = {"role": "assistant", "content": "" if said.calls else said.reply}
    if said.calls:
        message["tool_calls"] = [{"function": {"name": said.calls, "arguments": CITY}}]
    if body.get("stream") is False:
        return Answer(chunks=[json.dumps({**base, "message": message, "done": True, **counts}).encode()])
    parts = [message] if said.calls else [{**message, "content": piece} for piece in pieces(said.reply)]
    lines = [{**base, "message": part, "done": False} for part in parts]
    lines.append({**base, "message": {"role": "assistant", "content": ""}, "done": True, **counts})
    return Answer(
        headers=(("content-type", "application/x-ndjson"),),
        framing="chunked",
        chunks=[json.dumps(line).encode() + b"\n" for line in lines],
        pause_seconds=0.002,
    )
