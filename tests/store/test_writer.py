"""Writing calls: once, whole or not at all, in constant rows a turn."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import peewee as pw
import pytest

from llmprof_addon.model.call import Identity
from llmprof_addon.model.component import Kind
from llmprof_addon.model.count import RawCount
from llmprof_addon.model.part import Part, PartKind
from llmprof_addon.model.record import CallRecord
from llmprof_addon.model.tree import Link, chains
from llmprof_addon.model.usage import Usage
from llmprof_addon.store import edits, queries
from llmprof_addon.store.counts import unpack_totals
from llmprof_addon.store.detail import detail
from llmprof_addon.store.open import Store, open_store
from llmprof_addon.store.schema import TABLES
from tests.store.building import (
    ENCODING,
    conversation,
    exchange,
    money,
    raw_count,
    record,
    schema,
    text,
    tool_call,
    tool_result,
)


def sizes(store: Store) -> dict[str, int]:
    """Rows of each table."""
    return {
        table._meta.table_name: store.db.execute(table.select(pw.fn.COUNT(pw.SQL("*")))).fetchone()[0]
        for table in TABLES
    }


def test_writing_twice_changes_nothing(store: Store) -> None:
    made = record(store, exchange("a" * 32), [text("user", "Hello")], [text("assistant", "Hi")], cost=money())
    assert store.write(made) is True
    before, counters = sizes(store), replace(store.counters)
    assert store.write(made) is False
    with open_store(store.url) as other:
        assert other.write(made) is False
    assert sizes(store) == before
    assert store.counters == counters
    (run,) = queries.runs(store)
    assert run.calls == 1
    assert run.cost is not None
    assert run.cost.total == money().total


def test_a_call_that_cannot_be_written_leaves_nothing(store: Store) -> None:
    made = record(store, exchange("a" * 32), [text("user", "Hello")], [text("assistant", "Hi")])
    before, counters = sizes(store), replace(store.counters)
    with pytest.raises(Exception, match=r"int too large|out of range"):
        store.write(replace(made, usage=Usage(input_tokens=2**70)))
    assert sizes(store) == before
    assert store.counters == counters
    assert store.write(made)
    assert sizes(store)["node"] == 2


def test_shared_parts_are_stored_once(store: Store) -> None:
    tools = [schema("read"), schema("write")]
    system = [text("system", "Be brief.")]
    for index, said in enumerate(("One?", "Two?", "Three?")):
        store.write(record(store, exchange(f"{index}" * 32), [text("user", said)], tools=tools, system=system))
    assert sizes(store)["node"] == 2 + 1 + 3
    assert sizes(store)["call"] == 3


def test_a_changed_tool_or_system_prompt_copies_no_message(store: Store) -> None:
    messages = [text("user", "Hello"), text("assistant", "Hi"), text("user", "Go on")]
    store.write(record(store, exchange("a" * 32), messages, tools=[schema("read")], system=[text("system", "09:00")]))
    before = sizes(store)["node"]
    store.write(record(store, exchange("b" * 32), messages, tools=[schema("find")], system=[text("system", "09:01")]))
    assert sizes(store)["node"] == before + 2


def test_what_is_known_after_writing(store: Store) -> None:
    made = record(store, exchange("a" * 32), [text("user", "Hi " * 9)], [text("assistant", "Hi")], tools=[schema("x")])
    store.write(made)
    links = [*made.chains.tools, *made.chains.messages, *made.chains.answer]
    expected = {link.key: raw_count(link.part) for link in links}
    keys = [*expected, b"?" * 16]
    assert store.known(keys, ENCODING) == expected
    assert store.known(keys, "cl100k_base") == {}
    with open_store(store.url) as other:
        assert other.known(keys, ENCODING) == expected


def test_a_second_encoding_adds_its_counts(store: Store) -> None:
    messages = [text("user", "Hello"), text("assistant", "Hi"), text("user", "Go on")]
    store.write(record(store, exchange("a" * 32), messages))
    store.write(record(store, exchange("b" * 32), messages, encoding="cl100k_base", counter=lambda _: RawCount(json=7)))
    assert sizes(store)["node"] == 3
    assert sizes(store)["node_count"] == 6
    key = chains(record(store, exchange("c" * 32), messages).call.prompt).message_head
    assert store.known([key], "cl100k_base") == {key: RawCount(json=7)}
    assert store.known([key], ENCODING) == {key: raw_count(messages[-1])}


def test_nodes_carry_running_totals_by_kind(store: Store) -> None:
    messages = [text("user", "Look there"), tool_call("read", "{}"), tool_result("It says so."), text("user", "Thanks")]
    store.write(record(store, exchange("a" * 32), messages[:1], messages[1:2]))
    store.write(record(store, exchange("b" * 32), messages))
    query = "SELECT totals FROM node_count JOIN node ON node.id = node_id ORDER BY depth DESC LIMIT 1"
    totals = unpack_totals(store.db.execute_sql(query).fetchone()[0])
    assert set(totals) == {Kind.USER, Kind.TOOL_CALLS, Kind.TOOL_RESULTS}
    assert totals[Kind.USER].prose == raw_count(messages[0]).prose + raw_count(messages[3]).prose
    assert totals[Kind.USER].messages == 2
    assert totals[Kind.TOOL_CALLS].tool_calls == 1


def test_row_ids_that_another_process_deleted_are_forgotten(store: Store) -> None:
    messages = [text("user", "Hello"), text("assistant", "Hi"), text("user", "Go on")]
    store.write(record(store, exchange("a" * 32), messages, cost=money()))
    made = record(store, exchange("b" * 32), [*messages, text("assistant", "Well"), text("user", "And?")], cost=money())
    made = replace(made, counts={link.key: raw_count(link.part) for link in made.chains.messages})
    with open_store(store.url) as other:
        edits.reset(other)
        # Takes the row ids that the first store still remembers.
        other.write(record(other, exchange("c" * 32), [text("user", f"Another {n}") for n in range(3)], cost=money()))
    assert store.write(made)
    row = queries.call(store, "b" * 32)
    assert row is not None
    assert detail(store, row).body["messages"] == [
        {"role": link.part.role, "content": link.part.text} for link in made.chains.messages
    ]


def test_sums_beyond_64_bits_stay_exact(store: Store) -> None:
    large = 2**63 - 1
    for index in range(3):
        store.write(
            record(store, exchange(f"{index}" * 32), [text("user", "Hi")], cost=money(large, index), identity=SAME)
        )
    (run,) = queries.runs(store)
    assert run.cost is not None
    assert run.cost.input == 3 * large
    assert run.cost.total == 3 * large + 3 * 7 + 3


SAME = Identity(session="one", session_source="x-test-session")


def test_text_that_columns_refuse_is_stored(store: Store) -> None:
    strange = "nul \0 and half \ud83d a pair"
    made = exchange("a" * 32, session="s\0\udc00", tags=(("k\ud800", "v\0"),), error=strange)
    messages = [text("user", strange), tool_call(strange, "{}"), text("user", "Why?", name=strange)]
    params = {"model": "gpt-test", "metadata": {"x": strange}}
    store.write(record(store, made, messages, [text("assistant", strange)], params=params, response_id=strange))
    (row,) = queries.calls(store)
    assert row.error == "nul � and half � a pair"
    assert row.tags == {"k\ud800": "v\0"}
    kept = detail(store, row)
    assert kept.params == params
    assert kept.body["messages"][0] == {"role": "user", "content": strange}
    assert store.continued(strange) is not None


def test_a_prompt_without_parts(store: Store) -> None:
    store.write(record(store, exchange("a" * 32, outcome="error", status=None, error="refused"), [], params=None))
    (row,) = queries.calls(store)
    assert (row.depth, row.failed, row.status) == (0, True, None)
    assert detail(store, row).body == {"model": "gpt-test", "stream": True}


@pytest.mark.parametrize("body", [["not", "an object"], "{cut off", None, 7])
def test_a_body_that_no_dialect_can_carve(store: Store, body: Any) -> None:
    whole = Part(kind=PartKind.GENERIC, text=str(body), value=body, form="whole")
    store.write(record(store, exchange("a" * 32, status=400), [whole], params={}))
    (row,) = queries.calls(store)
    assert detail(store, row).body == body


def test_counts_that_are_missing_are_said(store: Store) -> None:
    made = record(store, exchange("a" * 32), [text("user", "Hello")])
    with pytest.raises(Exception, match="no token count"):
        store.write(replace(made, counts={}))
    assert sizes(store)["node"] == 0


def test_a_turn_writes_as_many_rows_as_any_other(store: Store) -> None:
    rows: list[int] = []
    for turn, (messages, answer) in enumerate(conversation(40)):
        before = store.counters.rows_written
        store.write(record(store, exchange(f"{turn:032x}", at=turn), messages, answer))
        rows.append(store.counters.rows_written - before)
    assert set(rows[1:]) == {rows[-1]}
    assert rows[-1] < 12


def test_a_first_long_prompt(store: Store) -> None:
    messages = [text("user" if n % 2 else "assistant", f"Line {n}") for n in range(1200)]
    store.write(record(store, exchange("a" * 32), messages))
    (row,) = queries.calls(store)
    body: Any = detail(store, row).body
    assert row.depth == 1200
    assert [one["content"] for one in body["messages"]] == [f"Line {n}" for n in range(1200)]


def test_writers_side_by_side(store: Store) -> None:
    """Each in a thread with a store of its own; both write the same beginnings, and each call once."""

    def work(who: str) -> int:
        with open_store(store.url) as own:
            written = 0
            for turn, (messages, answer) in enumerate(conversation(15)):
                for uid in (f"{who}{turn}", f"shared{turn}"):
                    made = record(own, exchange(uid, at=turn, session=who[:1]), messages, answer, cost=money())
                    made = replace(made, counts={link.key: raw_count(link.part) for link in links_of(made)})
                    written += own.write(made)
            return written

    with ThreadPoolExecutor(3) as pool:
        written = list(pool.map(work, ["a", "b", "c"]))
    assert sum(written) == 3 * 15 + 15
    assert queries.count(store)[1] == 60
    assert sizes(store)["node"] == 30
    assert sum(run.calls for run in queries.runs(store)) == 60
    assert sum(run.cost.total for run in queries.runs(store) if run.cost) == 60 * money().total


def links_of(made: CallRecord) -> tuple[Link, ...]:
    return (*made.chains.tools, *made.chains.system, *made.chains.messages, *made.chains.answer)
