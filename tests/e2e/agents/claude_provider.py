"""A provider for Claude Code: its main agent calls Bash, then a sub-agent, then ends; the sub-agent only answers."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

from tests.e2e.agents.errand import COMMAND
from tests.e2e.replay import Answer, Request

Body = dict[str, Any]
ERRAND = "Find out what ticks."
FINAL = "The count is 42, and the clock ticks."

_numbers = itertools.count(1)


def is_call(request: Request) -> bool:
    """Whether a request is an LLM call."""
    return request.method == "POST" and request.target.partition("?")[0] == "/v1/messages"


def provider(request: Request) -> Answer:
    """Messages, streamed where asked; counting of tokens; 404 for all else that Claude Code asks its host."""
    if request.target.partition("?")[0] == "/v1/messages/count_tokens":
        return Answer(chunks=[b'{"input_tokens": 41}'])
    if not is_call(request):
        return Answer(status=404, chunks=[b'{"type":"error","error":{"type":"not_found_error","message":"Not here"}}'])
    body = json.loads(request.body)
    whole = _message(body, next(_numbers))
    if not body.get("stream"):
        return Answer(headers=_headers(whole), chunks=[json.dumps(whole).encode()])
    headers = (*_headers(whole)[1:], ("content-type", "text/event-stream; charset=utf-8"))
    events = [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in _events(whole)]
    return Answer(headers=headers, framing="chunked", chunks=events, pause_seconds=0.002)


def _headers(whole: Body) -> tuple[tuple[str, str], ...]:
    return (("content-type", "application/json"), ("request-id", f"req_{whole['id']}"))


def _message(body: Body, number: int) -> Body:
    block = _block(body, number)
    tokens = len(json.dumps(body)) // 4
    return {
        "id": f"msg_{number}",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": [block],
        "stop_reason": "tool_use" if block["type"] == "tool_use" else "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": tokens - tokens // 2,
            "cache_read_input_tokens": 0,
            "cache_creation_input_tokens": tokens // 2,
            "cache_creation": {"ephemeral_5m_input_tokens": tokens // 2, "ephemeral_1h_input_tokens": 0},
            "output_tokens": 12,
            "service_tier": "standard",
        },
    }


def _block(body: Body, number: int) -> Body:
    said = [message for message in body["messages"] if message["role"] == "assistant"]
    calls = sum(
        part["type"] == "tool_use" for one in said if isinstance(one["content"], list) for part in one["content"]
    )
    names = {tool.get("name") for tool in body.get("tools") or ()}
    if not names:
        return {"type": "text", "text": '{"title": "Count"}'}
    is_errand = any(ERRAND in json.dumps(one["content"]) for one in body["messages"] if one["role"] == "user")
    if is_errand and calls == 0:
        return {"type": "text", "text": "It is the clock."}
    use = {"type": "tool_use", "id": f"toolu_{number:04}"}
    if calls == 0:
        return {**use, "name": "Bash", "input": {"command": COMMAND, "description": "Count"}}
    if calls == 1 and "Agent" in names:
        errand = {"description": "Find it", "prompt": ERRAND, "subagent_type": "Explore"}
        return {**use, "name": "Agent", "input": errand}
    return {"type": "text", "text": FINAL}


def _events(whole: Body) -> Iterator[Body]:
    (block,) = whole["content"]
    yield {"type": "message_start", "message": {**whole, "content": [], "stop_reason": None}}
    is_text = block["type"] == "text"
    yield {
        "type": "content_block_start",
        "index": 0,
        "content_block": block | ({"text": ""} if is_text else {"input": {}}),
    }
    text = block["text"] if is_text else json.dumps(block["input"])
    for at in range(0, len(text), 9):
        delta = {"type": "text_delta", "text": text[at : at + 9]}
        if not is_text:
            delta = {"type": "input_json_delta", "partial_json": text[at : at + 9]}
        yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    delta = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 12}}
    yield {"type": "message_stop"}
