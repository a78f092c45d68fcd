"""Dialect `openai.responses`: the Responses API over HTTP, of OpenAI, Azure and compatible hosts.

Prompt and answer are lists of items. A message is a wrapper with content blocks; every other item is one part, and what
it holds of a kind of its own (a namespace's tools, the output of a hosted tool) is an inner part of it.
"""

from llmprof_addon.model.call import Prompt
from llmprof_addon.model.part import Form, Json, Part, PartKind
from llmprof_addon.model.tree import locate
from llmprof_addon.providers.carving import compact, name_of, text_of
from llmprof_addon.providers.openai_blocks import read_tools
from llmprof_addon.providers.openai_items import Names, carve_item

api = "openai.responses"
section_order = ("tools", "system", "messages")

SYSTEM_ROLES = ("system", "developer")


def read_request(body: Json) -> Prompt:
    """Carve a request body. Leading system messages and `additional_tools` items are the system chain."""
    if not isinstance(body, dict):
        return Prompt(messages=(Part(kind=PartKind.GENERIC, text=text_of(body), form="whole", value=body),))
    params = dict(body)
    tools: list[Part] = []
    if isinstance(params.get("tools"), list) and params["tools"]:
        tools += read_tools(params.pop("tools"), "tools")
    if (schema := _output_schema(params.get("text"))) is not None:
        params["text"] = {key: value for key, value in params["text"].items() if key != "format"}
        tools.append(schema)
    names: Names = {}
    system = _instructions(params, names)
    messages: list[Part] = []
    held = params.get("input")
    if isinstance(held, list) and held:
        leading = True
        for item in params.pop("input"):
            leading = leading and _is_system(item)
            (system if leading else messages).extend(carve_item(item, "input", names))
    elif held and not isinstance(held, list):
        messages.append(_bare(params.pop("input")))
    parts = locate([*tools, *system, *messages])
    cut, end = len(tools), len(tools) + len(system)
    return Prompt(
        tools=parts[:cut],
        system=parts[cut:end],
        messages=parts[end:],
        params=params,
        continues=name_of(params.get("previous_response_id")),
    )


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


def _instructions(params: dict[str, Json], names: Names) -> list[Part]:
    held = params.get("instructions")
    if isinstance(held, list) and held:
        return [part for item in params.pop("instructions") for part in carve_item(item, "instructions", names)]
    if not held or isinstance(held, list):
        return []
    del params["instructions"]
    text = isinstance(held, str)
    form: Form = "string" if text else "whole"
    return [
        Part(
            kind=PartKind.TEXT if text else PartKind.GENERIC,
            role="system",
            text=text_of(held),
            value={"type": "input_text", "text": held} if text else held,
            place="instructions",
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
