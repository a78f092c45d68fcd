"""A run's calls and nodes, as pure rooms get them."""

from dataclasses import replace
from typing import Any

import pytest

from llmprof_addon.model.component import Kind
from llmprof_addon.model.kinds import kind_of
from llmprof_addon.model.part import Json, Part
from llmprof_addon.model.run_tree import RunTree
from llmprof_addon.pipeline import process
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.store.detail import detail
from llmprof_addon.store.open import Store
from llmprof_addon.store.queries import calls, runs
from llmprof_addon.store.run_tree import run_tree
from tests.factories import FIXTURES, fixture_cases, fixture_exchange
from tests.store.building import conversation, exchange, money, record, schema, text


def put(store: Store, uid: str, at: float, messages: list[Part], answer: Any = (), **more: Any) -> None:
    store.write(record(store, exchange(uid, at=at, session="all"), messages, answer, **more))


def only_run(store: Store) -> RunTree:
    (row,) = runs(store)
    found = run_tree(store, row.id)
    assert found is not None
    return found


def values(tree: RunTree, path: list[int]) -> list[Json]:
    return [tree.contents[tree.nodes[node].content] for node in path]


def test_a_run_that_is_none(store: Store) -> None:
    assert run_tree(store, "nobody") is None


def test_prompts_and_answers_are_those_that_were_stored(store: Store) -> None:
    for turn, (messages, answer) in enumerate(conversation(4)):
        put(store, f"{turn}", turn, messages, answer, tools=[schema("read")], system=[text("system", "Be kind.")])
    tree = only_run(store)
    assert [call.id for call in tree.calls] == ["0", "1", "2", "3"]
    rows = {row.id: row for row in calls(store)}
    for call in tree.calls:
        kept = detail(store, rows[call.id])
        sections = [kept.sections[section] for section in call.section_order]
        assert values(tree, tree.prompt(call)) == [node.part.value for nodes in sections for node in nodes]
        assert values(tree, tree.answer(call)) == [node.part.value for node in kept.sections["answer"]]
    assert all(node.parent < at for at, node in enumerate(tree.nodes))


def test_calls_are_those_of_the_lists(store: Store) -> None:
    for turn, (messages, answer) in enumerate(conversation(3)):
        put(store, f"{turn}", turn, messages, answer, cost=money() if turn else None)
    rows = {row.id: row for row in calls(store)}
    tree = only_run(store)
    for at, call in enumerate(tree.calls):
        row = rows[call.id]
        for name in ("number", "lane", "turn", "link", "usage", "cost", "composition", "output_composition", "failed"):
            assert getattr(call, name) == getattr(row, name), name
        before = None if call.predecessor is None else tree.calls[call.predecessor].id
        assert before == row.predecessor == (None if at == 0 else str(at - 1))


def test_an_agents_words_in_a_users_text_are_injections(store: Store) -> None:
    said = [text("user", "<system-reminder>Mind the time.</system-reminder>"), text("user", "Hi")]
    put(
        store,
        "a",
        0,
        said,
        [text("assistant", "Hello")],
        system=[text("system", f"{said[0].text}")],
    )
    kinds = {node.kind: node.section for node in only_run(store).nodes}
    assert kinds == {
        Kind.SYSTEM: "system",
        Kind.SYSTEM_INJECTION: "messages",
        Kind.USER: "messages",
        Kind.ASSISTANT: "messages",
    }


def test_nodes_stand_in_the_same_order_whatever_came_first(store: Store) -> None:
    def tree_of(order: list[int]) -> list[bytes]:
        with store.db.atomic() as transaction:
            for turn in order:
                messages, answer = list(conversation(5))[turn]
                put(store, f"{turn}", turn, messages, answer)
            keys = [node.key for node in only_run(store).nodes]
            transaction.rollback()
        store.writer.forget()
        return keys

    assert tree_of([0, 1, 2, 3, 4]) == tree_of([3, 0, 4, 2, 1])


def test_a_text_that_is_gone(store: Store) -> None:
    put(store, "a", 0, [text("user", "Hi")])
    tree = only_run(store)
    (node,) = tree.nodes
    assert tree.contents[node.content]["text"] == "Hi"
    assert set(tree.contents) >= {node.content}
    with pytest.raises(KeyError):
        tree.contents[b"none"]


def test_a_schema_that_waits_weighs_nothing(store: Store) -> None:
    part = schema("found", 800)
    waiting = replace(part, value={**part.value, "defer_loading": True}, deferred=True)
    put(store, "a", 0, [text("user", "Hi")], tools=[schema("read"), waiting])
    read, found = (node for node in only_run(store).nodes if node.section == "tools")
    assert read.tokens["o200k_base"] > 0
    assert found.tokens == {"o200k_base": 0}
    assert found.tools == ((("", "found"), 0.0),)


def test_kinds_and_paths_are_those_of_the_parts(store: Store) -> None:
    records, book = {}, PriceBook()
    for dialect in sorted({folder.name for folder in FIXTURES.iterdir()} - {"databases", "runs"}):
        for number, case in enumerate(fixture_cases(dialect)):
            made = replace(fixture_exchange(dialect, case), id=f"{dialect}-{number}", session=f"{dialect}-{number}")
            found = process(made, store, book)
            if found and not found.call.prompt.continues:  # what it continues may come later, and its chains change
                records[made.id] = found
    assert len(records) > 50
    for row in runs(store):
        tree = run_tree(store, row.id)
        assert tree is not None
        nodes = {node.key: node for node in tree.nodes}
        first = set()
        for call in tree.calls:
            chains = records[call.id].chains if call.id in records else None
            for section in ("tools", "system", "messages", "answer"):
                for link in getattr(chains, section) if chains else ():
                    node = nodes[link.key]
                    assert node.kind is kind_of(link.part, "messages" if section == "answer" else section)
                    if section != "answer" and link.key not in first:
                        first.add(link.key)
                        assert node.path == link.part.path
