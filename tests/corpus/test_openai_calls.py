"""Recorded calls of 30 hosts through both OpenAI dialects. Skipped where the recordings are absent."""

import gzip
import json
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from llmprof_addon.model.call import Answer
from llmprof_addon.model.part import Json, PartKind
from llmprof_addon.model.tree import assemble
from llmprof_addon.providers import openai_chat, openai_responses
from llmprof_addon.providers.provider import REASONING_BESIDE
from llmprof_addon.providers.registry import match_host
from llmprof_addon.wire import sse

CALLS = Path(__file__).parents[3] / "shared" / "corpus" / "calls.jsonl.gz"
DIALECTS = {"openai.chat": openai_chat, "openai.responses": openai_responses}

pytestmark = pytest.mark.skipif(not CALLS.exists(), reason=f"no recorded calls at {CALLS}")


@cache
def rows() -> list[Json]:
    with gzip.open(CALLS, "rt", encoding="utf-8") as lines:
        return [row for row in map(json.loads, lines) if row["api"] in DIALECTS]


def where(row: Json) -> str:
    return f"{row['api']} {row['source']['path']}[{row['source']['index']}]"


def leaves_reasoning_out(row: Json) -> bool:
    """Whether the host's `completion_tokens`, which are the recording's `output`, are without reasoning."""
    at = urlsplit(row["request"]["url"])
    provider = match_host(at.hostname or "", at.port)
    return provider is not None and REASONING_BESIDE in provider.quirks


def requests() -> Iterator[tuple[Json, Json]]:
    for row in rows():
        body = row["request"]["body"]
        try:
            yield row, json.loads(body) if isinstance(body, str) else body
        except ValueError:
            yield row, body


@cache
def answers() -> list[tuple[Json, Answer]]:
    return [(row, read(row)) for row in rows()]


def read(row: Json) -> Answer:
    dialect, text = DIALECTS[row["api"]], row["response"]["body_text"]
    if not row["response"]["streamed"]:
        return dialect.read_response(json.loads(text))
    return dialect.read_response(dialect.fold(sse.parse(text.encode("utf-8", "surrogatepass"))))


def said(answer: Answer, kind: PartKind) -> str:
    """What the first choice says."""
    first = [part for part in answer.parts if "choices" not in part.path or part.path.startswith("choices[0]")]
    return "".join(part.text or "" for part in first if part.kind is kind)


def test_all_rows_are_there() -> None:
    assert len(rows()) == 1452


def test_bodies_are_put_together_again() -> None:
    for row, body in requests():
        prompt = DIALECTS[row["api"]].read_request(body)
        assert assemble(prompt.params, prompt.parts) == body, where(row)


def test_nothing_is_unknown() -> None:
    for row, body in requests():
        if isinstance(body, dict):
            prompt = DIALECTS[row["api"]].read_request(body)
            assert [part for part in prompt.parts if part.kind is PartKind.GENERIC and not part.hidden] == [], where(
                row
            )
    for row, answer in answers():
        assert [part for part in answer.parts if part.kind is PartKind.GENERIC] == [], where(row)
        assert answer.warnings == (), where(row)


def test_no_text_is_left_in_wrappers() -> None:
    for row, body in requests():
        if not isinstance(body, dict):
            continue
        for part in DIALECTS[row["api"]].read_request(body).parts:
            left = (part.wrapper or {}).keys() - {"role", "tool_call_id", "name", "type", "id", "status", "annotations"}
            assert all(not part.wrapper[key] for key in left - {"reasoning"}), (where(row), left)


def test_usage_is_what_the_provider_reported() -> None:
    checked = 0
    for row, answer in answers():
        reported, usage = row["usage_reported"], answer.usage
        if not reported:
            assert usage is None, where(row)
            continue
        assert usage is not None, where(row)
        output = reported["output"]
        if leaves_reasoning_out(row):
            output += reported["reasoning"] or 0
        assert usage.input_tokens == reported["input_total"], where(row)
        assert usage.output_tokens == output, where(row)
        for key, ours in (
            ("cached_read", usage.cache_read_input_tokens),
            ("cache_write", usage.cache_creation_input_tokens),
            ("reasoning", usage.reasoning_output_tokens),
        ):
            # Where the recordings say nothing, the host may still have: Kimi's `cached_tokens` at top level.
            assert reported[key] is None or ours == reported[key], (where(row), key)
        checked += 1
    assert checked > 1300


def test_streams_say_what_their_deltas_said() -> None:
    streamed = 0
    for row, answer in answers():
        if not row["response"]["streamed"]:
            continue
        text, arguments = "", ""
        for event in sse.parse(row["response"]["body_text"].encode("utf-8", "surrogatepass")):
            if event.data.strip() in ("", "[DONE]"):
                continue
            data = json.loads(event.data)
            for choice in data.get("choices") or ():
                delta = choice.get("delta") or {}
                if choice.get("index", 0) == 0:
                    text += delta.get("content") or ""
                    for call in delta.get("tool_calls") or ():
                        arguments += call["function"].get("arguments") or ""
            if data.get("type") in ("response.output_text.delta", "response.refusal.delta"):
                text += data["delta"]
            elif data.get("type") == "response.function_call_arguments.delta":
                arguments += data["delta"]
        assert said(answer, PartKind.TEXT) == text, where(row)
        if row["api"] == "openai.responses":
            assert said(answer, PartKind.TOOL_CALL).endswith(arguments), where(row)
        else:
            calls = [part.text or "" for part in answer.parts if part.kind is PartKind.TOOL_CALL]
            assert sorted("".join(calls)) == sorted(arguments), where(row)
        streamed += 1
    assert streamed > 600


def test_responses_put_together_from_deltas_equal_the_final_event() -> None:
    for row, answer in answers():
        if row["api"] != "openai.responses" or not row["response"]["streamed"]:
            continue
        events = sse.parse(row["response"]["body_text"].encode("utf-8", "surrogatepass"))
        cut = [event for event in events if not event.data.startswith("{") or _is_progress(json.loads(event.data))]
        again = openai_responses.read_response(openai_responses.fold(cut))
        assert [part.text for part in again.parts] == [part.text for part in answer.parts], where(row)


def _is_progress(data: Json) -> bool:
    return data["type"] not in ("response.completed", "response.incomplete", "response.failed")


def test_any_split_of_a_stream_gives_the_same_answer() -> None:
    chance = random.Random(4)
    sample = [pair for pair in answers() if pair[0]["response"]["streamed"]]
    for row, answer in chance.sample(sample, 60):
        body = row["response"]["body_text"].encode("utf-8", "surrogatepass")
        decoder, events, at = sse.SseDecoder(), [], 0
        while at < len(body):
            step = chance.choice((1, 7, 100, 4096))
            events += decoder.feed(body[at : at + step])
            at += step
        events += decoder.flush()
        dialect = DIALECTS[row["api"]]
        assert dialect.read_response(dialect.fold(events)) == answer, where(row)


def test_failures_say_why_and_successes_why_they_ended() -> None:
    without_reason = 0
    for row, answer in answers():
        if row["response"]["status"] >= 400:
            assert answer.error, where(row)
            assert answer.parts == (), where(row)
        elif answer.error is None:
            without_reason += not answer.finish_reasons
            assert answer.response_model or not row["parsed"]["response_model"], where(row)
    # One recorded stream of a host never says why it ended.
    assert without_reason == 1
