"""Results and media that are carried long after the last answer that refers to them."""

from collections import Counter
from collections.abc import Iterable

from llmprof_addon.findings.view import RunView, rates_of
from llmprof_addon.model.component import MEDIA, Kind
from llmprof_addon.model.finding import Evidence, Finding
from llmprof_addon.model.run_tree import Rent

CODE = "stale_rent"
KINDS = (Kind.TOOL_RESULTS, *MEDIA)
"""What can be cleared from a history."""


def find(run: RunView) -> Iterable[Finding]:
    """What clearing them now and then would save, less what the cache behind them costs to be written anew."""
    grace = run.thresholds.stale_calls
    moments: dict[int, list[int]] = {}
    # Of what has no names it cannot be seen whether it is needed.
    able: dict[int, Rent] = {}
    tokens: Counter[int] = Counter()
    for rent in run.rents:
        if rent.node is not None and rent.referable and rent.kind in KINDS:
            able[rent.node] = rent
            tokens[rent.node] += rent.tokens  # a result, and the pictures in it
    large = [node for node, rent in able.items() if tokens[node] >= run.thresholds.stale_tokens * rent.carried]
    for node in run.largest(large):
        rent = able[node]
        last = rent.first if rent.referred is None else max(rent.first, rent.referred)
        idle = [call for call in run.shares.carriers(node) if call > last]
        if len(idle) > grace:
            # Cleared together, every so many calls: each time costs the cache of what stands behind.
            moment = (idle[grace] // grace + 1) * grace
            moments.setdefault(moment, []).append(node)
    evidence: list[Evidence] = []
    for moment, nodes in sorted(moments.items()):
        if moment < len(run.calls):
            evidence += _cleared(run, moment, nodes)
    return run.saving(
        CODE,
        f"{len(evidence)} results or media carried on after {grace}+ calls in which nothing referred to them:"
        " {tokens} tokens",
        f"clear old tool results (context editing, compaction) every {grace} calls or so",
        evidence,
    )


def _cleared(run: RunView, moment: int, nodes: list[int]) -> list[Evidence]:
    """These nodes from one call on; nothing if writing the cache anew costs more than they do."""
    found = [each for node in nodes if (each := run.part(node, since=moment)) is not None]
    gross = sum(each.cost or 0 for each in found)
    call = run.calls[moment]
    rates = rates_of(call.cost)
    if not gross or "cache_read" not in rates:
        return found
    above = run.nodes[min(nodes, key=lambda node: run.nodes[node].depth)].parent
    kept = run.shares.through(moment, {"tools": call.tools, "system": call.system, "messages": above})
    behind = max(0, (call.usage.input_tokens or 0) - kept)
    premium = max(rates.get("cache_write_5m", 0), rates.get("input", 0)) - rates["cache_read"]
    net = gross - behind * max(0, premium)
    if net <= 0:
        return []
    return [each for node in nodes if (each := run.part(node, since=moment, share=net / gross)) is not None]
