"""Dialect `ollama.generate`: Ollama's `/api/generate`, one prompt in and one text out.

The tokens of an earlier exchange come back as `context`. An answer is read as one of `ollama.chat`.
"""

from dataclasses import replace

from llmprof_addon.model.call import Answer, Prompt
from llmprof_addon.model.media import media_of
from llmprof_addon.model.part import Json, Part, PartKind
from llmprof_addon.model.tree import locate
from llmprof_addon.providers import ollama_chat
from llmprof_addon.providers.carving import text_of
from llmprof_addon.providers.error_bodies import error_of
from llmprof_addon.providers.ollama_stream import fold
from llmprof_addon.providers.text_inputs import take_texts

__all__ = ["api", "fold", "operation", "read_request", "read_response", "section_order"]

api = "ollama.generate"
operation = "text_completion"
section_order = ("system", "tools", "messages")

_PATHS = {"message.content": "response", "message.thinking": "thinking"}


def read_request(body: Json) -> Prompt:
    """Carve a request body; `messages` are those of a stored answer."""
    if not isinstance(body, dict):
        return Prompt(messages=(Part(kind=PartKind.GENERIC, text=text_of(body), form="whole", value=body),))
    if "messages" in body:
        return ollama_chat.read_request(body)
    params = dict(body)
    tools = ollama_chat.output_schema(params)
    system = take_texts(params, "system", "system") if isinstance(params.get("system"), str) else ()
    messages = [*take_texts(params, "context"), *take_texts(params, "prompt")]
    if isinstance(params.get("images"), list) and params["images"]:
        messages += locate([_image(image) for image in params.pop("images")])
    messages += take_texts(params, "suffix")
    return Prompt(tools=tools, system=system, messages=tuple(messages), params=params)


def _image(image: Json) -> Part:
    media = media_of(None, image) if isinstance(image, str) else None
    kind = PartKind.IMAGE if media else PartKind.GENERIC
    return Part(kind=kind, role="user", value=image, place="images", media=media)


def read_response(body: Json) -> Answer:
    """Read a whole body or a folded stream. Of `context`, which repeats both in tokens, the length is kept."""
    if not isinstance(body, dict):
        return Answer(error=error_of(body), rest=body)
    said = {key: body[key] for key in _PATHS.values() if isinstance(body.get(key), str)}
    message = {path.removeprefix("message."): said[key] for path, key in _PATHS.items() if said.get(key)}
    rest = {key: value for key, value in body.items() if key not in said}
    if isinstance(rest.get("context"), list):
        rest["context"] = {"tokens": len(rest["context"])}
    answer = ollama_chat.answer_of(body, message, rest)
    return replace(answer, parts=tuple(replace(part, path=_PATHS[part.path]) for part in answer.parts))
