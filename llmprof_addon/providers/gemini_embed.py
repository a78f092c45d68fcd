"""Dialect `gemini.embed`: `embedContent` and `batchEmbedContents`: contents in, vectors out."""

from llmprof_addon.model.call import Answer, Prompt
from llmprof_addon.model.part import Form, Json, Part, PartKind
from llmprof_addon.model.tree import locate
from llmprof_addon.providers.carving import text_of
from llmprof_addon.providers.error_bodies import error_of
from llmprof_addon.providers.gemini_usage import usage_of
from llmprof_addon.providers.openai_embeddings import fold

__all__ = ["api", "fold", "operation", "read_request", "read_response", "section_order"]

api = "gemini.embed"
operation = "embeddings"
section_order = ("tools", "system", "messages")


def read_request(body: Json) -> Prompt:
    """Carve a request body: one part for each content that is embedded."""
    if not isinstance(body, dict):
        return Prompt(messages=(Part(kind=PartKind.GENERIC, text=text_of(body), form="whole", value=body),))
    params = dict(body)
    if isinstance(requests := params.get("requests"), list) and requests:
        del params["requests"]
        return Prompt(messages=locate(_content(request, "requests", "item") for request in requests), params=params)
    if "content" in params:
        return Prompt(messages=locate([_content(params.pop("content"), "content", "whole")]), params=params)
    return Prompt(params=params)


def _content(value: Json, place: str, form: Form) -> Part:
    """A request of a batch, or the one content; anything but texts is kept and shown as it is."""
    held = value.get("content", value) if isinstance(value, dict) else value
    pieces = held.get("parts") if isinstance(held, dict) else None
    texts = [
        text
        for piece in (pieces if isinstance(pieces, list) else [pieces])
        if isinstance(piece, dict) and isinstance(text := piece.get("text"), str)
    ]
    kind = PartKind.TEXT if texts else PartKind.GENERIC
    text = "\n".join(texts) if texts else text_of(value)
    return Part(kind=kind, role="user", text=text, value=value, place=place, form=form)


def read_response(body: Json) -> Answer:
    """Read a whole body; the vectors are left out."""
    if not isinstance(body, dict):
        return Answer(error=error_of(body), rest=body)
    rest = {key: value for key, value in body.items() if key not in ("embedding", "embeddings")}
    return Answer(usage=usage_of(body), error=error_of(body), rest=rest)
