"""Content blocks and tool schemas of both OpenAI dialects: one JSON value in, one part out.

The block types of the two never clash, and compatible hosts mix them, so that one table reads both.
"""

from dataclasses import dataclass

from llmprof_addon.model.media import media_of, media_of_url
from llmprof_addon.model.part import Json, Media, Part, PartKind
from llmprof_addon.providers.carving import compact, generic, name_of, server_of, strip_marker, text_of

TEXTS = {
    "text": "text",
    "input_text": "text",
    "output_text": "text",
    "refusal": "refusal",
    "summary_text": "text",
    "reasoning_text": "text",
    "reasoning.text": "text",
    "reasoning.summary": "summary",
    "thinking": "thinking",
}
"""Block types that carry text, and the key it stands under."""

REASONING = frozenset({"summary_text", "reasoning_text", "reasoning.text", "reasoning.summary", "thinking"})
OPAQUE = frozenset({"reasoning.encrypted", "encrypted_content", "redacted_thinking"})
"""Reasoning that only its provider can read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The message or item that blocks stand in."""

    place: str
    role: str = ""
    kind: PartKind = PartKind.TEXT
    """What its texts are: text, or the result of a tool."""
    name: str | None = None
    server: str | None = None
    call_id: str | None = None


def read_block(block: Json, owner: Owner, wrapper: Json = None) -> Part:
    """One content block; `wrapper` is the message if the block opens it. An unknown type becomes a generic part."""
    if isinstance(block, str):
        return block_part(owner, owner.kind, block, block, wrapper)
    if not isinstance(block, dict):
        return block_part(owner, PartKind.GENERIC, text_of(block), block, wrapper)
    value, markers = strip_marker(block)
    type_ = name_of(value.get("type"))
    key = TEXTS.get(type_) if type_ else None
    if key is not None and isinstance(value.get(key, ""), str):
        kind = PartKind.REASONING if type_ in REASONING else owner.kind
        text = value.get(key, "")
        if len(value) == 2 and key == "text" and "text" in value:
            value = {"type": type_, "text": text}  # one canonical key order, that of a bare string
        return block_part(owner, kind, text, value, wrapper, markers=markers)
    if type_ == "thinking" and isinstance(value.get("thinking"), list):  # Mistral's, a list of text blocks
        text = "".join(part.text or "" for part in (read_block(piece, owner) for piece in value["thinking"]))
        return block_part(owner, PartKind.REASONING, text, value, wrapper, markers=markers)
    if type_ in OPAQUE:
        return block_part(owner, PartKind.REASONING, None, value, wrapper, markers=markers, hidden=True)
    found = _media(type_, value)
    if found is None:
        return block_part(owner, PartKind.GENERIC, compact(value), value, wrapper, markers=markers)
    kind, media, name = found
    return block_part(owner, kind, None, value, wrapper, markers=markers, media=media, name=owner.name or name)


def block_part(owner: Owner, kind: PartKind, text: str | None, value: Json, wrapper: Json = None, **more: Json) -> Part:
    """A part that stands where its owner says."""
    name = more.pop("name", owner.name)
    return Part(
        kind=kind,
        role=owner.role,
        text=text,
        name=name,
        server=owner.server,
        call_id=owner.call_id,
        value=value,
        place=owner.place,
        wrapper=wrapper,
        **more,
    )


def _media(type_: Json, block: dict[str, Json]) -> tuple[PartKind, Media, str | None] | None:
    """Kind, media and file name of an image, sound or file; `None` if it is none."""
    match type_:
        case "image_url" | "input_image" | "computer_screenshot" | "image" | "output_image":
            held = block.get("image_url", block.get("url"))
            picture: dict[str, Json] = held if isinstance(held, dict) else {"url": held}
            url, detail = picture.get("url"), name_of(picture.get("detail")) or name_of(block.get("detail"))
            media = media_of_url(url, detail) if isinstance(url, str) else Media(detail=detail, source="file")
            return PartKind.IMAGE, media, None
        case "input_audio" | "output_audio" | "audio_url" | "audio":
            held = block.get(type_)
            sound = held if isinstance(held, dict) else block
            if isinstance(data := sound.get("data"), str):
                format_ = name_of(sound.get("format"))
                return PartKind.AUDIO, media_of(f"audio/{format_}" if format_ else None, data), None
            if isinstance(url := sound.get("url", held), str):
                return PartKind.AUDIO, media_of_url(url), None
            return PartKind.AUDIO, Media(source="file"), None
        case "file" | "input_file" | "video_url" | "input_video" | "document_url":
            held = block.get(type_)
            file = held if isinstance(held, dict) else block
            name = name_of(file.get("filename")) or name_of(file.get("document_name"))
            if isinstance(data := file.get("file_data"), str):
                media = media_of_url(data) if data.startswith("data:") else media_of(None, data)
            elif isinstance(url := file.get("file_url", file.get("url", held)), str):
                media = media_of_url(url)
            else:
                media = Media(source="file")
            return PartKind.DOCUMENT, media, name
    return None


def read_blocks(content: Json, owner: Owner) -> tuple[str | None, tuple[Part, ...]]:
    """The text of a content that is one value of an item, a string or blocks, and its other blocks as inner parts."""
    if not isinstance(content, list):
        blocks = [content] if isinstance(content, dict) else []
        if not blocks:
            return text_of(content), ()
    else:
        blocks = content
    parts = [read_block(block, owner) for block in blocks]
    texts = [part.text for part in parts if part.kind is owner.kind and part.text is not None]
    inner = tuple(part for part in parts if part.kind is not owner.kind)
    return "".join(texts) if texts or not inner else None, inner


def read_tool(tool: Json, place: str, *, server: str | None = None, deferred: bool = False) -> Part:
    """One entry of a list of tools; the tools of a namespace are inner parts, whose server is the namespace."""
    if not isinstance(tool, dict):
        return generic(tool, place)
    value, markers = strip_marker(tool, "function", "custom")
    type_ = name_of(value.get("type"))
    held = value.get(type_) if type_ in ("function", "custom") else None
    schema: dict[str, Json] = held if isinstance(held, dict) else value
    deferred = deferred or value.get("defer_loading") is True or schema.get("defer_loading") is True
    name = name_of(schema.get("name"))
    if type_ == "namespace":
        label = server_label(name or "")
        inner, text = read_tools(value.get("tools"), place, server=label, deferred=deferred), header(value, "tools")
        server = label
    else:
        inner, text = (), compact(value)
        server = name_of(value.get("server_label")) or server or server_of(name)
    return Part(
        kind=PartKind.TOOL_SCHEMA,
        text=text,
        name=name or type_,
        server=server,
        deferred=deferred,
        inner=inner,
        value=value,
        place=place,
        markers=markers,
    )


def server_label(namespace: str) -> str | None:
    """The server behind a namespace: Codex calls the one of MCP server `x` `mcp__x`."""
    return namespace.removeprefix("mcp__").rstrip("_") or None


def read_tools(tools: Json, place: str, *, server: str | None = None, deferred: bool = False) -> tuple[Part, ...]:
    """The entries of a list of tools."""
    if not isinstance(tools, list):
        return ()
    return tuple(read_tool(tool, place, server=server, deferred=deferred) for tool in tools)


def header(value: dict[str, Json], *without: str) -> str:
    """Compact JSON of a value without what its inner parts hold."""
    return compact({key: held for key, held in value.items() if key not in without})
