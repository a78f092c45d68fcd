"""A stable prefix that is sent again and again to a provider that caches only what is marked, without a mark."""

from collections.abc import Iterable

from llmprof_addon.findings.view import RunView, rates_of
from llmprof_addon.model.finding import Evidence, Finding
from llmprof_addon.model.run_tree import RunCall
from llmprof_addon.model.usage import Source

CODE = "uncached_prefix"

OPT_IN = ("anthropic.messages", "bedrock.converse", "bedrock.invoke")
"""Dialects in which a request has to ask for caching; elsewhere it happens by itself."""

LIVES_NS = 300 * 10**9
"""How long a prefix is kept unless more is asked for."""


def find(run: RunView) -> Iterable[Finding]:
    """What reading the common prefix would have saved, less what writing it costs."""
    evidence: list[Evidence] = []
    for lane in run.lanes.values():
        evidence += _of_lane(run, [at for at in lane if _is_uncached(run.calls[at])])
    return run.saving(
        CODE,
        "{calls} calls sent again what the call before had sent, uncached: {tokens} tokens at the full price",
        "mark the end of the system prompt and of the newest message with a cache breakpoint",
        evidence,
    )


def _is_uncached(call: RunCall) -> bool:
    usage = call.usage
    used = usage.cache_read_input_tokens or usage.cache_creation_input_tokens
    known = not call.failed and usage.source is Source.REPORTED and usage.input_tokens is not None
    return known and call.api in OPT_IN and not call.cache_ttls and not used


def _of_lane(run: RunView, lane: list[int]) -> list[Evidence]:
    found: list[tuple[int, int, int]] = []
    spent = 0
    before: int | None = None
    for at in lane:
        call = run.calls[at]
        rates = rates_of(call.cost)
        shared = 0 if before is None else _shared(run, before, at)
        size, full = call.usage.input_tokens or 0, rates.get("input", 0)
        if before is not None and call.started_ns - run.calls[before].started_ns >= LIVES_NS:
            shared = 0
        shared = min(shared, size)
        if shared >= run.thresholds.uncached_prefix_tokens:
            found.append((at, shared, shared * max(0, full - rates.get("cache_read", full))))
        else:
            shared = 0
        spent += (size - shared) * max(0, rates.get("cache_write_5m", full) - full)
        before = at
    gross = sum(saved for _, _, saved in found)
    if gross <= spent:  # also without a price, or one for reading
        return []
    return [run.rate(at, tokens, saved * (gross - spent) // gross) for at, tokens, saved in found]


def _shared(run: RunView, before: int, call: int) -> int:
    """Tokens that stand at the beginning of both prompts."""
    one, other = run.calls[before], run.calls[call]
    ends: dict[str, int] = {}
    for section in other.section_order:
        head, end = _head(one, section), _head(other, section)
        node = end
        while node >= 0 and (head < 0 or not run.shares.is_above(node, head)):
            node = run.nodes[node].parent
        ends[section] = node
        if not node == head == end:
            break
    return run.shares.through(call, ends)


def _head(call: RunCall, section: str) -> int:
    return {"tools": call.tools, "system": call.system}.get(section, call.messages)
