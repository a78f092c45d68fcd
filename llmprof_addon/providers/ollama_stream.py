"""A stream of Ollama, of either endpoint, put together to the body that the same call would give unstreamed."""

from collections.abc import Iterable

from llmprof_addon.errors import WireError
from llmprof_addon.model.part import Json
from llmprof_addon.model.usage import Usage
from llmprof_addon.providers.carving import object_at, tokens_of
from llmprof_addon.wire import jsontext
from llmprof_addon.wire.sse import Event

STREAM_WARNINGS = "llmprof_stream_warnings"
"""Key of a folded body for what could not be folded; absent where all could."""

_CONTINUED = ("content", "thinking", "response")
"""Strings of a chunk that continue; the other fields are said whole, most of them in the last chunk."""


def fold(events: Iterable[Event]) -> Json:
    """Fold the events. A cut stream gives what is there; data that is no JSON is named in the body."""
    body: dict[str, Json] = {}
    pieces: dict[tuple[str, str], list[str]] = {}
    warnings: list[str] = []
    for event in events:
        try:
            chunk = jsontext.loads(event.data)
        except WireError:
            chunk = None
        if not isinstance(chunk, dict):
            if event.complete:
                warnings.append(f"stream event is no JSON object: {event.data[:80]}")
            continue
        message = chunk.get("message")
        if isinstance(message, dict):
            _merge(object_at(body, "message"), message, pieces, "message")
            chunk = {key: value for key, value in chunk.items() if key != "message"}
        _merge(body, chunk, pieces, "")
    for (owner, key), texts in pieces.items():
        (object_at(body, owner) if owner else body)[key] = "".join(texts)
    if warnings:
        body[STREAM_WARNINGS] = warnings
    return body


def _merge(whole: dict[str, Json], more: dict[str, Json], pieces: dict[tuple[str, str], list[str]], owner: str) -> None:
    for key, value in more.items():
        if key in _CONTINUED and isinstance(value, str):
            whole.setdefault(key, "")
            pieces.setdefault((owner, key), []).append(value)
        elif isinstance(value, list) and isinstance(whole.get(key), list):
            whole[key] = [*whole[key], *value]
        elif value is not None or key not in whole:
            whole[key] = value


def usage_of(body: dict[str, Json]) -> Usage | None:
    """The usage of a response. A prompt that was cached is left out by older servers: it is not reported then."""
    found = {key: tokens_of(body.get(key)) for key in ("prompt_eval_count", "eval_count")}
    counts = {key: tokens for key, tokens in found.items() if tokens is not None}
    if not counts:
        return None
    return Usage(input_tokens=counts.get("prompt_eval_count"), output_tokens=counts.get("eval_count"), raw=counts)
