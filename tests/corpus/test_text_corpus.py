"""Recorded calls of Ollama, Mistral, text completions and embeddings. Skipped where the recordings are absent."""

import json

import pytest

from llmprof_addon.counting.estimate import prompt_leaves
from llmprof_addon.counting.families import family_of
from llmprof_addon.counting.raw import count_part
from llmprof_addon.counting.reconcile import reconcile
from llmprof_addon.model.part import PartKind
from llmprof_addon.model.tree import assemble
from llmprof_addon.model.usage import Source
from llmprof_addon.wire.framing import events, frame_of
from tests.corpus.recorded import calls, needs_recordings, where

pytestmark = needs_recordings

ROWS = {
    "gemini.generateContent": 404,
    "ollama.chat": 9,
    "ollama.generate": 8,
    "openai.completions": 34,
    "openai.embeddings": 34,
    "mistral.chat": 19,
}
"""How many recordings there are of each kind."""

MOCKED = "test_completions_version_latest_only"
"""A recording of a prompt of six tokens that reports five: its usage was made up."""

TOTAL_ONLY = "api.voyageai.com"
"""Reports nothing but `total_tokens`, which the corpus does not take for an input."""

every_api = pytest.mark.parametrize("api", [api for api in ROWS if not api.startswith("gemini")])


@every_api
def test_all_rows_are_read(api: str) -> None:
    assert len(calls(api)) == ROWS[api]
    for row, _, call in calls(api):
        assert call.api == api, where(row)
        assert call.warnings == (), where(row)
        assert call.stream == row["response"]["streamed"], where(row)
        assert (call.error is None) == (row["response"]["status"] < 400), (where(row), call.error)
        assert call.request_model, where(row)


@every_api
def test_bodies_are_put_together_again(api: str) -> None:
    for row, exchange, call in calls(api):
        assert assemble(call.prompt.params, call.prompt.parts) == json.loads(exchange.request_body), where(row)


@every_api
def test_nothing_is_unknown(api: str) -> None:
    for row, _, call in calls(api):
        unknown = [part for part in (*call.prompt.parts, *call.answer.parts) if part.kind is PartKind.GENERIC]
        assert unknown == [], where(row)


@every_api
def test_usage_is_what_the_provider_reported(api: str) -> None:
    checked = 0
    for row, _, call in calls(api):
        reported, usage = row["usage_reported"], call.answer.usage
        if TOTAL_ONLY in row["request"]["url"]:
            assert usage is not None
            assert usage.input_tokens == usage.raw["total_tokens"]
            continue
        if not reported:
            assert usage is None, where(row)
            continue
        assert usage is not None, where(row)
        assert (usage.input_tokens, usage.output_tokens) == (reported["input_total"], reported["output"]), where(row)
        checked += 1
    assert checked > 0.5 * ROWS[api]


@every_api
def test_streams_say_what_their_chunks_said(api: str) -> None:
    for row, exchange, call in calls(api):
        if not row["response"]["streamed"]:
            continue
        frame = frame_of(exchange.response_body, exchange.response_header("content-type"))
        assert frame is not None, where(row)
        said = ""
        for event in events(exchange.response_body, frame):
            if event.data.strip() != "[DONE]":
                chunk = json.loads(event.data)
                choice = (chunk.get("choices") or [{}])[0]
                message = chunk.get("message") or choice.get("delta") or {}
                said += chunk.get("response") or message.get("content") or choice.get("text") or ""
        first = [part for part in call.answer.parts if "choices[1]" not in part.path and part.kind is PartKind.TEXT]
        assert "".join(part.text or "" for part in first) == said, where(row)


def test_vectors_are_not_kept() -> None:
    for row, _, call in calls("openai.embeddings"):
        assert len(json.dumps(call.answer.rest)) < 1000, where(row)
        assert call.answer.parts == ()
        if row["response"]["status"] < 400:
            kept = call.answer.rest["data"]
            assert kept["vectors"] == len(json.loads(row["response"]["body_text"])["data"]), where(row)
            assert kept.get("dimensions", 0) in (0, 512, 1024, 1536), where(row)
            assert kept.get("bytes", 2048) % 2048 == 0, where(row)


@pytest.mark.parametrize("api", ["openai.completions", "openai.embeddings"])
def test_texts_for_openai_are_counted_exactly(api: str) -> None:
    exact = 0
    for row, _, call in calls(api):
        family, usage = family_of(call), call.answer.usage
        if not family.exact or usage is None or not usage.input_tokens or MOCKED in row["source"]["path"]:
            continue
        leaves = prompt_leaves(call, [count_part(part, family.encoding) for part in call.prompt.parts])
        assert {leaf.source for leaf in leaves} == {Source.COUNTED}
        assert sum(leaf.tokens for leaf in leaves) == usage.input_tokens, where(row)
        exact += 1
    assert exact >= 10


@pytest.mark.parametrize("api", ROWS)
def test_reconciled_leaves_sum_to_what_was_reported(api: str) -> None:
    for row, _, call in calls(api):
        family, usage = family_of(call), call.answer.usage
        if usage is None or not usage.input_tokens:
            continue
        estimated = prompt_leaves(call, [count_part(part, family.encoding) for part in call.prompt.parts])
        leaves = reconcile(estimated, usage.input_tokens, family.slack)
        assert sum(leaf.tokens for leaf in leaves) == usage.input_tokens, where(row)
        assert all(leaf.tokens >= 0 for leaf in leaves), where(row)
