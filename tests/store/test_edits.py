"""What a person changes, and what stays when something is deleted."""

import os
from pathlib import Path

from llmprof_addon.store import edits, queries
from llmprof_addon.store.detail import detail
from llmprof_addon.store.open import Store
from tests.store.building import START_NS, conversation, exchange, money, record, schema, text
from tests.store.test_writer import sizes


def fill(store: Store) -> None:
    """Two interleaved conversations of five turns that share their tools."""
    for turn, talks in enumerate(zip(conversation(5, said_by="a"), conversation(5, said_by="b"), strict=True)):
        for who, (messages, answer) in zip("ab", talks, strict=True):
            made = exchange(f"{who}{turn}".ljust(32, "0"), at=turn * 10 + (who == "b"))
            store.write(record(store, made, messages, answer, tools=[schema("read", 4000)], cost=money()))


def bodies(store: Store) -> dict[str, object]:
    return {row.id: detail(store, row).body for row in queries.calls(store)}


def test_renaming(store: Store) -> None:
    fill(store)
    run = next(queries.runs(store))
    assert run.label == "Look through the folder for me, b."
    assert edits.rename_run(store, run.id, "Weekly \0 report")
    assert next(queries.runs(store)).label == "Weekly � report"
    messages, answer = list(conversation(6, said_by="b"))[-1]
    store.write(record(store, exchange("c" * 32, at=99), messages, answer))
    renamed = next(queries.runs(store))
    assert (renamed.label, renamed.calls) == ("Weekly � report", 6)
    edits.rename_run(store, run.id, None)
    assert next(queries.runs(store)).label == run.label
    assert not edits.rename_run(store, "nobody", "x")


def test_tagging(store: Store) -> None:
    store.write(record(store, exchange("a" * 32, tags=(("team", "blue"), ("env", "ci"))), [text("user", "Hi")]))
    run = next(queries.runs(store))
    assert run.tags == {"team": "blue", "env": "ci"}
    assert edits.tag_run(store, run.id, {"env": None, "team": "red", "odd": "\ud800"})
    assert next(queries.runs(store)).tags == {"team": "red", "odd": "\ud800"}
    assert not edits.tag_run(store, "nobody", {"a": "b"})


def test_pruning_keeps_what_later_calls_need(store: Store) -> None:
    fill(store)
    before = bodies(store)
    assert edits.prune(store, START_NS + 25 * 10**9) == 6
    after = bodies(store)
    assert len(after) == 4
    assert after == {id: before[id] for id in after}
    assert [(run.calls, run.cost.input if run.cost else None) for run in queries.runs(store)] == [(2, 200), (2, 200)]


def test_deleting_a_run_takes_only_its_own(store: Store) -> None:
    fill(store)
    gone, kept = queries.runs(store)
    before = bodies(store)
    assert edits.delete_run(store, gone.id)
    assert bodies(store) == {row.id: before[row.id] for row in queries.calls(store, run=kept.id)}
    assert next(queries.runs(store)) == kept
    assert not edits.delete_run(store, gone.id)


def test_deleting_the_last_turn_frees_its_parts_alone(store: Store) -> None:
    fill(store)
    before = sizes(store)
    assert edits.delete_call(store, "a4".ljust(32, "0"))
    after = sizes(store)
    # The result that the turn brought and its answer; their wrappers are those of the other conversation, too.
    assert before["node"] - after["node"] == 2
    assert before["content"] - after["content"] == 2
    assert before["run"] == after["run"]
    assert not edits.delete_call(store, "a4".ljust(32, "0"))


def test_the_last_call_takes_its_run_and_every_trace(store: Store) -> None:
    fill(store)
    assert edits.prune(store, START_NS + 10**12) == 10
    left = {name: rows for name, rows in sizes(store).items() if name not in ("fact", "price")}
    assert set(left.values()) == {0}


def test_a_run_may_begin_anew_after_it_was_deleted(store: Store) -> None:
    fill(store)
    edits.reset(store)
    assert queries.count(store) == (0, 0)
    fill(store)
    assert queries.count(store) == (2, 10)


def test_freed_space_returns_to_the_disk(sqlite_store: Store) -> None:
    store = sqlite_store
    path = Path(store.url.removeprefix("sqlite:///"))
    noise = [text("user", os.urandom(200_000).hex())]
    store.write(record(store, exchange("a" * 32), noise))
    store.db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    large = path.stat().st_size
    edits.delete_call(store, "a" * 32)
    assert path.stat().st_size < large - 150_000
