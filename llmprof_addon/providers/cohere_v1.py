"""Version 1 of Cohere's chat: one new message beside a history, tools by their own names, documents beside both."""

from collections.abc import Callable, Sequence

from llmprof_addon.model.call import Answer, Prompt
from llmprof_addon.model.part import Json, Part, PartKind
from llmprof_addon.model.tree import locate
from llmprof_addon.providers.carving import compact, generic, name_of, server_of, text_of
from llmprof_addon.providers.cohere_usage import usage_of
from llmprof_addon.providers.error_bodies import error_of
from llmprof_addon.providers.sequence import Seen, carve_items
from llmprof_addon.providers.text_inputs import take_texts

_HISTORY = "chat_history"

type _Carve = Callable[[Json, str, Seen], Sequence[Part]]


def read_request(body: dict[str, Json]) -> Prompt:
    """Carve a request body: the preamble is the system, history, new message and tool results are the messages."""
    params = dict(body)
    tools = _items(params, "tools", _tool)
    system = list(take_texts(params, "preamble", "system"))
    messages: list[Part] = []
    leading = True
    if isinstance(params.get(_HISTORY), list) and params[_HISTORY]:
        for item, parts in carve_items(params.pop(_HISTORY), _HISTORY, _message, Seen()):
            leading = leading and isinstance(item, dict) and text_of(item.get("role")).lower() == "system"
            (system if leading else messages).extend(parts)
    system += documents(params)
    messages += _new_message(params)
    messages += _items(params, "tool_results", _tool_result)
    return Prompt(tools=tuple(tools), system=tuple(system), messages=tuple(messages), params=params)


def documents(params: dict[str, Json]) -> list[Part]:
    """The documents to answer from, of either version, taken out of `params`."""
    return _items(params, "documents", _document)


def _new_message(params: dict[str, Json]) -> tuple[Part, ...]:
    """The new message as the turn of the history that it is in the next request, so that the two calls chain."""
    text = params.get("message")
    if not isinstance(text, str) or not text:
        return take_texts(params, "message")
    value, place, wrapper = {"type": "text", "text": params.pop("message")}, f"{_HISTORY}/message", {"role": "USER"}
    part = Part(kind=PartKind.TEXT, role="user", text=text, value=value, place=place, form="beside", wrapper=wrapper)
    return locate([part])


def _items(params: dict[str, Json], key: str, carve: _Carve) -> list[Part]:
    if not isinstance(params.get(key), list) or not params[key]:
        return []
    return [part for _, parts in carve_items(params.pop(key), key, carve, Seen()) for part in parts]


def _document(document: Json, place: str, seen: Seen) -> list[Part]:
    held = document.get("data", document) if isinstance(document, dict) else document
    name = name_of(document.get("title") or document.get("id")) if isinstance(document, dict) else None
    return [Part(kind=PartKind.DOCUMENT, text=text_of(held), name=name, value=document, place=place)]


def _tool(tool: Json, place: str, seen: Seen) -> list[Part]:
    if not isinstance(tool, dict):
        return [generic(tool, place)]
    name = name_of(tool.get("name"))
    kind, text = PartKind.TOOL_SCHEMA, compact(tool)
    return [Part(kind=kind, text=text, name=name, server=server_of(name), value=tool, place=place)]


def _message(message: Json, place: str, seen: Seen) -> list[Part]:
    """One turn of the history; roles are `USER`, `CHATBOT`, `SYSTEM`, `TOOL`."""
    if not isinstance(message, dict):
        return [generic(message, place)]
    wrapper = dict(message)
    role = _ROLES.get(text_of(message.get("role")).lower(), text_of(message.get("role")))
    parts: list[Part] = []
    if isinstance(text := wrapper.get("message"), str) and (text or not wrapper.get("tool_calls")):
        del wrapper["message"]
        value = {"type": "text", "text": text}
        place = f"{_HISTORY}/message"
        parts.append(
            Part(kind=PartKind.TEXT, role=role, text=text, value=value, place=place, form="string", wrapper=wrapper)
        )
    for key, read in (("tool_calls", _tool_call), ("tool_results", _result)):
        if isinstance(held := wrapper.get(key), list) and held:
            del wrapper[key]
            parts += [read(item, role, f"{_HISTORY}/{key}", None if parts else wrapper) for item in held[:1]]
            parts += [read(item, role, f"{_HISTORY}/{key}", None) for item in held[1:]]
    if not parts:
        place = f"{_HISTORY}/message"
        return [Part(kind=PartKind.TEXT, role=role, text="", place=place, form="absent", wrapper=wrapper)]
    return parts


_ROLES = {"chatbot": "assistant", "user": "user", "system": "system", "tool": "tool"}


def _tool_call(call: Json, role: str, place: str, wrapper: Json) -> Part:
    held: dict[str, Json] = call if isinstance(call, dict) else {}
    name, text = name_of(held.get("name")), text_of(held.get("parameters", call))
    kind = PartKind.TOOL_CALL if held else PartKind.GENERIC
    return Part(
        kind=kind, role=role, text=text, name=name, server=server_of(name), value=call, place=place, wrapper=wrapper
    )


def _tool_result(result: Json, place: str, seen: Seen) -> list[Part]:
    return [_result(result, "tool", place, None)]


def _result(result: Json, role: str, place: str, wrapper: Json) -> Part:
    held: dict[str, Json] = result if isinstance(result, dict) else {}
    call = held.get("call")
    name = name_of(call.get("name")) if isinstance(call, dict) else None
    kind, text = PartKind.TOOL_RESULT if held else PartKind.GENERIC, text_of(held.get("outputs", result))
    return Part(
        kind=kind, role=role, text=text, name=name, server=server_of(name), value=result, place=place, wrapper=wrapper
    )


def read_response(body: dict[str, Json]) -> Answer:
    """Read a whole body or a folded stream; the echo of the history stays in the rest."""
    rest = dict(body)
    parts: list[Part] = []
    if isinstance(text := rest.get("text"), str) and (text or not rest.get("tool_calls")):
        del rest["text"]
        value = {"type": "text", "text": text}
        kind, place, wrapper = PartKind.TEXT, f"{_HISTORY}/message", {"role": "CHATBOT"}
        parts.append(
            Part(kind=kind, role="assistant", text=text, value=value, place=place, form="string", wrapper=wrapper)
        )
    if isinstance(calls := rest.get("tool_calls"), list) and calls:
        del rest["tool_calls"]
        place = f"{_HISTORY}/tool_calls"
        for call in calls:
            parts.append(_tool_call(call, "assistant", place, None if parts else {"role": "CHATBOT"}))
    reason = name_of(body.get("finish_reason"))
    return Answer(
        parts=tuple(locate(parts)),
        usage=usage_of(body),
        response_id=name_of(body.get("response_id")),
        finish_reasons=(reason,) if reason else (),
        error=error_of(body),
        rest=rest,
    )
