"""Tools of a run: whatever prompts look like, nothing of what tools cost is lost, invented or negative."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from llmprof_addon.attribution.rent import rents
from llmprof_addon.model.component import Kind, KindTotal
from llmprof_addon.model.part import Part
from llmprof_addon.model.run_tree import RunTree
from llmprof_addon.model.usage import Source
from llmprof_addon.store.open import open_store
from llmprof_addon.store.run_tree import run_tree
from llmprof_addon.store.tools import ToolRow, tools_of_run
from llmprof_addon.store.trend_facts import UNNAMED
from tests.store.building import exchange, record, schema, text, tool_call, tool_result

NAMES = st.sampled_from(["read", "write", "mcp__hub__search", "", "mcp__", "mcp____x"])
KINDS = (Kind.TOOL_SCHEMAS, Kind.TOOL_CALLS, Kind.TOOL_RESULTS, Kind.USER)


@st.composite
def parts(draw: st.DrawFn) -> list[Part]:
    """Messages in any order, as careless clients send them."""
    made = [
        st.builds(lambda said: text("user", said), st.sampled_from(["a", "b"])),
        st.builds(tool_call, NAMES, st.sampled_from(["", "{}", '{"x": 1}']), st.sampled_from(["1", "2"])),
        st.builds(tool_result, st.sampled_from(["", "yes", "no " * 40]), st.sampled_from(["1", "2", "3"])),
    ]
    return draw(st.lists(st.one_of(made), max_size=6))


@st.composite
def totals(draw: st.DrawFn) -> tuple[KindTotal, ...]:
    """Any numbers, priced or not, with or without parts that stand for them."""
    priced = draw(st.booleans())
    return tuple(
        KindTotal(
            kind=kind,
            tokens=draw(st.integers(0, 200_000)),
            cost=draw(st.integers(0, 10**15)) if priced else None,
            source=Source.ESTIMATED,
        )
        for kind in draw(st.sets(st.sampled_from(KINDS)).map(sorted))
    )


CALL = st.fixed_dictionaries(
    {
        "messages": parts(),
        "answer": parts(),
        "tools": st.lists(st.builds(schema, NAMES, st.sampled_from([8, 400])), max_size=3),
        "prompt": totals(),
        "written": totals(),
        "encoding": st.sampled_from(["o200k_base", "o200k_base", "cl100k_base"]),
    }
)


@settings(max_examples=20, deadline=None)
@given(st.lists(CALL, min_size=1, max_size=5))
def test_the_sums_over_tools_are_those_of_the_calls(calls: list[dict[str, Any]]) -> None:
    with TemporaryDirectory() as home, open_store(f"sqlite:///{home}/s.db") as store:
        for index, one in enumerate(calls):
            made = exchange(f"{index:032x}", at=index, session="all")
            kept = record(store, made, one["messages"], one["answer"], tools=one["tools"], encoding=one["encoding"])
            store.write(replace(kept, composition=one["prompt"], output_composition=one["written"]))
        run_id = store.db.execute_sql("SELECT uid FROM run").fetchone()[0]
        rows = tools_of_run(store, run_id)
        tree = run_tree(store, run_id)
    assert tree is not None
    sides = [total for one in calls for total in (*one["prompt"], *one["written"])]
    # No answer has parts that are schemas.
    answered = sum(total.tokens for one in calls for total in one["written"] if total.kind is Kind.TOOL_SCHEMAS)
    _are_groups_of_rents(tree, rows, answered)
    for kind, found in (
        (Kind.TOOL_SCHEMAS, [row.schema_tokens for row in rows]),
        (Kind.TOOL_CALLS, [row.call_tokens for row in rows]),
        (Kind.TOOL_RESULTS, [row.result_tokens for row in rows]),
    ):
        assert sum(found) == sum(total.tokens for total in sides if total.kind is kind)
        assert min(found, default=0) >= 0
    paid = sum(total.cost or 0 for total in sides if total.kind is not Kind.USER)
    assert sum(row.cost or 0 for row in rows) == paid
    assert all(0 <= row.carried <= len(calls) for row in rows)
    assert len({(row.server, row.name) for row in rows}) == len(rows)


def _are_groups_of_rents(tree: RunTree, rows: Sequence[ToolRow], unnamed: int) -> None:
    paid = Counter({("", UNNAMED): unnamed})
    for rent in rents(tree):
        if rent.kind is Kind.TOOL_SCHEMAS:
            ((tool, _),) = tree.nodes[rent.node].tools if rent.node is not None else ((("", UNNAMED), 1.0),)
            paid[tool] += rent.tokens
    assert +paid == +Counter({(row.server or "", row.name): row.schema_tokens for row in rows})
