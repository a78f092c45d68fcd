"""How far estimated prompts are off, by family: rows for the accuracy table, over the recorded calls.

Estimates before reconciliation against the reported input. Prompts are unique: the same request with the same reported
total counts once.
"""

import base64
import gzip
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from llmprof_addon.counting.estimate import prompt_leaves
from llmprof_addon.counting.families import family_of
from llmprof_addon.counting.raw import count_part
from llmprof_addon.model.call import Call
from llmprof_addon.model.count import RawCount
from llmprof_addon.model.exchange import Exchange
from llmprof_addon.providers.reader import read_call

CORPUS = Path(__file__).parents[2] / "shared" / "corpus" / "calls.jsonl.gz"
DIALECTS = (
    *("anthropic.messages", "openai.chat", "openai.responses", "openai.completions", "openai.embeddings"),
    *("gemini.generateContent", "mistral.chat", "ollama.chat", "ollama.generate"),
    *("bedrock.converse", "bedrock.invoke", "cohere.chat", "cohere.chat.v2", "cohere.generate"),
)
"""Kinds of recorded calls, in the corpus's own names."""
LARGE_TOKENS = 300

TARGETS = {("claude", "median"): 0.04, ("claude", "p90"): 0.25}
"""Relative errors of Claude's prompts over 300 tokens, spoken to in its own dialect, that must not be exceeded."""


@dataclass(frozen=True)
class Row:
    """One recorded call."""

    repo: str
    path: str
    reported: int
    call: Call
    raws: list[RawCount]


@dataclass(frozen=True)
class Accuracy:
    """One family's line of the table: relative errors over so many prompts."""

    family: str
    large: int
    median: float
    p90: float
    p95: float
    all: int
    all_median: float
    all_p90: float
    worst: tuple[str, ...]


@cache
def load() -> tuple[Row, ...]:
    """All calls of these kinds with a reported input, prompts unique."""
    seen: set[bytes] = set()
    found: list[Row] = []
    for recorded in _recorded():
        reported = (recorded["usage_reported"] or {}).get("input_total")
        request = _request(recorded)
        key = sha256(request + str(reported).encode()).digest()
        if not reported or key in seen:
            continue
        seen.add(key)
        call = read_call(_exchange(recorded), request, _response(recorded))
        if (usage := call.answer.usage) is not None and usage.input_tokens:
            # With what some hosts count beside it, without what Google's tools read: that is reported, not estimated.
            reported = usage.input_tokens - dict(usage.by_modality).get("input_tool_use", 0)
        encoding = family_of(call).encoding
        raws = [count_part(part, encoding) for part in call.prompt.parts]
        source = recorded["source"]
        found.append(Row(source["repo"], source["path"], reported, call, raws))
    return tuple(found)


def _recorded() -> Iterator[dict[str, Any]]:
    with gzip.open(CORPUS, "rt", encoding="utf-8") as lines:
        for line in lines:
            recorded = json.loads(line)
            if recorded["api"] in DIALECTS:
                yield recorded


def _request(recorded: dict[str, Any]) -> bytes:
    body = recorded["request"]["body"]
    if not isinstance(body, str):
        # How long the answer may be and whether it is streamed makes no other prompt.
        body = {key: value for key, value in body.items() if key not in ("stream", "max_tokens")}
        body = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return str(body).encode("utf-8", "surrogatepass")


def _response(recorded: dict[str, Any]) -> bytes:
    response = recorded["response"]
    if response.get("body_base64"):
        return base64.b64decode(response["body_base64"])
    return (response.get("body_text") or "").encode("utf-8", "surrogatepass")


def _exchange(recorded: dict[str, Any]) -> Exchange:
    return Exchange(
        id="0" * 32,
        started_ns=0,
        ended_ns=1,
        mode="import",
        method="POST",
        url=recorded["request"]["url"],
        status=recorded["response"]["status"],
    )


def rows() -> list[Accuracy]:
    """The lines of the families that are not counted exactly, then those of several together."""
    errors: dict[str, list[tuple[float, Row]]] = defaultdict(list)
    for row in load():
        family = family_of(row.call)
        if family.exact:
            continue
        estimated = sum(leaf.tokens for leaf in prompt_leaves(row.call, row.raws))
        error = (abs(estimated / row.reported - 1), row)
        errors[family.name].append(error)
        errors["~ all together"].append(error)
        if family.name.startswith("gemini"):
            errors["~ gemini, all"].append(error)
        if family.name.startswith("claude") and row.call.api == "anthropic.messages":
            errors["~ claude, own dialect"].append(error)
    return [_line(name.removeprefix("~ "), errors[name]) for name in sorted(errors)]


def _line(family: str, errors: list[tuple[float, Row]]) -> Accuracy:
    large = [error for error, row in errors if row.reported > LARGE_TOKENS]
    every = [error for error, _ in errors]
    worst = sorted((item for item in errors if item[1].reported > LARGE_TOKENS), key=lambda item: -item[0])[:3]
    return Accuracy(
        family=family,
        large=len(large),
        median=quantile(large, 0.5),
        p90=quantile(large, 0.9),
        p95=quantile(large, 0.95),
        all=len(every),
        all_median=quantile(every, 0.5),
        all_p90=quantile(every, 0.9),
        worst=tuple(f"{error:.0%} of {row.reported}: {row.repo} {row.path.rsplit('/', 1)[-1]}" for error, row in worst),
    )


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def table() -> str:
    """The rows as text."""
    head = f"{'family':<22} {'> 300':>5} {'median':>7} {'p90':>7} {'p95':>7} {'all':>5} {'median':>7} {'p90':>7}"
    lines = [head]
    for row in rows():
        large = f"{row.median:>7.1%} {row.p90:>7.1%} {row.p95:>7.1%}" if row.large else " ".join([f"{'-':>7}"] * 3)
        lines.append(f"{row.family:<22} {row.large:>5} {large} {row.all:>5} {row.all_median:>7.1%} {row.all_p90:>7.1%}")
        lines += [f"    worst {worst}" for worst in row.worst]
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
