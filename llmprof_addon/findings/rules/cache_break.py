"""Cached prefixes that were lost, by what the requests changed: the verdicts of the cache doctor, added up."""

from collections.abc import Iterable

from llmprof_addon.findings.view import RunView
from llmprof_addon.model.cache import CacheCause, CacheStatus
from llmprof_addon.model.finding import Evidence, Finding

CODE = "cache_break"

CAUSES: dict[CacheCause, tuple[str, str]] = {
    CacheCause.TOOLS_ADDED: ("a tool was added", "offer all tools from the first call on, or append them by deferral"),
    CacheCause.TOOLS_REMOVED: ("a tool was removed", "keep the set of tools for the whole run"),
    CacheCause.TOOLS_REORDERED: ("tools changed their order", "sort the tools by name before they are sent"),
    CacheCause.TOOL_CHANGED: ("a tool's schema changed", "keep times, counters and state out of tool descriptions"),
    CacheCause.SYSTEM_CHANGED: (
        "the system prompt changed",
        "move what changes (time, state) behind the last cache breakpoint, or into the newest message",
    ),
    CacheCause.MESSAGE_CHANGED: ("an earlier message changed", "append to the history, and never rewrite it"),
    CacheCause.MESSAGE_REMOVED: ("earlier messages were removed", "remove many at once and seldom, not one each turn"),
    CacheCause.MODEL_CHANGED: ("the model changed", "stay with a model, or hand over in a lane of its own"),
    CacheCause.PARAMS_CHANGED: ("a request field changed", "keep thinking, tool choice and the like for the whole run"),
    CacheCause.BREAKPOINT_MOVED: (
        "no breakpoint near the last one",
        "set a breakpoint at least every 20 blocks, and keep the one of the call before",
    ),
    CacheCause.NO_BREAKPOINT: (
        "the request had no breakpoint",
        "mark the end of every request with a cache breakpoint",
    ),
}
"""What a client can do something about, in words, and what it can do. An eviction by the provider is nobody's doing,
and a compaction is meant."""


def find(run: RunView) -> Iterable[Finding]:
    """One finding a cause."""
    by_cause: dict[CacheCause, list[Evidence]] = {}
    estimated: set[CacheCause] = set()
    for at, call in enumerate(run.calls):
        verdict = call.cache
        if verdict is None or verdict.cause not in CAUSES or not verdict.lost:
            continue
        if verdict.status not in (CacheStatus.BREAK, CacheStatus.PARTIAL):
            continue
        name = verdict.first_diff.name or verdict.first_diff.section if verdict.first_diff else ""
        by_cause.setdefault(verdict.cause, []).append(
            run.rate(at, verdict.lost, verdict.wasted, name or verdict.cause.value)
        )
        if verdict.estimated:
            estimated.add(verdict.cause)
    for cause, evidence in by_cause.items():
        words, advice = CAUSES[cause]
        times = "once" if len(evidence) == 1 else f"{len(evidence)} times"
        yield from run.saving(
            CODE,
            f"the cached prefix was lost {times}: {words} ({{tokens}} tokens paid for anew)",
            advice,
            evidence,
            estimated=cause in estimated,
        )
