"""How long what is kept: texts that are dropped and come back, numbers that stay, sizes, and writers in between."""

import threading
from functools import partial
from pathlib import Path
from typing import Any

from llmprof_addon.model.call import Identity
from llmprof_addon.model.exchange import Exchange
from llmprof_addon.model.part import Part
from llmprof_addon.model.retention import Retention
from llmprof_addon.store import edits, foresee, queries, retention, search_index
from llmprof_addon.store.compress import unpack
from llmprof_addon.store.detail import detail
from llmprof_addon.store.open import Store, open_store
from llmprof_addon.store.schema import Content, SearchEntry
from llmprof_addon.store.search import search
from llmprof_addon.store.search_query import parse_query
from llmprof_addon.store.transaction import transaction
from tests.store.building import SECOND, START_NS, conversation, exchange, record, schema, text
from tests.store.test_edits import bodies, fill
from tests.store.test_postgresql import wrong_sums

NOW_NS = START_NS + 10**6 * SECOND


def older_than(seconds: float) -> int:
    """The age at `NOW_NS` of what started so long after the start of the tests."""
    return NOW_NS - START_NS - round(seconds * SECOND)


def drop(store: Store, seconds: float = 10**5) -> retention.Pruned:
    return retention.prune(store, Retention(bodies_ns=older_than(seconds)), NOW_NS)


def said(store: Store) -> bytes:
    """All contents, unpacked."""
    rows = store.db.execute(Content.select(Content.data, Content.size)).fetchall()
    return b"\0".join(unpack(bytes(data), size) for data, size in rows)


def numbers(store: Store) -> list[Any]:
    calls = [(row.id, row.usage, row.cost, row.composition, row.turn, row.run_id) for row in queries.calls(store)]
    return [calls, [(row.id, row.calls, row.cost, row.usage, row.label) for row in queries.runs(store)]]


def test_texts_go_and_numbers_stay(store: Store) -> None:
    fill(store)
    before = numbers(store)
    pruned = drop(store)
    assert (pruned.dropped.calls, pruned.deleted.calls) == (10, 0)
    assert pruned.dropped.contents > 0
    assert pruned.dropped.bytes > 0
    assert numbers(store) == before
    assert b"Look through the folder" not in said(store)
    assert {row.bodies for row in queries.calls(store)} == {"dropped"}
    body: Any = bodies(store)["a4".ljust(32, "0")]
    assert len(body["messages"]) == 9
    assert {message["role"] for message in body["messages"]} == {"user", "assistant", "tool"}
    assert body["messages"][0]["content"].startswith("text was dropped for its age ")
    assert body["tools"][0]["function"]["name"] == "read"
    assert not wrong_sums(store)
    assert drop(store) == retention.Pruned()


def test_what_a_younger_call_carries_stays(store: Store) -> None:
    fill(store)
    before = bodies(store)
    assert drop(store, 35).dropped.calls == 8
    # Whatever the older calls hold is in the younger ones as well.
    assert bodies(store) == before
    assert edits.delete_call(store, "a4".ljust(32, "0"))
    after = bodies(store)
    assert {id[:2]: after[id] == before[id] for id in after} == {
        f"{who}{turn}": who == "b" for who in "ab" for turn in range(5) if who + str(turn) != "a4"
    }
    assert b"Look through the folder for me, a." not in said(store)


def test_what_stands_elsewhere_in_a_younger_call_stays(store: Store) -> None:
    """A text at another place of another prompt, the fields of a request, a large value beside the chains."""
    params = {"model": "gpt-test", "stop": ["a hidden word"], "extra": {"note": "very long " * 200}}
    rest = {"id": "chatcmpl-1", "echo": "what was said " * 200}
    shared = text("user", "The same words in both")
    store.write(record(store, exchange("a" * 32), [shared, text("user", "Old")], params=params, rest=rest))
    young = [text("user", "Young"), shared]
    store.write(record(store, exchange("b" * 32, at=50), young, params=params, rest=rest))
    before = {row.id: detail(store, row) for row in queries.calls(store)}
    assert drop(store, 25).dropped.calls == 1
    after = {row.id: detail(store, row) for row in queries.calls(store)}
    for name in ("body", "params", "rest"):
        assert getattr(after["b" * 32], name) == getattr(before["b" * 32], name)
    assert after["a" * 32].body["messages"][0] == before["a" * 32].body["messages"][0]
    assert after["a" * 32].body["messages"][1] != before["a" * 32].body["messages"][1]
    drop(store)
    words = (b"The same words", b"hidden", b"very long", b"what was said", b"Young")
    assert not [word for word in words if word in said(store)]


def test_a_text_comes_back_when_it_is_sent_again(store: Store) -> None:
    fill(store)
    while search_index.catch_up(store):
        pass
    before, found = bodies(store), len(search(store, parse_query("folder")).hits)
    assert found
    drop(store)
    assert not search(store, parse_query("folder")).hits
    messages, answer = list(conversation(6, said_by="a"))[-1]
    store.write(record(store, exchange("c" * 32, at=10**6), messages, answer, tools=[schema("read", 4000)]))
    after = bodies(store)
    assert {id: after[id] == before[id] for id in before} == {id: id[0] == "a" for id in before}
    assert search(store, parse_query("folder")).hits
    run = next(run for run in queries.runs(store) if run.calls == 6)
    assert run.label == "Look through the folder for me, a."
    assert not wrong_sums(store)
    # The call that brought them back is as old one day.
    assert retention.prune(store, Retention(bodies_ns=0), NOW_NS * 2).dropped.calls == 1
    assert b"Look through the folder" not in said(store)
    assert not store.db.execute(
        SearchEntry.select(SearchEntry.id).join(Content).where(Content.dropped.is_null(False))
    ).fetchall()


def test_another_process_gives_texts_back(store: Store, url: str) -> None:
    """One that remembers nodes from before they were dropped."""
    fill(store)
    before = bodies(store)
    with open_store(url) as other:
        drop(other)
    messages, answer = list(conversation(6, said_by="a"))[-1]
    store.write(record(store, exchange("c" * 32, at=10**6), messages, answer, tools=[schema("read", 4000)]))
    assert bodies(store)["a4".ljust(32, "0")] == before["a4".ljust(32, "0")]


def test_fields_and_large_values_of_a_request_go_as_well(store: Store) -> None:
    params = {"model": "gpt-test", "stop": ["a hidden word"], "extra": {"note": "very secret " * 200}, "n": 3}
    rest = {"id": "chatcmpl-1", "echo": "what was said " * 200, "short": "said briefly here"}
    made = record(store, exchange("a" * 32), [text("user", "Hello to you")], params=params, rest=rest)
    store.write(made)
    drop(store)
    row = queries.call(store, "a" * 32)
    assert row is not None
    kept = detail(store, row)
    assert (kept.params["model"], kept.params["n"], kept.rest["id"]) == ("gpt-test", 3, "chatcmpl-1")
    shown = f"{kept.params}{kept.rest}{kept.body}{said(store)!r}"
    assert not [word for word in ("hidden", "secret", "what was said", "briefly", "Hello") if word in shown]


def test_what_is_foreseen_is_what_goes(store: Store) -> None:
    fill(store)
    store.write(record(store, exchange("c" * 32, at=99), [text("user", "Another question")], params={"model": "m"}))
    for limits in (
        Retention(bodies_ns=older_than(15)),
        Retention(calls_ns=older_than(15), bodies_ns=older_than(35)),
        Retention(calls_ns=older_than(25)),
        Retention(bodies_ns=0),
        Retention(calls_ns=0),
    ):
        foreseen = foresee.foresee(store, limits, NOW_NS)
        assert retention.prune(store, limits, NOW_NS) == foreseen
        assert foresee.foresee(store, limits, NOW_NS) == retention.Pruned()
        assert not wrong_sums(store)
    assert queries.count(store) == (0, 0)


def large(store: Store, calls: int = 120) -> None:
    """Calls of one second each, whose texts have hardly anything in common."""
    for number in range(calls):
        noise = " ".join(str(number * 7919 * place) for place in range(2000))
        store.write(
            record(store, exchange(f"{number:032x}", at=number), [text("user", noise)], identity=Identity(app="large"))
        )


def test_a_size_takes_the_oldest_texts_then_calls(store: Store) -> None:
    large(store)
    full, now_ns = retention.used_bytes(store.db), START_NS + 10**5 * SECOND
    limits = Retention(max_bytes=full * 2 // 3)
    foreseen = foresee.foresee(store, limits, now_ns)
    pruned = retention.prune(store, limits, now_ns)
    assert pruned.dropped.calls == foreseen.dropped.calls
    assert 0 < pruned.dropped.calls < 120
    assert (pruned.deleted.calls, queries.count(store)[1]) == (0, 120)
    assert retention.used_bytes(store.db) <= full * 2 // 3
    kept = sorted(row.started_ns for row in queries.calls(store) if row.bodies is None)
    gone = sorted(row.started_ns for row in queries.calls(store) if row.bodies == "dropped")
    assert gone[-1] < kept[0]
    pruned = retention.prune(store, Retention(max_bytes=1), now_ns)
    assert pruned.dropped.calls + pruned.deleted.calls == len(kept) + 120
    assert queries.count(store) == (0, 0)


def test_the_last_hour_is_not_pruned_for_the_size(store: Store) -> None:
    large(store, 5)
    limits = Retention(max_bytes=1)
    assert retention.prune(store, limits, START_NS + 3600 * SECOND + 2 * SECOND).deleted.calls == 2
    assert foresee.foresee(store, limits, START_NS + 3600 * SECOND).bytes == 0
    assert len(list(queries.calls(store))) == 3


def test_a_keeper_rests_once_nothing_is_to_do(store: Store) -> None:
    fill(store)
    clock = iter([0.0, 0.0, 0.0, 1.0, 59.0, 61.0, 61.0])
    keeper = retention.Keeper(Retention(bodies_ns=0), now=lambda: next(clock))
    assert [keeper.keep(store) for _ in range(5)] == [True, False, False, False, False]
    assert not retention.Keeper(Retention()).keep(store)


def test_freed_pages_are_overwritten_and_given_back(sqlite_store: Store) -> None:
    store, path = sqlite_store, Path(sqlite_store.url.removeprefix("sqlite:///"))
    large(store, 40)
    store.db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    before, stored = (
        path.read_bytes(),
        [bytes(row[0]) for row in store.db.execute(Content.select(Content.data)).fetchall()],
    )
    texts = [data[100:160] for data in stored if len(data) > 1000]
    assert sum(piece in before for piece in texts) > 30
    drop(store)
    after = path.read_bytes()
    assert not [piece for piece in texts if piece in after]
    assert len(after) < len(before) / 2


def _send(store: Store, made: Exchange, messages: list[Part], answer: list[Part]) -> None:
    """Make a record and write it, in one transaction: its counts are of what is stored at this moment."""
    store.write(record(store, made, messages, answer, tools=[schema("read", 400)]))


def test_a_writer_in_between_loses_nothing(url: str, store: Store) -> None:
    """One thread goes on with a conversation whose beginning another drops and deletes all the time."""
    stop = threading.Event()
    failed: list[BaseException] = []

    def prune() -> None:
        try:
            with open_store(url) as other:
                age = 0
                while not stop.is_set():
                    age += 1
                    limits = Retention(bodies_ns=0) if age % 3 else Retention(calls_ns=10 * SECOND)
                    retention.prune(other, limits, START_NS + age % 40 * SECOND)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=prune)
    thread.start()
    try:
        for turn, (messages, answer) in enumerate(conversation(40, said_by="a")):
            uid = f"{turn:032x}"
            made = exchange(uid, at=turn)
            transaction(store.db, partial(_send, store, made, messages, answer), undo=store.writer.forget)
    finally:
        stop.set()
        thread.join(60)
    assert not failed
    assert not wrong_sums(store)
    # Once more, when nobody prunes: all that a prompt carries is whole again.
    messages, answer = list(conversation(41, said_by="a"))[-1]
    store.write(record(store, exchange("f" * 32, at=41), messages, answer, tools=[schema("read", 400)]))
    row = queries.call(store, "f" * 32)
    assert row is not None
    assert [part.value for part in detail(store, row).parts][1:] == [part.value for part in messages]
    assert foresee.foresee(store, Retention(calls_ns=0), NOW_NS).deleted.calls == queries.count(store)[1]
