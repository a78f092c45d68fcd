"""Dialect `bedrock.converse`: Amazon Bedrock's Converse and ConverseStream, one shape for the models of all vendors.

The model stands in the address. A cache breakpoint is an item of its own in the lists of tools, system and content;
usage, whose input excludes the cache on the wire, is normalised to totals.
"""

from collections.abc import Callable, Sequence

from llmprof_addon.model.call import Answer, Prompt
from llmprof_addon.model.part import Json, Part, PartKind
from llmprof_addon.model.tree import locate
from llmprof_addon.model.usage import Usage
from llmprof_addon.providers.bedrock_blocks import cache_point, fields_of, is_cache_point, ordered, read_tool
from llmprof_addon.providers.bedrock_stream import fold
from llmprof_addon.providers.carving import generic, name_of, text_of, warnings_in
from llmprof_addon.providers.error_bodies import error_of
from llmprof_addon.providers.openai_chat_stream import STREAM_WARNINGS
from llmprof_addon.providers.plain_completions import count_of
from llmprof_addon.providers.sequence import Seen, carve_items

__all__ = ["api", "fold", "operation", "read_request", "read_response", "read_usage", "section_order"]

api = "bedrock.converse"
operation = "chat"
section_order = ("tools", "system", "messages")

_TOOLS, _CONTENT = "toolConfig.tools", "messages/content"

type _Carve = Callable[[Json, str, Seen], Sequence[Part]]


def read_request(body: Json) -> Prompt:
    """Carve a request body; an output schema is the last of the tools."""
    if not isinstance(body, dict):
        return Prompt(messages=(Part(kind=PartKind.GENERIC, text=text_of(body), form="whole", value=body),))
    params = dict(body)
    seen = Seen()
    tools = _tools(params) + list(locate(_output_schema(params)))
    return Prompt(
        tools=tuple(tools),
        system=tuple(_list(params, "system", _system_block, seen)),
        messages=tuple(_list(params, "messages", _message, seen)),
        params=params,
    )


def _tools(params: dict[str, Json]) -> list[Part]:
    config = params.get("toolConfig")
    if not isinstance(config, dict) or not isinstance(held := config.get("tools"), list) or not held:
        return []
    params["toolConfig"] = {key: value for key, value in config.items() if key != "tools"}
    return [part for _, parts in carve_items(held, _TOOLS, _tool, Seen()) for part in parts]


def _tool(tool: Json, place: str, seen: Seen) -> list[Part]:
    if is_cache_point(tool):
        return [cache_point(tool, place)]
    return [Part(value=tool, place=place, **read_tool(tool))]


def _output_schema(params: dict[str, Json]) -> list[Part]:
    config = params.get("outputConfig")
    if not isinstance(config, dict) or not isinstance(held := config.get("textFormat"), dict):
        return []
    structure = held.get("structure")
    schema = structure.get("jsonSchema") if isinstance(structure, dict) else None
    if not isinstance(schema, dict):
        return []
    params["outputConfig"] = {key: value for key, value in config.items() if key != "textFormat"}
    name, text = name_of(schema.get("name")), text_of(schema.get("schema"))
    place = "outputConfig.textFormat"
    return [Part(kind=PartKind.OUTPUT_SCHEMA, text=text, name=name, value=held, place=place, form="whole")]


def _list(params: dict[str, Json], key: str, carve: _Carve, seen: Seen) -> list[Part]:
    held = params.get(key)
    if held is None or held == []:
        return []
    del params[key]
    if not isinstance(held, list):
        kind = PartKind.GENERIC
        return [*locate([Part(kind=kind, role=key, text=text_of(held), value=held, place=key, form="whole")])]
    return [part for _, parts in carve_items(held, key, carve, seen) for part in parts]


def _system_block(block: Json, place: str, seen: Seen) -> list[Part]:
    if is_cache_point(block):
        return [cache_point(block, place, "system")]
    return [_part(block, "system", place, seen)]


def _message(message: Json, place: str, seen: Seen) -> list[Part]:
    if not isinstance(message, dict):
        return [generic(message, place)]
    wrapper = {key: value for key, value in message.items() if key != "content"}
    role, content = text_of(message.get("role")), message.get("content")
    if isinstance(content, list) and content:
        return _blocks(content, role, wrapper, seen)
    if content in (None, []):
        wrapper = message
        return [Part(kind=PartKind.TEXT, role=role, text="", place=_CONTENT, form="absent", wrapper=wrapper)]
    kind, text = PartKind.GENERIC, text_of(content)
    return [Part(kind=kind, role=role, text=text, value=content, place=_CONTENT, form="whole", wrapper=wrapper)]


def _blocks(content: list[Json], role: str, wrapper: Json, seen: Seen) -> list[Part]:
    """The parts of a message's content. The first opens the message, and so is in the chain whatever it is."""
    first = _part(content[0], role, _CONTENT, seen, wrapper)
    return [
        first,
        *(
            cache_point(block, _CONTENT, role) if is_cache_point(block) else _part(block, role, _CONTENT, seen)
            for block in content[1:]
        ),
    ]


def _part(block: Json, role: str, place: str, seen: Seen, wrapper: Json = None) -> Part:
    value = ordered(block) if isinstance(block, dict) else block
    return Part(role=role, value=value, place=place, wrapper=wrapper, **fields_of(value, seen))


def read_response(body: Json) -> Answer:
    """Read a whole response body; the parts are those that a client sends back as the next assistant message."""
    if not isinstance(body, dict):
        return Answer(rest=body, error=error_of(body))
    rest = {key: value for key, value in body.items() if key != STREAM_WARNINGS}
    output = body.get("output")
    if not isinstance(output, dict):
        output = {}
    message = output.get("message")
    parts: list[Part] = []
    if isinstance(message, dict) and isinstance(content := message.get("content"), list) and content:
        parts = _blocks(content, "assistant", {"role": "assistant"}, Seen())
        rest["output"] = {**output, "message": {key: value for key, value in message.items() if key != "content"}}
    stop_reason, tier = name_of(body.get("stopReason")), body.get("serviceTier")
    return Answer(
        parts=tuple(parts),
        usage=read_usage(body.get("usage")),
        finish_reasons=(stop_reason,) if stop_reason else (),
        service_tier=name_of(tier.get("type")) if isinstance(tier, dict) else None,
        error=error_of(body),
        rest=rest,
        warnings=warnings_in(body.get(STREAM_WARNINGS)),
    )


def read_usage(usage: Json) -> Usage | None:
    """Normalise usage: `inputTokens` excludes what was read from or written to the cache (API reference,
    `TokenUsage`). Amazon's own models and the invocation metrics say the cache's tokens as `…TokenCount`.
    """
    if not isinstance(usage, dict):
        return None
    fresh = count_of(usage, "inputTokens", "inputTokenCount")
    read = count_of(usage, "cacheReadInputTokens", "cacheReadInputTokenCount")
    write = count_of(usage, "cacheWriteInputTokens", "cacheWriteInputTokenCount")
    short = hour = None
    details = usage.get("cacheDetails")
    if isinstance(details, list) and details:
        by_ttl = {
            name_of(item.get("ttl")): count_of(item, "inputTokens") or 0 for item in details if isinstance(item, dict)
        }
        short, hour = by_ttl.get("5m", 0), by_ttl.get("1h", 0)
        if short + hour != write:
            short = hour = None
    return Usage(
        input_tokens=None if fresh is None else fresh + (read or 0) + (write or 0),
        cache_read_input_tokens=None if fresh is None else read,
        cache_creation_input_tokens=None if fresh is None else write,
        cache_creation_5m_input_tokens=None if fresh is None else short,
        cache_creation_1h_input_tokens=None if fresh is None else hour,
        output_tokens=count_of(usage, "outputTokens", "outputTokenCount"),
        raw=usage,
    )
