"""A provider for Codex: two calls of its shell, then the end; the same over HTTP and over WebSocket."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.agents.errand import COMMAND
from tests.e2e.replay import Answer, Request
from tests.e2e.sockets import Peer, Upgrade

Body = dict[str, Any]
FINAL = "The count is 42, twice."
TOOL_CALLS = 2
_RESULTS = ("function_call_output", "custom_tool_call_output")


def is_call(request: Request) -> bool:
    """Whether a request is an LLM call."""
    return request.method == "POST" and request.target.partition("?")[0] == "/v1/responses"


@dataclass
class Script:
    """What is answered, and what was asked over WebSocket."""

    messages: list[bytes] = field(default_factory=list)
    """The calls over WebSocket, without those that only warm up."""
    _past: dict[str, tuple[int, int]] = field(default_factory=dict)
    """The results of tools, and the tokens, that the conversation up to a response holds."""
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def over_http(self, request: Request) -> Answer:
        """Streams calls; refuses WebSockets, so that Codex falls back; 404 for all else."""
        if request.method == "GET" and request.target.partition("?")[0] == "/v1/responses":
            return Answer(status=426, chunks=[b'{"error":{"message":"No sockets here"}}'])
        if not is_call(request):
            return Answer(status=404, chunks=[b'{"error":{"message":"Not here"}}'])
        events = self._events(json.loads(request.body))
        chunks = [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events]
        headers = (("content-type", "text/event-stream"),)
        return Answer(headers=headers, framing="chunked", chunks=chunks, pause_seconds=0.002)

    async def over_socket(self, peer: Peer, upgrade: Upgrade) -> None:
        """Answers the requests of one socket."""
        while (message := await peer.receive()) is not None:
            text = message if isinstance(message, str) else message.decode()
            body = json.loads(text)
            if body["type"] != "response.create":
                continue
            if body.get("generate") is not False:
                self.messages.append(text.encode())
            for event in self._events(body):
                await peer.send(json.dumps(event))

    def _events(self, body: Body) -> Iterator[Body]:
        number = next(self._numbers)
        id_ = f"resp_{number}"
        results, tokens = self._past.get(body.get("previous_response_id") or "", (0, 0))
        results += sum(item.get("type") in _RESULTS for item in body["input"])
        tokens += len(json.dumps(body["input"] if tokens else body)) // 4
        self._past[id_] = (results, tokens)
        output = [] if body.get("generate") is False else [_item(body, number, results)]
        usage = {"input_tokens": tokens, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 9 * len(output)}
        usage |= {"output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": tokens + 9 * len(output)}
        begun = {"id": id_, "object": "response", "model": body["model"], "status": "in_progress", "output": []}
        told: list[Body] = [{"type": "response.created", "response": begun}]
        for item in output:
            told.append({"type": "response.output_item.added", "output_index": 0, "item": item})
            told.append({"type": "response.output_item.done", "output_index": 0, "item": item})
        completed = {**begun, "status": "completed", "output": output, "usage": usage}
        told.append({"type": "response.completed", "response": completed})
        for at, event in enumerate(told):
            yield event | {"sequence_number": at}


def _item(body: Body, number: int, results: int) -> Body:
    if results >= TOOL_CALLS:
        content = {"type": "output_text", "text": FINAL, "annotations": []}
        return {
            "type": "message",
            "id": f"msg_{number}",
            "role": "assistant",
            "status": "completed",
            "content": [content],
        }
    call = {"id": f"fc_{number}", "call_id": f"call_{number}", "status": "completed"}
    arguments = json.dumps({"cmd": COMMAND})
    return {"type": "function_call", **call, "name": "exec_command", "arguments": arguments}
