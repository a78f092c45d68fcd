"""A Chat Completions stream put together to the body that the same call would give unstreamed."""

from collections.abc import Iterable

from llmprof_addon.errors import WireError
from llmprof_addon.model.part import Json
from llmprof_addon.providers.carving import object_at
from llmprof_addon.providers.openai_messages import REASONING_TEXTS
from llmprof_addon.wire import jsontext
from llmprof_addon.wire.sse import Event

STREAM_WARNINGS = "llmprof_stream_warnings"
"""Key of a folded body for what could not be folded; absent where all could."""

CONCATENATED = frozenset({"content", "refusal", *REASONING_TEXTS})
"""Strings of a delta that continue; every other field of it is said whole."""

CONTINUED_IN_BLOCK = frozenset({"text", "summary", "data", "thinking", "signature"})
"""Strings of a streamed block that continue; hosts send signatures and data in one piece."""

NOISE = frozenset({"choices", "object", "usage", "obfuscation", "error"})


def fold(events: Iterable[Event]) -> Json:
    """Fold the events. A cut stream gives what is there; data that is no JSON is named in the body."""
    body: dict[str, Json] = {}
    choices: dict[int, _Choice] = {}
    warnings: list[str] = []
    for event in events:
        if event.data.strip() in ("", "[DONE]"):
            continue
        try:
            chunk = jsontext.loads(event.data)
        except WireError:
            chunk = None
        if not isinstance(chunk, dict):
            if event.complete:
                warnings.append(f"stream event is no JSON object: {event.data[:80]}")
            continue
        if chunk.get("error") is not None:
            body["error"] = chunk["error"]
        elif event.event == "error":
            body["error"] = chunk
            continue
        _merge_top(body, chunk)
        held = chunk.get("choices")
        for choice in held if isinstance(held, list) else ():
            if isinstance(choice, dict):
                index = choice.get("index")
                number = index if isinstance(index, int) else 0
                choices.setdefault(number, _Choice(number)).add(choice)
    if choices or "choices" in body:
        body["object"] = "chat.completion"
        body["choices"] = [choices[index].whole() for index in sorted(choices)]
    if warnings:
        body[STREAM_WARNINGS] = warnings
    return body


def _merge_top(body: dict[str, Json], chunk: dict[str, Json]) -> None:
    """Later values win, null never does. Usage is cumulative where hosts repeat it, so the last report is the whole."""
    for key, value in chunk.items():
        if key == "choices":
            body.setdefault("choices", [])
        elif key == "usage":
            if isinstance(value, dict) and value:
                body["usage"] = value
        elif key not in NOISE and (value is not None or key not in body):
            if key == "x_groq" and isinstance(value, dict) and isinstance(body.get(key), dict):
                value = {**body[key], **value}
            body[key] = value


class _Choice:
    """One choice while its deltas come in. Strings are kept as pieces: joining at the end is linear."""

    def __init__(self, index: int) -> None:
        self.fields: dict[str, Json] = {"index": index}
        self.message: dict[str, Json] = {}
        self.pieces: dict[str, list[str]] = {}
        self.blocks: list[Json] = []
        self.calls: list[_Call] = []
        self.call_at: dict[int, _Call] = {}
        self.function: _Call | None = None
        self.logprobs: dict[str, Json] = {}
        self.given: Json = None

    def add(self, choice: dict[str, Json]) -> None:
        """Take one chunk's share of this choice."""
        for key, value in choice.items():
            if key == "delta":
                if isinstance(value, dict):
                    self._add_delta(value)
            elif key == "message":
                self.given = value or self.given
            elif key == "logprobs":
                self._add_logprobs(value)
            elif key == "text" and isinstance(value, str):
                # Together repeats the delta's text here; other hosts send nothing else.
                if not isinstance(choice.get("delta"), dict):
                    self.pieces.setdefault("content", []).append(value)
            elif value is not None or key not in self.fields:
                self.fields[key] = value

    def _add_delta(self, delta: dict[str, Json]) -> None:
        for key, value in delta.items():
            if value is None:
                self.message.setdefault(key, None)
            elif key in CONCATENATED and isinstance(value, str):
                self.pieces.setdefault(key, []).append(value)
            elif key == "content" and isinstance(value, list):
                _extend(self.blocks, value, "type")
            elif key == "reasoning_details" and isinstance(value, list):
                held = self.message.get(key)
                if not isinstance(held, list):
                    held = self.message[key] = []
                _extend(held, value, "index")
            elif key == "tool_calls" and isinstance(value, list):
                for call in value:
                    self._add_call(call)
            elif key == "function_call" and isinstance(value, dict):
                self.function = self.function or _Call()
                self.function.add({"function": value})
            elif key == "audio" and isinstance(value, dict):
                self._add_audio(value)
            elif isinstance(value, list) and isinstance(self.message.get(key), list):
                self.message[key] = [*self.message[key], *value]
            else:
                self.message[key] = value

    def _add_call(self, delta: Json) -> None:
        """Find the call that a delta continues. Gemini numbers no call, others number all parallel ones alike."""
        if not isinstance(delta, dict):
            return
        index, id_ = delta.get("index"), delta.get("id")
        held = delta.get("function", delta.get("custom"))
        named = isinstance(held, dict) and bool(held.get("name"))
        number = index if isinstance(index, int) else None
        call = self.calls[-1] if self.calls else None
        if number is not None:
            call = self.call_at.get(number)
        other = bool(id_) and call is not None and call.fields.get("id") not in (None, "", id_)
        if call is None or (named and (other or (number is None and not id_))):
            call = _Call()
            self.calls.append(call)
        if number is not None:
            self.call_at[number] = call
        call.add(delta)

    def _add_audio(self, delta: dict[str, Json]) -> None:
        for key, value in delta.items():
            if key in ("data", "transcript") and isinstance(value, str):
                self.pieces.setdefault(f"audio.{key}", []).append(value)
            else:
                object_at(self.message, "audio")[key] = value

    def _add_logprobs(self, value: Json) -> None:
        if not isinstance(value, dict):
            self.fields.setdefault("logprobs", value)
            return
        for key, tokens in value.items():
            if isinstance(tokens, list):
                held = self.logprobs.get(key)
                if not isinstance(held, list):
                    held = self.logprobs[key] = []
                held.extend(tokens)
            else:
                self.logprobs.setdefault(key, tokens)

    def whole(self) -> Json:
        """The choice as an unstreamed body has it."""
        message = dict(self.message)
        for key, pieces in self.pieces.items():
            if key.startswith("audio."):
                object_at(message, "audio")[key.removeprefix("audio.")] = "".join(pieces)
            else:
                message[key] = "".join(pieces)
        if self.blocks:
            text = message.get("content")
            message["content"] = [*([{"type": "text", "text": text}] if text else ()), *self.blocks]
        if self.calls:
            message["tool_calls"] = [call.whole() for call in self.calls]
            message["content"] = message.get("content") or None
        if self.function is not None:
            message["function_call"] = self.function.whole()["function"]
        if isinstance(self.given, dict) and not any(value for key, value in message.items() if key != "role"):
            message = self.given
        message = {"role": message.get("role") or "assistant", **{k: v for k, v in message.items() if k != "role"}}
        choice = {"index": self.fields["index"], "message": message, **self.fields}
        if self.logprobs:
            choice["logprobs"] = self.logprobs
        return choice


class _Call:
    """One tool call while its deltas come in."""

    def __init__(self) -> None:
        self.fields: dict[str, Json] = {}
        self.function: dict[str, Json] = {}
        self.pieces: dict[str, list[str]] = {}
        self.key = "function"

    def add(self, delta: dict[str, Json]) -> None:
        """Take one delta. Names and ids come whole, some hosts repeat them; arguments come in pieces."""
        for key, value in delta.items():
            if key in ("function", "custom") and isinstance(value, dict):
                self.key = key
                for name, held in value.items():
                    if name in ("arguments", "input") and isinstance(held, str):
                        self.pieces.setdefault(name, []).append(held)
                    elif held is not None and not self.function.get(name):
                        self.function[name] = held
            elif key != "index" and value is not None and not self.fields.get(key):
                self.fields[key] = value

    def whole(self) -> dict[str, Json]:
        """The call as an unstreamed body has it."""
        joined = {key: "".join(pieces) for key, pieces in self.pieces.items()}
        return {**self.fields, self.key: {**self.function, **joined}}


def _extend(blocks: list[Json], more: list[Json], same: str) -> None:
    """Append blocks; one that agrees with the last in `same` and `type` continues its text."""
    for block in more:
        last = blocks[-1] if blocks else None
        if (
            isinstance(block, dict)
            and isinstance(last, dict)
            and block.get(same) == last.get(same)
            and block.get("type") == last.get("type")
            and (block.get("id") or last.get("id")) == (last.get("id") or block.get("id"))
        ):
            for key, value in block.items():
                if key in CONTINUED_IN_BLOCK and isinstance(value, str) and isinstance(last.get(key), str):
                    last[key] += value
                elif isinstance(value, list) and isinstance(last.get(key), list):
                    _extend(last[key], value, "type")
                elif value is not None:
                    last[key] = value
        else:
            blocks.append(dict(block) if isinstance(block, dict) else block)
