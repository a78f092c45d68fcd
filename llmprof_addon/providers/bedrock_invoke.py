"""Dialect `bedrock.invoke`: InvokeModel, whose bodies are those of the model's vendor; the shape tells which.

Anthropic's messages, Amazon Nova (Converse's blocks), Cohere's and OpenAI's chat go to their readers. The rest are
single prompts: Titan, Llama, Mistral, AI21 Jurassic, Claude 2, Cohere Command. A stream holds the vendor's own chunks
in base64; the last has `amazon-bedrock-invocationMetrics`, which count where the vendor's body does not.
"""

from base64 import b64decode
from collections.abc import Callable, Iterable
from dataclasses import replace

from llmprof_addon.errors import WireError
from llmprof_addon.model.call import Answer, Prompt
from llmprof_addon.model.part import Json, Part, PartKind
from llmprof_addon.model.usage import Usage
from llmprof_addon.providers import anthropic_messages, bedrock_converse, cohere_chat, openai_chat, plain_completions
from llmprof_addon.providers.carving import compact, text_of, warnings_in
from llmprof_addon.providers.error_bodies import error_of
from llmprof_addon.providers.openai_chat_stream import STREAM_WARNINGS
from llmprof_addon.wire import jsontext
from llmprof_addon.wire.eventstream import DAMAGED
from llmprof_addon.wire.sse import Event

__all__ = ["api", "fold", "operation", "read_request", "read_response", "section_order", "told_by"]

api = "bedrock.invoke"
operation = "chat"
section_order = ("tools", "system", "messages")

METRICS = "amazon-bedrock-invocationMetrics"

_CONVERSE_KEYS = frozenset({"schemaVersion", "inferenceConfig", "toolConfig"})
_VENDORS: dict[str, tuple[Callable[[Json], Prompt], Callable[[Json], Answer]]] = {
    "anthropic": (anthropic_messages.read_request, anthropic_messages.read_response),
    "converse": (bedrock_converse.read_request, bedrock_converse.read_response),
    "cohere": (cohere_chat.read_request, cohere_chat.read_response),
    "openai": (openai_chat.read_request, openai_chat.read_response),
}
_TOLD = "llmprof.vendor"
"""Where `told_by` says it."""


def read_request(body: Json) -> Prompt:
    """Carve a request body as its vendor's reader does."""
    if not isinstance(body, dict):
        return Prompt(messages=(Part(kind=PartKind.GENERIC, text=text_of(body), form="whole", value=body),))
    if vendor := _vendor_of_request(body):
        return _VENDORS[vendor][0](body)
    return plain_completions.read_request(body)


def told_by(rest: Json) -> dict[str, Json]:
    """What tells the vendor of an answer whose parts are read again: some vendors' blocks look alike."""
    vendor = _vendor_of_response(rest) if isinstance(rest, dict) else None
    return {_TOLD: vendor} if vendor else {}


def _vendor_of_request(body: dict[str, Json]) -> str | None:
    if isinstance(told := body.get(_TOLD), str) and told in _VENDORS:
        return told
    if isinstance(messages := body.get("messages"), list):
        contents = [message.get("content") for message in messages if isinstance(message, dict)]
        blocks = [held[0] for held in contents if isinstance(held, list) and held and isinstance(held[0], dict)]
        thinks = any(isinstance(block.get("thinking"), list) for block in blocks)  # as Mistral writes it
        typed = any("type" in block for block in blocks) and not thinks
        if "anthropic_version" in body or (body.keys() == {"messages"} and typed):
            return "anthropic"  # the second is a stored answer
        untyped = any("type" not in block for block in blocks)
        return "converse" if body.keys() & _CONVERSE_KEYS or untyped else "openai"
    return "cohere" if isinstance(body.get("message"), str) or "chat_history" in body else None


def read_response(body: Json) -> Answer:
    """Read a response body; counts are the vendor's, else those of the invocation metrics."""
    if not isinstance(body, dict):
        return Answer(rest=body, error=error_of(body))
    metrics = bedrock_converse.read_usage(body.get(METRICS))
    vendor = _vendor_of_response(body)
    answer = _VENDORS[vendor][1](body) if vendor else plain_completions.read_response(body)
    return replace(answer, usage=_either(answer.usage, metrics))


def _vendor_of_response(body: dict[str, Json]) -> str | None:
    if body.get("type") == "message" or isinstance(body.get("content"), list):
        return "anthropic"
    if isinstance(body.get("output"), dict) or "stopReason" in body:
        return "converse"
    if isinstance(body.get("choices"), list):
        return "openai"
    return "cohere" if "generation_id" in body else None


def _either(usage: Usage | None, metrics: Usage | None) -> Usage | None:
    """Anthropic's own count of the output exceeds the metrics' where tools are called, and is what is documented."""
    if usage is None or metrics is None:
        return usage or metrics
    if usage.input_tokens is None:
        return metrics if usage.output_tokens is None else replace(metrics, output_tokens=usage.output_tokens)
    return usage if usage.output_tokens is not None else replace(usage, output_tokens=metrics.output_tokens)


def fold(events: Iterable[Event]) -> Json:
    """Put the chunks together as the vendor's own stream is; exceptions between them become the body's error."""
    chunks: list[dict[str, Json]] = []
    error: Json = None
    warnings: list[str] = []
    for event in events:
        if event.event == DAMAGED:
            warnings.append(event.data)
        elif event.event.endswith(("Exception", "Error")):
            error = {"type": event.event, **_object(event.data)}
        elif isinstance(data := _object(event.data).get("bytes"), str):
            try:
                chunks.append(_object(b64decode(data)))
            except ValueError:
                warnings.append("a chunk is not base64")
    body: dict[str, Json] = _joined(chunks)
    for chunk in chunks:
        body.update({key: value for key, value in chunk.items() if key.startswith("amazon-bedrock-")})
    if error is not None:
        body["error"] = error
    if warnings:
        body[STREAM_WARNINGS] = [*warnings_in(body.get(STREAM_WARNINGS)), *warnings]
    return body


def _object(data: str | bytes) -> dict[str, Json]:
    try:
        value = jsontext.loads(data)
    except WireError:
        return {}
    return value if isinstance(value, dict) else {}


def _joined(chunks: list[dict[str, Json]]) -> dict[str, Json]:
    first = next((chunk for chunk in chunks if chunk), {})
    folded: Json
    if str(first.get("type", "")).startswith(("message_", "content_block_", "ping")):
        folded = anthropic_messages.fold(_events(chunks, lambda chunk: (str(chunk.get("type")), chunk)))
    elif first.keys() & {"messageStart", "contentBlockDelta", "messageStop"}:
        folded = _one_text(bedrock_converse.fold(_events(chunks, _named)))
    elif "choices" in first:
        folded = openai_chat.fold(_events(chunks, lambda chunk: ("message", chunk)))
    elif "event_type" in first:
        folded = cohere_chat.fold(_events(chunks, lambda chunk: ("message", chunk)))
    else:
        folded = plain_completions.join(chunks)
    return folded if isinstance(folded, dict) else {}


def _events(chunks: list[dict[str, Json]], named: Callable[[dict[str, Json]], tuple[str, Json]]) -> list[Event]:
    return [Event(name, compact(data)) for name, data in map(named, chunks)]


def _named(chunk: dict[str, Json]) -> tuple[str, Json]:
    """Nova's chunks have the event's name as a key."""
    return next(((key, value) for key, value in chunk.items() if not key.startswith("amazon-")), ("", {}))


def _one_text(body: Json) -> Json:
    """Nova numbers each piece of a text as a block of its own; unstreamed, they are one."""
    message = body.get("output", {}).get("message") if isinstance(body, dict) else None
    if not isinstance(message, dict):
        return body
    joined: list[Json] = []
    for block in message["content"]:
        if joined and block.keys() == joined[-1].keys() == {"text"}:
            joined[-1]["text"].append(block["text"])
        else:
            joined.append({"text": [block["text"]]} if block.keys() == {"text"} else block)
    message["content"] = [{"text": "".join(block["text"])} if block.keys() == {"text"} else block for block in joined]
    return body
