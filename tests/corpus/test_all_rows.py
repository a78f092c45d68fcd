"""Every recorded call through the reader: none fails, what is no call is known as such, usage is what was reported."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from llmprof_addon.model.call import Call
from llmprof_addon.model.exchange import Exchange
from llmprof_addon.model.part import Json, Part, PartKind
from llmprof_addon.model.tree import assemble, chains
from llmprof_addon.providers.registry import is_llm_call
from tests.corpus.recorded import calls, needs_recordings, where

pytestmark = needs_recordings

ROWS = 2719

APIS = {
    "anthropic.complete": "anthropic.complete",
    "anthropic.messages": "anthropic.messages",
    "bedrock.converse": "bedrock.converse",
    "bedrock.invoke": "bedrock.invoke",
    "cohere.chat": "cohere.chat",
    "cohere.chat.v2": "cohere.chat",
    "cohere.embed": "cohere.embed",
    "cohere.generate": "cohere.generate",
    "gemini.embed": "gemini.embed",
    "gemini.generateContent": "gemini.generate_content",
    "mistral.chat": "mistral.chat",
    "ollama.chat": "ollama.chat",
    "ollama.generate": "ollama.generate",
    "openai.assistants": "openai.assistants",
    "openai.chat": "openai.chat",
    "openai.completions": "openai.completions",
    "openai.embeddings": "openai.embeddings",
    "openai.media": "openai.images",
    "openai.responses": "openai.responses",
}
"""Our dialect of each kind of recording."""

NOT_CALLS = {
    "anthropic.count_tokens": "counts tokens and is free",
    "openai.input_tokens": "counts tokens and is free",
    "gemini.countTokens": "counts tokens and is free",
    "cohere.rerank": "is charged by searches, not by tokens",
    "hf.inference": "tasks of any kind at one path; reports no usage",
}
"""Kinds that are recognised by their path and not recorded, and why."""

NO_CALLS_AMONG = {
    "openai.assistants": r".*/(?:threads|threads/[^/]+/messages|assistants)",
    "openai.media": r".*/audio/transcriptions",
}
"""Paths among the calls of a kind that are none: what prepares a run, and uploads of files, which are not JSON."""


@dataclass(frozen=True, kw_only=True)
class Quirk:
    """Numbers of a host that do not stand for what they are called; the recordings have them as they were sent."""

    why: str
    kinds: tuple[str, ...]
    hosts: tuple[str, ...] = ("",)
    """Words in the address."""
    within: str = ""
    """A key of the reported usage without which the quirk does not show."""
    input_beside: Callable[[Json], int] = lambda raw: 0
    reasoning_beside: bool = False

    def holds(self, row: Json, raw: Json) -> bool:
        url = row["request"]["url"]
        return row["api"] in self.kinds and any(host in url for host in self.hosts) and self.within in ("", *raw)


QUIRKS = (
    Quirk(
        why="thoughts stand beside the answer, and what Google's tools read beside the prompt",
        kinds=("gemini.generateContent",),
        input_beside=lambda raw: raw.get("toolUsePromptTokenCount", 0),
        reasoning_beside=True,
    ),
    Quirk(
        why="reasoning stands beside the output, by the arithmetic of totals or of the host's own cost",
        kinds=("openai.chat",),
        hosts=("api.x.ai", "ai-gateway.vercel.sh", "api.githubcopilot.com"),
        reasoning_beside=True,
    ),
    Quirk(
        why="images stand beside an input that is the text alone",
        kinds=("cohere.chat.v2",),
        within="tokens",
        input_beside=lambda raw: raw["tokens"].get("image_tokens", 0),
    ),
    Quirk(
        why="`billed_units` alone leaves out what a search on the web added, an older field has it",
        kinds=("cohere.chat",),
        within="token_count",
        input_beside=lambda raw: raw["token_count"]["prompt_tokens"] - raw["billed_units"]["input_tokens"],
    ),
)


def everything() -> Iterator[tuple[Json, Exchange, Call]]:
    for kind in (*APIS, *NOT_CALLS):
        yield from calls(kind)


def test_all_rows_are_there() -> None:
    assert sum(1 for _ in everything()) == ROWS


def test_each_kind_is_read_by_its_dialect_or_known_to_be_no_call() -> None:
    for row, _, call in everything():
        path = urlsplit(row["request"]["url"]).path
        none = row["api"] in NOT_CALLS or re.fullmatch(NO_CALLS_AMONG.get(row["api"], "-"), path)
        assert call.api == ("unknown" if none else APIS[row["api"]]), where(row)


def test_what_is_no_call_is_not_recorded() -> None:
    """Forward and reverse mode ask by host and path; `llmprof import` reads any file, and keeps its text."""
    for row, _, call in everything():
        url = urlsplit(row["request"]["url"])
        if call.api == "unknown":
            assert is_llm_call("POST", url.hostname or "", url.path, port=url.port) is None, where(row)


def test_every_call_is_read_without_failure() -> None:
    for row, exchange, call in everything():
        if call.api == "unknown":
            continue
        assert call.warnings == (), where(row)
        if row["response"]["status"] >= 400:
            assert call.error, where(row)
        try:
            body = json.loads(exchange.request_body)
        except ValueError:
            assert call.error, where(row)
            continue
        assert assemble(call.prompt.params, call.prompt.parts) == body, where(row)
        assert all(part.path for part in call.prompt.parts), where(row)
        assert chains(call.prompt, call.answer.parts), where(row)
        assert not [part for part in all_parts(call) if part.kind is PartKind.GENERIC and not part.hidden], where(row)


def all_parts(call: Call) -> Iterator[Part]:
    for part in (*call.prompt.parts, *call.answer.parts):
        yield part
        yield from part.inner


def test_usage_is_what_was_reported() -> None:
    checked: Counter[str] = Counter()
    for row, _, call in everything():
        reported, usage = row["usage_reported"], call.answer.usage
        if call.api == "unknown" or not reported:
            continue
        assert usage is not None, where(row)
        quirk = next((quirk for quirk in QUIRKS if quirk.holds(row, usage.raw)), None)
        thoughts = (reported["reasoning"] or 0) if quirk and quirk.reasoning_beside else 0
        beside = quirk.input_beside(usage.raw) if quirk else 0
        # Where the recordings say nothing, the host may still have: the metrics of Bedrock's streams, Voyage's total.
        if reported["input_total"] is not None:
            assert usage.input_tokens == reported["input_total"] + beside, (where(row), quirk)
        if reported["output"] is not None or thoughts:
            assert usage.output_tokens == (reported["output"] or 0) + thoughts, (where(row), quirk)
        for key, ours in (
            ("cached_read", usage.cache_read_input_tokens),
            ("cache_write", usage.cache_creation_input_tokens),
            ("reasoning", usage.reasoning_output_tokens),
        ):
            assert reported[key] is None or ours == reported[key], (where(row), key)
        checked[row["api"]] += 1
    assert checked.total() > 2500
    assert {kind for kind in APIS if not checked[kind]} == {"anthropic.complete", "openai.media"}


def test_each_quirk_shows() -> None:
    """A quirk that no recording has any more would hide a wrong number."""
    for quirk in QUIRKS:
        held = [(row, call) for kind in quirk.kinds for row, _, call in calls(kind) if row["usage_reported"]]
        differing = [
            row
            for row, call in held
            if (usage := call.answer.usage) is not None
            and quirk.holds(row, usage.raw)
            and (usage.input_tokens, usage.output_tokens)
            != (row["usage_reported"]["input_total"], row["usage_reported"]["output"])
        ]
        assert differing, quirk.why
