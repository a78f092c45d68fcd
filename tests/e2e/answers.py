"""Made-up answers in the three dialects: what was asked is said back, or the first tool is called; usage follows.

Streamed where the request asks for it, in the event sequences of the real providers, one event a chunk.
"""

import json
from collections.abc import Iterator
from typing import Any

from tests.e2e.replay import Answer, Request

Body = dict[str, Any]
MODELS = {"gpt-4o-mini": "gpt-4o-mini-2024-07-18", "claude-haiku-4-5": "claude-haiku-4-5-20251001"}
ARGUMENTS = '{"city": "Bergen"}'
AGAIN = "Ask again."
"""A tool's result with these words has the tool called once more."""


def input_tokens(body: Body) -> int:
    """The usage that an answer to this body reports: 100, and 10 a message."""
    messages = body.get("messages", body.get("input"))
    return 100 + 10 * (1 if isinstance(messages, str) else len(messages))


def answer(request: Request) -> Answer:
    """The provider: every dialect under its usual path, counting of tokens, 404 elsewhere."""
    path = request.target.partition("?")[0]
    if path == "/v1/messages/count_tokens":
        return Answer(chunks=[json.dumps({"input_tokens": input_tokens(json.loads(request.body))}).encode()])
    writers = {"/v1/chat/completions": chat, "/v1/responses": responses, "/v1/messages": messages}
    if path not in writers or request.method != "POST":
        return Answer(status=404, chunks=[b'{"error":{"message":"no such path","type":"invalid_request_error"}}'])
    body = json.loads(request.body)
    whole, events = writers[path](body)
    if not body.get("stream"):
        return Answer(chunks=[json.dumps(whole).encode()])
    return Answer(
        headers=(("content-type", "text/event-stream; charset=utf-8"),),
        framing="chunked" if request.protocol == "http/1.1" else "length",
        chunks=[event.encode() for event in events],
        pause_seconds=0.002,
    )


def _last(messages: Any) -> tuple[str, bool]:
    """What was said last, and whether it was a tool's result."""
    if isinstance(messages, str):
        return messages, False
    last = messages[-1]
    content = last.get("content", last.get("output"))
    if isinstance(content, list):
        block = content[-1]
        text = block.get("text", block.get("content"))
        return str(text), block.get("type") == "tool_result"
    return str(content), last.get("role") == "tool" or last.get("type") == "function_call_output"


def _reply(body: Body) -> tuple[str, str | None]:
    """The text, or the name of the tool to call."""
    text, is_result = _last(body.get("messages", body.get("input")))
    tools = body.get("tools")
    if tools and (not is_result or AGAIN in text):
        return "", tools[0].get("name") or tools[0]["function"]["name"]
    return f"You said: {text}", None


def _pieces(text: str) -> list[str]:
    return [text[at : at + 5] for at in range(0, len(text), 5)]


def _data(value: Body) -> str:
    return f"data: {json.dumps(value)}\n\n"


def _event(value: Body) -> str:
    return f"event: {value['type']}\n{_data(value)}"


def chat(body: Body) -> tuple[Body, Iterator[str]]:
    """Chat completions."""
    text, tool = _reply(body)
    usage = {"prompt_tokens": input_tokens(body), "completion_tokens": 7, "total_tokens": input_tokens(body) + 7}
    base = {"id": "chatcmpl-made-up", "created": 1795132800, "model": MODELS.get(body["model"], body["model"])}
    message: Body = {"role": "assistant", "content": text or None}
    if tool:
        call = {
            "id": f"call_{input_tokens(body)}",
            "type": "function",
            "function": {"name": tool, "arguments": ARGUMENTS},
        }
        message["tool_calls"] = [call]
    reason = "tool_calls" if tool else "stop"
    choice = {"index": 0, "message": message, "finish_reason": reason, "logprobs": None}
    whole = {**base, "object": "chat.completion", "choices": [choice], "usage": usage}

    def events() -> Iterator[str]:
        chunk = {**base, "object": "chat.completion.chunk"}
        deltas: list[Body] = [{"role": "assistant", "content": "" if text else None}]
        deltas += [{"content": piece} for piece in _pieces(text)]
        if tool:
            deltas.append({"tool_calls": [{"index": 0, **call, "function": {"name": tool, "arguments": ""}}]})
            deltas += [{"tool_calls": [{"index": 0, "function": {"arguments": piece}}]} for piece in _pieces(ARGUMENTS)]
        for delta in deltas:
            yield _data({**chunk, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
        yield _data({**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
        if (body.get("stream_options") or {}).get("include_usage"):
            yield _data({**chunk, "choices": [], "usage": usage})
        yield "data: [DONE]\n\n"

    return whole, events()


def responses(body: Body) -> tuple[Body, Iterator[str]]:
    """Responses."""
    text, tool = _reply(body)
    count = input_tokens(body)
    usage = {
        "input_tokens": count,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 7,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": count + 7,
    }
    content = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    item: Body = {"id": "msg_1", "type": "message", "status": "completed", "role": "assistant", "content": [content]}
    if tool:
        call = {"call_id": f"call_{count}", "name": tool, "arguments": ARGUMENTS}
        item = {"id": "fc_1", "type": "function_call", "status": "completed", **call}
    whole: Body = {
        "id": "resp_made_up",
        "object": "response",
        "created_at": 1795132800,
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "model": MODELS.get(body["model"], body["model"]),
        "output": [item],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": body.get("tools", []),
        "usage": usage,
    }

    def events() -> Iterator[str]:
        begun = {**whole, "status": "in_progress", "output": [], "usage": None}
        empty = {**item, "status": "in_progress", **({"arguments": ""} if tool else {"content": []})}
        at = {"item_id": item["id"], "output_index": 0}
        sequence: list[Body] = [
            {"type": "response.created", "response": begun},
            {"type": "response.in_progress", "response": begun},
            {"type": "response.output_item.added", "output_index": 0, "item": empty},
        ]
        if tool:
            kind = "response.function_call_arguments"
            sequence += [{"type": f"{kind}.delta", **at, "delta": piece} for piece in _pieces(ARGUMENTS)]
            sequence += [{"type": f"{kind}.done", **at, "name": tool, "arguments": ARGUMENTS}]
        else:
            at["content_index"] = 0
            part = {"type": "response.content_part.added", **at, "part": {**content, "text": ""}}
            deltas = [
                {"type": "response.output_text.delta", **at, "delta": piece, "logprobs": []} for piece in _pieces(text)
            ]
            done = {"type": "response.output_text.done", **at, "text": text, "logprobs": []}
            sequence += [part, *deltas, done, {"type": "response.content_part.done", **at, "part": content}]
        sequence += [
            {"type": "response.output_item.done", "output_index": 0, "item": item},
            {"type": "response.completed", "response": whole},
        ]
        for number, event in enumerate(sequence):
            yield _event({**event, "sequence_number": number})

    return whole, events()


def messages(body: Body) -> tuple[Body, Iterator[str]]:
    """Messages."""
    text, tool = _reply(body)
    usage = {
        "input_tokens": input_tokens(body) - 60,
        "cache_read_input_tokens": 40,
        "cache_creation_input_tokens": 20,
        "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 0},
        "output_tokens": 7,
    }
    block: Body = {"type": "text", "text": text}
    if tool:
        block = {"type": "tool_use", "id": f"toolu_{input_tokens(body)}", "name": tool, "input": json.loads(ARGUMENTS)}
    reason = "tool_use" if tool else "end_turn"
    whole = {
        "id": "msg_made_up",
        "type": "message",
        "role": "assistant",
        "model": MODELS.get(body["model"], body["model"]),
        "content": [block],
        "stop_reason": reason,
        "stop_sequence": None,
        "usage": usage,
    }

    def events() -> Iterator[str]:
        begun = {**whole, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
        yield _event({"type": "message_start", "message": begun})
        yield _event({"type": "ping"})
        empty = {**block, "input": {}} if tool else {**block, "text": ""}
        yield _event({"type": "content_block_start", "index": 0, "content_block": empty})
        for piece in _pieces(ARGUMENTS if tool else text):
            kind = (
                {"type": "input_json_delta", "partial_json": piece} if tool else {"type": "text_delta", "text": piece}
            )
            yield _event({"type": "content_block_delta", "index": 0, "delta": kind})
        yield _event({"type": "content_block_stop", "index": 0})
        ended = {"stop_reason": reason, "stop_sequence": None}
        yield _event({"type": "message_delta", "delta": ended, "usage": {"output_tokens": 7}})
        yield _event({"type": "message_stop"})

    return whole, events()
