"""Runs that a person starts: calls belong to them by their start, whenever they are stored."""

from llmprof_addon.model.call import Identity
from llmprof_addon.store import manual, queries
from llmprof_addon.store.open import Store
from tests.store.building import SECOND, START_NS, exchange, record, text


def ns(at: float) -> int:
    return START_NS + round(at * SECOND)


def put(store: Store, number: int, at: float, **more: object) -> str:
    identity = Identity(session="own", session_source="x")
    made = exchange(f"{number:032x}", at=at, **more)
    store.write(record(store, made, [text("user", f"Ask {number}")], [text("assistant", "Yes")], identity=identity))
    row = queries.call(store, f"{number:032x}")
    assert row is not None
    run = queries.run(store, row.run_id)
    assert run is not None
    return run.key


def test_calls_belong_by_their_start(store: Store) -> None:
    key = manual.start(store, "Mine", "a note", ns(10)).key
    manual.pause(store, ns(20))
    manual.resume(store, ns(30))
    manual.end(store, ns(40))
    expected = {9: "x:own", 10: key, 19.9: key, 20: "x:own", 29: "x:own", 30: key, 39: key, 40: "x:own", 50: "x:own"}
    assert {at: put(store, number, at) for number, at in enumerate(expected)} == expected
    assert put(store, 20, 12, session="forced") == "header:forced"
    run = next(run for run in queries.runs(store) if run.key == key)
    assert (run.label, run.calls) == ("Mine", 4)
    lanes = queries.lanes(store, [run.id])[run.id]
    assert sum(lane.calls for lane in lanes) == 4


def test_one_is_active_at_a_time(store: Store) -> None:
    first = manual.start(store, "First", None, ns(1)).key
    second = manual.start(store, "Second", None, ns(5)).key
    assert [put(store, 1, 2), put(store, 2, 6)] == [first, second]
    latest = manual.latest(store)
    assert latest is not None
    assert (latest.name, latest.state, latest.calls) == ("Second", "active", 1)
    assert manual.resume(store, ns(7)) is None
    assert manual.pause(store, ns(7)) is not None
    assert manual.pause(store, ns(8)) is None
    assert manual.end(store, ns(9)) is not None
    assert manual.end(store, ns(9)) is None


def test_names_and_tags_reach_the_run(store: Store) -> None:
    assert manual.rename(store, "None yet") is None
    manual.start(store, "Before", None, ns(1))
    manual.tag(store, {"team": "search", "old": "x"})
    put(store, 1, 2)
    manual.end(store, ns(3))
    manual.rename(store, "After")
    changed = manual.tag(store, {"old": None, "new": "y"})
    assert changed is not None
    (run,) = queries.runs(store)
    assert (run.label, run.tags) == ("After", {"team": "search", "new": "y"})
    assert changed.tags == run.tags
