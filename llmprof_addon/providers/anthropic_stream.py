"""A stream of the Messages API, put together to the body that the same call would give unstreamed.

Of a cut stream it gives what is there: the blocks so far, tool arguments that do not parse as text, no output count.
"""

from collections.abc import Iterable

from llmprof_addon.errors import WireError
from llmprof_addon.model.part import Json
from llmprof_addon.providers.carving import text_of
from llmprof_addon.wire import jsontext
from llmprof_addon.wire.sse import Event


def fold(events: Iterable[Event]) -> Json:
    """Put the events together; those that are no JSON are left out."""
    message: dict[str, Json] = {}
    blocks: dict[int, dict[str, Json]] = {}
    pieces: dict[tuple[int, str], list[str]] = {}
    counted = False
    for event in events:
        try:
            data = jsontext.loads(event.data)
        except WireError:
            continue  # cut off, or no JSON at all
        if not isinstance(data, dict):
            continue
        kind, index = data.get("type"), data.get("index")
        if kind == "message_start" and isinstance(data.get("message"), dict):
            message.update(data["message"])
        elif kind == "content_block_start" and isinstance(index, int) and isinstance(data.get("content_block"), dict):
            blocks[index] = dict(data["content_block"])
        elif kind == "content_block_delta" and isinstance(index, int) and isinstance(data.get("delta"), dict):
            _add(data["delta"], blocks.setdefault(index, _started(data["delta"])), index, pieces)
        elif kind == "message_delta":
            delta = data.get("delta")
            message.update(delta if isinstance(delta, dict) else {})
            message.update({key: value for key, value in data.items() if key not in ("type", "delta", "usage")})
            message["usage"] = merge_usage(message.get("usage"), data.get("usage"))
            counted = True
        elif kind == "message_stop":
            counted = True
        elif "error" in data:
            message["error"] = data["error"]
    if not counted and isinstance(message.get("usage"), dict):
        # What `message_start` says of the output is a beginning, not a total (fixture `cut_stream`).
        message["usage"] = {key: value for key, value in message["usage"].items() if not key.startswith("output_")}
    _join(blocks, pieces)
    given = message.get("content")
    if blocks or given is not None:
        message["content"] = [*(given if isinstance(given, list) else []), *(blocks[index] for index in sorted(blocks))]
    return message


_DELTA_BLOCKS = {"thinking_delta": "thinking", "signature_delta": "thinking", "input_json_delta": "tool_use"}


def _started(delta: dict[str, Json]) -> dict[str, Json]:
    """A block whose start was lost: its type by that of its delta."""
    return {"type": _DELTA_BLOCKS.get(text_of(delta.get("type")), "text")}


def _add(delta: dict[str, Json], block: dict[str, Json], index: int, pieces: dict[tuple[int, str], list[str]]) -> None:
    for key, value in delta.items():
        if key == "type" or value is None:
            continue
        if key == "citation":
            given = block.get("citations")
            block["citations"] = [*(given if isinstance(given, list) else []), value]
        elif isinstance(value, str):
            # Joined at the end: adding up strings is quadratic in the length of the answer.
            pieces.setdefault((index, key), []).append(value)
        else:
            block[key] = value


def _join(blocks: dict[int, dict[str, Json]], pieces: dict[tuple[int, str], list[str]]) -> None:
    for (index, key), texts in pieces.items():
        text, block = "".join(texts), blocks[index]
        if key == "partial_json":
            try:
                block["input"] = jsontext.loads(text) if text else block.get("input")
            except WireError:
                block["input"] = text
        else:
            block[key] = text_of(block.get(key)) + text


def merge_usage(old: Json, new: Json) -> Json:
    """Later numbers win field by field, but an absent or null one never, and a 0 only for output.

    `message_delta` of some hosts repeats the cache fields as 0 that `message_start` reported.
    """
    if not isinstance(new, dict):
        return old
    if not isinstance(old, dict):
        return new
    merged = dict(old)
    for key, value in new.items():
        if value is None or (value == 0 and key != "output_tokens" and merged.get(key)):
            continue
        merged[key] = merge_usage(merged.get(key), value) if isinstance(value, dict) else value
    return merged
