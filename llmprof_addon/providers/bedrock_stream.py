"""A ConverseStream put together to the body that Converse would give; exceptions in the stream become its error.

Of a cut or damaged stream it gives what is there: the blocks so far, tool arguments that
do not parse as text, no usage.
"""

from collections.abc import Iterable

from llmprof_addon.errors import WireError
from llmprof_addon.model.part import Json
from llmprof_addon.providers.carving import text_of
from llmprof_addon.providers.openai_chat_stream import STREAM_WARNINGS
from llmprof_addon.wire import jsontext
from llmprof_addon.wire.eventstream import DAMAGED
from llmprof_addon.wire.sse import Event

_PADDING = "p"
"""Filler of varying length, against guessing from the sizes of events."""


def fold(events: Iterable[Event]) -> Json:
    """Put the events together; what is no JSON object is left out."""
    body: dict[str, Json] = {}
    message: dict[str, Json] = {}
    blocks: dict[int, _Block] = {}
    for event in events:
        if event.event == DAMAGED:
            body.setdefault(STREAM_WARNINGS, []).append(event.data)
            continue
        try:
            data = jsontext.loads(event.data)
        except WireError:
            continue
        if not isinstance(data, dict):
            continue
        data = {key: value for key, value in data.items() if key != _PADDING}
        index = data.get("contentBlockIndex")
        if event.event == "messageStart":
            message.update(data)
        elif event.event in ("contentBlockStart", "contentBlockDelta") and isinstance(index, int):
            for held in (data.get("start"), data.get("delta")):
                if isinstance(held, dict):
                    blocks.setdefault(index, _Block()).add(held)
        elif event.event in ("messageStop", "metadata"):
            body.update(data)
        elif event.event.endswith(("Exception", "Error")):
            body["error"] = {"type": event.event, **data}
    content = [blocks[index].whole() for index in sorted(blocks)]
    if message or content:
        body = {"output": {"message": {"role": "assistant", **message, "content": content}}, **body}
    return body


class _Block:
    """One content block while its deltas come in. Strings are kept as pieces: joining at the end is linear."""

    def __init__(self) -> None:
        self.fields: dict[str, dict[str, Json]] = {}
        self.pieces: dict[tuple[str, str], list[str]] = {}
        self.lists: dict[str, list[Json]] = {}

    def add(self, delta: dict[str, Json]) -> None:
        """Take a start or a delta: `{kind: {…}}`, or `{"text": "…"}`."""
        for kind, held in delta.items():
            if isinstance(held, str):
                self.pieces.setdefault((kind, ""), []).append(held)
            elif isinstance(held, list):
                self.lists.setdefault(kind, []).extend(held)
            elif kind == "citation":
                self.lists.setdefault(kind, []).append(held)
            elif isinstance(held, dict):
                fields = self.fields.setdefault(kind, {})
                for key, value in held.items():
                    if isinstance(value, str) and (kind, key) not in _WHOLE:
                        self.pieces.setdefault((kind, key), []).append(value)
                    else:
                        fields[key] = value

    def whole(self) -> Json:
        """The block as an unstreamed body has it."""
        joined = {key: "".join(pieces) for key, pieces in self.pieces.items()}
        if "reasoningContent" in self.fields:
            return {"reasoningContent": _reasoning(self.fields["reasoningContent"], joined)}
        if "toolUse" in self.fields:
            return {"toolUse": {**self.fields["toolUse"], "input": _arguments(joined.get(("toolUse", "input"), ""))}}
        if "citation" in self.lists:
            text = [{"text": joined.get(("text", ""), "")}]
            return {"citationsContent": {"content": text, "citations": self.lists["citation"]}}
        if "toolResult" in self.fields or "toolResult" in self.lists:
            held = self.fields.get("toolResult", {})
            return {"toolResult": {**held, "content": self.lists.get("toolResult", [])}}
        for kind, fields in self.fields.items():
            own = {name: text for (owner, name), text in joined.items() if owner == kind}
            return {kind: {**fields, **own}}
        return {"text": joined.get(("text", ""), "")}


_WHOLE = {
    *(("toolUse", key) for key in ("toolUseId", "name", "type")),
    *(("toolResult", key) for key in ("toolUseId", "status", "type")),
    ("image", "format"),
}
"""Strings of a start or a delta that are said whole."""


def _reasoning(fields: dict[str, Json], joined: dict[tuple[str, str], str]) -> Json:
    said = {key: text for (kind, key), text in joined.items() if kind == "reasoningContent"}
    if "redactedContent" in said:
        return {**fields, "redactedContent": said["redactedContent"]}
    return {**fields, "reasoningText": {key: said[key] for key in ("text", "signature") if key in said}}


def _arguments(text: str) -> Json:
    try:
        return jsontext.loads(text) if text else {}
    except WireError:
        return text_of(text)
