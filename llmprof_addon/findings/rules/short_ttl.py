"""Prefixes that expired after five minutes and would still have been there had they been written for an hour."""

from collections.abc import Iterable

from llmprof_addon.findings.gaps import FIVE_MINUTES_NS, HOUR_NS, gaps
from llmprof_addon.findings.view import RunView, rates_of
from llmprof_addon.model.cache import CacheStatus
from llmprof_addon.model.finding import Evidence, Finding
from llmprof_addon.model.run_tree import RunCall

CODE = "short_ttl"


def find(run: RunView) -> Iterable[Finding]:
    """What the expiries cost, less what writing everything else of the lane for an hour would have."""
    evidence: list[Evidence] = []
    for lane in run.lanes.values():
        between = gaps(run, lane)
        expired = [
            at
            for at in lane
            if (verdict := run.calls[at].cache) is not None
            and verdict.status is CacheStatus.EXPIRED
            and verdict.wasted
            and FIVE_MINUTES_NS <= between.get(at, 0) < HOUR_NS
        ]
        if expired and not any(run.calls[at].usage.cache_creation_1h_input_tokens for at in lane):
            evidence += _net(run, lane, expired)
    return run.saving(
        CODE,
        "{calls} times the cached prefix expired between 5 minutes and 1h: {tokens} tokens written anew",
        "write the prefix with ttl 1h in lanes that wait for people: that costs less than the expiries did",
        evidence,
        estimated=False,
    )


def _net(run: RunView, lane: list[int], expired: list[int]) -> list[Evidence]:
    spent = gross = 0
    for at in lane:
        call = run.calls[at]
        rates, lost = rates_of(call.cost), 0
        if at in expired and call.cache is not None:
            gross += call.cache.wasted or 0
            lost = call.cache.lost
        if "cache_write_1h" in rates and "cache_write_5m" in rates:
            dearer = max(0, rates["cache_write_1h"] - rates["cache_write_5m"])
            spent += max(0, _written(call) - lost) * dearer
    if gross <= spent:
        return []
    made = [(at, verdict) for at in expired if (verdict := run.calls[at].cache) is not None]
    return [run.rate(at, verdict.lost, (verdict.wasted or 0) * (gross - spent) // gross) for at, verdict in made]


def _written(call: RunCall) -> int:
    return call.usage.cache_creation_input_tokens or 0
