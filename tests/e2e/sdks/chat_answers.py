"""Made-up answers in OpenAI's chat dialect as those hosts write it who end a stream in another way."""

import json
from collections.abc import Callable, Iterator

from tests.e2e import answers
from tests.e2e.replay import Answer
from tests.e2e.sdks.asked import Body


def mistral(body: Body) -> Answer:
    """Mistral: the last chunk of a stream holds the usage, unasked, and a call of a tool as a whole."""
    whole, events = answers.chat(body)
    calls = whole["choices"][0]["message"].get("tool_calls")
    delta = {"content": "", **({"tool_calls": [{"index": 0, **call} for call in calls]} if calls else {})}

    def last(chunk: Body) -> Body:
        return {**chunk, "usage": whole["usage"], "choices": [{**chunk["choices"][0], "delta": delta}]}

    return _answer(body, whole, (event for event in _ended(events, last) if '{"tool_calls"' not in event))


def groq(body: Body) -> Answer:
    """Groq: the last chunk of a stream holds the usage in `x_groq`, unasked."""
    whole, events = answers.chat(body)
    extra = {"id": "req_made_up", "usage": whole["usage"]}
    return _answer(body, {**whole, "x_groq": {"id": "req_made_up"}}, _ended(events, lambda c: {**c, "x_groq": extra}))


def _ended(events: Iterator[str], last: Callable[[Body], Body]) -> Iterator[str]:
    """The events with a last chunk of another form."""
    for event in events:
        data = event.removeprefix("data: ").strip()
        if data != "[DONE]" and json.loads(data)["choices"][0]["finish_reason"]:
            yield f"data: {json.dumps(last(json.loads(data)))}\n\n"
        else:
            yield event


def _answer(body: Body, whole: Body, events: Iterator[str]) -> Answer:
    if not body.get("stream"):
        return Answer(chunks=[json.dumps(whole).encode()])
    return Answer(
        headers=(("content-type", "text/event-stream"),),
        framing="chunked",
        chunks=[event.encode() for event in events],
        pause_seconds=0.002,
    )
