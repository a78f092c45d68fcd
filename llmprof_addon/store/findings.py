"""The findings of runs: which runs wait to be looked at, and their findings, replaced as a whole.

A run counts its changes in `findings_due`. Who looks at it puts the number back to 0 only if it is still the one that
he began with, so that no change is ever overlooked, whoever dies when.
"""

from dataclasses import astuple
from typing import NamedTuple

import peewee as pw

from llmprof_addon.model.finding import Evidence, Finding, Severity, Waste
from llmprof_addon.store.compress import squeeze, unsqueeze
from llmprof_addon.store.database import errors_of
from llmprof_addon.store.open import Store
from llmprof_addon.store.schema import Finding as FindingRow
from llmprof_addon.store.schema import Run
from llmprof_addon.store.text import clean
from llmprof_addon.store.transaction import transaction


class Due(NamedTuple):
    """A run that changed since its findings were looked for."""

    run_id: str
    mark: int
    """Number of changes."""


def due(store: Store, limit: int | None = None) -> list[Due]:
    """The runs that wait, those that ended last first."""
    query = Run.select(Run.uid, Run.findings_due).where(Run.findings_due > 0).order_by(Run.ended_ns.desc(), Run.id)
    with errors_of(store.url):
        return [Due._make(row) for row in store.db.execute(query.limit(limit)).fetchall()]


def put(store: Store, run: Due, waste: Waste) -> None:
    """Replace the findings of a run, if it is still there. One transaction."""
    with errors_of(store.url):
        transaction(store.db, lambda: _put(store.db, run, waste))


def _put(db: pw.Database, run: Due, waste: Waste) -> None:
    # The row is locked by it on PostgreSQL.
    is_same = pw.Case(None, ((Run.findings_due == run.mark, 0),), Run.findings_due)
    update = Run.update(
        findings=len(waste.findings),
        reclaimable_tokens=waste.reclaimable.tokens,
        reclaimable_cost=waste.reclaimable.cost,
        findings_due=is_same,
    )
    row = db.execute(update.where(Run.uid == run.run_id).returning(Run.id)).fetchone()
    if row is None:
        return
    db.execute(FindingRow.delete().where(FindingRow.run == row[0]))
    if rows := [_columns(row[0], finding) for finding in waste.findings]:
        db.execute(FindingRow.insert_many(rows).as_rowcount())


def give_up(store: Store, run: Due) -> None:
    """Wait for the next change of a run whose findings cannot be looked for."""
    with errors_of(store.url):
        query = Run.update(findings_due=0).where((Run.uid == run.run_id) & (Run.findings_due == run.mark))
        store.db.execute(query)


def findings_of(store: Store, run_id: str) -> tuple[Finding, ...]:
    """What is stored of a run's findings, in their order."""
    query = FindingRow.select().join(Run, on=(FindingRow.run == Run.id)).where(Run.uid == run_id)
    with errors_of(store.url):
        rows = list(query.order_by(FindingRow.id).dicts().execute(store.db))
    return tuple(
        Finding(
            **{name: row[name] for name in ("code", "title", "advice", "tokens", "cost", "calls")},
            severity=Severity(row["severity"]),
            estimated=bool(row["estimated"]),
            evidence=tuple(Evidence(**dict(zip(_PLACES, each, strict=True))) for each in unsqueeze(row["evidence"])),
        )
        for row in rows
    )


_PLACES = tuple(Evidence.__dataclass_fields__)
"""The fields of evidence in the order in which they are stored."""


def _columns(run: int, finding: Finding) -> dict[str, object]:
    return {
        "run": run,
        "code": finding.code,
        "severity": finding.severity.value,
        "title": clean(finding.title),
        "advice": clean(finding.advice),
        "tokens": finding.tokens,
        "cost": finding.cost,
        "calls": finding.calls,
        "estimated": finding.estimated,
        "evidence": squeeze([astuple(each) for each in finding.evidence]),
    }
