"""What is said of a run besides its sums."""

from llmprof_addon.model.cache import CacheCause
from llmprof_addon.store import queries
from llmprof_addon.store.open import Store
from llmprof_addon.store.remarks import Remarks, remarks
from llmprof_addon.store.schema import Call
from tests.store.building import exchange, record, text


def test_failures_are_counted_by_what_was_said(store: Store) -> None:
    made = [
        exchange("a" * 32, at=0, session="one"),
        exchange("b" * 32, at=1, session="one", status=529),
        exchange("c" * 32, at=2, session="one", status=529),
        exchange("d" * 32, at=3, session="one", status=None, outcome="aborted"),
        exchange("e" * 32, at=4, session="one", outcome="error", error="connection reset"),
        exchange("f" * 32, at=5, session="other", status=500),
    ]
    for one in made:
        store.write(record(store, one, [text("user", one.id)]))
    run = next(row for row in queries.runs(store) if row.calls == 5)
    found = remarks(store, run.id)
    assert found.failures == (("529 failed", 2), ("connection reset", 1), ("cut off", 1))
    assert sum(calls for _, calls in found.failures) == run.error_calls


def test_losses_are_counted_by_their_causes(store: Store) -> None:
    for at in range(4):
        store.write(record(store, exchange(f"{at}" * 32, at=at, session="one"), [text("user", f"{at}")]))
    for uid, status, cause in (("0", "hit", None), ("1", "break", "tools_added"), ("2", "partial", "tools_added")):
        store.db.execute(Call.update(cache_status=status, cache_cause=cause).where(Call.uid == uid * 32))
    store.db.execute(Call.update(cache_status="expired", cache_cause="expired").where(Call.uid == "3" * 32))
    found = remarks(store, next(iter(queries.runs(store))).id)
    assert found.losses == ((CacheCause.TOOLS_ADDED, 2), (CacheCause.EXPIRED, 1))


def test_a_run_that_is_not_there_has_none(store: Store) -> None:
    assert remarks(store, "nobody") == Remarks()
