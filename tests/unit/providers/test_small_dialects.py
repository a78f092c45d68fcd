"""Completions of before chat, embeddings, images and runs, by their fixtures."""

import pytest

from llmprof_addon.model.call import Call
from llmprof_addon.model.part import PartKind
from llmprof_addon.providers.openai_assistants import read_request, read_response
from llmprof_addon.providers.openai_images import fold
from llmprof_addon.providers.reader import read_call
from llmprof_addon.wire.sse import Event
from tests.factories import fixture_exchange


def call(api: str, case: str) -> Call:
    exchange = fixture_exchange(api, case)
    return read_call(exchange, exchange.request_body, exchange.response_body)


@pytest.mark.parametrize(
    ("api", "case", "asked", "said", "counts"),
    [
        ("anthropic.complete", "plain", "\n\nHuman: Name a gull.\n\nAssistant:", " The kittiwake.", None),
        ("cohere.generate", "stream", "A heron stands", " on one leg.", (3, 4)),
        ("cohere.embed", "texts", "otterheron", "", (4, None)),
        ("gemini.embed", "batch", "otterheron\nat dusk", "", (7, None)),
        ("openai.images", "plain", "A red buoy on a calm sea", "", (11, 272)),
        ("openai.assistants", "run_stream", "How deep is the channel?", "Seven fathoms, Captain.", (381, 9)),
    ],
)
def test_what_was_asked_said_and_counted(
    api: str, case: str, asked: str, said: str, counts: tuple[int, int] | None
) -> None:
    found = call(api, case)
    assert found.api == api
    assert found.warnings == ()
    assert found.error is None
    assert "".join(part.text or "" for part in found.prompt.messages) == asked
    assert "".join(part.text or "" for part in found.answer.parts) == said
    usage = found.answer.usage
    assert (usage and (usage.input_tokens, usage.output_tokens)) == counts


def test_vectors_are_not_kept() -> None:
    for api, case in (("cohere.embed", "texts"), ("gemini.embed", "batch")):
        assert "0.1" not in str(call(api, case).answer.rest)
        assert call(api, case).operation == "embeddings"


def test_an_image_has_its_size() -> None:
    (picture,) = call("openai.images", "plain").answer.parts
    assert picture.media is not None
    assert (picture.kind, picture.media.width, picture.media.height) == (PartKind.IMAGE, 64, 48)


def test_of_a_streamed_image_the_last_draft_is_kept() -> None:
    body = fold(
        [
            Event("image_generation.partial_image", '{"type": "image_generation.partial_image", "b64_json": "AA=="}'),
            Event(
                "image_generation.completed",
                '{"type": "image_generation.completed", "b64_json": "BB==", "usage": {"input_tokens": 3}}',
            ),
        ]
    )
    assert body == {"data": [{"b64_json": "BB=="}], "usage": {"input_tokens": 3}}


def test_a_run_stands_on_a_thread_that_is_not_in_its_request() -> None:
    found = call("openai.assistants", "run_stream")
    assert found.prompt.continues is not None
    assert [part.text for part in found.prompt.system] == ["Address the user as Captain."]
    assert found.answer.response_model == "gpt-4o-mini"
    assert found.answer.finish_reasons == ("completed",)


def test_a_run_that_waits_for_tools() -> None:
    calls = [{"id": "call_1", "type": "function", "function": {"name": "depth", "arguments": "{}"}}]
    run = {
        "id": "run_1",
        "object": "thread.run",
        "status": "requires_action",
        "required_action": {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": calls}},
        "last_error": None,
    }
    assert [(part.kind, part.name) for part in read_response(run).parts] == [(PartKind.TOOL_CALL, "depth")]
    (output,) = read_request({"tool_outputs": [{"tool_call_id": "call_1", "output": "7 fathoms"}]}).messages
    assert (output.kind, output.text, output.call_id) == (PartKind.TOOL_RESULT, "7 fathoms", "call_1")
    failed = read_response({"status": "failed", "last_error": {"code": "server_error", "message": "It sank."}})
    assert failed.error == "server_error: It sank."


def test_models_in_addresses() -> None:
    assert call("anthropic.messages", "vertex_stream").request_model == "claude-sonnet-4-5@20250929"
    assert call("anthropic.messages", "vertex_stream").provider == "gcp.vertex_ai"
    assert call("openai.chat", "azure").request_model == "harbour-mini"
    assert call("openai.chat", "azure").provider == "azure.openai"
    assert call("gemini.embed", "batch").request_model == "gemini-embedding-001"
