"""Dialect `openai.embeddings`: texts in, vectors out. Of the vectors, their number and size are kept."""

from collections.abc import Iterable
from dataclasses import replace

from llmprof_addon.model.call import Answer, Prompt
from llmprof_addon.model.part import Json, Part, PartKind
from llmprof_addon.model.usage import Usage
from llmprof_addon.providers.carving import name_of, text_of, tokens_of
from llmprof_addon.providers.error_bodies import error_of
from llmprof_addon.providers.openai_usage import usage_of
from llmprof_addon.providers.text_inputs import take_texts
from llmprof_addon.wire.sse import Event

api = "openai.embeddings"
operation = "embeddings"
section_order = ("tools", "system", "messages")


def read_request(body: Json) -> Prompt:
    """Carve a request body."""
    if not isinstance(body, dict):
        return Prompt(messages=(Part(kind=PartKind.GENERIC, text=text_of(body), form="whole", value=body),))
    params = dict(body)
    return Prompt(messages=take_texts(params, "input"), params=params)


def read_response(body: Json) -> Answer:
    """Read a whole body. It has no parts: nobody reads a vector, and no client sends one back."""
    if not isinstance(body, dict):
        return Answer(error=error_of(body), rest=body)
    rest = dict(body)
    if isinstance(vectors := body.get("data"), list):
        rest["data"] = {"vectors": len(vectors), **_size(vectors[0] if vectors else None)}
    return Answer(
        usage=_usage(body),
        response_id=name_of(body.get("id")),
        response_model=name_of(body.get("model")),
        error=error_of(body),
        rest=rest,
    )


def _size(entry: Json) -> dict[str, int]:
    """How large a vector is: in numbers, or in bytes where it is base64, which does not say how wide they are."""
    vector = entry.get("embedding") if isinstance(entry, dict) else None
    if isinstance(vector, list):
        return {"dimensions": len(vector)}
    return {"bytes": len(vector) // 4 * 3 - vector[-2:].count("=")} if isinstance(vector, str) else {}


def _usage(body: dict[str, Json]) -> Usage | None:
    """Usage of an embedding, whose total is its input: Voyage reports nothing else."""
    usage = usage_of(body)
    if usage is None or usage.input_tokens is not None:
        return usage
    return replace(usage, input_tokens=tokens_of(usage.raw.get("total_tokens")) or None)


def fold(events: Iterable[Event]) -> Json:
    """Embeddings are not streamed: whatever a host frames as events has no answer in it."""
    return {}
