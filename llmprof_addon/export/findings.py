"""Findings -> the rows, words and JSON in which they are told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from llmprof_addon.export import text
from llmprof_addon.model.cost import usd
from llmprof_addon.model.finding import Evidence, Finding, Reclaimable, Severity
from llmprof_addon.model.part import Json
from llmprof_addon.store.rows import RunRow

LABELS = {
    "base64_text": "base64 in text",
    "billed_failures": "billed failures",
    "cache_break": "cache breaks",
    "dear_ttl": "cache kept too long",
    "duplicate": "duplicates",
    "fetched_again": "fetched again",
    "history_share": "mostly history",
    "long_system": "long system prompt",
    "loop": "loop",
    "loose_json": "indented JSON",
    "media_share": "mostly media",
    "near_duplicate": "near duplicates",
    "output_cut": "output cut",
    "oversized_result": "oversized results",
    "reasoning_share": "mostly reasoning",
    "schema_share": "mostly schemas",
    "short_ttl": "cache kept too short",
    "stale_rent": "stale content",
    "uncached_prefix": "not cached",
    "unused_server": "unused server",
    "unused_tools": "unused tools",
    "window_full": "window nearly full",
}
"""What findings of a code are called, in a word or two."""

SIGNS = {Severity.CRITICAL: "●", Severity.WARNING: "▲", Severity.INFO: "·"}

type Paths = Mapping[tuple[str, str], str]
"""JSON paths by call id and node key (hex)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceRow:
    """One place that a finding rests on."""

    call: str
    """Id of the call to look at."""
    node: str | None
    """Key (hex) of the part; `None` for the whole call."""
    path: str | None
    """JSON path of the part in that call's body, where it is known."""
    name: str
    tokens: str
    cost: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRow:
    """A finding, written for people."""

    label: str
    code: str
    severity: Severity
    sign: str
    title: str
    advice: str
    tokens: str
    """That could be saved; a dash where nothing is."""
    cost: str
    calls: int
    places: tuple[PlaceRow, ...]


def finding_rows(findings: Sequence[Finding], paths: Paths | None = None) -> list[FindingRow]:
    """A row a finding, in their order."""
    return [
        FindingRow(
            label=label(finding.code),
            code=finding.code,
            severity=finding.severity,
            sign=SIGNS[finding.severity],
            title=finding.title,
            advice=finding.advice,
            tokens=_tokens(finding.tokens, finding),
            cost=_dollars(finding.tokens, finding.cost),
            calls=finding.calls,
            places=tuple(
                PlaceRow(
                    call=each.call,
                    node=each.node,
                    path=_path(each, paths or {}),
                    name=each.name,
                    tokens=_tokens(each.tokens, finding),
                    cost=_dollars(each.tokens, each.cost),
                )
                for each in finding.evidence
            ),
        )
        for finding in findings
    ]


def label(code: str) -> str:
    """What findings of this code are called."""
    return LABELS.get(code, code.replace("_", " "))


def summary(run: RunRow, number: int, saved: Reclaimable) -> str:
    """What so many findings could save together of what the run has cost, in a line."""
    if not number:
        return "nothing found that would be worth changing"
    said = text.counted(number, "finding")
    if not saved.tokens and not saved.cost:
        return f"{said}, nothing to save"
    paid = run.cost.total if run.cost else None
    return (
        f"{said}: {text.dollars(saved.cost)} of {text.dollars(paid, at_least=run.unpriced_calls > 0)}"
        f" ({text.share(saved.cost, paid)}) could be saved, {text.tokens(saved.tokens, estimated=True)} tokens less"
    )


def findings_json(findings: Sequence[Finding], paths: Paths | None = None) -> list[dict[str, Json]]:
    """Findings of a run or of a call."""
    return [
        {
            "code": finding.code,
            "label": label(finding.code),
            "severity": finding.severity.value,
            "title": finding.title,
            "advice": finding.advice,
            "tokens": finding.tokens,
            "saving_usd": usd(finding.cost),
            "calls": finding.calls,
            "estimated": finding.estimated,
            "evidence": [_place_json(each, paths or {}) for each in finding.evidence],
        }
        for finding in findings
    ]


def findings_report_json(
    run_id: str, cost: int | None, findings: Sequence[Finding], total: Reclaimable, paths: Paths
) -> dict[str, Json]:
    """A run's findings with their union; `cost` are the run's pico-dollars."""
    return {
        "run_id": run_id,
        "cost_usd": usd(cost),
        "reclaimable_tokens": total.tokens,
        "reclaimable_usd": usd(total.cost),
        "findings": findings_json(findings, paths),
    }


def _place_json(each: Evidence, paths: Paths) -> dict[str, Json]:
    return {
        "saves": each.saves,
        "call": each.call,
        "node": each.node,
        "path": _path(each, paths),
        "name": each.name,
        "share": round(each.share, 6),
        "since_ns": each.since_ns or None,
        "tokens": each.tokens,
        "saving_usd": usd(each.cost),
    }


def _path(each: Evidence, paths: Paths) -> str | None:
    return (paths.get((each.call, each.node)) if each.node is not None else None) or each.path or None


def _tokens(tokens: int, finding: Finding) -> str:
    return text.tokens(tokens, estimated=finding.estimated) if tokens else text.UNKNOWN


def _dollars(tokens: int, cost: int | None) -> str:
    return text.dollars(cost) if tokens else text.UNKNOWN
