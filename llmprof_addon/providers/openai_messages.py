"""Messages of Chat Completions: one JSON value in, its parts out, for requests and answers alike.

The order of the parts is that of the keys here, whatever theirs was: reasoning, content, refusal, sound, calls.
"""

from dataclasses import replace

from llmprof_addon.model.media import media_of
from llmprof_addon.model.part import Json, Media, Part, PartKind
from llmprof_addon.providers.carving import generic, name_of, on_wrapper, server_of, strip_marker, text_of
from llmprof_addon.providers.openai_blocks import Owner, header, read_block
from llmprof_addon.providers.sequence import Names

RESULT_ROLES = ("tool", "function")

REASONING_TEXTS = ("reasoning_content", "reasoning", "reasoning_text", "thinking")
"""Under which keys hosts keep the reasoning of a message: DeepSeek and vLLM, OpenRouter and Groq, Copilot, Ollama."""

BLOCK_LISTS = ("reasoning_details", "thinking_blocks", "images")
"""Lists of blocks beside `content`: OpenRouter's reasoning and generated images, LiteLLM's thinking."""

SENT_BACK = frozenset(
    {"content", "refusal", "audio", "function_call", "tool_calls", "reasoning_opaque", *REASONING_TEXTS, *BLOCK_LISTS}
)
"""What clients send back of an answered message, beside its role."""


def carve_message(message: Json, names: Names) -> list[Part]:
    """The parts of one message, the first of which opens it. Tool calls add to `names`, results are named by it."""
    if not isinstance(message, dict):
        return [generic(message, "messages")]
    wrapper, markers = strip_marker(message)
    if wrapper is message:
        wrapper = dict(message)
    role = text_of(wrapper.get("role"))
    parts: list[Part] = _reasoning(wrapper, role)
    _content(wrapper, role, names, parts)
    _rest(wrapper, role, names, parts)
    if markers:
        parts[0] = replace(parts[0], markers=(*on_wrapper(markers), *parts[0].markers))
    return parts


def _reasoning(wrapper: dict[str, Json], role: str) -> list[Part]:
    """Carve reasoning. A string that repeats what another key already said stays in the wrapper: it is billed once."""
    parts: list[Part] = []
    for key in BLOCK_LISTS:
        if isinstance(wrapper.get(key), list) and wrapper[key]:
            owner = Owner(place=f"messages/{key}", role=role, kind=PartKind.REASONING)
            for block in wrapper.pop(key):
                parts.append(read_block(block, owner, None if parts else wrapper))
    said = {"".join(part.text or "" for part in parts)} if parts else set()
    for key in REASONING_TEXTS:
        if isinstance(text := wrapper.get(key), str) and text and text not in said:
            said.add(text)
            del wrapper[key]
            parts.append(_string(PartKind.REASONING, role, text, key, None if parts else wrapper))
    if isinstance(opaque := wrapper.get("reasoning_opaque"), str):
        del wrapper["reasoning_opaque"]
        parts.append(
            Part(
                kind=PartKind.REASONING,
                role=role,
                hidden=True,
                value=opaque,
                place="messages/reasoning_opaque",
                form="whole",
                wrapper=None if parts else wrapper,
            )
        )
    return parts


def _content(wrapper: dict[str, Json], role: str, names: Names, parts: list[Part]) -> None:
    """Carve `content`. An empty string beside tool calls says nothing and stays in the wrapper, like null."""
    content = wrapper.get("content")
    if content is None or content == [] or (content == "" and (wrapper.get("tool_calls") or parts)):
        return
    kind, name, server, call_id = PartKind.TEXT, name_of(wrapper.get("name")), None, None
    if role in RESULT_ROLES:
        kind, call_id = PartKind.TOOL_RESULT, name_of(wrapper.get("tool_call_id"))
        called, server = names.get(call_id or "", (None, None))
        name = called or name
    opening = None if parts else wrapper
    if isinstance(content, str):
        del wrapper["content"]
        parts.append(_string(kind, role, content, "content", opening, name=name, server=server, call_id=call_id))
    elif isinstance(content, list):
        del wrapper["content"]
        owner = Owner(place="messages/content", role=role, kind=kind, name=name, server=server, call_id=call_id)
        for block in content:
            parts.append(read_block(block, owner, opening))
            opening = None
    else:  # Cloudflare answers a JSON schema with an object (fixture object_content)
        del wrapper["content"]
        parts.append(_whole(kind, role, text_of(content), "content", content, opening, name=name, call_id=call_id))


def _rest(wrapper: dict[str, Json], role: str, names: Names, parts: list[Part]) -> None:
    """Carve refusal, spoken answer and tool calls; a message that has none of these is a part all the same."""
    if isinstance(refusal := wrapper.get("refusal"), str):
        del wrapper["refusal"]
        parts.append(_string(PartKind.TEXT, role, refusal, "refusal", None if parts else wrapper))
    if isinstance(audio := wrapper.get("audio"), dict):
        del wrapper["audio"]
        text = audio.get("transcript")
        media = media_of(None, audio["data"]) if isinstance(audio.get("data"), str) else Media(source="file")
        parts.append(
            _whole(PartKind.AUDIO, role, name_of(text), "audio", audio, None if parts else wrapper, media=media)
        )
    if isinstance(call := wrapper.get("function_call"), dict):
        del wrapper["function_call"]
        name = name_of(call.get("name"))
        parts.append(
            _whole(
                PartKind.TOOL_CALL,
                role,
                text_of(call.get("arguments")),
                "function_call",
                call,
                None if parts else wrapper,
                name=name,
                server=server_of(name),
            )
        )
    if isinstance(calls := wrapper.get("tool_calls"), list) and calls:
        del wrapper["tool_calls"]
        for call in calls:
            parts.append(_tool_call(call, role, names, None if parts else wrapper))
    if not parts:
        parts.append(
            Part(
                kind=PartKind.TEXT,
                role=role,
                text="",
                name=name_of(wrapper.get("name")),
                place="messages/content",
                form="absent",
                wrapper=wrapper,
            )
        )


def _tool_call(call: Json, role: str, names: Names, opening: Json) -> Part:
    place = "messages/tool_calls"
    if not isinstance(call, dict):
        return Part(kind=PartKind.GENERIC, role=role, text=text_of(call), value=call, place=place, wrapper=opening)
    value, markers = strip_marker(call)
    held = value.get("custom") if value.get("type") == "custom" else value.get("function")
    function: dict[str, Json] = held if isinstance(held, dict) else {}
    name, call_id = name_of(function.get("name")), name_of(value.get("id"))
    server = server_of(name)
    if call_id is not None:
        names[call_id] = (name, server)
    return Part(
        kind=PartKind.TOOL_CALL,
        role=role,
        text=text_of(function.get("arguments", function.get("input"))) if function else header(value, "id", "type"),
        name=name,
        server=server,
        call_id=call_id,
        value=value,
        place=place,
        wrapper=opening,
        markers=markers,
    )


def _string(kind: PartKind, role: str, text: str, slot: str, opening: Json, **more: Json) -> Part:
    value = {"type": "text", "text": text}
    return Part(
        kind=kind, role=role, text=text, value=value, place=f"messages/{slot}", form="string", wrapper=opening, **more
    )


def _whole(kind: PartKind, role: str, text: str | None, slot: str, value: Json, opening: Json, **more: Json) -> Part:
    return Part(
        kind=kind, role=role, text=text, value=value, place=f"messages/{slot}", form="whole", wrapper=opening, **more
    )
