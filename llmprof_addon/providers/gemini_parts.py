"""Contents and tools of Gemini: one JSON value in, its parts out, for requests and answers alike.

Keys come in two spellings, `functionCall` as the API writes it and `function_call` as some clients do; both are read
and kept as they are.
"""

from base64 import b64decode

from llmprof_addon.model.media import media_of
from llmprof_addon.model.part import Form, Json, Media, Part, PartKind
from llmprof_addon.providers.carving import compact, generic, name_of, server_of, text_of
from llmprof_addon.providers.sequence import Seen

_SAME = {
    "function_call": "functionCall",
    "function_response": "functionResponse",
    "inline_data": "inlineData",
    "file_data": "fileData",
    "executable_code": "executableCode",
    "code_execution_result": "codeExecutionResult",
    "tool_call": "toolCall",
    "tool_response": "toolResponse",
    "thought_signature": "thoughtSignature",
}
_ORDER = ("text", "id", "name", "args", "thought", "thoughtSignature")
"""One order for the keys around content: the API writes another one than most clients. Other keys stand between."""

_URL_SAFE = str.maketrans("-_", "+/")
DECLARED = ("functionDeclarations", "function_declarations")
CODE = "code_execution"
"""The name of the tool whose calls and results are `executableCode` and `codeExecutionResult`."""


def either(held: dict[str, Json], *keys: str) -> Json:
    """The value under the first of the keys that is there."""
    return next((held[key] for key in keys if key in held), None)


def carve_content(content: Json, place: str, seen: Seen) -> list[Part]:
    """The parts of one message, the first of which opens it."""
    if not isinstance(content, dict):
        return [generic(content, place)]
    wrapper = {key: value for key, value in content.items() if key != "parts"}
    role = name_of(wrapper.get("role")) or "user"
    held, slot = content.get("parts"), f"{place}/parts"
    if isinstance(held, list) and held:
        return [read_part(part, slot, role, None if index else wrapper) for index, part in enumerate(held)]
    if isinstance(held, dict):  # one part, as Google's own examples for curl have it
        return [read_part(held, slot, role, wrapper, form="whole")]
    return [Part(kind=PartKind.TEXT, role=role, text="", place=slot, form="absent", wrapper=dict(content))]


def read_part(value: Json, place: str, role: str, wrapper: Json = None, *, form: Form = "item") -> Part:
    """One part. An unknown type becomes a generic part."""
    if not isinstance(value, dict):
        return Part(
            kind=PartKind.GENERIC, role=role, text=text_of(value), value=value, place=place, form=form, wrapper=wrapper
        )
    fields = _read(value)
    signature = either(value, "thoughtSignature", "thought_signature")
    if isinstance(signature, str) and not fields.get("hidden"):
        # Thoughts that led to this part, encrypted: they are billed again when it is sent back.
        thoughts = Part(kind=PartKind.REASONING, role=role, hidden=True, value=signature)
        fields["inner"] = (*fields.get("inner", ()), thoughts)
    return Part(role=role, value=_ordered(value), place=place, form=form, wrapper=wrapper, **fields)


def _read(value: dict[str, Json]) -> dict[str, Json]:
    """What a part is, and what is billed of it."""
    for key, held in value.items():
        fields = _of_type(_SAME.get(key, key), held, value) if isinstance(held, dict) else None
        if fields is not None:
            return fields
    signed = either(value, "thoughtSignature", "thought_signature") is not None
    if isinstance(text := value.get("text"), str) and (text or not signed):
        return {"kind": PartKind.REASONING if value.get("thought") is True else PartKind.TEXT, "text": text}
    if signed:
        return {"kind": PartKind.REASONING, "hidden": True}
    return {"kind": PartKind.GENERIC, "text": compact(value)}


def _of_type(type_: str, held: dict[str, Json], part: dict[str, Json]) -> dict[str, Json] | None:
    match type_:
        case "functionCall" | "toolCall":
            name = name_of(either(held, "name", "toolType"))
            text = text_of(held["args"]) if "args" in held else "{}"
            return _tool(PartKind.TOOL_CALL, name, held, text)
        case "functionResponse" | "toolResponse":
            name = name_of(either(held, "name", "toolType"))
            blocks = held.get("parts")
            inner = tuple(read_part(block, "", "") for block in blocks) if isinstance(blocks, list) else ()
            return {**_tool(PartKind.TOOL_RESULT, name, held, text_of(held.get("response"))), "inner": inner}
        case "executableCode":
            return _tool(PartKind.TOOL_CALL, CODE, held, text_of(held.get("code")))
        case "codeExecutionResult":
            return _tool(PartKind.TOOL_RESULT, CODE, held, text_of(held.get("output")))
        case "inlineData" | "fileData":
            media = _media(held, _resolution(either(part, "mediaResolution", "media_resolution")))
            name = name_of(either(held, "displayName", "display_name"))
            if (plain := _plain(held, media)) is not None:
                return {"kind": PartKind.TEXT, "text": plain, "name": name}
            return {"kind": _media_kind(media), "media": media, "name": name}
    return None


def _tool(kind: PartKind, name: str | None, held: dict[str, Json], text: str) -> dict[str, Json]:
    return {"kind": kind, "name": name, "server": server_of(name), "call_id": name_of(held.get("id")), "text": text}


def _media(held: dict[str, Json], detail: str | None) -> Media:
    mime = name_of(either(held, "mimeType", "mime_type"))
    if isinstance(data := held.get("data"), str):
        return media_of(mime, data, detail)
    return Media(type=mime, detail=detail, source="file")


def _media_kind(media: Media) -> PartKind:
    family = (media.type or "").partition("/")[0]
    return {"image": PartKind.IMAGE, "audio": PartKind.AUDIO}.get(family, PartKind.DOCUMENT)


def _plain(held: dict[str, Json], media: Media) -> str | None:
    """The text of an inline plain text; of other media no text is billed."""
    if media.source != "inline" or not (media.type or "").startswith("text/"):
        return None
    try:
        data = "".join(held["data"].split()).translate(_URL_SAFE)  # Google's own client sends base64 for URLs
        return b64decode(data, validate=True).decode("utf-8", "replace")
    except ValueError:
        return None


def _resolution(level: Json) -> str | None:
    """`{"level": "MEDIA_RESOLUTION_LOW"}` -> `low`."""
    name = level.get("level") if isinstance(level, dict) else level
    return name.removeprefix("MEDIA_RESOLUTION_").lower() if isinstance(name, str) else None


def _ordered(value: dict[str, Json]) -> dict[str, Json]:
    return {
        key: _sorted(held) if _SAME.get(key, key) == "functionCall" and isinstance(held, dict) else held
        for key, held in _sorted(value).items()
    }


def _sorted(value: dict[str, Json]) -> dict[str, Json]:
    def rank(key: str) -> int:
        name = _SAME.get(key, key)
        return _ORDER.index(name) if name in _ORDER else 3

    return {key: value[key] for key in sorted(value, key=rank)}


def carve_tool(tool: Json, place: str, seen: Seen) -> list[Part]:
    """The functions that one entry of `tools` declares; a tool of Google's is one part, named by its key."""
    if not isinstance(tool, dict):
        return [generic(tool, place)]
    key = next((key for key in DECLARED if isinstance(tool.get(key), list) and tool[key]), None)
    if key is None:
        name = next(iter(tool), None)
        return [Part(kind=PartKind.TOOL_SCHEMA, text=compact(tool), name=name, value=tool, place=place)]
    wrapper = {other: held for other, held in tool.items() if other != key}
    parts: list[Part] = []
    for declared in tool[key]:
        name = name_of(declared.get("name")) if isinstance(declared, dict) else None
        parts.append(
            Part(
                kind=PartKind.TOOL_SCHEMA,
                text=compact(declared),
                name=name,
                server=server_of(name),
                value=declared,
                place=f"{place}/{key}",
                wrapper=None if parts else wrapper,
            )
        )
    return parts
