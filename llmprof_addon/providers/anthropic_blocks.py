"""Content blocks of the Messages API: one JSON block to the fields of a part.

Types and field names as in the Python SDK of 2026-11 (`anthropic` 2.11). A block of an unknown type, or one whose
fields are not of the documented types, is read as `generic`.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypedDict

from llmprof_addon.model.media import media_of
from llmprof_addon.model.part import Json, Marker, Media, Part, PartKind
from llmprof_addon.providers.carving import compact, name_of, server_of, text_of
from llmprof_addon.providers.sequence import Seen


class Fields(TypedDict, total=False):
    """What a block's type decides of its part."""

    kind: PartKind
    text: str | None
    name: str | None
    server: str | None
    call_id: str | None
    media: Media | None
    hidden: bool
    inner: tuple[Part, ...]


type Block = Mapping[str, Json]

_ORDER = {
    "text": ("type", "text", "citations"),
    "thinking": ("type", "thinking", "signature"),
    "tool_use": ("type", "id", "name", "input", "caller"),
    "server_tool_use": ("type", "id", "name", "input", "caller"),
    "tool_result": ("type", "tool_use_id", "content", "is_error"),
}
"""Clients order the keys of the same block differently, and one conversation may pass through several of them."""


def ordered(block: dict[str, Json]) -> dict[str, Json]:
    """The block with its own keys in the API's order; what stands below them is left as sent."""
    order = _ORDER.get(block["type"]) if isinstance(block.get("type"), str) else None
    if order is None or tuple(block) == order[: len(block)]:
        return block
    return {key: block[key] for key in (*(key for key in order if key in block), *(k for k in block if k not in order))}


def strip_markers(block: dict[str, Json]) -> tuple[dict[str, Json], tuple[Marker, ...]]:
    """The block without cache markers, its own and those of the blocks inside it, and the markers.

    Never looks into `input`, `input_schema` and the like, where `cache_control` would be the user's own word.
    """
    if "cache_control" not in block and "content" not in block and "source" not in block:
        return block, ()
    markers: list[Marker] = []
    block = _strip(block, (), markers)
    return block, tuple(markers)


def _strip(block: dict[str, Json], where: tuple[str | int, ...], markers: list[Marker]) -> dict[str, Json]:
    if "cache_control" in block:
        markers.append(Marker(where=where, value=block["cache_control"]))
        block = {key: value for key, value in block.items() if key != "cache_control"}
    for key in ("content", "source"):
        below = block.get(key)
        if isinstance(below, dict):
            again: Json = _strip(below, (*where, key), markers)
        elif isinstance(below, list):
            again = [
                _strip(item, (*where, key, index), markers) if isinstance(item, dict) else item
                for index, item in enumerate(below)
            ]
            if all(new is old for new, old in zip(again, below, strict=True)):
                continue
        else:
            continue
        if again is not below:
            block = {**block, key: again}
    return block


def fields_of(block: Json, seen: Seen) -> Fields:
    """Read one block, which has no markers any more."""
    kind = block.get("type") if isinstance(block, dict) else None
    if isinstance(kind, str):
        read = _READERS.get(kind) or (_server_result if kind.endswith("_tool_result") else None)
        fields = read(block, seen) if read else None
        if fields is not None:
            return fields
    return {"kind": PartKind.GENERIC, "text": text_of(block), "name": name_of(kind)}


def _text(block: Block, seen: Seen) -> Fields | None:
    text = block.get("text")
    return {"kind": PartKind.TEXT, "text": text} if isinstance(text, str) else None


def _thinking(block: Block, seen: Seen) -> Fields | None:
    text = block.get("thinking")
    # With `display: omitted` the text is empty and the signature carries the thoughts.
    return {"kind": PartKind.REASONING, "text": text, "hidden": not text} if isinstance(text, str) else None


def _redacted_thinking(block: Block, seen: Seen) -> Fields:
    return {"kind": PartKind.REASONING, "hidden": True}


def _tool_use(block: Block, seen: Seen) -> Fields:
    name, call_id = name_of(block.get("name")), name_of(block.get("id"))
    server = name_of(block.get("server_name")) or server_of(name)
    if call_id:
        seen.calls[call_id] = name, server
    # A stream that was cut leaves the arguments as text.
    return {
        "kind": PartKind.TOOL_CALL,
        "text": text_of(block.get("input")),
        "name": name,
        "server": server,
        "call_id": call_id,
    }


def _tool_result(block: Block, seen: Seen) -> Fields:
    texts: list[str] = []
    inner: list[Part] = []
    content = block.get("content")
    for item in content if isinstance(content, list) else [content]:
        if isinstance(item, dict) and (item.get("type") != "text" or not isinstance(item.get("text"), str)):
            inner.append(Part(role="user", value=item, **fields_of(item, seen)))
        else:
            texts.append(item["text"] if isinstance(item, dict) else text_of(item))
    return _result(block, seen, texts, inner)


def _server_result(block: Block, seen: Seen) -> Fields:
    """Results of tools that run at the provider: an object, or a list of them, each of a type of its own."""
    texts: list[str] = []
    inner: list[Part] = []
    hidden = _unfold(block.get("content"), seen, texts, inner)
    return {**_result(block, seen, texts, inner), "hidden": hidden}


def _result(block: Block, seen: Seen, texts: list[str], inner: list[Part]) -> Fields:
    call_id = name_of(block.get("tool_use_id"))
    name, server = seen.calls.get(call_id or "", (None, None))
    return {
        "kind": PartKind.TOOL_RESULT,
        "text": "\n".join(texts),
        "name": name or name_of(block.get("name")) or _tool_of(block["type"]),
        "server": server,
        "call_id": call_id,
        "inner": tuple(inner),
    }


def _tool_of(block_type: str) -> str | None:
    return block_type.removesuffix("_tool_result") if block_type.endswith("_tool_result") else None


_SHOWN = ("title", "url", "page_age", "stdout", "stderr", "text", "lines", "content", "tool_references", "error_code")
"""Keys of server tools' results whose values the model reads."""


def _unfold(value: Json, seen: Seen, texts: list[str], inner: list[Part]) -> bool:
    """Collect the texts and inner parts of a server tool's result; true if some of it is encrypted."""
    if isinstance(value, list):
        return any([_unfold(item, seen, texts, inner) for item in value])
    if not isinstance(value, dict):
        if value not in (None, ""):
            texts.append(text_of(value))
        return False
    if value.get("type") in ("image", "document", "tool_reference"):
        inner.append(Part(role="user", value=value, **fields_of(value, seen)))
        return False
    shown = [key for key in _SHOWN if key in value]
    hidden = any(key.startswith("encrypted_") for key in value)
    if not shown and not hidden:
        texts.append(compact(value))
    return any([_unfold(value[key], seen, texts, inner) for key in shown]) or hidden


def _image(block: Block, seen: Seen) -> Fields | None:
    source = block.get("source")
    return {"kind": PartKind.IMAGE, "media": _media(source)} if isinstance(source, dict) else None


def _document(block: Block, seen: Seen) -> Fields | None:
    source = block.get("source")
    if not isinstance(source, dict):
        return None
    texts = [text for text in (block.get("title"), block.get("context")) if isinstance(text, str)]
    inner: list[Part] = []
    media = None
    if source.get("type") == "text":
        texts.append(text_of(source.get("data")))
    elif source.get("type") == "content":
        _unfold(source.get("content"), seen, texts, inner)
    else:
        media = _media(source)
    text = "\n".join(texts) if texts else None
    return {"kind": PartKind.DOCUMENT, "text": text, "media": media, "inner": tuple(inner)}


def _media(source: Block) -> Media:
    kind, data = source.get("type"), source.get("data")
    if kind == "base64" and isinstance(data, str):
        return media_of(name_of(source.get("media_type")), data)
    return Media(type=name_of(source.get("media_type")), source="file" if kind == "file" else "url")


def _search_result(block: Block, seen: Seen) -> Fields:
    texts: list[str] = []
    _unfold([block.get("title"), block.get("source"), block.get("content")], seen, texts, [])
    return {"kind": PartKind.DOCUMENT, "text": "\n".join(texts), "name": name_of(block.get("title"))}


def _container_upload(block: Block, seen: Seen) -> Fields:
    return {"kind": PartKind.DOCUMENT, "media": Media(source="file")}


def _compaction(block: Block, seen: Seen) -> Fields:
    """The provider's summary of what came before; a failed one has no content and is a no-op."""
    return {"kind": PartKind.TEXT, "text": text_of(block.get("content"))}


def _tool_reference(block: Block, seen: Seen) -> Fields:
    """Where a deferred tool is loaded: its schema is counted once, where `tools` defines it."""
    name = name_of(block.get("tool_name")) or name_of(block.get("name"))
    seen.loaded.add(name or "")
    server = name_of(block.get("server_name")) or server_of(name)
    return {"kind": PartKind.TOOL_SCHEMA, "name": name, "server": server}


def _tool_change(block: Block, seen: Seen) -> Fields | None:
    tool = block.get("tool")
    if not isinstance(tool, dict):
        return None
    definition = tool.get("definition")
    if isinstance(definition, dict):
        return read_schema(definition)
    if block.get("type") == "tool_removal":
        return {"kind": PartKind.TOOL_SCHEMA, "name": name_of(tool.get("name"))}
    return _tool_reference(tool, seen)


def _mcp_tool_listing(block: Block, seen: Seen) -> Fields:
    return read_schema(block)


def read_schema(tool: Block) -> Fields:
    """Read an entry of `tools`: a client's tool, a server tool, or an MCP server's listing with its tools inside."""
    server = name_of(tool.get("mcp_server_name"))
    listed = tool.get("tools")
    if server and isinstance(listed, list):
        inner = tuple(
            replace(Part(value=item, **read_schema(item)), server=server)
            if isinstance(item, dict)
            else Part(kind=PartKind.GENERIC, text=text_of(item), value=item)
            for item in listed
        )
        return {"kind": PartKind.TOOL_SCHEMA, "name": server, "server": server, "inner": inner}
    name = name_of(tool.get("name")) or server or name_of(tool.get("type"))
    return {"kind": PartKind.TOOL_SCHEMA, "text": compact(tool), "name": name, "server": server or server_of(name)}


def _fallback(block: Block, seen: Seen) -> Fields:
    """A boundary between two models' output, never shown to a model."""
    return {"kind": PartKind.GENERIC, "text": "", "name": "fallback"}


_READERS: dict[str, Callable[[Block, Seen], Fields | None]] = {
    "text": _text,
    "thinking": _thinking,
    "redacted_thinking": _redacted_thinking,
    "tool_use": _tool_use,
    "server_tool_use": _tool_use,
    "mcp_tool_use": _tool_use,
    "tool_result": _tool_result,
    "mcp_tool_result": _tool_result,
    "image": _image,
    "document": _document,
    "search_result": _search_result,
    "container_upload": _container_upload,
    "compaction": _compaction,
    "tool_reference": _tool_reference,
    "tool_addition": _tool_change,
    "tool_removal": _tool_change,
    "mcp_tool_listing": _mcp_tool_listing,
    "fallback": _fallback,
}
