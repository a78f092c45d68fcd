"""Dialect `openai.images`: a prompt in, pictures out. The GPT image models count and bill tokens, DALL-E pictures."""

from collections.abc import Iterable

from llmprof_addon.errors import WireError
from llmprof_addon.model.call import Answer, Prompt
from llmprof_addon.model.media import media_of, media_of_url
from llmprof_addon.model.part import Json, Part, PartKind
from llmprof_addon.model.tree import locate
from llmprof_addon.providers.carving import generic, text_of
from llmprof_addon.providers.error_bodies import error_of
from llmprof_addon.providers.openai_usage import usage_of
from llmprof_addon.providers.text_inputs import take_texts
from llmprof_addon.wire import jsontext
from llmprof_addon.wire.sse import Event

api = "openai.images"
operation = "generate_content"
section_order = ("tools", "system", "messages")


def read_request(body: Json) -> Prompt:
    """Carve a request body; `data` is that of a stored answer."""
    if not isinstance(body, dict):
        return Prompt(messages=(Part(kind=PartKind.GENERIC, text=text_of(body), form="whole", value=body),))
    params = dict(body)
    return Prompt(messages=(*take_texts(params, "prompt"), *_pictures(params)), params=params)


def read_response(body: Json) -> Answer:
    """Read a whole body; each picture is a part, its revised prompt stays with it."""
    if not isinstance(body, dict):
        return Answer(error=error_of(body), rest=body)
    rest = dict(body)
    parts = _pictures(rest)
    return Answer(parts=parts, usage=usage_of(body), error=error_of(body), rest=rest)


def _pictures(held: dict[str, Json]) -> tuple[Part, ...]:
    if not isinstance(pictures := held.get("data"), list) or not pictures:
        return ()
    del held["data"]
    return locate(_picture(picture) for picture in pictures)


def _picture(picture: Json) -> Part:
    held = picture if isinstance(picture, dict) else {}
    data, url = held.get("b64_json"), held.get("url")
    if isinstance(data, str):
        media = media_of(None, data)
    elif isinstance(url, str):
        media = media_of_url(url)
    else:
        return generic(picture, "data")
    return Part(kind=PartKind.IMAGE, role="assistant", media=media, value=picture, place="data")


def fold(events: Iterable[Event]) -> Json:
    """Put the events together: each finished picture with its usage; the drafts before it are left out."""
    body: dict[str, Json] = {}
    for event in events:
        try:
            data = jsontext.loads(event.data)
        except WireError:
            continue
        if isinstance(data, dict) and str(data.get("type")).endswith(".completed"):
            body.setdefault("data", []).append({"b64_json": data.get("b64_json")})
            body["usage"] = data.get("usage")
        elif isinstance(data, dict) and "error" in data:
            body["error"] = data["error"]
    return body
