"""Dialect `openai.assistants`: runs over threads that the provider holds, whole and streamed.

A run's request has at most instructions, tools and new messages: the thread stands before them, unknown.
Usage comes with the end of the run, so only a streamed call reports it. The other endpoints (threads, messages,
assistants, steps) are no calls.
"""

from collections.abc import Iterable
from dataclasses import replace

from llmprof_addon.errors import WireError
from llmprof_addon.model.call import Answer, Prompt
from llmprof_addon.model.part import Json, Part, PartKind
from llmprof_addon.model.tree import locate
from llmprof_addon.providers import openai_chat
from llmprof_addon.providers.carving import name_of, text_of
from llmprof_addon.providers.error_bodies import error_of
from llmprof_addon.providers.openai_blocks import Owner, read_block, read_tool
from llmprof_addon.providers.openai_usage import usage_of
from llmprof_addon.providers.sequence import Seen, carve_items
from llmprof_addon.providers.text_inputs import take_texts
from llmprof_addon.wire import jsontext
from llmprof_addon.wire.sse import Event

api = "openai.assistants"
operation = "invoke_agent"
section_order = ("tools", "system", "messages")

_THREAD = "thread"
"""Stands for the thread, whose id is in the address: no call has it as its own."""

_ANSWERS = "llmprof_messages"
"""Key of a folded body for the messages that the run wrote."""


def read_request(body: Json) -> Prompt:
    """Carve a request body: instructions, additional messages, outputs of tools; `messages` are a stored answer's."""
    if not isinstance(body, dict):
        return Prompt(messages=(Part(kind=PartKind.GENERIC, text=text_of(body), form="whole", value=body),))
    if "messages" in body:
        return openai_chat.read_request(body)
    params = dict(body)
    tools: list[Part] = []
    if isinstance(params.get("tools"), list) and params["tools"]:
        tools = [part for _, parts in carve_items(params.pop("tools"), "tools", _tool, Seen()) for part in parts]
    system = (
        *take_texts(params, "instructions", "system"),
        *take_texts(params, "additional_instructions", "system"),
    )
    messages: list[Part] = []
    if isinstance(params.get("additional_messages"), list) and params["additional_messages"]:
        held = params.pop("additional_messages")
        carved = openai_chat.read_request({"messages": held})
        messages += [_moved(part) for part in (*carved.system, *carved.messages)]
    if isinstance(params.get("tool_outputs"), list) and params["tool_outputs"]:
        messages += locate(_output(item) for item in params.pop("tool_outputs"))
    return Prompt(tools=tuple(tools), system=system, messages=tuple(messages), params=params, continues=_THREAD)


def _tool(tool: Json, place: str, seen: Seen) -> list[Part]:
    return [read_tool(tool, place)]


def _moved(part: Part) -> Part:
    place = part.place.replace("messages", "additional_messages", 1)
    return replace(part, place=place, path=part.path.replace("messages", "additional_messages", 1))


def _output(item: Json) -> Part:
    held = item if isinstance(item, dict) else {}
    kind = PartKind.TOOL_RESULT if held else PartKind.GENERIC
    call_id = name_of(held.get("tool_call_id"))
    text = text_of(held.get("output", item))
    return Part(kind=kind, role="tool", text=text, call_id=call_id, value=item, place="tool_outputs")


def read_response(body: Json) -> Answer:
    """Read a run, or a folded stream of one with the messages that it wrote."""
    if not isinstance(body, dict):
        return Answer(error=error_of(body), rest=body)
    rest = dict(body)
    parts: list[Part] = []
    for message in rest.pop(_ANSWERS, ()):
        parts += _answered(message)
    parts += _called(body.get("required_action"))
    status = name_of(body.get("status"))
    failure = body.get("last_error")
    return Answer(
        parts=tuple(locate(parts)),
        usage=usage_of(body),
        response_id=name_of(body.get("id")),
        response_model=name_of(body.get("model")),
        finish_reasons=(status,) if status else (),
        error=error_of({"error": failure}) if failure else error_of(body),
        rest=rest,
    )


def _answered(message: Json) -> list[Part]:
    content = message.get("content") if isinstance(message, dict) else None
    owner = Owner(place="messages/content", role="assistant")
    parts: list[Part] = []
    for block in content if isinstance(content, list) else ():
        held = block.get("text") if isinstance(block, dict) else None
        if isinstance(held, dict) and isinstance(held.get("value"), str):
            block = {"type": "text", "text": held["value"]}
        parts.append(read_block(block, owner, None if parts else {"role": "assistant"}))
    return parts


def _called(action: Json) -> list[Part]:
    """The tool calls that a run waits for."""
    held = action.get("submit_tool_outputs") if isinstance(action, dict) else None
    calls = held.get("tool_calls") if isinstance(held, dict) else None
    if not isinstance(calls, list):
        return []
    message = {"role": "assistant", "content": None, "tool_calls": calls}
    return list(openai_chat.read_response({"choices": [{"message": message}]}).parts)


def fold(events: Iterable[Event]) -> Json:
    """Put the events together: the run as it was last, and the messages that were finished."""
    run: dict[str, Json] = {}
    messages: list[Json] = []
    for event in events:
        try:
            data = jsontext.loads(event.data)
        except WireError:
            continue
        if not isinstance(data, dict):
            continue
        if event.event == "error":
            run["error"] = data
        elif data.get("object") == "thread.run":
            run.update(data)
        elif event.event in ("thread.message.completed", "thread.message.incomplete"):
            messages.append(data)
    return {**run, _ANSWERS: messages} if messages else run
