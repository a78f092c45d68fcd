"""A Responses stream put together to the response object that the same call would give unstreamed.

The final event carries that object whole, but for hosts that leave its `output` empty (ChatGPT's Codex backend) and for
streams that are cut before it: then the output is put together from the items and their deltas.
"""

from collections.abc import Iterable

from llmprof_addon.errors import WireError
from llmprof_addon.model.part import Json
from llmprof_addon.providers.carving import text_of
from llmprof_addon.providers.openai_chat_stream import STREAM_WARNINGS
from llmprof_addon.wire import jsontext
from llmprof_addon.wire.sse import Event

# Event name without its last word: the item's type if the stream never named it, the list and the index inside the
# item, and the field that its `delta` continues and its `done` says whole.
FIELDS: dict[str, tuple[str, str | None, str | None, str]] = {
    "response.output_text": ("message", "content", "output_text", "text"),
    "response.refusal": ("message", "content", "refusal", "refusal"),
    "response.reasoning_text": ("reasoning", "content", "reasoning_text", "text"),
    "response.reasoning_summary_text": ("reasoning", "summary", "summary_text", "text"),
    "response.function_call_arguments": ("function_call", None, None, "arguments"),
    "response.mcp_call_arguments": ("mcp_call", None, None, "arguments"),
    "response.custom_tool_call_input": ("custom_tool_call", None, None, "input"),
    "response.code_interpreter_call_code": ("code_interpreter_call", None, None, "code"),
}
BLOCKS = {"response.content_part": "content", "response.reasoning_summary_part": "summary"}
MAX_BLOCKS = 10_000
FINAL = ("response.completed", "response.incomplete", "response.failed", "response.cancelled", "response.done")


def fold(events: Iterable[Event]) -> Json:
    """Fold the events. A cut stream gives what is there; data that is no JSON is named in the body."""
    response: dict[str, Json] = {}
    output = _Output()
    error: Json = None
    warnings: list[str] = []
    for event in events:
        if event.data.strip() in ("", "[DONE]"):
            continue
        try:
            data = jsontext.loads(event.data)
        except WireError:
            data = None
        if not isinstance(data, dict):
            if event.complete:
                warnings.append(f"stream event is no JSON object: {event.data[:80]}")
            continue
        type_ = data.get("type")
        type_ = type_ if isinstance(type_, str) else event.event
        if isinstance(data.get("response"), dict):
            response.update(data["response"])
            if type_ in FINAL and "status" not in data["response"]:
                response["status"] = type_.removeprefix("response.")
        elif type_ == "error" or ((event.event == "error" or "error" in data) and not type_.startswith("response.")):
            error = data.get("error") or {key: value for key, value in data.items() if key != "sequence_number"}
        else:
            output.add(type_, data)
    if output.items and not response.get("output"):
        response["output"] = output.whole()
    if error is not None and not response.get("error"):
        response["error"] = error
    if warnings:
        response[STREAM_WARNINGS] = warnings
    return response


class _Output:
    """Output items while their events come in. Deltas are kept as pieces: joining at the end is linear."""

    def __init__(self) -> None:
        self.items: dict[int | str, dict[str, Json]] = {}
        self.done: set[int | str] = set()
        self.pieces: dict[tuple[int | str, str, int], list[str]] = {}

    def add(self, type_: str, data: dict[str, Json]) -> None:
        """Take one event; those that only tell progress change nothing."""
        stem, _, last = type_.rpartition(".")
        index = data.get("output_index", data.get("item_id", len(self.items)))
        if not isinstance(index, (int, str)):
            return
        if stem == "response.output_item":
            item = data.get("item")
            if isinstance(item, dict):
                self.items[index] = item
                if last == "done":
                    self.done.add(index)
        elif index in self.done:
            return
        elif stem in BLOCKS and isinstance(data.get("part"), dict):
            item_type = "message" if BLOCKS[stem] == "content" else "reasoning"
            at = _place_in_item(data)
            self._block(self._item(index, item_type, data), BLOCKS[stem], at).update(data["part"])
            if last == "done":
                self.pieces = {key: held for key, held in self.pieces.items() if key != (index, BLOCKS[stem], at)}
        elif stem in FIELDS and last in ("delta", "done"):
            self._text(index, stem, last, data)
        elif stem == "response.shell_call_command":
            commands = self._item(index, "shell_call", data).setdefault("action", {})
            commands = _list(commands, "commands") if isinstance(commands, dict) else []
            at = _place_in_item(data)
            commands += [""] * (at + 1 - len(commands))
            said = data.get("command" if last == "done" else "delta", "")
            commands[at] = text_of(said) if last == "done" else text_of(commands[at]) + text_of(said)
        elif type_ == "response.output_text.annotation.added":
            item = self._item(index, "message", data)
            block = self._block(item, "content", _place_in_item(data))
            _list(block, "annotations").append(data.get("annotation"))

    def _text(self, index: int | str, stem: str, last: str, data: dict[str, Json]) -> None:
        item_type, inside, block_type, field = FIELDS[stem]
        item = self._item(index, item_type, data)
        at = _place_in_item(data)
        if inside:
            block = self._block(item, inside, at)
            block.setdefault("type", block_type)
            if last == "delta" and isinstance(data.get("logprobs"), list) and data["logprobs"]:
                _list(block, "logprobs").extend(data["logprobs"])
        key = (index, inside or field, at)
        if last == "delta" and isinstance(data.get("delta"), str):
            self.pieces.setdefault(key, []).append(data["delta"])
        elif last == "done" and isinstance(data.get(field), str):
            self.pieces[key] = [data[field]]

    def _item(self, index: int | str, type_: str, data: dict[str, Json]) -> dict[str, Json]:
        """The item of an event; one whose start is missing is made of what the event says."""
        if index not in self.items:
            item: dict[str, Json] = {"type": type_, "id": data.get("item_id")}
            if type_ == "message":
                item |= {"role": "assistant", "content": []}
            self.items[index] = item
        return self.items[index]

    def _block(self, item: dict[str, Json], inside: str, at: int) -> dict[str, Json]:
        blocks = _list(item, inside)
        while len(blocks) <= at:
            blocks.append({})
        if not isinstance(blocks[at], dict):
            blocks[at] = {}
        block: dict[str, Json] = blocks[at]
        return block

    def whole(self) -> list[Json]:
        """The items in the order of the output; those that were not done hold the deltas that came."""
        for (index, inside, at), pieces in self.pieces.items():
            if index in self.done:
                continue
            item, text = self.items[index], "".join(pieces)
            if inside in ("content", "summary"):
                block = self._block(item, inside, at)
                block["refusal" if block.get("type") == "refusal" else "text"] = text
            else:
                item[inside] = text
        return [self.items[index] for index in sorted(self.items, key=lambda key: (isinstance(key, str), key))]


def _list(holder: dict[str, Json], name: str) -> list[Json]:
    """A field to which events add; what is no list, such as `null`, gives way to one."""
    held = holder.get(name)
    if not isinstance(held, list):
        held = holder[name] = []
    return held


def _place_in_item(data: dict[str, Json]) -> int:
    """Index of the block that an event speaks of; a nonsensical one must not make the list huge."""
    at = next((data[key] for key in ("content_index", "summary_index", "command_index") if key in data), 0)
    return at if isinstance(at, int) and 0 <= at < MAX_BLOCKS else 0
