"""Dialect `cohere.chat`: Cohere's chat, version 2 (`messages`) here, version 1 (`message`) in `cohere_v1`.

Documents stand in front of the conversation, behind the system messages. Usage: see `cohere_usage`.
"""

from dataclasses import replace

from llmprof_addon.model.call import Answer, Prompt
from llmprof_addon.model.media import media_of_url
from llmprof_addon.model.part import Json, Part, PartKind
from llmprof_addon.model.tree import locate
from llmprof_addon.providers import cohere_v1
from llmprof_addon.providers.carving import compact, generic, name_of, server_of, text_of
from llmprof_addon.providers.cohere_stream import fold
from llmprof_addon.providers.cohere_usage import usage_of
from llmprof_addon.providers.cohere_v1 import documents
from llmprof_addon.providers.error_bodies import error_of
from llmprof_addon.providers.openai_blocks import read_tool
from llmprof_addon.providers.sequence import Names, Seen, carve_items

__all__ = ["api", "fold", "operation", "read_request", "read_response", "section_order"]

api = "cohere.chat"
operation = "chat"
section_order = ("tools", "system", "messages")


def read_request(body: Json) -> Prompt:
    """Carve a request body; a JSON schema of the answer is the last of the tools."""
    if not isinstance(body, dict):
        return Prompt(messages=(Part(kind=PartKind.GENERIC, text=text_of(body), form="whole", value=body),))
    if body.keys() & {"message", "chat_history"} and "messages" not in body:
        return cohere_v1.read_request(body)
    params = dict(body)
    tools: list[Part] = []
    if isinstance(params.get("tools"), list) and params["tools"]:
        carved = carve_items(params.pop("tools"), "tools", _tool, Seen())
        tools += [part for _, parts in carved for part in parts]
    tools += locate(_output_schema(params))
    system: list[Part] = []
    messages: list[Part] = []
    held = params.get("messages")
    if isinstance(held, list) and held:
        leading = True
        for message, parts in carve_items(params.pop("messages"), "messages", _message, Seen()):
            leading = leading and isinstance(message, dict) and message.get("role") == "system"
            (system if leading else messages).extend(parts)
    elif held and not isinstance(held, list):
        part = Part(kind=PartKind.GENERIC, text=text_of(held), value=held, place="messages", form="whole")
        messages += locate([part])
        del params["messages"]
    system += documents(params)
    return Prompt(tools=tuple(tools), system=tuple(system), messages=tuple(messages), params=params)


def _tool(tool: Json, place: str, seen: Seen) -> list[Part]:
    return [read_tool(tool, place)]


def _output_schema(params: dict[str, Json]) -> list[Part]:
    held = params.get("response_format")
    schema = held.get("json_schema", held.get("schema")) if isinstance(held, dict) else None
    if not isinstance(schema, dict):
        return []
    del params["response_format"]
    text, place = compact(schema), "response_format"
    return [Part(kind=PartKind.OUTPUT_SCHEMA, text=text, value=held, place=place, form="whole")]


def _message(message: Json, place: str, seen: Seen) -> list[Part]:
    return carve_message(message, seen.calls)


def carve_message(message: Json, names: Names) -> list[Part]:
    """The parts of one message: content, the plan before its tool calls, the calls. The first opens the message."""
    if not isinstance(message, dict):
        return [generic(message, "messages")]
    wrapper = dict(message)
    role = text_of(wrapper.get("role"))
    parts = _content(wrapper, role, names)
    if isinstance(plan := wrapper.get("tool_plan"), str) and plan:
        del wrapper["tool_plan"]
        value = {"type": "text", "text": plan}
        place = "messages/tool_plan"
        parts.append(Part(kind=PartKind.REASONING, role=role, text=plan, value=value, place=place, form="string"))
    if isinstance(calls := wrapper.get("tool_calls"), list) and calls:
        del wrapper["tool_calls"]
        parts += [_tool_call(call, role, names) for call in calls]
    if not parts:
        parts = [Part(kind=PartKind.TEXT, role=role, text="", place="messages/content", form="absent")]
    parts[0] = replace(parts[0], wrapper=wrapper)
    return parts


def _content(wrapper: dict[str, Json], role: str, names: Names) -> list[Part]:
    content = wrapper.get("content")
    if content in (None, []) or (content == "" and wrapper.get("tool_calls")):
        return []
    del wrapper["content"]
    owner = Part(kind=PartKind.TEXT, role=role, place="messages/content")
    if role == "tool":
        call_id = name_of(wrapper.get("tool_call_id"))
        name, server = names.get(call_id or "", (None, None))
        owner = replace(owner, kind=PartKind.TOOL_RESULT, name=name, server=server, call_id=call_id)
    if isinstance(content, str):
        return [replace(owner, text=content, value={"type": "text", "text": content}, form="string")]
    if not isinstance(content, list):
        return [replace(owner, kind=PartKind.GENERIC, text=text_of(content), value=content, form="whole")]
    return [_block(block, owner) for block in content]


def _block(block: Json, owner: Part) -> Part:
    kind = block.get("type") if isinstance(block, dict) else None
    held = block.get(kind) if isinstance(kind, str) else None
    part = replace(owner, value=block)
    if kind in ("text", "thinking") and isinstance(held, str):
        return replace(part, text=held, kind=PartKind.REASONING if kind == "thinking" else part.kind)
    if kind == "image_url" and isinstance(held, dict) and isinstance(held.get("url"), str):
        return replace(part, kind=PartKind.IMAGE, media=media_of_url(held["url"], name_of(held.get("detail"))))
    if kind == "document" and held is not None:
        text = text_of(held.get("data", held) if isinstance(held, dict) else held)
        return replace(part, text=text, kind=PartKind.DOCUMENT if part.kind is PartKind.TEXT else part.kind)
    return replace(part, kind=PartKind.GENERIC, text=text_of(block), name=name_of(kind))


def _tool_call(call: Json, role: str, names: Names) -> Part:
    place = "messages/tool_calls"
    if not isinstance(call, dict):
        return Part(kind=PartKind.GENERIC, role=role, text=text_of(call), value=call, place=place)
    held = call.get("function")
    function: dict[str, Json] = held if isinstance(held, dict) else {}
    name, call_id = name_of(function.get("name")), name_of(call.get("id"))
    server = server_of(name)
    if call_id:
        names[call_id] = name, server
    text = text_of(function.get("arguments"))
    kind = PartKind.TOOL_CALL
    return Part(kind=kind, role=role, text=text, name=name, server=server, call_id=call_id, value=call, place=place)


_SENT_BACK = ("content", "tool_plan", "tool_calls")


def read_response(body: Json) -> Answer:
    """Read a whole body or a folded stream, of either version."""
    if not isinstance(body, dict):
        return Answer(error=error_of(body), rest=body)
    message = body.get("message")
    if not isinstance(message, dict):
        return cohere_v1.read_response(body)
    sent = {key: message[key] for key in _SENT_BACK if message.get(key)}
    parts = [part for part in carve_message({"role": "assistant", **sent}, {}) if part.form != "absent"]
    here = [replace(part, path=part.path.replace("messages[0]", "message", 1)) for part in locate(parts)]
    reason = name_of(body.get("finish_reason"))
    return Answer(
        parts=tuple(here),
        usage=usage_of(body),
        response_id=name_of(body.get("id")),
        finish_reasons=(reason,) if reason else (),
        error=error_of({"error": body["error"]}) if "error" in body else None,
        rest={**body, "message": {key: value for key, value in message.items() if key not in sent}},
    )
