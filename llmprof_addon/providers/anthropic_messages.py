"""Dialect `anthropic.messages`: the Messages API, as Anthropic, Vertex, and compatible hosts speak it.

A request is carved into tools, system and messages; a stream is folded to the body that the same call would give
unstreamed; usage, whose input excludes the cache on the wire, is normalised to totals.
"""

from dataclasses import replace
from itertools import chain, repeat

from llmprof_addon.model.call import Answer, Prompt
from llmprof_addon.model.part import Json, Marker, Part, PartKind
from llmprof_addon.model.tree import locate
from llmprof_addon.model.usage import Usage
from llmprof_addon.providers.anthropic_blocks import fields_of, ordered, read_schema, strip_markers
from llmprof_addon.providers.anthropic_stream import fold
from llmprof_addon.providers.carving import compact, generic, name_of, strip_marker, text_of, tokens_of
from llmprof_addon.providers.error_bodies import error_of
from llmprof_addon.providers.lineage import BILLING
from llmprof_addon.providers.sequence import Seen, carve_items

__all__ = ["api", "fold", "operation", "read_request", "read_response", "read_usage", "section_order"]

api = "anthropic.messages"
operation = "chat"
section_order = ("tools", "system", "messages")

IN_MESSAGE = "messages/content"

type Markers = tuple[Marker, ...]


def read_request(body: Json) -> Prompt:
    """Carve a request body; an output schema is the last of the tools."""
    if not isinstance(body, dict):
        return Prompt(messages=(Part(kind=PartKind.GENERIC, text=text_of(body), form="whole", value=body),))
    params = dict(body)
    seen = Seen()
    system = _system(params, seen)
    leading, messages = _messages(params, seen)
    return Prompt(
        tools=(*_tools(params, seen.loaded), *locate(_output_schemas(params))),
        system=(*system, *leading),
        messages=tuple(messages),
        leading=len(leading),
        params=params,
        continues=_continues(params.get("thread")),
    )


def _continues(thread: Json) -> str | None:
    """The message that a server-held conversation goes on from: only the new turn's messages are sent."""
    if isinstance(thread, dict) and thread.get("type") == "continue":
        return name_of(thread.get("previous_message_id"))
    return None


def _tools(params: dict[str, Json], loaded: set[str]) -> list[Part]:
    tools = params.get("tools")
    if not tools:
        return []
    del params["tools"]
    if not isinstance(tools, list):
        return [*locate([_whole(tools, "tools")])]
    carved = carve_items(tools, "tools", _tool, Seen(loaded=loaded))
    return [part for _, parts in carved for part in parts]


def _tool(tool: Json, place: str, seen: Seen) -> list[Part]:
    if not isinstance(tool, dict):
        return [generic(tool, place)]
    value, markers = strip_marker(tool)
    part = Part(value=value, place=place, markers=markers, **read_schema(value))
    deferred = tool.get("defer_loading") is True and part.name not in seen.loaded
    return [replace(part, deferred=True) if deferred else part]


def _output_schemas(params: dict[str, Json]) -> list[Part]:
    """The schema of structured output, at its present place and at that of the beta that came before."""
    parts: list[Part] = []
    config = params.get("output_config")
    if isinstance(config, dict) and isinstance(config.get("format"), dict):
        parts.append(_output_schema(config["format"], "output_config.format"))
        params["output_config"] = {key: value for key, value in config.items() if key != "format"}
    if isinstance(params.get("output_format"), dict):
        parts.append(_output_schema(params.pop("output_format"), "output_format"))
    return parts


def _output_schema(value: dict[str, Json], place: str) -> Part:
    text = compact(value.get("schema", value))
    return Part(kind=PartKind.OUTPUT_SCHEMA, text=text, value=value, place=place, form="whole")


def _system(params: dict[str, Json], seen: Seen) -> list[Part]:
    system = params.get("system")
    if system is None or system == []:
        return []
    del params["system"]
    blocks, carve = (system, _system_block) if isinstance(system, list) else ([system], _whole_system)
    parts = [part for _, carved in carve_items(blocks, "system", carve, seen) for part in carved]
    if isinstance(system, list) and (parts[0].text or "").startswith(BILLING):
        parts[0] = replace(parts[0], volatile=True)
    return parts


def _system_block(block: Json, place: str, seen: Seen) -> list[Part]:
    return [_part(block, "system", place, seen)]


def _whole_system(system: Json, place: str, seen: Seen) -> list[Part]:
    return [_string(system, "system", place) if isinstance(system, str) else _whole(system, place, "system")]


def _messages(params: dict[str, Json], seen: Seen) -> tuple[list[Part], list[Part]]:
    """The leading run of system messages, and all that follows it."""
    held = params.get("messages")
    if held is None or held == []:
        return [], []
    del params["messages"]
    if not isinstance(held, list):
        return [], [*locate([_whole(held, "messages")])]
    leading: list[Part] = []
    messages: list[Part] = []
    for message, parts in carve_items(held, "messages", _message, seen):
        is_system = isinstance(message, dict) and message.get("role") == "system"
        (leading if is_system and not messages else messages).extend(parts)
    return leading, messages


def _message(message: Json, place: str, seen: Seen) -> list[Part]:
    if not isinstance(message, dict):
        return [generic(message, place)]
    wrapper = {key: value for key, value in message.items() if key != "content"}
    markers: Markers = ()
    if "cache_control" in wrapper:
        markers = (Marker(on_wrapper=True, value=wrapper.pop("cache_control")),)
    role, content = text_of(message.get("role")), message.get("content")
    if isinstance(content, list) and content:
        first = _part(content[0], role, IN_MESSAGE, seen, wrapper, markers)
        return [first, *(_part(block, role, IN_MESSAGE, seen) for block in content[1:])]
    if isinstance(content, str):
        return [_string(content, role, IN_MESSAGE, wrapper, markers)]
    if isinstance(content, dict):
        return [_whole(content, IN_MESSAGE, role, wrapper, markers)]
    if "content" in message:
        wrapper["content"] = content
    return [_bare_message(role, text_of(content or None), wrapper, markers)]


def _part(block: Json, role: str, place: str, seen: Seen, wrapper: Json = None, on_wrapper: Markers = ()) -> Part:
    if not isinstance(block, dict):
        kind = PartKind.GENERIC
        return Part(
            kind=kind, role=role, text=text_of(block), value=block, place=place, wrapper=wrapper, markers=on_wrapper
        )
    value, markers = strip_markers(block)
    value = ordered(value)
    markers += on_wrapper
    return Part(role=role, value=value, place=place, wrapper=wrapper, markers=markers, **fields_of(value, seen))


def _string(text: str, role: str, place: str, wrapper: Json = None, markers: Markers = ()) -> Part:
    value = {"type": "text", "text": text}
    kind = PartKind.TEXT
    return Part(
        kind=kind, role=role, text=text, value=value, place=place, form="string", wrapper=wrapper, markers=markers
    )


def _whole(value: Json, place: str, role: str = "", wrapper: Json = None, markers: Markers = ()) -> Part:
    text, kind = text_of(value), PartKind.GENERIC
    return Part(
        kind=kind, role=role, text=text, value=value, place=place, form="whole", wrapper=wrapper, markers=markers
    )


def _bare_message(role: str, text: str, wrapper: Json, markers: Markers) -> Part:
    kind = PartKind.TEXT
    return Part(kind=kind, role=role, text=text, place=IN_MESSAGE, form="absent", wrapper=wrapper, markers=markers)


def read_response(body: Json) -> Answer:
    """Read a whole response body; the parts are those that a client sends back as the next assistant message."""
    if not isinstance(body, dict):
        return Answer(rest=body, error=error_of(body))
    rest = dict(body)
    content = rest.pop("content", None)
    seen = Seen()
    parts: list[Part] = []
    if isinstance(content, list):
        wrappers = chain(({"role": "assistant"},), repeat(None))
        blocks = zip(content, wrappers, strict=False)
        parts = [_part(block, "assistant", IN_MESSAGE, seen, wrapper) for block, wrapper in blocks]
    elif content is not None:
        rest["content"] = content
    usage, error = body.get("usage"), error_of(body)
    stop_reason = name_of(body.get("stop_reason"))
    warnings = _unbilled(usage)
    if parts and not stop_reason and not error:
        warnings += ("the answer has no stop reason: it was cut short",)
    return Answer(
        parts=tuple(parts),
        usage=read_usage(usage),
        response_id=name_of(body.get("id")),
        response_model=name_of(body.get("model")),
        finish_reasons=(stop_reason,) if stop_reason else (),
        service_tier=_tier(usage),
        error=error,
        cache_reason=_cache_reason(body.get("diagnostics")),
        rest=rest,
        warnings=warnings,
    )


def _cache_reason(diagnostics: Json) -> str | None:
    """The type of the first divergence from the message that the request named (beta `cache-diagnosis-2026-04-07`)."""
    reason = diagnostics.get("cache_miss_reason") if isinstance(diagnostics, dict) else None
    return name_of(reason.get("type")) if isinstance(reason, dict) else None


def _tier(usage: Json) -> str | None:
    """The tier that is billed; fast mode has prices of its own and stands in another field."""
    if not isinstance(usage, dict):
        return None
    return "fast" if usage.get("speed") == "fast" else name_of(usage.get("service_tier"))


def _unbilled(usage: Json) -> tuple[str, ...]:
    """Iterations that are billed beside the totals: the provider's own compaction, an advisor model."""
    iterations = usage.get("iterations") if isinstance(usage, dict) else None
    kinds = (
        {name_of(item.get("type")) for item in iterations if isinstance(item, dict)}
        if isinstance(iterations, list)
        else set()
    )
    beside = sorted(kind for kind in kinds if kind and kind not in ("message", "fallback_message"))
    return tuple(f"tokens of {kind} iterations are not in the reported totals" for kind in beside)


def read_usage(usage: Json) -> Usage | None:
    """Normalise `usage`: on the wire `input_tokens` excludes what was read from or written to the cache."""
    if not isinstance(usage, dict):
        return None
    fresh = tokens_of(usage.get("input_tokens"))
    read = tokens_of(usage.get("cache_read_input_tokens"))
    write = tokens_of(usage.get("cache_creation_input_tokens"))
    output = tokens_of(usage.get("output_tokens"))
    split = usage.get("cache_creation")
    details = usage.get("output_tokens_details")
    server = usage.get("server_tool_use")
    write_5m = write_1h = None
    if isinstance(split, dict):
        write_5m = tokens_of(split.get("ephemeral_5m_input_tokens"))
        write_1h = tokens_of(split.get("ephemeral_1h_input_tokens"))
        split_sum = (write_5m or 0) + (write_1h or 0)
        if write is None and split_sum:
            write = split_sum
        elif split_sum != (write or 0):
            # The split comes with the stream's start only, while the total may still grow.
            write_5m, write_1h = None, None
    reasoning = tokens_of(details.get("thinking_tokens")) if isinstance(details, dict) else None
    requests = server.items() if isinstance(server, dict) else ()
    return Usage(
        input_tokens=None if fresh is None else fresh + (read or 0) + (write or 0),
        cache_read_input_tokens=None if fresh is None else read,
        cache_creation_input_tokens=None if fresh is None else write,
        cache_creation_5m_input_tokens=None if fresh is None else write_5m,
        cache_creation_1h_input_tokens=None if fresh is None else write_1h,
        output_tokens=output,
        reasoning_output_tokens=None if reasoning is None or output is None else min(reasoning, output),
        server_tool_requests=tuple(
            (name.removesuffix("_requests"), n) for name, value in requests if (n := tokens_of(value))
        ),
        raw=usage,
    )
