"""In which turn of its run each part of a prompt was first sent."""

from llmprof_addon.model.part import Part
from llmprof_addon.model.tree import chains
from llmprof_addon.store.first_turns import first_turns
from llmprof_addon.store.open import Store
from tests.store.building import exchange, record, schema, text

FIRST, ANSWER, NEXT, OTHER = text("user", "Hi"), text("assistant", "Yes?"), text("user", "Go on"), text("user", "Stop")


def _send(store: Store, uid: str, at: float, tools: list[Part], messages: list[Part]) -> list[bytes]:
    """Store a call of the one run; keys of its nodes."""
    made = record(store, exchange(uid, at=at, session="all"), messages, [ANSWER], tools=tools)
    store.write(made)
    kept = chains(made.call.prompt)
    return [link.key for link in (*kept.tools, *kept.messages)]


def test_parts_are_as_old_as_the_call_that_sent_them_first(store: Store) -> None:
    read, write = schema("read", 10), schema("write", 10)
    one = _send(store, "a", 0, [read], [FIRST])
    two = _send(store, "b", 10, [read], [FIRST, ANSWER, NEXT])
    three = _send(store, "c", 20, [read, write], [FIRST, ANSWER, OTHER])
    late = _send(store, "d", 5, [read], [FIRST, ANSWER])
    run = str(store.db.execute_sql("SELECT uid FROM run").fetchone()[0])
    turns = first_turns(store, run)
    assert [turns[key] for key in one] == [1, 1]
    assert [turns[key] for key in late] == [1, 1, 2]
    assert [turns[key] for key in two] == [1, 1, 2, 3]
    assert [turns[key] for key in three] == [1, 4, 1, 2, 4]


def test_a_run_that_is_none(store: Store) -> None:
    assert first_turns(store, "nobody") == {}
