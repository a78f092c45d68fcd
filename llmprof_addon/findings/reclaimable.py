"""All findings of a run -> what they could save together, nothing counted twice. Pure.

A call that need not have been made saves all of itself and nothing besides. Of a part the largest share that anybody
claims is saved once. What was paid above a cheaper rate is saved only on what is left of the call, and only once.
"""

from collections.abc import Iterable

from llmprof_addon.findings.shares import part_of
from llmprof_addon.findings.view import RunView
from llmprof_addon.model.finding import Evidence, Finding, Reclaimable


def reclaimable(run: RunView, findings: Iterable[Finding]) -> Reclaimable:
    """The union of the findings' savings; never more than a call cost, nor than it has tokens."""
    ids = {call.id: at for at, call in enumerate(run.calls)}
    whole: set[int] = set()
    rates: dict[int, int] = {}
    parts: dict[int, list[Evidence]] = {}
    for each in (each for finding in findings for each in finding.evidence):
        if each.saves == "call":
            whole.add(ids[each.call])
        elif each.saves == "rate":
            # Two rules may mean the same tokens: only the larger claim counts.
            rates[ids[each.call]] = max(rates.get(ids[each.call], 0), each.cost or 0)
        elif each.saves == "part" and each.node is not None:
            parts.setdefault(run.by_key[each.node], []).append(each)
    tokens: dict[int, int] = {}
    costs: dict[int, int] = {}
    dear: dict[int, int] = {}
    for node, claims in parts.items():
        carriers = [call for call in run.shares.carriers(node) if call not in whole]
        for call, of_call in zip(carriers, run.shares.along(node, carriers), strict=True):
            if share := _largest(claims, run.calls[call].started_ns):
                tokens[call] = tokens.get(call, 0) + part_of(of_call.tokens, share)
                costs[call] = costs.get(call, 0) + part_of(of_call.cost, share)
                dear[call] = dear.get(call, 0) + part_of(of_call.dear, share)
    saved_tokens = saved = 0
    for call in whole | tokens.keys() | rates.keys():
        made = run.calls[call]
        spent = (made.usage.input_tokens or 0) + (made.usage.output_tokens or 0)
        saved_tokens += spent if call in whole else min(spent, tokens.get(call, 0))
        if made.cost is None:
            continue
        if call in whole:
            saved += made.cost.total
            continue
        paid = made.cost.input + made.cost.cache_write
        left = max(0, paid - dear.get(call, 0))
        above = min(rates.get(call, 0), paid) * left // paid if paid else 0
        saved += min(made.cost.total, costs.get(call, 0) + above)
    return Reclaimable(tokens=saved_tokens, cost=None if run.cost is None else saved)


def _largest(claims: list[Evidence], started_ns: int) -> float:
    return max((min(1.0, each.share) for each in claims if started_ns >= each.since_ns), default=0.0)
