"""Made-up answers in Gemini's dialect."""

import json
from collections.abc import Iterator
from typing import Any

from tests.e2e.replay import Answer
from tests.e2e.sdks.asked import CITY, OUTPUT_TOKENS, Asked, Body, pieces

THOUGHTS = 5
"""Tokens of thinking, which Gemini counts beside the output."""


def asked(body: Body) -> Asked:
    """What a request says."""
    part = body["contents"][-1]["parts"][-1]
    result = part.get("functionResponse") or part.get("function_response")
    tools = body.get("tools", ())  # litellm writes names with underscores
    declared = [tool.get("functionDeclarations") or tool.get("function_declarations") for tool in tools]
    return Asked(
        text=next(iter(result["response"].values())) if result else part["text"],
        is_result=bool(result),
        tool=declared[0][0]["name"] if declared else None,
        messages=len(body["contents"]),
    )


def answer(body: Body, model: str, *, stream: bool) -> Answer:
    """`generateContent`, or `streamGenerateContent?alt=sse`."""
    said = asked(body)
    usage = {
        "promptTokenCount": said.input_tokens,
        "candidatesTokenCount": OUTPUT_TOKENS,
        "thoughtsTokenCount": THOUGHTS,
        "totalTokenCount": said.input_tokens + OUTPUT_TOKENS + THOUGHTS,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": said.input_tokens}],
    }
    base: Body = {"modelVersion": model, "responseId": "made-up"}

    def body_of(part: Body, **more: Any) -> Body:
        content = {"role": "model", "parts": [part]}
        return {"candidates": [{"index": 0, "content": content, **more}], "usageMetadata": usage, **base}

    call = {"functionCall": {"name": said.calls, "args": CITY}}
    if not stream:
        part = call if said.calls else {"text": said.reply}
        return Answer(chunks=[json.dumps(body_of(part, finishReason="STOP")).encode()])

    def events() -> Iterator[Body]:
        if said.calls:
            yield body_of(call, finishReason="STOP")
            return
        for piece in pieces(said.reply):
            yield body_of({"text": piece})
        yield body_of({"text": ""}, finishReason="STOP")

    return Answer(
        headers=(("content-type", "text/event-stream"),),
        framing="chunked",
        chunks=[f"data: {json.dumps(event)}\r\n\r\n".encode() for event in events()],
        pause_seconds=0.002,
    )
