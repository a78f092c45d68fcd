"""APIs older or simpler than chat: a prompt is one text or several, an answer the text that goes on from it.

Cohere's generate, Anthropic's complete, and the single prompts of Bedrock's models (Titan, Llama, Mistral, Jurassic).
What tells them apart are the names of the keys, which are here as data.
"""

from collections.abc import Iterable, Sequence

from llmprof_addon.model.call import Answer, Prompt
from llmprof_addon.model.part import Json, Part, PartKind
from llmprof_addon.model.usage import Usage
from llmprof_addon.providers import openai_chat
from llmprof_addon.providers.carving import name_of, text_of, tokens_of, warnings_in
from llmprof_addon.providers.cohere_usage import usage_of
from llmprof_addon.providers.error_bodies import error_of
from llmprof_addon.providers.openai_chat_stream import STREAM_WARNINGS
from llmprof_addon.providers.text_inputs import take_texts

PROMPTS = ("prompt", "inputText", "texts", "inputs")

_TEXTS: tuple[tuple[str, str, str], ...] = (
    ("results", "outputText", "completionReason"),
    ("outputs", "text", "stop_reason"),
    ("generations", "text", "finish_reason"),
    ("completions", "data.text", "finishReason.reason"),
    ("", "generation", "stop_reason"),
    ("", "completion", "stop_reason"),
    ("", "outputText", "completionReason"),
)
"""List, text in it, and why it ended: Titan, Mistral, Cohere, Jurassic; Llama, Claude 2, and a chunk of Titan's."""

_COUNTS: tuple[tuple[str, str], ...] = (
    ("prompt_token_count", "generation_token_count"),
    ("inputTextTokenCount", "totalOutputTextTokenCount"),
)

_CONTINUED = frozenset({"generation", "completion", "outputText", "text"})
"""Strings that go on from chunk to chunk; of anything else the last value that is not null counts."""


def read_request(body: Json) -> Prompt:
    """Carve a request body; `messages` are those of a stored answer."""
    if not isinstance(body, dict):
        return Prompt(messages=(Part(kind=PartKind.GENERIC, text=text_of(body), form="whole", value=body),))
    if "messages" in body:
        return openai_chat.read_request(body)
    params = dict(body)
    messages = next((parts for key in PROMPTS if (parts := take_texts(params, key))), ())
    return Prompt(messages=messages, params=params)


def read_response(body: Json) -> Answer:
    """Read a whole body or the joined chunks of a stream; one part for each answer, none for an embedding."""
    if not isinstance(body, dict):
        return Answer(rest=body, error=error_of(body))
    rest = dict(body)
    warnings = warnings_in(rest.pop(STREAM_WARNINGS, None))
    parts: tuple[Part, ...] = ()
    reasons: list[str] = []
    for list_key, text_key, reason_key in _TEXTS:
        items = body.get(list_key) if list_key else [body]
        if isinstance(items, list) and any(isinstance(_in(item, text_key), str) for item in items):
            path = f"{list_key}[{{}}].{text_key}" if list_key else text_key
            parts = _answers([_in(item, text_key) for item in items], path)
            reasons = [reason for item in items if (reason := name_of(_in(item, reason_key)))]
            del rest[list_key or text_key]
            break
    return Answer(
        parts=parts,
        usage=_counted(body) or usage_of(body),
        response_id=name_of(body.get("id")),
        response_model=name_of(body.get("model")),
        finish_reasons=tuple(reasons),
        error=error_of(body),
        rest=rest,
        warnings=warnings,
    )


def _answers(texts: Sequence[Json], path: str) -> tuple[Part, ...]:
    return tuple(
        Part(
            kind=PartKind.TEXT,
            role="assistant",
            text=text,
            value={"type": "text", "text": text},
            place="messages/content",
            form="string",
            wrapper={"role": "assistant"},
            path=path.format(index),
        )
        for index, text in enumerate(texts)
        if isinstance(text, str)
    )


def _counted(body: dict[str, Json]) -> Usage | None:
    for input_key, output_key in _COUNTS:
        input_, output = count_of(body, input_key), count_of(body, output_key)
        if input_ is not None:
            results = body.get("results")
            if output is None and isinstance(results, list) and results:
                counts = [count_of(item, "tokenCount") if isinstance(item, dict) else None for item in results]
                output = None if None in counts else sum(count or 0 for count in counts)
            raw = {key: body[key] for key in (input_key, output_key) if key in body}
            return Usage(input_tokens=input_, output_tokens=output, raw=raw)
    return None


def count_of(held: dict[str, Json], *keys: str) -> int | None:
    """The first number of tokens under one of the keys."""
    for key in keys:
        if (tokens := tokens_of(held.get(key))) is not None:
            return tokens
    return None


def _in(value: Json, path: str) -> Json:
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def join(chunks: Iterable[dict[str, Json]]) -> dict[str, Json]:
    """Chunks of one body put together."""
    body: dict[str, Json] = {}
    pieces: dict[str, list[str]] = {}
    for chunk in chunks:
        for key, value in chunk.items():
            if key in _CONTINUED and isinstance(value, str):
                pieces.setdefault(key, []).append(value)
            elif key in ("outputs", "generations", "results") and isinstance(body.get(key), list):
                body[key] = _continued(body[key], value)
            elif value is not None or key not in body:
                body[key] = value
    return {**body, **{key: "".join(texts) for key, texts in pieces.items()}}


def _continued(held: list[Json], more: Json) -> list[Json]:
    """Mistral's and Cohere's lists of one answer each, whose text goes on."""
    if not (isinstance(more, list) and len(held) == len(more) == 1):
        return held
    (old,), (new,) = held, more
    if not isinstance(old, dict) or not isinstance(new, dict):
        return held
    text = text_of(old.get("text")) + text_of(new.get("text"))
    return [{**old, **{key: value for key, value in new.items() if value is not None}, "text": text}]
