"""What all dialects do alike when they carve a body into parts."""

import json

from llmprof_addon.model.part import Json, Marker, Part, PartKind

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def compact(value: Json) -> str:
    """Compact JSON in the key order of the value: the text of schemas, arguments and unknown blocks."""
    return _ENCODER.encode(value)


def text_of(value: Json) -> str:
    """The value if it is text, nothing for null, else its compact JSON."""
    return value if isinstance(value, str) else "" if value is None else compact(value)


def name_of(value: Json) -> str | None:
    """The value if it is a non-empty string: names and ids of the wire may be anything."""
    return value if isinstance(value, str) and value else None


MOST_TOKENS = 10**9
"""A hundred times the largest context window: more is no count, and would not fit the store's integers as money."""


def tokens_of(value: Json) -> int | None:
    """The value if it is a number of tokens; some hosts write whole ones as floats."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= MOST_TOKENS and value % 1 == 0:
        return int(value)
    return None


def warnings_in(held: Json) -> tuple[str, ...]:
    """The warnings that a fold left in its body; a host that sends such a key may send anything."""
    return tuple(map(text_of, held)) if isinstance(held, list) else ()


def object_at(held: dict[str, Json], key: str) -> dict[str, Json]:
    """The object under a key of a body that a stream is folded to, put there in place of anything else."""
    found = held.get(key)
    if isinstance(found, dict):
        return found
    held[key] = made = dict[str, Json]()
    return made


def server_of(tool_name: str | None) -> str | None:
    """The MCP server in a name of the form `mcp__server__tool`, which coding agents use."""
    if tool_name is None or not tool_name.startswith("mcp__"):
        return None
    server, separator, _ = tool_name[5:].partition("__")
    return server if separator and server else None


def defers(tool: Json) -> bool:
    """Whether the definition of a tool asks to stay out of the prompt until the tool is searched for."""
    held = [tool, *(tool.get(key) for key in ("function", "custom"))] if isinstance(tool, dict) else []
    return any(isinstance(each, dict) and each.get("defer_loading") is True for each in held)


def has_failed(result: Json) -> bool | None:
    """Whether a tool's result says that the tool failed; `None` in a dialect that has no word for it."""
    if not isinstance(result, dict):
        return None
    if result.get("type") == "tool_result":  # Anthropic
        return result.get("is_error") is True
    held = result.get("toolResult")  # Bedrock
    return held.get("status") == "error" if isinstance(held, dict) else None


MARKERS = ("cache_control", "prompt_cache_breakpoint")
"""Keys of cache markers: Anthropic's, which OpenAI-compatible gateways take too, and OpenAI's since GPT-5.6."""


def strip_marker(block: dict[str, Json], *inside: str) -> tuple[dict[str, Json], tuple[Marker, ...]]:
    """The block without its cache markers, also of the dicts under the keys `inside`, and the markers."""
    markers: list[Marker] = []
    for marker in MARKERS:
        if marker in block:
            markers.append(Marker(key=marker, value=block[marker]))
            block = {key: value for key, value in block.items() if key != marker}
    for key in inside:
        held = block.get(key)
        if isinstance(held, dict) and "cache_control" in held:
            markers.append(Marker(where=(key,), value=held["cache_control"]))
            block = {**block, key: {name: value for name, value in held.items() if name != "cache_control"}}
    return block, tuple(markers)


def on_wrapper(markers: tuple[Marker, ...]) -> tuple[Marker, ...]:
    """The markers of a message, for the part that opens it."""
    return tuple(Marker(on_wrapper=True, key=marker.key, value=marker.value) for marker in markers)


def generic(value: Json, place: str, role: str = "") -> Part:
    """A list item of a type that no reader knows: kept and shown as it is."""
    return Part(kind=PartKind.GENERIC, role=role, text=text_of(value), value=value, place=place)
