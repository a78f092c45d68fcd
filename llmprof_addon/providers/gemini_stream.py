"""Chunks of a Gemini stream put together to the body that the same call would give unstreamed."""

from collections.abc import Iterable

from llmprof_addon.errors import WireError
from llmprof_addon.model.part import Json
from llmprof_addon.wire import jsontext
from llmprof_addon.wire.sse import Event

STREAM_WARNINGS = "llmprof_stream_warnings"
"""Key of a folded body for what could not be folded; absent where all could."""


def fold(events: Iterable[Event]) -> Json:
    """Fold the events. A cut stream gives what is there; data that is no JSON is named in the body."""
    chunks: list[Json] = []
    warnings: list[str] = []
    for event in events:
        if event.data.strip() in ("", "[DONE]"):
            continue
        try:
            chunk = jsontext.loads(event.data)
        except WireError:
            chunk = None
        if isinstance(chunk, list):  # errors come in batches
            chunks += chunk
        elif isinstance(chunk, dict):
            chunks.append(chunk)
        elif event.complete:
            warnings.append(f"stream event is no JSON object: {event.data[:80]}")
    body = fold_chunks(chunks)
    if warnings:
        body[STREAM_WARNINGS] = warnings
    return body


def fold_chunks(chunks: Iterable[Json]) -> dict[str, Json]:
    """One body of all chunks; later values win. Those that Code Assist wraps stay wrapped."""
    body: dict[str, Json] = {}
    candidates: dict[int, dict[str, Json]] = {}
    wrapped: list[Json] = []
    for chunk in chunks:
        if not isinstance(chunk, dict):
            continue
        for key, value in chunk.items():
            if key == "response" and isinstance(value, dict):
                wrapped.append(value)
            elif key == "candidates" and isinstance(value, list):
                for candidate in value:
                    _add(candidates, candidate)
            elif isinstance(value, dict) and isinstance(body.get(key), dict):
                body[key] = {**body[key], **{name: held for name, held in value.items() if held is not None}}
            elif value is not None or key not in body:
                body[key] = value
    if candidates:
        body["candidates"] = [candidates[index] for index in sorted(candidates)]
    if wrapped:
        body["response"] = fold_chunks(wrapped)
    return body


def _add(candidates: dict[int, dict[str, Json]], candidate: Json) -> None:
    if not isinstance(candidate, dict):
        return
    index = candidate.get("index")
    whole = candidates.setdefault(index if isinstance(index, int) else 0, {})
    for key, value in candidate.items():
        if key == "content" and isinstance(value, dict):
            content = whole.setdefault("content", {})
            if not isinstance(content, dict):
                content = whole["content"] = {}
            parts = value.get("parts")
            content.update({name: held for name, held in value.items() if name != "parts"})
            if isinstance(parts, list):
                _extend(content.setdefault("parts", []), parts)
        elif value is not None or key not in whole:
            whole[key] = value


def _extend(parts: list[Json], more: list[Json]) -> None:
    """Append parts; text continues the text before it, up to the signature that ends a block."""
    for part in more:
        last: Json = parts[-1] if parts else None
        if _continues(last, part):
            parts[-1] = {**last, **part, "text": last["text"] + part["text"]}
        else:
            parts.append(part)


def _continues(last: Json, part: Json) -> bool:
    if not isinstance(last, dict) or not isinstance(part, dict):
        return False
    texts = isinstance(last.get("text"), str) and isinstance(part.get("text"), str)
    return texts and last.keys() <= {"text", "thought"} and last.get("thought") == part.get("thought")
