"""Every fixture of both OpenAI dialects through its reader: what holds for all of them."""

import json

import pytest

from llmprof_addon.model.call import Answer, Prompt
from llmprof_addon.model.part import Json, Part, PartKind
from llmprof_addon.model.tree import assemble
from llmprof_addon.providers import openai_chat, openai_responses
from llmprof_addon.providers.carving import MARKERS
from llmprof_addon.wire import sse
from tests.factories import fixture_cases, fixture_exchange

DIALECTS = {"openai.chat": openai_chat, "openai.responses": openai_responses}
CASES = [(api, case) for api in DIALECTS for case in fixture_cases(api)]


def read(api: str, case: str) -> tuple[Json, Prompt, Answer]:
    exchange = fixture_exchange(api, case)
    body = json.loads(exchange.request_body)
    dialect = DIALECTS[api]
    whole = exchange.response_body
    response = dialect.fold(sse.parse(whole)) if exchange.transport == "sse" else json.loads(whole)
    return body, dialect.read_request(body), dialect.read_response(response)


def at(body: Json, path: str) -> Json:
    """What stands under a JSON path like `messages[3].content[1]`."""
    for step in path.replace("[", ".[").split("."):
        body = body[int(step[1:-1])] if step.startswith("[") else body[step]
    return body


def without_markers(value: Json) -> Json:
    if isinstance(value, list):
        return [without_markers(held) for held in value]
    if not isinstance(value, dict):
        return value
    return {key: without_markers(held) for key, held in value.items() if key not in MARKERS}


def test_there_are_fixtures() -> None:
    assert len(CASES) >= 16


@pytest.mark.parametrize(("api", "case"), CASES)
def test_the_body_is_put_together_again(api: str, case: str) -> None:
    body, prompt, _ = read(api, case)
    assert assemble(prompt.params, prompt.parts) == body


@pytest.mark.parametrize(("api", "case"), CASES)
def test_paths_lead_to_what_the_parts_hold(api: str, case: str) -> None:
    body, prompt, _ = read(api, case)
    for part in prompt.parts:
        held = at(body, part.path)
        assert without_markers(held) == (part.value["text"] if part.form in ("string", "bare") else part.value)


@pytest.mark.parametrize(("api", "case"), CASES)
def test_nothing_but_the_made_up_item_is_unknown(api: str, case: str) -> None:
    _, prompt, answer = read(api, case)
    unknown = [part for part in (*prompt.parts, *answer.parts) if part.kind is PartKind.GENERIC and not part.hidden]
    assert [part.value["type"] for part in unknown] == (["weather_report"] if case == "hosted_tools_sent_back" else [])


@pytest.mark.parametrize(("api", "case"), CASES)
def test_parts_do_not_exceed_their_totals(api: str, case: str) -> None:
    usage = read(api, case)[2].usage
    if usage is None:
        assert case in ("cut_stream", "error", "error_in_stream", "failed_stream")
        return
    assert usage.input_tokens is not None
    assert usage.output_tokens is not None
    written = usage.cache_creation_input_tokens or 0
    assert (usage.cache_read_input_tokens or 0) + written <= usage.input_tokens
    assert (usage.reasoning_output_tokens or 0) <= usage.output_tokens


def names(parts: tuple[Part, ...]) -> list[str]:
    return [f"{part.kind}:{part.name or ''}" for part in parts]


@pytest.mark.parametrize(
    ("api", "case", "error"),
    [
        ("openai.chat", "error", "invalid_request_error: The model `gpt-nowhere` does not exist."),
        ("openai.chat", "error_in_stream", "502: Upstream gave up."),
        ("openai.responses", "error", "invalid_request_error: 'temperature' must be at most 2."),
        ("openai.responses", "failed_stream", "server_error: The model stumbled."),
    ],
)
def test_errors_are_one_line(api: str, case: str, error: str) -> None:
    assert read(api, case)[2].error == error
