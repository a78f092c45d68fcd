"""Dialect `anthropic.complete`: Anthropic's text completions of before the Messages API, which report no usage."""

from collections.abc import Iterable

from llmprof_addon.errors import WireError
from llmprof_addon.model.part import Json
from llmprof_addon.providers.plain_completions import join, read_request, read_response
from llmprof_addon.wire import jsontext
from llmprof_addon.wire.sse import Event

__all__ = ["api", "fold", "operation", "read_request", "read_response", "section_order"]

api = "anthropic.complete"
operation = "text_completion"
section_order = ("tools", "system", "messages")


def fold(events: Iterable[Event]) -> Json:
    """Put the events together, each of which has the next piece of the text."""
    chunks: list[dict[str, Json]] = []
    for event in events:
        try:
            data = jsontext.loads(event.data)
        except WireError:
            continue
        if isinstance(data, dict):
            chunks.append(data)
    return join(chunks)
