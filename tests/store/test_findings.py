"""Findings of runs in the store: replaced as a whole, marked when their run changes, gone with it."""

from dataclasses import replace

import pytest

from llmprof_addon.model.finding import Evidence, Finding, Reclaimable, Severity, Waste
from llmprof_addon.store import edits, findings, queries
from llmprof_addon.store.findings import Due
from llmprof_addon.store.open import Store
from llmprof_addon.store.schema import Finding as FindingRow
from tests.store.building import exchange, money, record, text

EVIDENCE = Evidence(
    saves="part",
    call="a" * 32,
    node="0f" * 16,
    path="tools[1]",
    name="se\0arch",
    share=0.25,
    since_ns=7,
    tokens=90,
    cost=None,
)
FOUND = Finding(
    code="unused_tools",
    severity=Severity.CRITICAL,
    title="2 of 3 tools never called \ud800",
    advice="leave them out",
    tokens=10**12,
    cost=10**20,
    calls=12,
    evidence=(EVIDENCE, replace(EVIDENCE, saves="call", node=None, cost=5)),
)
WASTE = Waste(
    findings=(FOUND, replace(FOUND, code="loop", severity=Severity.INFO, cost=None, estimated=False, evidence=())),
    reclaimable=Reclaimable(tokens=10**12, cost=10**20),
)


def first_run(store: Store) -> str:
    store.write(record(store, exchange("a" * 32), [text("user", "Hello")], [text("assistant", "Hi")], cost=money()))
    return next(queries.runs(store)).id


def test_what_is_put_is_read_again(store: Store) -> None:
    run = first_run(store)
    findings.put(store, findings.due(store)[0], WASTE)
    kept = findings.findings_of(store, run)
    assert kept == tuple(replace(each, title="2 of 3 tools never called \ufffd") for each in WASTE.findings)
    row = queries.run(store, run)
    assert row is not None
    assert (row.findings, row.reclaimable_tokens, row.reclaimable_cost) == (2, 10**12, 10**20)


def test_findings_are_replaced_as_a_whole(store: Store) -> None:
    run = first_run(store)
    mark = findings.due(store)[0]
    findings.put(store, mark, WASTE)
    findings.put(store, mark, Waste(reclaimable=Reclaimable(cost=None)))
    assert findings.findings_of(store, run) == ()
    row = queries.run(store, run)
    assert row is not None
    assert (row.findings, row.reclaimable_tokens, row.reclaimable_cost) == (0, 0, None)


def test_a_run_is_unknown_until_it_was_looked_at(store: Store) -> None:
    row = queries.run(store, first_run(store))
    assert row is not None
    assert row.findings is row.reclaimable_tokens is row.reclaimable_cost is None


def test_a_run_is_due_from_each_call_until_its_findings_are_put(store: Store) -> None:
    run = first_run(store)
    begun = findings.due(store)
    assert begun == [Due(run, 1)]
    store.write(
        record(
            store,
            exchange("b" * 32, at=5),
            [text("user", "Hello"), text("assistant", "Hi"), text("user", "More")],
            [text("assistant", "Yes")],
        )
    )
    findings.put(store, begun[0], WASTE)  # of what was there before
    assert findings.due(store) == [Due(run, 2)]
    assert len(findings.findings_of(store, run)) == 2
    findings.put(store, Due(run, 2), WASTE)
    assert findings.due(store) == []


def test_what_cannot_be_looked_at_waits_for_its_next_change(store: Store) -> None:
    run = first_run(store)
    findings.give_up(store, Due(run, 7))
    assert findings.due(store) == [Due(run, 1)]
    findings.give_up(store, Due(run, 1))
    assert findings.due(store) == []


def test_the_run_that_ended_last_is_the_first(store: Store) -> None:
    for number, name in enumerate(("old", "new")):
        store.write(record(store, exchange(name * 10, at=100 * number), [text("user", name)]))
    newest, oldest = (run.id for run in queries.runs(store))
    assert [each.run_id for each in findings.due(store)] == [newest, oldest]
    assert [each.run_id for each in findings.due(store, 1)] == [newest]


def test_a_deleted_call_makes_the_findings_unknown_and_its_run_due(store: Store) -> None:
    run = first_run(store)
    store.write(
        record(
            store,
            exchange("b" * 32, at=5),
            [text("user", "Hello"), text("assistant", "Hi"), text("user", "More")],
        )
    )
    findings.put(store, findings.due(store)[0], WASTE)
    edits.delete_call(store, "b" * 32)
    assert [each.run_id for each in findings.due(store)] == [run]
    row = queries.run(store, run)
    assert row is not None
    assert row.findings is row.reclaimable_cost is None, "they may be of the call that went"
    assert findings.findings_of(store, run) == ()
    edits.delete_run(store, run)
    assert findings.findings_of(store, run) == ()
    assert store.db.execute(FindingRow.select()).fetchall() == []
    findings.put(store, Due(run, 1), WASTE)  # it went while somebody looked at it
    assert store.db.execute(FindingRow.select()).fetchall() == []


@pytest.mark.parametrize("drop", ["reset", "prune"])
def test_findings_go_with_everything(store: Store, drop: str) -> None:
    first_run(store)
    findings.put(store, findings.due(store)[0], WASTE)
    if drop == "reset":
        edits.reset(store)
    else:
        edits.prune(store, 9 * 10**18)
    assert store.db.execute(FindingRow.select()).fetchall() == []
