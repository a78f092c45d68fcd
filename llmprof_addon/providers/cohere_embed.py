"""Dialect `cohere.embed`: texts or images in, vectors out, charged by `billed_units`."""

from llmprof_addon.model.call import Answer, Prompt
from llmprof_addon.model.media import media_of_url
from llmprof_addon.model.part import Json, Part, PartKind
from llmprof_addon.model.tree import locate
from llmprof_addon.providers.carving import name_of, text_of
from llmprof_addon.providers.cohere_usage import usage_of
from llmprof_addon.providers.error_bodies import error_of
from llmprof_addon.providers.openai_embeddings import fold
from llmprof_addon.providers.text_inputs import take_texts

__all__ = ["api", "fold", "operation", "read_request", "read_response", "section_order"]

api = "cohere.embed"
operation = "embeddings"
section_order = ("tools", "system", "messages")


def read_request(body: Json) -> Prompt:
    """Carve a request body. Mixed `inputs` of version 2 hold content blocks, which are kept whole."""
    if not isinstance(body, dict):
        return Prompt(messages=(Part(kind=PartKind.GENERIC, text=text_of(body), form="whole", value=body),))
    params = dict(body)
    messages = take_texts(params, "texts") + take_texts(params, "inputs")
    if isinstance(images := params.get("images"), list) and images:
        del params["images"]
        messages += locate(_image(image) for image in images)
    return Prompt(messages=messages, params=params)


def _image(image: Json) -> Part:
    if not isinstance(image, str):
        return Part(kind=PartKind.GENERIC, role="user", text=text_of(image), value=image, place="images")
    return Part(kind=PartKind.IMAGE, role="user", media=media_of_url(image), value=image, place="images")


def read_response(body: Json) -> Answer:
    """Read a whole body; the vectors and the echoed texts are left out."""
    if not isinstance(body, dict):
        return Answer(error=error_of(body), rest=body)
    rest = {key: value for key, value in body.items() if key not in ("embeddings", "texts")}
    return Answer(usage=usage_of(body), response_id=name_of(body.get("id")), error=error_of(body), rest=rest)
