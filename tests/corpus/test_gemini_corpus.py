"""Recorded calls of the Gemini API and Vertex AI. Skipped where the recordings are absent."""

import json
import random
from dataclasses import replace
from itertools import pairwise

from llmprof_addon.grouping.said import answer_digest, said_after
from llmprof_addon.model.call import Call
from llmprof_addon.model.part import PartKind
from llmprof_addon.model.tree import assemble, chains, follow
from llmprof_addon.providers.reader import read_call
from tests.corpus.recorded import calls, needs_recordings, where

pytestmark = needs_recordings
API = "gemini.generateContent"


def test_all_rows_are_read() -> None:
    assert len(calls(API)) == 404
    for row, _, call in calls(API):
        assert call.api == "gemini.generate_content", where(row)
        assert call.operation == "generate_content"
        assert call.warnings == (), where(row)
        assert call.stream == (row["response"]["streamed"] or "stream" in row["request"]["url"]), where(row)
        assert call.request_model, where(row)
        assert (call.error is None) == (row["response"]["status"] < 400), where(row)


def test_bodies_are_put_together_again() -> None:
    for row, exchange, call in calls(API):
        assert assemble(call.prompt.params, call.prompt.parts) == json.loads(exchange.request_body), where(row)


def test_nothing_is_unknown() -> None:
    for row, _, call in calls(API):
        unknown = [part for part in (*call.prompt.parts, *call.answer.parts) if part.kind is PartKind.GENERIC]
        assert unknown == [], where(row)


def test_usage_is_what_the_provider_reported() -> None:
    """The recordings' totals leave out thoughts and what Google's tools put into the prompt, as the wire's do."""
    for row, _, call in calls(API):
        reported, usage = row["usage_reported"], call.answer.usage
        if not reported:
            assert usage is None, where(row)
            continue
        assert usage is not None, where(row)
        beside = usage.raw.get("toolUsePromptTokenCount", 0)
        assert usage.input_tokens == reported["input_total"] + beside, where(row)
        total = usage.raw.get("totalTokenCount")
        assert total is None or total == usage.input_tokens + usage.output_tokens, where(row)
        assert usage.cache_read_input_tokens == reported["cached_read"], where(row)
        assert usage.reasoning_output_tokens == reported["reasoning"], where(row)
        assert usage.output_tokens == (reported["output"] or 0) + (reported["reasoning"] or 0), where(row)


def test_streams_say_what_their_chunks_said() -> None:
    for row, exchange, call in calls(API):
        if not row["response"]["streamed"]:
            continue
        text = exchange.response_body.decode()
        lines = [line[5:] for line in text.splitlines() if line.startswith("data:")]
        chunks = [json.loads(line) for line in lines] if lines else json.loads(text)
        said = "".join(
            part["text"]
            for chunk in chunks
            for candidate in chunk.get("candidates") or ()
            for part in (candidate.get("content") or {}).get("parts") or ()
            if "text" in part
        )
        kinds = (PartKind.TEXT, PartKind.REASONING)
        assert "".join(part.text or "" for part in call.answer.parts if part.kind in kinds) == said, where(row)


def test_an_answer_that_is_sent_back_is_known_again() -> None:
    """By its node where the client changed nothing; by what it says where it dropped ids or signatures."""
    by_run: dict[str, list[tuple[int, Call]]] = {}
    for row, _, call in calls(API):
        if run := row.get("run"):
            by_run.setdefault(run["id"], []).append((run["pos"], call))
    same = said = 0
    for members in by_run.values():
        ordered = [call for _, call in sorted(members, key=lambda member: member[0])]
        for before, after in pairwise(ordered):
            paths, known = chains(before.prompt, before.answer.parts), chains(after.prompt).messages
            same += paths.answer_head in {link.key for link in known}
            if paths.message_head in {link.key for link in known}:
                back = said_after(after.prompt.messages, len(paths.messages))
                said += answer_digest(back) == answer_digest(before.answer.parts)
    assert same == 70
    assert said == 140


def test_paths_lead_to_what_the_parts_hold() -> None:
    for row, exchange, call in calls(API):
        body = json.loads(exchange.request_body)
        for part in call.prompt.parts:
            held = body
            for step in part.path.replace("[", ".[").split("."):
                held = held[int(step[1:-1])] if step.startswith("[") else held[step]
            assert held == part.value, (where(row), part.path)


def test_an_array_without_its_end_gives_what_is_there() -> None:
    chance = random.Random(3)
    streams = [each for each in calls(API) if each[1].response_body[:1] == b"["]
    assert len(streams) == 14
    for row, exchange, call in streams:
        body = exchange.response_body
        cut = replace(exchange, response_body=body[: chance.randrange(len(body) // 2, len(body))])
        again = read_call(cut, cut.request_body, cut.response_body)
        texts = ["".join(part.text or "" for part in each.answer.parts) for each in (again, call)]
        assert texts[1].startswith(texts[0]), where(row)
        assert len(follow(again.answer.parts, b"")) <= len(call.answer.parts), where(row)
