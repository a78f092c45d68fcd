"""Targets of `providers`: of each dialect its reader of requests, of whole responses and of streams.

The modules are called themselves: `reader` would turn what they raise into a warning, and a dialect raises nothing.
"""

import json
from dataclasses import fields
from functools import partial

from llmprof_addon.errors import WireError
from llmprof_addon.model.call import Answer
from llmprof_addon.model.tree import assemble, chains
from llmprof_addon.model.usage import Usage
from llmprof_addon.providers import dialects
from llmprof_addon.wire import framing, jsontext
from tests.fuzz import mutators, seeds
from tests.fuzz.engine import Target


def check_request(api: str, data: bytes) -> None:
    """The parts put together again are the body."""
    dialect = dialects.by_api(api)
    assert dialect is not None
    try:
        body = jsontext.loads(data)
        sent = json.dumps(body, sort_keys=True)
    except WireError:
        return
    prompt = dialect.read_request(body)
    again = assemble(prompt.params, prompt.parts)
    assert json.dumps(again, sort_keys=True) == sent, "put together again it is another body"
    assert json.dumps(body, sort_keys=True) == sent, "the body was changed"
    chains(prompt)


def check_response(api: str, data: bytes) -> None:
    """A whole body gives an answer whose numbers are numbers."""
    dialect = dialects.by_api(api)
    assert dialect is not None
    try:
        body = jsontext.loads(data)
    except WireError:
        return
    _check_answer(dialect.read_response(body))


def check_stream(api: str, data: bytes) -> None:
    """A stream of any frame, folded, gives one too."""
    dialect = dialects.by_api(api)
    assert dialect is not None
    frame = framing.frame_of(data, None, asked=True) or "sse"
    body = dialect.fold(framing.events(data, frame))
    _check_answer(dialect.read_response(body))


def _check_answer(answer: Answer) -> None:
    if answer.usage is not None:
        for field in fields(Usage):
            value = getattr(answer.usage, field.name)
            if field.name.endswith("_tokens"):
                assert value is None or (type(value) is int and 0 <= value < 2**63), f"{field.name} is {value!r:.100}"
    for name in ("response_id", "response_model", "error"):
        value = getattr(answer, name)
        assert value is None or isinstance(value, str), f"{name} is {value!r:.100}"
    assert all(isinstance(reason, str) for reason in answer.finish_reasons), f"reasons {answer.finish_reasons!r:.100}"


def _targets(api: str) -> list[Target]:
    found = [
        Target(
            name=f"{api}.request",
            seeds=partial(seeds.requests, api),
            mutate=mutators.json_,
            check=partial(check_request, api),
        ),
        Target(
            name=f"{api}.response",
            seeds=partial(seeds.responses, api, streamed=False),
            mutate=mutators.json_,
            check=partial(check_response, api),
        ),
    ]
    if seeds.has_streams(api):
        found.append(
            Target(
                name=f"{api}.stream",
                seeds=partial(seeds.responses, api, streamed=True),
                mutate=mutators.stream,
                check=partial(check_stream, api),
            )
        )
    return found


TARGETS = tuple(target for api in dialects.MODULES for target in _targets(api))
