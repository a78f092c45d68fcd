"""Made-up answers in Cohere's dialect (v2)."""

import json
from collections.abc import Iterator

from tests.e2e.answers import ARGUMENTS
from tests.e2e.replay import Answer
from tests.e2e.sdks.asked import OUTPUT_TOKENS, Asked, Body, pieces

PREAMBLE = 60
"""Tokens that Cohere adds and does not bill."""


def asked(body: Body) -> Asked:
    """What a request says."""
    last = body["messages"][-1]
    tools = body.get("tools") or ()
    return Asked(
        text=last["content"] if isinstance(last["content"], str) else json.dumps(last["content"]),
        is_result=last["role"] == "tool",
        tool=tools[0]["function"]["name"] if tools else None,
        messages=len(body["messages"]),
    )


def answer(body: Body) -> Answer:
    """`/v2/chat`."""
    said = asked(body)
    usage = {
        "billed_units": {"input_tokens": said.input_tokens - PREAMBLE, "output_tokens": OUTPUT_TOKENS},
        "tokens": {"input_tokens": said.input_tokens, "output_tokens": OUTPUT_TOKENS},
    }
    reason = "TOOL_CALL" if said.calls else "COMPLETE"
    call = {"id": said.call_id, "type": "function", "function": {"name": said.calls, "arguments": ARGUMENTS}}
    if not body.get("stream"):
        message: Body = {"role": "assistant", "content": [{"type": "text", "text": said.reply}]}
        if said.calls:
            message = {"role": "assistant", "tool_plan": "I ask.", "tool_calls": [call]}
        whole = {"id": "made-up", "finish_reason": reason, "message": message, "usage": usage}
        return Answer(chunks=[json.dumps(whole).encode()])

    def events() -> Iterator[Body]:
        begun = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
        yield {"id": "made-up", "type": "message-start", "delta": {"message": begun}}
        if said.calls:
            yield {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": "I ask."}}}
            started = {**call, "function": {"name": said.calls, "arguments": ""}}
            yield {"type": "tool-call-start", "index": 0, "delta": {"message": {"tool_calls": started}}}
            for piece in pieces(ARGUMENTS):
                delta = {"message": {"tool_calls": {"function": {"arguments": piece}}}}
                yield {"type": "tool-call-delta", "index": 0, "delta": delta}
            yield {"type": "tool-call-end", "index": 0}
        else:
            empty = {"message": {"content": {"type": "text", "text": ""}}}
            yield {"type": "content-start", "index": 0, "delta": empty}
            for piece in pieces(said.reply):
                yield {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": piece}}}}
            yield {"type": "content-end", "index": 0}
        yield {"type": "message-end", "delta": {"finish_reason": reason, "usage": usage}}

    frames = [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events()]
    return Answer(
        headers=(("content-type", "text/event-stream"),),
        framing="chunked",
        chunks=[frame.encode() for frame in [*frames, "data: [DONE]\n\n"]],
        pause_seconds=0.002,
    )
