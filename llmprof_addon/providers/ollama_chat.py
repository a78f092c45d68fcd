"""Dialect `ollama.chat`: Ollama's own `/api/chat`."""

from dataclasses import replace

from llmprof_addon.model.call import Answer, Prompt
from llmprof_addon.model.media import media_of
from llmprof_addon.model.part import Form, Json, Part, PartKind
from llmprof_addon.model.tree import locate
from llmprof_addon.providers.carving import compact, generic, name_of, server_of, text_of, warnings_in
from llmprof_addon.providers.error_bodies import error_of
from llmprof_addon.providers.ollama_stream import STREAM_WARNINGS, fold, usage_of
from llmprof_addon.providers.openai_blocks import read_tool
from llmprof_addon.providers.sequence import Seen, carve_items

__all__ = ["api", "fold", "operation", "read_request", "read_response", "section_order"]

api = "ollama.chat"
operation = "chat"
section_order = ("system", "tools", "messages")

_STRINGS = (("thinking", PartKind.REASONING), ("content", PartKind.TEXT))
"""Texts of a message in the order of its parts; images and calls follow."""


def read_request(body: Json) -> Prompt:
    """Carve a request body. A schema in `format` is the last of the tools."""
    if not isinstance(body, dict):
        return Prompt(messages=(Part(kind=PartKind.GENERIC, text=text_of(body), form="whole", value=body),))
    params = dict(body)
    tools: list[Part] = []
    if isinstance(params.get("tools"), list) and params["tools"]:
        tools += [part for _, parts in carve_items(params.pop("tools"), "tools", _tool, Seen()) for part in parts]
    tools += output_schema(params)
    system: list[Part] = []
    messages: list[Part] = []
    if isinstance(params.get("messages"), list) and params["messages"]:
        leading = True
        for message, parts in carve_items(params.pop("messages"), "messages", _message, Seen()):
            leading = leading and isinstance(message, dict) and message.get("role") == "system"
            (system if leading else messages).extend(parts)
    return Prompt(tools=tuple(tools), system=tuple(system), messages=tuple(messages), params=params)


def output_schema(params: dict[str, Json]) -> tuple[Part, ...]:
    """The schema in `format`, which is taken out; the word `json` stays."""
    schema = params.get("format")
    if not isinstance(schema, dict) or not schema:
        return ()
    del params["format"]
    kind = PartKind.OUTPUT_SCHEMA
    return locate([Part(kind=kind, text=compact(schema), value=schema, place="format", form="whole")])


def _tool(tool: Json, place: str, seen: Seen) -> list[Part]:
    return [read_tool(tool, place)]


def _message(message: Json, place: str, seen: Seen) -> list[Part]:
    """The parts of one message, the first of which opens it."""
    if not isinstance(message, dict):
        return [generic(message, place)]
    wrapper = dict(message)
    role = text_of(wrapper.get("role"))
    name = name_of(wrapper.get("tool_name")) or name_of(wrapper.get("name"))
    parts: list[Part] = []

    def add(kind: PartKind, slot: str, value: Json, form: Form = "item", **more: Json) -> None:
        opening = None if parts else wrapper
        parts.append(
            Part(kind=kind, role=role, value=value, place=f"{place}/{slot}", form=form, wrapper=opening, **more)
        )

    for key, kind in _STRINGS:
        if isinstance(text := wrapper.get(key), str) and text:
            del wrapper[key]
            kind = PartKind.TOOL_RESULT if role == "tool" and key == "content" else kind
            value = {"type": "text", "text": text}
            add(kind, key, value, "string", text=text, name=name, server=server_of(name))
    if isinstance(wrapper.get("images"), list) and wrapper["images"]:
        for image in wrapper.pop("images"):
            media = media_of(None, image) if isinstance(image, str) else None
            add(PartKind.IMAGE if media else PartKind.GENERIC, "images", image, media=media)
    if isinstance(wrapper.get("tool_calls"), list) and wrapper["tool_calls"]:
        for call in wrapper.pop("tool_calls"):
            add(PartKind.TOOL_CALL, "tool_calls", call, **_called(call))
    if not parts:
        kind = PartKind.TOOL_RESULT if role == "tool" else PartKind.TEXT
        add(kind, "content", None, "absent", text="", name=name)
    return parts


def _called(call: Json) -> dict[str, Json]:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict):
        return {"text": text_of(call)}
    name = name_of(function.get("name"))
    return {
        "name": name,
        "server": server_of(name),
        "call_id": name_of(call.get("id")),
        "text": text_of(function.get("arguments")),
    }


def read_response(body: Json) -> Answer:
    """Read a whole body or a folded stream."""
    if not isinstance(body, dict):
        return Answer(error=error_of(body), rest=body)
    return answer_of(body, body.get("message"), {key: value for key, value in body.items() if key != "message"})


def answer_of(body: dict[str, Json], message: Json, rest: dict[str, Json]) -> Answer:
    """The answer of either endpoint, with its message as a client would send it again."""
    parts: list[Part] = []
    if isinstance(message, dict) and any(message.get(key) for key in ("content", "thinking", "images", "tool_calls")):
        carved = locate(_message({"role": "assistant", **message}, "messages", Seen()))
        parts = [replace(part, path=part.path.replace("messages[0]", "message", 1)) for part in carved]
    reason = name_of(body.get("done_reason"))
    return Answer(
        parts=tuple(parts),
        usage=usage_of(body),
        response_model=name_of(body.get("model")),
        finish_reasons=(reason,) if reason else (),
        error=error_of(body),
        rest=rest,
        warnings=warnings_in(body.get(STREAM_WARNINGS)),
    )
