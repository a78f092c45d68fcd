"""A run's findings -> those that concern one of its calls, with what could be saved in that call alone. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from llmprof_addon.findings.shares import part_of
from llmprof_addon.model.finding import Evidence, Finding

type PartsOfCall = Mapping[str, tuple[int, int | None]]
"""Tokens and pico-dollars of a call's parts by the keys (hex) of their nodes."""


def of_call(findings: Iterable[Finding], call: str, started_ns: int, parts: PartsOfCall) -> tuple[Finding, ...]:
    """The findings whose evidence is this call, or stands in its prompt; the dearest for it first."""
    found: list[Finding] = []
    for finding in findings:
        evidence = tuple(
            here for each in finding.evidence if (here := _here(each, call, started_ns, parts)) is not None
        )
        if evidence:
            costs = [each.cost for each in evidence if each.cost is not None]
            found.append(
                replace(
                    finding,
                    tokens=sum(each.tokens for each in evidence),
                    cost=sum(costs) if costs else None,
                    calls=1,
                    evidence=evidence,
                )
            )
    return tuple(sorted(found, key=lambda finding: (-(finding.cost or 0), -finding.tokens)))


def _here(evidence: Evidence, call: str, started_ns: int, parts: PartsOfCall) -> Evidence | None:
    if evidence.node is None:
        if evidence.call != call:
            return None
        return replace(evidence, tokens=0, cost=0) if evidence.saves == "nothing" else evidence
    if evidence.node not in parts or started_ns < evidence.since_ns:
        return None
    tokens, cost = parts[evidence.node]
    share = evidence.share if evidence.saves == "part" else 0.0
    return replace(
        evidence, call=call, tokens=part_of(tokens, share), cost=None if cost is None else part_of(cost, share)
    )
