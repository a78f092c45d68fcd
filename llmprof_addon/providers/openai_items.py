"""Items of the Responses API: one JSON value of `input` or `output` in, its parts out.

Which item is what, and which of its fields are its text, is a table; items of a type that is not in it become generic
parts.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from llmprof_addon.model.media import media_of
from llmprof_addon.model.part import Json, Marker, Part, PartKind
from llmprof_addon.providers.carving import compact, generic, name_of, on_wrapper, server_of, strip_marker, text_of
from llmprof_addon.providers.openai_blocks import (
    Owner,
    block_part,
    read_block,
    read_blocks,
    read_tools,
    server_label,
)
from llmprof_addon.providers.sequence import Names

CALLS: dict[str, tuple[str | None, tuple[str, ...]]] = {
    "function_call": (None, ("arguments",)),
    "custom_tool_call": (None, ("input",)),
    "mcp_call": (None, ("arguments",)),
    "mcp_approval_request": (None, ("arguments",)),
    "local_shell_call": ("local_shell", ("action",)),
    "shell_call": ("shell", ("action",)),
    "apply_patch_call": ("apply_patch", ("operation",)),
    "computer_call": ("computer", ("action", "actions")),
    "web_search_call": ("web_search", ("action",)),
    "file_search_call": ("file_search", ("queries",)),
    "code_interpreter_call": ("code_interpreter", ("code",)),
    "image_generation_call": ("image_generation", ("revised_prompt",)),
    "tool_search_call": ("tool_search", ("arguments",)),
    "program": ("program", ("code",)),
    "multi_agent_call": (None, ("arguments",)),
}
"""Tool name of a call item (`None`: its `name` or `action`), and the fields whose text the model wrote."""

OUTPUTS: dict[str, str | None] = {
    "function_call_output": None,
    "custom_tool_call_output": None,
    "local_shell_call_output": "local_shell",
    "shell_call_output": "shell",
    "apply_patch_call_output": "apply_patch",
    "computer_call_output": "computer",
    "program_output": "program",
    "multi_agent_call_output": None,
}
"""Items that hold a tool's result under `output` (`result` of a program), with the tool name where the type says it."""

TOOLS = frozenset({"additional_tools", "tool_search_output", "mcp_list_tools"})
"""Items that bring tool schemas into the conversation."""

OPAQUE = frozenset({"compaction", "compaction_summary", "context_compaction", "compaction_trigger", "item_reference"})
"""Items whose content only the provider knows."""


def carve_item(item: Json, container: str, names: Names) -> list[Part]:
    """The parts of one item. Calls add to `names`, results are named by it."""
    if not isinstance(item, dict):
        return [generic(item, container)]
    type_ = item.get("type")
    if type_ is None:
        type_ = "message" if "role" in item else "item_reference" if "id" in item else None
    if type_ == "message":
        return _message(item, container)
    value, markers = _strip_markers(item)
    type_ = text_of(type_)
    reader = READERS.get(type_)
    fields = {"kind": PartKind.GENERIC, "text": compact(value)} if reader is None else reader(value, type_, names)
    fields.setdefault("role", text_of(value.get("role")))
    return [Part(value=value, place=container, markers=markers, **fields)]


def _strip_markers(item: dict[str, Json]) -> tuple[dict[str, Json], tuple[Marker, ...]]:
    """The item without its cache markers and those of the blocks of its output."""
    value, markers = strip_marker(item)
    output = value.get("output")
    if not isinstance(output, list):
        return value, markers
    blocks: list[Json] = []
    for index, block in enumerate(output):
        bare, found = strip_marker(block) if isinstance(block, dict) else (block, ())
        blocks.append(bare)
        markers += tuple(replace(marker, where=("output", index)) for marker in found)
    return {**value, "output": blocks}, markers


def _message(item: dict[str, Json], container: str) -> list[Part]:
    """A message's content is carved out of it, a string as the one text block that it stands for."""
    wrapper, markers = strip_marker(item)
    if wrapper is item:
        wrapper = dict(item)
    role = text_of(wrapper.get("role"))
    owner = Owner(place=f"{container}/content", role=role, name=name_of(wrapper.get("name")))
    content = wrapper.get("content")
    fields: dict[str, Json] = {"role": role, "name": owner.name, "place": owner.place, "wrapper": wrapper}
    if isinstance(content, str):
        type_ = "output_text" if role == "assistant" else "input_text"
        value = {"type": type_, "text": content}
        parts = [Part(kind=PartKind.TEXT, text=content, value=value, form="string", **fields)]
    elif isinstance(content, list) and content:
        parts = [read_block(content[0], owner, wrapper), *(read_block(block, owner) for block in content[1:])]
    elif content:
        parts = [Part(kind=PartKind.GENERIC, text=text_of(content), value=content, form="whole", **fields)]
    else:
        return [Part(kind=PartKind.TEXT, text="", form="absent", markers=on_wrapper(markers), **fields)]
    del wrapper["content"]
    if markers:
        parts[0] = replace(parts[0], markers=(*on_wrapper(markers), *parts[0].markers))
    return parts


def _call(item: dict[str, Json], type_: str, names: Names) -> dict[str, Json]:
    fixed, keys = CALLS[type_]
    name = fixed or name_of(item.get("name")) or name_of(item.get("action"))
    server = _server(item, name)
    call_id = name_of(item.get("call_id")) or name_of(item.get("id"))
    if call_id is not None:
        names[call_id] = (name, server)
    owner = Owner(place="", kind=PartKind.TOOL_RESULT, name=name, server=server, call_id=call_id)
    return {
        "kind": PartKind.TOOL_CALL,
        "role": "assistant",
        "text": "".join(text_of(_without_sources(item.get(key))) for key in keys),
        "name": name,
        "server": server,
        "call_id": call_id,
        "inner": tuple(_hosted_output(item, owner)),
    }


def _without_sources(action: Json) -> Json:
    """A web search's action also lists what was found."""
    if not isinstance(action, dict) or "sources" not in action:
        return action
    return {key: value for key, value in action.items() if key != "sources"}


def _server(item: dict[str, Json], name: str | None) -> str | None:
    namespace = name_of(item.get("namespace"))
    return name_of(item.get("server_label")) or (namespace and server_label(namespace)) or server_of(name)


def _hosted_output(item: dict[str, Json], owner: Owner) -> Iterator[Part]:
    """What a tool that the provider runs itself gave: it stands in the item of the call."""
    for key in ("output", "error"):
        if item.get(key) is not None:
            yield block_part(owner, owner.kind, text_of(item[key]), item[key])
    for key in ("outputs", "results"):
        held = item.get(key)
        for entry in held if isinstance(held, list) else ():
            if isinstance(entry, dict) and entry.get("type") == "image":
                yield read_block(entry, owner)
            else:
                said = entry.get("logs", entry.get("text")) if isinstance(entry, dict) else entry
                yield block_part(owner, owner.kind, said if isinstance(said, str) else compact(entry), entry)
    action = item.get("action")
    if isinstance(action, dict) and action.get("sources"):
        yield block_part(owner, owner.kind, compact(action["sources"]), action["sources"])
    if isinstance(picture := item.get("result"), str):
        yield replace(block_part(owner, PartKind.IMAGE, None, picture), media=media_of(None, picture))


def _output(item: dict[str, Json], type_: str, names: Names) -> dict[str, Json]:
    call_id = name_of(item.get("call_id")) or name_of(item.get("id"))
    name = OUTPUTS[type_] or name_of(item.get("name")) or name_of(item.get("action"))
    name, server = names.get(call_id or "", (name, _server(item, name)))
    owner = Owner(place="", role="tool", kind=PartKind.TOOL_RESULT, name=name, server=server, call_id=call_id)
    output = item.get("result" if type_ == "program_output" else "output")
    text, inner = (text_of(output), ()) if type_ == "shell_call_output" else read_blocks(output, owner)
    return {
        "kind": owner.kind,
        "role": "tool",
        "text": text,
        "name": name,
        "server": server,
        "call_id": call_id,
        "inner": inner,
    }


def _approval(item: dict[str, Json], type_: str, names: Names) -> dict[str, Json]:
    call_id = name_of(item.get("approval_request_id"))
    name, server = names.get(call_id or "", (None, None))
    text = compact({key: item[key] for key in ("approve", "reason") if key in item})
    fields = {"kind": PartKind.TOOL_RESULT, "role": "user", "text": text}
    return {**fields, "name": name, "server": server, "call_id": call_id}


def _tools(item: dict[str, Json], type_: str, names: Names) -> dict[str, Json]:
    server = name_of(item.get("server_label"))
    return {
        "kind": PartKind.TOOL_SCHEMA,
        "name": type_,
        "server": server,
        "call_id": name_of(item.get("call_id")),
        "inner": read_tools(item.get("tools"), "", server=server),
    }


def _reasoning(item: dict[str, Json], type_: str, names: Names) -> dict[str, Json]:
    owner = Owner(place="", kind=PartKind.REASONING)
    text = read_blocks(item.get("content") or item.get("summary"), owner)[0]
    hidden = item.get("encrypted_content") is not None
    return {"kind": owner.kind, "role": "assistant", "text": text, "hidden": hidden}


def _agent_message(item: dict[str, Json], type_: str, names: Names) -> dict[str, Json]:
    """What one agent says to another."""
    owner = Owner(place="", role="assistant", name=name_of(item.get("author")))
    text, inner = read_blocks(item.get("content"), owner)
    return {"kind": owner.kind, "role": owner.role, "text": text, "name": owner.name, "inner": inner}


def _configuration(item: dict[str, Json], type_: str, names: Names) -> dict[str, Json]:
    """A change of parameters in the middle of a conversation; of these only an output schema is text."""
    text = item.get("text")
    format_ = text.get("format") if isinstance(text, dict) else None
    if not isinstance(format_, dict) or format_.get("type") != "json_schema":
        return {"kind": PartKind.TEXT, "role": "developer", "text": "", "name": type_}
    return {"kind": PartKind.OUTPUT_SCHEMA, "text": compact(format_), "name": name_of(format_.get("name"))}


def _opaque(item: dict[str, Json], type_: str, names: Names) -> dict[str, Json]:
    return {"kind": PartKind.GENERIC, "name": type_, "hidden": True}


READERS: dict[str, Callable[[dict[str, Json], str, Names], dict[str, Json]]] = {
    **dict.fromkeys(CALLS, _call),
    **dict.fromkeys(OUTPUTS, _output),
    **dict.fromkeys(TOOLS, _tools),
    **dict.fromkeys(OPAQUE, _opaque),
    "mcp_approval_response": _approval,
    "agent_message": _agent_message,
    "configuration_update": _configuration,
    "reasoning": _reasoning,
}
