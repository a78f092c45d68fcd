"""Dialect `cohere.generate`: Cohere's text completions; a stream sends the whole answer with its last event."""

from collections.abc import Iterable

from llmprof_addon.model.part import Json
from llmprof_addon.providers.cohere_stream import fold as fold_chat
from llmprof_addon.providers.plain_completions import read_request, read_response
from llmprof_addon.wire.sse import Event

__all__ = ["api", "fold", "operation", "read_request", "read_response", "section_order"]

api = "cohere.generate"
operation = "text_completion"
section_order = ("tools", "system", "messages")


def fold(events: Iterable[Event]) -> Json:
    """Put the events together; of a stream that was cut, the text so far."""
    body = fold_chat(events)
    if isinstance(body, dict) and "generations" not in body and isinstance(text := body.pop("text", None), str):
        body["generations"] = [{"text": text}]
    elif isinstance(body, dict):
        body.pop("text", None)
    return body
