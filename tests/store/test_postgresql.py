"""One PostgreSQL server for a team: workers of several spools at once, while somebody deletes and prunes."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from llmprof_addon.cli import laws
from llmprof_addon.pipeline import process
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.spool.folder import Spool
from llmprof_addon.spool.statefile import read_state
from llmprof_addon.store import edits, queries, rollup
from llmprof_addon.store.open import Store, open_store
from llmprof_addon.store.schema import Call, Fact, Lane, Run
from llmprof_addon.store.transaction import transaction
from tests.factories import STARTED_NS
from tests.store.crowd import DAY, agent_runs, spread, worker

WORKERS = 4
SECONDS = 150


def broken_laws(store: Store) -> list[str]:
    """What `llmprof selftest` says."""
    found = [breach for call in queries.calls(store) for breach in laws.check_call(store, call)]
    found += [breach for run in queries.runs(store) for breach in laws.check_run(store, run)]
    return [*found, *laws.check_days(store)]


def wrong_sums(store: Store) -> list[tuple[str, int, str, Any, Any]]:
    """Columns of runs and lanes that are not what their calls give."""
    found = []
    for table, total, column in ((Run, rollup.total, Call.run), (Lane, rollup.total_of_lane, Call.lane)):
        for row in table.select().order_by(table.id).dicts().execute(store.db):
            calls = Call.select().where(column == row["id"]).order_by(Call.started_ns, Call.uid).dicts()
            sums = total(list(calls.execute(store.db)))
            found += [
                (table.__name__, row["id"], name, row[name], sums[name])
                for name in sums
                if name not in ("findings_due", "label", "labelled_ns") and row[name] != sums[name]
            ]
    return found


def grouping(store: Store) -> dict[str, object]:
    """By call: what it goes on from, its place in its lane, its verdict, and the first call of its run."""
    calls = list(queries.calls(store))
    first: dict[str, str] = {}
    for call in sorted(calls, key=lambda call: (call.started_ns, call.id)):
        first.setdefault(call.run_id, call.id)
    return {call.id: (call.predecessor, call.turn, call.link, call.cache, first[call.run_id]) for call in calls}


def test_workers_of_several_hosts_while_somebody_deletes(postgresql: str, tmp_path: Path) -> None:
    calls = list(agent_runs(12, 10))
    old = list(agent_runs(9, 6, day=-40, name="old"))
    homes = [tmp_path / str(number) for number in range(WORKERS)]
    with open_store(postgresql) as store, open_store(f"sqlite:///{tmp_path}/alone.db") as alone:
        book = PriceBook(None)
        for call in old:
            process(call, store, book)
        with ThreadPoolExecutor(WORKERS) as pool:
            workers = list(pool.map(worker, homes, [postgresql] * WORKERS))
        spread(calls, homes)
        deleting = threading.Thread(target=_delete, args=(postgresql, [call.id for call in old], workers))
        deleting.start()
        for call in calls:
            process(call, alone, book)
        said = [process_.communicate(timeout=SECONDS)[0] for process_ in workers]
        deleting.join()
        assert [(one.returncode, text) for one, text in zip(workers, said, strict=True)] == [(0, "")] * WORKERS
        for home in homes:
            state = read_state(home / "worker.json") or {}
            assert (state["processed"], state["failed"], state["last_error"], state["findings_error"]) == (
                *(len(calls) // WORKERS, 0),
                *(None, None),
            )
            assert not Spool(home / "spool").scan()
        assert sorted(call.id for call in queries.calls(store)) == sorted(call.id for call in calls)
        assert broken_laws(store) == []
        assert wrong_sums(store) == []
        assert grouping(store) == grouping(alone)


def test_a_deadlock_is_done_again(postgresql: str) -> None:
    """Two transactions take the same two rows in opposite orders, each its first before it asks for the other."""
    with open_store(postgresql) as store:
        store.db.execute(Fact.insert_many([{"name": "a", "value": "0"}, {"name": "b", "value": "0"}]).as_rowcount())
        both = threading.Barrier(2, timeout=30)
        met: set[str] = set()

        def take(order: str) -> int:
            attempts = 0

            def work() -> int:
                nonlocal attempts
                attempts += 1
                for name in order:
                    own.db.execute_sql("UPDATE fact SET value = value || %s WHERE name = %s", (order[0], name))
                    if order not in met:
                        met.add(order)
                        both.wait()
                return attempts

            with open_store(postgresql) as own:
                return transaction(own.db, work)

        with ThreadPoolExecutor(2) as pool:
            attempts = sorted(pool.map(take, ["ab", "ba"]))
        values = [row[0] for row in store.db.execute(Fact.select(Fact.value).where(Fact.name.in_(["a", "b"])))]
        assert attempts == [1, 2]
        assert [sorted(value) for value in values] == [["0", "a", "b"]] * 2


def _delete(url: str, ids: list[str], workers: list[Any]) -> None:
    """Delete old calls one by one while there are workers, and prune the rest."""
    with open_store(url) as store:
        for id_ in ids[::2]:
            if all(process_.poll() is not None for process_ in workers):
                break
            edits.delete_call(store, id_)
        edits.prune(store, STARTED_NS - 20 * DAY)
