"""Prefixes written to be kept for an hour at twice the price, in a lane whose calls follow one another in minutes."""

from collections.abc import Iterable

from llmprof_addon.findings.gaps import FIVE_MINUTES_NS, gaps
from llmprof_addon.findings.view import RunView, rates_of
from llmprof_addon.model.finding import Evidence, Finding

CODE = "dear_ttl"


def find(run: RunView) -> Iterable[Finding]:
    """What was really paid above the price of five minutes."""
    evidence: list[Evidence] = []
    longest = 0
    for lane in run.lanes.values():
        between = gaps(run, lane)
        if not between or max(between.values()) >= FIVE_MINUTES_NS:
            continue
        found = []
        for at in lane:
            call = run.calls[at]
            rates, tokens = rates_of(call.cost), call.usage.cache_creation_1h_input_tokens
            if tokens and "cache_write_1h" in rates and "cache_write_5m" in rates:
                found.append(run.rate(at, tokens, tokens * (rates["cache_write_1h"] - rates["cache_write_5m"])))
        if found:
            longest = max(longest, *between.values())
            evidence += found
    return run.saving(
        CODE,
        f"{{tokens}} tokens written to be cached for 1h, and no gap longer than {longest // 10**9} s",
        "write them for 5 minutes: every call renews that for free",
        evidence,
        estimated=False,
    )
