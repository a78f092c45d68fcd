"""What a dialect has to do, and the one table of those that exist.

A dialect is a module of this package: it turns the JSON of one wire format into the neutral types and knows nothing of
hosts, addresses, headers or other dialects: `reader` frames its streams and finds a model that stands in the address.
None of its functions raises on an odd shape: what it does not know becomes a `generic` part or a warning.
"""

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Protocol, cast

from llmprof_addon.model.call import Answer, Prompt
from llmprof_addon.model.part import Json
from llmprof_addon.wire.sse import Event


class Dialect(Protocol):
    """One wire format."""

    api: str
    operation: str
    """OpenTelemetry's `gen_ai.operation.name`: `chat`, `generate_content`, `text_completion`, `embeddings`."""
    section_order: tuple[str, ...]
    """The order in which its provider lays and caches tools, system and messages."""

    def read_request(self, body: Json) -> Prompt:
        """Carve a request body, so that `model.tree.assemble` gives it back."""

    def read_response(self, body: Json) -> Answer:
        """Read a whole response body, also that of a folded stream or of an error."""

    def fold(self, events: Iterable[Event]) -> Json:
        """Put a stream together to the body that the same call would give unstreamed; a cut one gives what is there."""


MODULES = {
    "openai.chat": "openai_chat",
    "openai.responses": "openai_responses",
    "anthropic.messages": "anthropic_messages",
    "gemini.generate_content": "gemini_generate_content",
    "openai.completions": "openai_completions",
    "openai.embeddings": "openai_embeddings",
    "mistral.chat": "mistral_chat",
    "ollama.chat": "ollama_chat",
    "ollama.generate": "ollama_generate",
    "bedrock.converse": "bedrock_converse",
    "bedrock.invoke": "bedrock_invoke",
    "cohere.chat": "cohere_chat",
    "cohere.generate": "cohere_generate",
    "cohere.embed": "cohere_embed",
    "gemini.embed": "gemini_embed",
    "anthropic.complete": "anthropic_complete",
    "openai.images": "openai_images",
    "openai.assistants": "openai_assistants",
}
"""Module of each dialect. Loaded on first use: the worker of an Anthropic-only user never reads the others."""


def by_api(api: str) -> Dialect | None:
    """The dialect of this name, `None` if there is none."""
    module = MODULES.get(api)
    return cast(Dialect, import_module(f"{__package__}.{module}")) if module else None


def read_again(dialect: Dialect, body: Json, rest: Json = None) -> Prompt:
    """The parts of a stored body; of an answer, put together as a message, with the `rest` of the response.

    A dialect of several formats may have `told_by`, which makes of the rest what tells its `read_request` the format.
    """
    told_by: Callable[[Json], dict[str, Json]] | None = getattr(dialect, "told_by", None)
    return dialect.read_request({**body, **told_by(rest)} if told_by and isinstance(body, dict) else body)
