"""Dialect `openai.chat`: Chat Completions, as OpenAI, Azure and the many compatible hosts speak it."""

from dataclasses import replace

from llmprof_addon.model.call import Answer, Prompt
from llmprof_addon.model.part import Form, Json, Part, PartKind
from llmprof_addon.model.tree import locate
from llmprof_addon.providers.carving import compact, name_of, text_of, warnings_in
from llmprof_addon.providers.error_bodies import error_of
from llmprof_addon.providers.openai_blocks import read_tool
from llmprof_addon.providers.openai_chat_stream import STREAM_WARNINGS, fold
from llmprof_addon.providers.openai_messages import SENT_BACK, carve_message
from llmprof_addon.providers.openai_usage import usage_of
from llmprof_addon.providers.sequence import Seen, carve_items

__all__ = ["api", "fold", "operation", "read_request", "read_response", "section_order"]

api = "openai.chat"
operation = "chat"
section_order = ("tools", "system", "messages")

SYSTEM_ROLES = ("system", "developer")


def read_request(body: Json) -> Prompt:
    """Carve a request body. Legacy `functions` are tools; `response_format` with a schema is the last of them."""
    if not isinstance(body, dict):
        return Prompt(messages=(Part(kind=PartKind.GENERIC, text=text_of(body), form="whole", value=body),))
    params = dict(body)
    tools: list[Part] = []
    for key in ("tools", "functions"):
        if isinstance(params.get(key), list) and params[key]:
            carved = carve_items(params.pop(key), key, _tool, Seen())
            tools += [part for _, parts in carved for part in parts]
    if (schema := _output_schema(params.get("response_format"))) is not None:
        del params["response_format"]
        tools += locate([schema])
    system: list[Part] = []
    messages: list[Part] = []
    held = params.get("messages")
    if isinstance(held, list) and held:
        leading = True
        for message, parts in carve_items(params.pop("messages"), "messages", _message, Seen()):
            leading = leading and isinstance(message, dict) and message.get("role") in SYSTEM_ROLES
            (system if leading else messages).extend(parts)
    elif held and not isinstance(held, list):
        form: Form = "bare" if isinstance(held, str) else "whole"
        value = {"type": "text", "text": held} if form == "bare" else params["messages"]
        kind = PartKind.TEXT if form == "bare" else PartKind.GENERIC
        role = "user" if form == "bare" else ""
        part = Part(kind=kind, role=role, text=text_of(held), value=value, place="messages", form=form)
        messages += locate([part])
        del params["messages"]
    return Prompt(tools=tuple(tools), system=tuple(system), messages=tuple(messages), params=params)


def _tool(tool: Json, place: str, seen: Seen) -> list[Part]:
    return [read_tool(tool, place)]


def _message(message: Json, place: str, seen: Seen) -> list[Part]:
    return carve_message(message, seen.calls)


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
        warnings=warnings_in(body.get(STREAM_WARNINGS)),
    )


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
    sent = {key: value for key, value in message.items() if key in SENT_BACK}
    sent = {key: value for key, value in sent.items() if value is not None}
    wrapper: dict[str, Json] = {"role": name_of(message.get("role")) or "assistant"}
    carved = [part for part in carve_message({**wrapper, **sent}, {}) if part.form != "absent"]
    if carved:
        carved[0] = replace(carved[0], wrapper=wrapper)
    here = [replace(part, path=part.path.replace("messages[0]", f"{where}.message", 1)) for part in locate(carved)]
    left = {key: value for key, value in message.items() if key not in sent}
    return here, {**choice, "message": left}
