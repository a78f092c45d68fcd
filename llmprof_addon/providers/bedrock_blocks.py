"""Content blocks of Bedrock's Converse API: one JSON block, which names its kind by its only key, to a part.

Shapes as in the service model of botocore 1.42 (`bedrock-runtime`, `ContentBlock`). Amazon's own models take the same
blocks in their native body. A block of an unknown kind is read as `generic`.
"""

from collections.abc import Callable, Mapping

from llmprof_addon.model.media import media_of
from llmprof_addon.model.part import Json, Marker, Media, Part, PartKind
from llmprof_addon.providers.anthropic_blocks import Fields
from llmprof_addon.providers.carving import compact, name_of, server_of, text_of
from llmprof_addon.providers.sequence import Seen

CACHE_POINT = "cachePoint"

type Block = Mapping[str, Json]

_ORDER = {
    "toolUse": ("toolUseId", "name", "input", "type"),
    "toolResult": ("toolUseId", "content", "status", "type"),
    "reasoningText": ("text", "signature"),
}
"""Services and clients order the keys of the same block differently (alphabetically, as modelled, as written)."""


def is_cache_point(block: Json) -> bool:
    """Whether this item of a list is a cache breakpoint, which stands behind the block that it is about."""
    return isinstance(block, dict) and block.keys() == {CACHE_POINT}


def cache_point(block: dict[str, Json], place: str, role: str = "") -> Part:
    """A breakpoint: no part of any chain, since it moves from turn to turn."""
    marker = Marker(key=CACHE_POINT, value=block[CACHE_POINT])
    kind = PartKind.TEXT if role else PartKind.TOOL_SCHEMA
    return Part(kind=kind, role=role, text="", value={}, place=place, markers=(marker,), volatile=True)


def ordered(block: dict[str, Json]) -> dict[str, Json]:
    """The block with the keys of its content in one order; what stands below them is left as sent."""
    (kind,) = block if len(block) == 1 else ("",)
    held = block.get(kind)
    if kind == "reasoningContent" and isinstance(held, dict) and len(held) == 1:
        inner = ordered(held)
        return block if inner is held else {kind: inner}
    order = _ORDER.get(kind)
    if order is None or not isinstance(held, dict) or tuple(held) == tuple(key for key in order if key in held):
        return block
    return {kind: {key: held[key] for key in (*(k for k in order if k in held), *(k for k in held if k not in order))}}


def fields_of(block: Json, seen: Seen) -> Fields:
    """Read one block."""
    if isinstance(block, dict):
        for kind, read in _READERS.items():
            if kind in block:
                fields = read(block[kind], seen)
                if fields is not None:
                    return fields
    name = next(iter(block), None) if isinstance(block, dict) else None
    return {"kind": PartKind.GENERIC, "text": text_of(block), "name": name_of(name)}


def read_tool(tool: Json) -> Fields:
    """Read an entry of `toolConfig.tools`: a client's tool or one of the service's own."""
    if isinstance(tool, dict):
        for kind in ("toolSpec", "systemTool"):
            spec = tool.get(kind)
            if isinstance(spec, dict):
                name = name_of(spec.get("name"))
                return {"kind": PartKind.TOOL_SCHEMA, "text": compact(spec), "name": name, "server": server_of(name)}
    return {"kind": PartKind.GENERIC, "text": text_of(tool)}


def _text(held: Json, seen: Seen) -> Fields | None:
    return {"kind": PartKind.TEXT, "text": held} if isinstance(held, str) else None


def _guarded(held: Json, seen: Seen) -> Fields | None:
    """Content that a guardrail looks at; to the model it is like any other."""
    if not isinstance(held, dict):
        return None
    text = held.get("text")
    if isinstance(text, dict):
        return _text(text.get("text"), seen)
    return _image(held["image"], seen) if "image" in held else None


def _cited(held: Json, seen: Seen) -> Fields | None:
    content = held.get("content") if isinstance(held, dict) else None
    return {"kind": PartKind.TEXT, "text": "".join(_texts(content))} if isinstance(content, list) else None


def _reasoning(held: Json, seen: Seen) -> Fields | None:
    if not isinstance(held, dict):
        return None
    thought = held.get("reasoningText")
    if isinstance(thought, dict) and isinstance(thought.get("text", ""), str):
        text = thought.get("text", "")
        return {"kind": PartKind.REASONING, "text": text, "hidden": not text}
    return {"kind": PartKind.REASONING, "hidden": True} if "redactedContent" in held else None


def _tool_use(held: Json, seen: Seen) -> Fields | None:
    if not isinstance(held, dict):
        return None
    name, call_id = name_of(held.get("name")), name_of(held.get("toolUseId"))
    server = server_of(name)
    if call_id:
        seen.calls[call_id] = name, server
    text = text_of(held.get("input"))
    return {"kind": PartKind.TOOL_CALL, "text": text, "name": name, "server": server, "call_id": call_id}


def _tool_result(held: Json, seen: Seen) -> Fields | None:
    if not isinstance(held, dict):
        return None
    texts: list[str] = []
    inner: list[Part] = []
    content = held.get("content")
    for item in content if isinstance(content, list) else [content]:
        if isinstance(item, dict) and isinstance(item.get("text"), str):
            texts.append(item["text"])
        elif isinstance(item, dict) and "json" in item:
            texts.append(compact(item["json"]))
        elif isinstance(item, dict):
            inner.append(Part(role="user", value=item, **fields_of(item, seen)))
        else:
            texts.append(text_of(item))
    call_id = name_of(held.get("toolUseId"))
    name, server = seen.calls.get(call_id or "", (None, None))
    return {
        "kind": PartKind.TOOL_RESULT,
        "text": "\n".join(texts),
        "name": name,
        "server": server,
        "call_id": call_id,
        "inner": tuple(inner),
    }


def _image(held: Json, seen: Seen) -> Fields | None:
    return {"kind": PartKind.IMAGE, "media": _media("image", held)} if isinstance(held, dict) else None


def _audio(held: Json, seen: Seen) -> Fields | None:
    return {"kind": PartKind.AUDIO, "media": _media("audio", held)} if isinstance(held, dict) else None


def _video(held: Json, seen: Seen) -> Fields | None:
    return {"kind": PartKind.DOCUMENT, "media": _media("video", held)} if isinstance(held, dict) else None


def _document(held: Json, seen: Seen) -> Fields | None:
    if not isinstance(held, dict):
        return None
    texts = [text for text in (held.get("name"), held.get("context")) if isinstance(text, str)]
    source = held.get("source")
    if isinstance(source, dict) and isinstance(source.get("text"), str):
        texts.append(source["text"])
    elif isinstance(source, dict) and isinstance(source.get("content"), list):
        texts += _texts(source["content"])
    else:
        return {"kind": PartKind.DOCUMENT, "text": "\n".join(texts), "media": _media("application", held)}
    return {"kind": PartKind.DOCUMENT, "text": "\n".join(texts)}


def _search_result(held: Json, seen: Seen) -> Fields | None:
    if not isinstance(held, dict):
        return None
    texts = [text for text in (held.get("title"), held.get("source")) if isinstance(text, str)]
    texts += _texts(held.get("content"))
    return {"kind": PartKind.DOCUMENT, "text": "\n".join(texts), "name": name_of(held.get("title"))}


def _texts(content: Json) -> list[str]:
    """The texts of a list of `{"text": …}`."""
    held = content if isinstance(content, list) else []
    return [text for item in held if isinstance(item, dict) and isinstance(text := item.get("text"), str)]


def _media(kind: str, held: dict[str, Json]) -> Media:
    source, format_ = held.get("source"), name_of(held.get("format"))
    mime = f"{kind}/{format_}" if format_ else None
    if isinstance(source, dict) and isinstance(source.get("bytes"), str):
        return media_of(mime, source["bytes"])
    return Media(type=mime, source="file")


_READERS: dict[str, Callable[[Json, Seen], Fields | None]] = {
    "text": _text,
    "toolUse": _tool_use,
    "toolResult": _tool_result,
    "reasoningContent": _reasoning,
    "image": _image,
    "document": _document,
    "video": _video,
    "audio": _audio,
    "guardContent": _guarded,
    "citationsContent": _cited,
    "searchResult": _search_result,
}
