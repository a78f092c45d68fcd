"""A stream of Cohere's chat, of either version, put together to the body that the same call would give unstreamed.

Version 1 sends the whole body with its last event; of a stream that was cut it gives the texts so far.
"""

from collections.abc import Iterable

from llmprof_addon.errors import WireError
from llmprof_addon.model.part import Json
from llmprof_addon.providers.carving import object_at
from llmprof_addon.wire import jsontext
from llmprof_addon.wire.sse import Event


def fold(events: Iterable[Event]) -> Json:
    """Put the events together; those that are no JSON object are left out."""
    held = [data for event in events if isinstance(data := _json(event.data), dict)]
    if any("event_type" in data for data in held):
        return _fold_v1(held)
    body: dict[str, Json] = {}
    message = _Message()
    for data in held:
        if isinstance(data.get("id"), str):
            body["id"] = data["id"]
        delta = data.get("delta")
        if data.get("type") == "message-end" and isinstance(delta, dict):
            body.update({key: delta[key] for key in ("finish_reason", "usage") if key in delta})
            if "error" in delta:
                body["error"] = {"type": delta.get("error_type"), "message": delta["error"]}
        elif isinstance(delta, dict) and isinstance(delta.get("message"), dict):
            message.add(delta["message"], data.get("index"))
        elif "error" in data or isinstance(data.get("message"), str):
            body["error"] = data.get("error", data.get("message"))
    return {**body, "message": message.whole()} if message.started else body


def _json(data: str) -> Json:
    try:
        return jsontext.loads(data)
    except WireError:
        return None


class _Message:
    """The message while its deltas come in. Strings are kept as pieces: joining at the end is linear."""

    def __init__(self) -> None:
        self.started = False
        self.plan: list[str] = []
        self.blocks: dict[Json, dict[str, Json]] = {}
        self.calls: dict[Json, dict[str, Json]] = {}
        self.pieces: dict[tuple[str, Json, str], list[str]] = {}
        self.citations: list[Json] = []

    def add(self, delta: dict[str, Json], index: Json) -> None:
        """Take the message of one event; lists are those of its start, which are empty."""
        self.started = True
        content, calls, cited = delta.get("content"), delta.get("tool_calls"), delta.get("citations")
        if isinstance(plan := delta.get("tool_plan"), str):
            self.plan.append(plan)
        if isinstance(content, dict):
            block = self.blocks.setdefault(_key(index), {})
            for key, value in content.items():
                self._add("content", index, key, value, block)
        if isinstance(calls, dict):
            call = self.calls.setdefault(_key(index), {})
            for key, value in calls.items():
                if key == "function" and isinstance(value, dict):
                    function = object_at(call, "function")
                    for name, held in value.items():
                        self._add("call", index, name, held, function)
                else:
                    call[key] = value
        if cited is not None:
            self.citations += cited if isinstance(cited, list) else [cited]

    def _add(self, what: str, index: Json, key: str, value: Json, into: dict[str, Json]) -> None:
        if key in ("text", "thinking", "arguments") and isinstance(value, str):
            self.pieces.setdefault((what, _key(index), key), []).append(value)
            into[key] = ""
        else:
            into[key] = value

    def whole(self) -> Json:
        """The message as an unstreamed body has it."""
        for (what, index, key), texts in self.pieces.items():
            owner = self.blocks[index] if what == "content" else object_at(self.calls[index], "function")
            owner[key] = "".join(texts)
        message: dict[str, Json] = {"role": "assistant"}
        if plan := "".join(self.plan):
            message["tool_plan"] = plan
        if self.calls:
            message["tool_calls"] = list(self.calls.values())
        if self.blocks:
            message["content"] = [self._block(block) for block in self.blocks.values()]
        if self.citations:
            message["citations"] = self.citations
        return message

    def _block(self, block: dict[str, Json]) -> Json:
        kind = "thinking" if "thinking" in block else "text"
        return {"type": kind, **block}


def _key(index: Json) -> Json:
    return index if isinstance(index, int) else 0


def _fold_v1(held: list[dict[str, Json]]) -> Json:
    body: dict[str, Json] = {}
    texts: list[str] = []
    for data in held:
        kind = data.get("event_type")
        if kind == "stream-end":
            response = data.get("response")
            body.update(response if isinstance(response, dict) else {})
            body.setdefault("finish_reason", data.get("finish_reason"))
        elif kind == "text-generation" and isinstance(data.get("text"), str):
            texts.append(data["text"])
        elif kind == "stream-start":
            body.update({key: data[key] for key in ("generation_id",) if key in data})
        else:
            keys = data.keys() & {"citations", "documents", "search_queries", "search_results", "tool_calls"}
            for key in sorted(keys):
                more = data[key] if isinstance(data[key], list) else [data[key]]
                body[key] = [*(body.get(key) or ()), *more] if kind == "citation-generation" else more
    if texts or "text" in body:
        body.setdefault("text", "".join(texts))
    return body
