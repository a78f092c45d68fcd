"""Dialect `openai.chat`: Chat Completions, as OpenAI, Azure and the many compatible hosts speak it."""

from dataclasses import replace

from llmprof_addon.model.call import Answer, Prompt
from llmprof_addon.model.media import media_of
from llmprof_addon.model.part import Form, Json, Media, Part, PartKind
from llmprof_addon.model.tree import locate
from llmprof_addon.providers.carving import compact, generic, name_of, on_wrapper, server_of, strip_marker, text_of
from llmprof_addon.providers.error_bodies import error_of
from llmprof_addon.providers.openai_blocks import Owner, header, read_block, read_tool
from llmprof_addon.providers.openai_chat_stream import STREAM_WARNINGS, fold
from llmprof_addon.providers.openai_usage import usage_of

__all__ = ["api", "fold", "read_request", "read_response", "section_order"]

api = "openai.chat"
section_order = ("tools", "system", "messages")

SYSTEM_ROLES = ("system", "developer")
RESULT_ROLES = ("tool", "function")

REASONING_TEXTS = ("reasoning_content", "reasoning", "reasoning_text", "thinking")
"""Under which keys hosts keep the reasoning of a message: DeepSeek and vLLM, OpenRouter and Groq, Copilot, Ollama."""

BLOCK_LISTS = ("reasoning_details", "thinking_blocks", "images")
"""Lists of blocks beside `content`: OpenRouter's reasoning and generated images, LiteLLM's thinking."""

type Names = dict[str, tuple[str | None, str | None]]
"""Tool name and server by call id."""


def read_request(body: Json) -> Prompt:
    """Carve a request body. Legacy `functions` are tools; `response_format` with a schema is the last of them."""
    if not isinstance(body, dict):
        return Prompt(messages=(Part(kind=PartKind.GENERIC, text=text_of(body), form="whole", value=body),))
    params = dict(body)
    tools: list[Part] = []
    for key in ("tools", "functions"):
        if isinstance(params.get(key), list) and params[key]:
            tools += [read_tool(tool, key) for tool in params.pop(key)]
    if (schema := _output_schema(params.get("response_format"))) is not None:
        del params["response_format"]
        tools.append(schema)
    system: list[Part] = []
    messages: list[Part] = []
    held = params.get("messages")
    if isinstance(held, list) and held:
        names: Names = {}
        leading = True
        for message in params.pop("messages"):
            leading = leading and isinstance(message, dict) and message.get("role") in SYSTEM_ROLES
            (system if leading else messages).extend(carve_message(message, names))
    elif held and not isinstance(held, list):
        form: Form = "bare" if isinstance(held, str) else "whole"
        value = {"type": "text", "text": held} if form == "bare" else params["messages"]
        kind = PartKind.TEXT if form == "bare" else PartKind.GENERIC
        role = "user" if form == "bare" else ""
        messages.append(Part(kind=kind, role=role, text=text_of(held), value=value, place="messages", form=form))
        del params["messages"]
    parts = locate([*tools, *system, *messages])
    cut, end = len(tools), len(tools) + len(system)
    return Prompt(tools=parts[:cut], system=parts[cut:end], messages=parts[end:], params=params)


def _output_schema(format_: Json) -> Part | None:
    if not isinstance(format_, dict) or format_.get("type") != "json_schema":
        return None
    schema = format_.get("json_schema")
    name = name_of(schema.get("name")) if isinstance(schema, dict) else None
    return Part(
        kind=PartKind.OUTPUT_SCHEMA,
        text=compact(schema),
        name=name,
        value=format_,
        place="response_format",
        form="whole",
    )


def read_response(body: Json) -> Answer:
    """Read a whole body or a folded stream; each choice is a message as a client would send it again."""
    if not isinstance(body, dict):
        return Answer(error=error_of(body), rest=body)
    rest = dict(body)
    parts: list[Part] = []
    finishes: list[str] = []
    errors = [error_of(body)]
    choices = body.get("choices")
    if isinstance(choices, list):
        rest["choices"] = []
        for index, choice in enumerate(choices):
            if not isinstance(choice, dict):
                rest["choices"].append(choice)
                continue
            answered, left = _answer(choice, f"choices[{index}]")
            parts += answered
            rest["choices"].append(left)
            if (finish := name_of(choice.get("finish_reason"))) is not None:
                finishes.append(finish)
            errors.append(error_of(choice) if "error" in choice else None)
    return Answer(
        parts=tuple(parts),
        usage=usage_of(body),
        response_id=name_of(body.get("id")),
        response_model=name_of(body.get("model")),
        finish_reasons=tuple(finishes),
        service_tier=name_of(body.get("service_tier")),
        error=next((error for error in errors if error), None),
        rest=rest,
        warnings=tuple(text_of(warning) for warning in body.get(STREAM_WARNINGS) or ()),
    )


SENT_BACK = ("content", "refusal", "audio", "function_call", "tool_calls", "reasoning_opaque")
"""What clients send back of an answered message, beside reasoning."""


def _answer(choice: dict[str, Json], where: str) -> tuple[list[Part], Json]:
    """The parts of a choice, with paths in the response, and what is left of it.

    Recorded clients send `{"role": "assistant"}` with what the message really holds: no nulls, no empty `content`
    beside tool calls, one form of the reasoning.
    """
    message = choice.get("message")
    if message is None and isinstance(choice.get("text"), str):
        message = {"role": "assistant", "content": choice["text"]}
    if not isinstance(message, dict):
        return [], choice
    sent = {key: value for key, value in message.items() if key in (*SENT_BACK, *REASONING_TEXTS, *BLOCK_LISTS)}
    sent = {key: value for key, value in sent.items() if value is not None}
    wrapper: dict[str, Json] = {"role": name_of(message.get("role")) or "assistant"}
    carved = [part for part in carve_message({**wrapper, **sent}, {}) if part.form != "absent"]
    if carved:
        carved[0] = replace(carved[0], wrapper=wrapper)
    here = [replace(part, path=part.path.replace("messages[0]", f"{where}.message", 1)) for part in locate(carved)]
    left = {key: value for key, value in message.items() if key not in sent}
    return here, {**choice, "message": left}


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
