"""What tools of a run have cost, read from the prompt tree."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from llmprof_addon.model.component import Kind, KindTotal
from llmprof_addon.model.count import RawCount
from llmprof_addon.model.part import Part, PartKind
from llmprof_addon.model.usage import Source
from llmprof_addon.store.open import Store
from llmprof_addon.store.tools import ToolRow, tools_of_run
from llmprof_addon.store.trend_facts import UNNAMED
from tests.store.building import exchange, raw_count, record, schema, text, tool_call, tool_result


def total(kind: Kind, tokens: int, cost: int | None = None) -> KindTotal:
    return KindTotal(kind=kind, tokens=tokens, fresh=tokens, cost=cost, source=Source.ESTIMATED)


def call(
    store: Store,
    uid: str,
    at: float,
    messages: Sequence[Part],
    answer: Sequence[Part] = (),
    *,
    prompt: Sequence[KindTotal] = (),
    written: Sequence[KindTotal] = (),
    session: str | None = "all",
    **more: Any,
) -> str:
    """Store a call with these totals; the id of its run."""
    made = record(store, exchange(uid, at=at, session=session), messages, answer, **more)
    store.write(replace(made, composition=tuple(prompt), output_composition=tuple(written)))
    return run_id(store)


def run_id(store: Store) -> str:
    return str(store.db.execute_sql("SELECT uid FROM run").fetchone()[0])


def by_name(rows: Sequence[ToolRow]) -> dict[str, ToolRow]:
    return {row.name: row for row in rows}


def test_a_run_without_tools_and_a_run_that_is_none(store: Store) -> None:
    run = call(store, "a", 0, [text("user", "Hi")], prompt=[total(Kind.USER, 5)])
    assert tools_of_run(store, run) == ()
    assert tools_of_run(store, "nobody") == ()


def test_schemas_are_paid_in_every_call_and_calls_are_counted_once(store: Store) -> None:
    tools = [schema("read", 400), schema("mcp__hub__search", 800)]
    messages = [text("user", "Look")]
    for turn in range(3):
        answer = [tool_call("read", f'{{"path": "{turn}"}}', f"call_{turn}")]
        kinds = [total(Kind.TOOL_SCHEMAS, 900, 9_000), total(Kind.TOOL_CALLS, 10 * turn, 100 * turn)]
        kinds.append(total(Kind.TOOL_RESULTS, 50 * turn, 500 * turn))
        out = [total(Kind.TOOL_CALLS, 7, 70)]
        run = call(store, f"{turn}", turn, messages, answer, tools=tools, prompt=kinds, written=out)
        messages = [*messages, *answer, tool_result("said " * 20, f"call_{turn}")]
    rows = by_name(tools_of_run(store, run))
    read, search = rows["read"], rows["mcp__hub__search"]
    assert (read.calls, read.carried, read.server) == (3, 3, None)
    assert (search.calls, search.carried, search.server) == (0, 3, "hub")
    assert read.schema_tokens + search.schema_tokens == 3 * 900
    # In proportion to what the schemas count.
    weights = [raw_count(tool).text for tool in tools]
    assert abs(search.schema_tokens - 2700 * weights[1] / sum(weights)) < 1
    assert (read.call_tokens, read.result_tokens) == (30 + 21, 150)
    assert (search.call_tokens, search.result_tokens, search.use_cost) == (0, 0, None)
    assert read.use_cost == 300 + 1500 + 210
    assert (read.schema_cost or 0) + (search.schema_cost or 0) == 27_000
    assert read.cost == (read.schema_cost or 0) + (read.use_cost or 0)


def test_an_unpriced_run_has_no_costs(store: Store) -> None:
    run = call(store, "a", 0, [text("user", "Hi")], tools=[schema("read")], prompt=[total(Kind.TOOL_SCHEMAS, 40)])
    (row,) = tools_of_run(store, run)
    assert (row.schema_tokens, row.schema_cost, row.use_cost, row.cost) == (40, None, None, None)


def test_a_tool_that_only_unpriced_calls_carried_is_unpriced(store: Store) -> None:
    call(store, "a", 0, [text("user", "1")], tools=[schema("old")], prompt=[total(Kind.TOOL_SCHEMAS, 40)])
    run = call(store, "b", 1, [text("user", "2")], tools=[schema("new")], prompt=[total(Kind.TOOL_SCHEMAS, 30, 300)])
    rows = by_name(tools_of_run(store, run))
    assert (rows["old"].schema_tokens, rows["old"].cost) == (40, None)
    assert (rows["new"].schema_tokens, rows["new"].cost) == (30, 300)


def test_calls_that_a_client_rewrote_or_kept_after_a_compaction_are_counted_once(store: Store) -> None:
    said = tool_call("read", '{"path":  "a"}', "call_1")
    call(store, "a", 0, [text("user", "Look")], [said])
    sent = tool_call("read", '{"path":"a"}', "call_1")
    call(store, "b", 1, [text("user", "Look"), sent, tool_result("yes")], [tool_call("read", "{}", "call_2")])
    run = call(store, "c", 2, [text("user", "In short: "), text("user", "go on"), sent, tool_result("yes")])
    assert by_name(tools_of_run(store, run))["read"].calls == 2


def no_id(name: str, arguments: str) -> Part:
    value = {"functionCall": {"name": name, "args": arguments}}
    return Part(kind=PartKind.TOOL_CALL, name=name, text=arguments, value=value, place="contents/parts", wrapper={})


def test_calls_without_ids_are_told_apart_by_where_they_stand(store: Store) -> None:
    messages = [text("user", "Run the tests until they pass")]
    for turn in range(3):
        run = call(store, f"{turn}", turn, messages, [no_id("test", "{}")])
        messages = [*messages, no_id("test", "{}"), text("user", f"failed {turn}")]
    assert by_name(tools_of_run(store, run))["test"].calls == 3


def test_a_result_finds_the_name_of_its_call(store: Store) -> None:
    call(store, "a", 0, [text("user", "Look")], [tool_call("read", "{}", "call_7")], response_id="resp")
    prompt = [total(Kind.TOOL_RESULTS, 60, 600)]
    run = call(store, "b", 1, [tool_result("yes", "call_7")], continues="resp", prompt=prompt)
    assert by_name(tools_of_run(store, run))["read"].result_tokens == 60


def test_what_has_no_name_is_called_so(store: Store) -> None:
    kinds = [total(Kind.TOOL_RESULTS, 60), total(Kind.TOOL_SCHEMAS, 5)]
    run = call(store, "a", 0, [tool_result("yes", "call_7")], tools=[replace(schema("x"), name="")], prompt=kinds)
    (row,) = tools_of_run(store, run)
    assert (row.name, row.result_tokens, row.schema_tokens) == (UNNAMED, 60, 5)


def test_tokens_of_a_kind_that_no_part_stands_for_are_not_lost(store: Store) -> None:
    run = call(store, "a", 0, [text("user", "Hi")], prompt=[total(Kind.TOOL_RESULTS, 9, 90)])
    (row,) = tools_of_run(store, run)
    assert (row.name, row.result_tokens, row.use_cost) == (UNNAMED, 9, 90)


def test_the_tools_of_a_namespace_are_rows_of_their_own(store: Store) -> None:
    inner = [schema("search", 800), schema("fetch", 80)]
    value = {"type": "namespace", "name": "mcp__hub", "tools": [tool.value for tool in inner]}
    space = Part(kind=PartKind.TOOL_SCHEMA, name="mcp__hub", text="{}", value=value, place="tools", inner=tuple(inner))
    answer = [tool_call("search", "{}")]
    run = call(store, "a", 0, [text("user", "Hi")], answer, tools=[space], prompt=[total(Kind.TOOL_SCHEMAS, 500)])
    rows = by_name(tools_of_run(store, run))
    assert {name: (row.server, row.calls, row.carried) for name, row in rows.items()} == {
        "search": ("hub", 1, 1),
        "fetch": ("hub", 0, 1),
    }
    assert rows["search"].schema_tokens + rows["fetch"].schema_tokens == 500
    assert rows["search"].schema_tokens > 4 * rows["fetch"].schema_tokens


def test_calls_counted_in_other_encodings_are_shared_out_by_their_own(store: Store) -> None:
    tools = [schema("a"), schema("b")]

    def other(part: Part) -> RawCount:
        return RawCount(prose=30 if part.name == "a" else 10)

    kinds = [total(Kind.TOOL_SCHEMAS, 100)]
    call(store, "a", 0, [text("user", "1")], tools=tools, prompt=kinds)
    run = call(store, "b", 1, [text("user", "2")], tools=tools, prompt=kinds, encoding="cl100k_base", counter=other)
    rows = by_name(tools_of_run(store, run))
    assert (rows["a"].schema_tokens, rows["b"].schema_tokens) == (50 + 75, 50 + 25)


def test_schemas_that_wait_to_be_searched_for_cost_nothing_until_they_are_found(store: Store) -> None:
    def waiting(name: str) -> Part:
        part = schema(name, 800)
        return replace(part, value={**part.value, "defer_loading": True}, deferred=True)

    tools = [schema("read"), waiting("found"), waiting("unseen")]
    answer = [tool_call("found", "{}")]
    run = call(store, "a", 0, [text("user", "Hi")], answer, tools=tools, prompt=[total(Kind.TOOL_SCHEMAS, 500)])
    rows = by_name(tools_of_run(store, run))
    assert (rows["unseen"].schema_tokens, rows["unseen"].carried, rows["unseen"].calls) == (0, 0, 0)
    assert rows["found"].schema_tokens > rows["read"].schema_tokens > 0
    assert rows["found"].carried == 1


def test_a_namespace_may_hold_tools_that_wait(store: Store) -> None:
    inner = [schema("search", 800), schema("fetch", 800)]
    listed = [inner[0].value, {**inner[1].value, "function": {**inner[1].value["function"], "defer_loading": True}}]
    space = Part(
        kind=PartKind.TOOL_SCHEMA,
        name="mcp__hub",
        text="{}",
        value={"type": "namespace", "name": "mcp__hub", "tools": listed},
        place="tools",
        inner=tuple(inner),
    )
    run = call(store, "a", 0, [text("user", "Hi")], tools=[space], prompt=[total(Kind.TOOL_SCHEMAS, 500)])
    rows = by_name(tools_of_run(store, run))
    assert (rows["search"].schema_tokens, rows["fetch"].schema_tokens) == (500, 0)
