"""Dialect `openai.responses`: the Responses API over HTTP, of OpenAI, Azure and compatible hosts.

Prompt and answer are lists of items. A message is a wrapper with content blocks; every other item is one part, and what
it holds of a kind of its own (a namespace's tools, the output of a hosted tool) is an inner part of it.
"""

from dataclasses import replace

from llmprof_addon.model.call import Answer, Prompt
from llmprof_addon.model.part import Form, Json, Part, PartKind
from llmprof_addon.model.tree import locate
from llmprof_addon.model.usage import Usage
from llmprof_addon.providers.carving import compact, name_of, text_of, warnings_in
from llmprof_addon.providers.error_bodies import error_of
from llmprof_addon.providers.openai_blocks import read_tool
from llmprof_addon.providers.openai_chat_stream import STREAM_WARNINGS
from llmprof_addon.providers.openai_items import carve_item
from llmprof_addon.providers.openai_responses_stream import fold
from llmprof_addon.providers.openai_usage import usage_of
from llmprof_addon.providers.sequence import Names, Seen, carve_items

__all__ = ["api", "fold", "operation", "read_request", "read_response", "section_order"]

api = "openai.responses"
operation = "chat"
section_order = ("tools", "system", "messages")

SYSTEM_ROLES = ("system", "developer")

ECHOED = frozenset({"tools", "instructions", "output"})
"""Fields of a response that repeat the request, or that the parts carry."""

NOT_SENT_BACK = {"message": frozenset({"id", "type", "status", "phase"}), "reasoning": frozenset({"status"})}
NOT_SENT_BACK |= dict.fromkeys(("function_call", "custom_tool_call"), frozenset({"id", "status"}))
"""What most recorded clients leave out of an item, by its type, when they send it again."""

BILLED_CALLS = {"web_search_call": "web_search", "file_search_call": "file_search"}
"""Items of tools that the provider runs and bills per call."""


def read_request(body: Json) -> Prompt:
    """Carve a request body. Leading system messages and `additional_tools` items are the system chain."""
    if not isinstance(body, dict):
        return Prompt(messages=(Part(kind=PartKind.GENERIC, text=text_of(body), form="whole", value=body),))
    params = dict(body)
    tools: list[Part] = []
    if isinstance(params.get("tools"), list) and params["tools"]:
        carved = carve_items(params.pop("tools"), "tools", _tool, Seen())
        tools += [part for _, parts in carved for part in parts]
    if (schema := _output_schema(params.get("text"))) is not None:
        params["text"] = {key: value for key, value in params["text"].items() if key != "format"}
        tools += locate([schema])
    conversation = params.get("conversation")
    conversation = name_of(conversation.get("id") if isinstance(conversation, dict) else conversation)
    seen = Seen()
    system = _instructions(params, seen)
    instructions = len(system)
    messages: list[Part] = []
    held = params.get("input")
    if isinstance(held, list) and held:
        leading = True
        for item, parts in carve_items(params.pop("input"), "input", _item, seen):
            leading = leading and _is_system(item)
            (system if leading else messages).extend(parts)
    elif held and not isinstance(held, list):
        messages += locate([_bare(params.pop("input"))])
    return Prompt(
        tools=tuple(tools),
        system=tuple(system),
        messages=tuple(messages),
        leading=len(system) - instructions,
        params=params,
        continues=name_of(params.get("previous_response_id")) or conversation,
        in_conversation=conversation is not None,
        warmup=params.get("generate") is False,
    )


def _tool(tool: Json, place: str, seen: Seen) -> list[Part]:
    return [read_tool(tool, place)]


def _item(item: Json, place: str, seen: Seen) -> list[Part]:
    return carve_item(item, place, seen.calls)


def _is_system(item: Json) -> bool:
    if not isinstance(item, dict):
        return False
    return item.get("type") == "additional_tools" or (
        item.get("role") in SYSTEM_ROLES and item.get("type", "message") == "message"
    )


def _bare(held: Json) -> Part:
    """An `input` that is no list: a string is the text of one user message."""
    if not isinstance(held, str):
        return Part(kind=PartKind.GENERIC, text=text_of(held), value=held, place="input", form="whole")
    return Part(
        kind=PartKind.TEXT,
        role="user",
        text=held,
        value={"type": "input_text", "text": held},
        place="input/content",
        form="bare",
        wrapper={"role": "user"},
    )


def _instructions(params: dict[str, Json], seen: Seen) -> list[Part]:
    held = params.get("instructions")
    if not held:
        return []
    del params["instructions"]
    items, carve = (held, _item) if isinstance(held, list) else ([held], _instruction)
    return [part for _, parts in carve_items(items, "instructions", carve, seen) for part in parts]


def _instruction(held: Json, place: str, seen: Seen) -> list[Part]:
    """Instructions that are no list."""
    text = isinstance(held, str)
    form: Form = "string" if text else "whole"
    return [
        Part(
            kind=PartKind.TEXT if text else PartKind.GENERIC,
            role="system",
            text=text_of(held),
            value={"type": "input_text", "text": held} if text else held,
            place=place,
            form=form,
        )
    ]


def _output_schema(text: Json) -> Part | None:
    format_ = text.get("format") if isinstance(text, dict) else None
    if not isinstance(format_, dict) or format_.get("type") != "json_schema":
        return None
    return Part(
        kind=PartKind.OUTPUT_SCHEMA,
        text=compact(format_),
        name=name_of(format_.get("name")),
        value=format_,
        place="text.format",
        form="whole",
    )


def read_response(body: Json) -> Answer:
    """Read a whole body or a folded stream; the parts of its items are those that a client would send again."""
    if not isinstance(body, dict):
        return Answer(error=error_of(body), rest=body)
    output = body.get("output")
    items = output if isinstance(output, list) else []
    parts: list[Part] = []
    left: list[Json] = []
    names: Names = {}
    for index, item in enumerate(items):
        sent, kept = _as_sent(item)
        left.append(kept)
        carved = [part for part in carve_item(sent, "input", names) if part.form != "absent"]
        parts += [replace(part, path=part.path.replace("input[0]", f"output[{index}]", 1)) for part in locate(carved)]
    rest = {key: value for key, value in body.items() if key not in ECHOED}
    if items:
        rest["output"] = left
    usage = usage_of(body)
    return Answer(
        parts=tuple(parts),
        usage=None if usage is None else replace(usage, server_tool_requests=_billed(usage, items)),
        response_id=name_of(body.get("id")),
        response_model=name_of(body.get("model")),
        finish_reasons=_finish_reasons(body),
        service_tier=name_of(body.get("service_tier")),
        error=error_of(body),
        cache_reason=_cache_reason(body.get("prompt_cache_diagnostics")),
        rest=rest,
        warnings=warnings_in(body.get(STREAM_WARNINGS)),
    )


def _cache_reason(diagnostics: Json) -> str | None:
    """Why the prompt parted from that of the response that the request named, or else how the comparison ended."""
    if not isinstance(diagnostics, dict):
        return None
    return name_of(diagnostics.get("reason")) or name_of(diagnostics.get("type"))


def _as_sent(item: Json) -> tuple[Json, Json]:
    """An output item as clients send it again, and what they leave out of it: ids, status, annotations, logprobs."""
    if not isinstance(item, dict):
        return item, None
    dropped = NOT_SENT_BACK.get(text_of(item.get("type")), frozenset())
    sent = {key: value for key, value in item.items() if key not in dropped}
    kept = {key: value for key, value in item.items() if key in dropped or key == "id"}
    if item.get("type") == "message":
        sent.setdefault("role", "assistant")
    if item.get("type") == "message" and isinstance(item.get("content"), list):
        sent["content"] = [_block_as_sent(block) for block in item["content"]]
        kept["content"] = [
            {key: value for key, value in block.items() if key not in ("text", "refusal")}
            for block in item["content"]
            if isinstance(block, dict)
        ]
    return sent, kept


def _block_as_sent(block: Json) -> Json:
    if not isinstance(block, dict) or block.get("type") not in ("output_text", "refusal"):
        return block
    return {key: value for key, value in block.items() if key in ("type", "text", "refusal")}


def _finish_reasons(body: dict[str, Json]) -> tuple[str, ...]:
    """Why it ended: `max_output_tokens` and the like where the body says it, else the final status."""
    details = body.get("incomplete_details")
    reason = name_of(details.get("reason")) if isinstance(details, dict) else None
    status = name_of(body.get("status"))
    if reason is None and status in (None, "in_progress", "queued"):
        return ()
    return (reason or text_of(status),)


def _billed(usage: Usage, items: list[Json]) -> tuple[tuple[str, int], ...]:
    counts = dict(usage.server_tool_requests)
    for item in items:
        name = BILLED_CALLS.get(text_of(item.get("type"))) if isinstance(item, dict) else None
        action = item.get("action") if name else None
        # Opening a page or finding text in it is not billed (OpenAI pricing page, web search tool calls).
        if name and not (isinstance(action, dict) and action.get("type") not in (None, "search")):
            counts[name] = counts.get(name, 0) + 1
    return tuple(counts.items())
