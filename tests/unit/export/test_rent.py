"""Rents as rows: what a part is called, and groups that sum to the same."""

from dataclasses import replace

import pytest

from llmprof_addon.attribution.rent import rents
from llmprof_addon.export.rent import BY, NO_SERVER, NO_TOOL, RentRow, input_of, rent_rows
from llmprof_addon.model.component import Kind
from llmprof_addon.model.run_tree import RunTree
from tests.unit.attribution.run_trees import conversation, total

HUB = ("hub", "mcp__hub__search")
SENT = {"type": "tool_use", "id": "t1", "name": "read_it", "input": {"path": "lib/wheel.py"}}


@pytest.fixture
def tree() -> RunTree:
    """Two calls with two tools, one of a server, and a call of the first."""
    parts = [
        (Kind.USER, {"type": "text", "text": "Look\n  at the wheel. " + "And more. " * 60}),
        (Kind.TOOL_CALLS, SENT),
        (Kind.TOOL_RESULTS, {"type": "tool_result", "tool_use_id": "t1", "content": "It turns."}),
        (Kind.IMAGES, {"type": "image", "source": {"type": "base64", "data": "iVBORw0KGgo" * 60}}),
        (Kind.ASSISTANT, {"type": "text", "text": "Well."}),
    ]
    made = conversation(parts, [1, 4], {"read_it": {"name": "read_it"}, "search": {"name": "search"}})
    nodes = [
        replace(node, tools=((HUB, 1.0),)) if node.tools[:1] == ((("", "search"), 1.0),) else node
        for node in made.nodes
    ]
    prompt = [total(Kind.TOOL_SCHEMAS, 0, 50, 1, 510), total(Kind.USER, fresh=12, cost=120)]
    later = [
        total(Kind.TOOL_SCHEMAS, 51, cost=51),
        total(Kind.USER, 12, cost=12),
        total(Kind.TOOL_CALLS, fresh=7, cost=70),
    ]
    later += [total(Kind.TOOL_RESULTS, fresh=9, cost=90), total(Kind.IMAGES, fresh=3, cost=30)]
    later += [total(Kind.PROVIDER_OVERHEAD, fresh=5, cost=50)]
    first, second = made.calls
    calls = (replace(first, composition=tuple(prompt)), replace(second, composition=tuple(later)))
    return replace(made, nodes=tuple(nodes), calls=calls)


def labels(rows: tuple[RentRow, ...]) -> list[str]:
    return [row.label for row in rows]


def test_parts_are_called_by_what_they_say(tree: RunTree) -> None:
    rows, more = rent_rows(tree, rents(tree))
    assert more is None
    by_kind = {row.kind: row for row in rows}
    user = by_kind[Kind.USER]
    assert user.label.startswith("Look at the wheel. And more.")
    assert len(user.label) <= 200
    assert (user.tokens, user.carried, user.tokens_per_call, user.first_call, user.last_call) == (24, 2, 12, 1, 2)
    assert (user.read, user.write, user.fresh, user.cost) == (12, 0, 12, 132)
    assert (by_kind[Kind.TOOL_CALLS].label, by_kind[Kind.TOOL_CALLS].tool) == ("lib/wheel.py", "read_it")
    assert by_kind[Kind.TOOL_RESULTS].label == "It turns."
    assert by_kind[Kind.IMAGES].label == "(text, 10 B)"
    assert (by_kind[Kind.PROVIDER_OVERHEAD].parts, by_kind[Kind.PROVIDER_OVERHEAD].estimated) == (0, False)
    assert {row.label: row.server for row in rows if row.kind is Kind.TOOL_SCHEMAS} == {
        "read_it": None,
        "mcp__hub__search": "hub",
    }
    assert [row.cost for row in rows] == sorted((row.cost or 0 for row in rows), reverse=True)


@pytest.mark.parametrize("by", BY)
@pytest.mark.parametrize("limit", [None, 1])
def test_rows_sum_to_the_input(tree: RunTree, by: str, limit: int | None) -> None:
    found = rents(tree)
    rows, more = rent_rows(tree, found, by, limit=limit)
    assert (more is None) == (limit is None)
    every = [*rows, *([more] if more else [])]
    assert (sum(row.tokens for row in every), sum(row.cost or 0 for row in every)) == input_of(found) == (150, 933)
    assert sum(row.parts for row in every) == 6
    assert abs(sum(row.share or 0 for row in every) - 1) < 1e-9


def test_groups(tree: RunTree) -> None:
    found = rents(tree)
    assert set(labels(rent_rows(tree, found, "tool")[0])) == {"read_it", "mcp__hub__search", NO_TOOL}
    assert set(labels(rent_rows(tree, found, "server")[0])) == {"hub", NO_SERVER}
    kinds = {row.label: row for row in rent_rows(tree, found, "kind")[0]}
    assert (kinds["tool schemas"].tokens, kinds["tool schemas"].parts) == (102, 2)


def test_an_unpriced_run_has_tokens_and_no_shares(tree: RunTree) -> None:
    calls = [
        replace(call, composition=tuple(replace(one, cost=None) for one in call.composition)) for call in tree.calls
    ]
    found = rents(replace(tree, calls=tuple(calls)))
    rows, _ = rent_rows(tree, found, "kind")
    assert input_of(found) == (150, None)
    assert {(row.cost, row.share) for row in rows} == {(None, None)}


def test_a_text_that_is_gone(tree: RunTree) -> None:
    gone = replace(tree, contents={})
    assert "(its text is gone)" in labels(rent_rows(gone, rents(gone))[0])


def test_a_run_without_input() -> None:
    empty = RunTree(run_id="r", nodes=(), calls=(), contents={})
    assert rent_rows(empty, rents(empty)) == ((), None)
