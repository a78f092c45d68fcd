"""Rules about tools: unused ones, their results, and what is asked again."""

from dataclasses import replace

import pytest

from llmprof_addon.model.finding import Severity
from llmprof_addon.model.thresholds import Thresholds
from tests.unit.findings.looking import found, only
from tests.unit.findings.trees import RATES, Builder, Said, grown, result, schema, system, tool_call, user, words

SCHEMAS = [schema("read_file", 120), schema("search", 80, "wiki"), schema("edit", 70, "wiki"), schema("paint", 200)]


def test_unused_tools_and_servers_cost_what_was_paid_for_them() -> None:
    builder = grown(12, tools=SCHEMAS)
    tools, server = only(builder, "unused_tools"), only(builder, "unused_server")
    # Written once, then read.
    assert tools.tokens == 12 * 200
    assert tools.cost == 200 * (RATES["cache_write_5m"] + 11 * RATES["cache_read"])
    assert (server.tokens, server.calls) == (12 * 150, 12)
    assert server.cost == 150 * (RATES["cache_write_5m"] + 11 * RATES["cache_read"])
    assert "1 of 4 tools never called in 12 calls: paint" in tools.title
    assert "at most 25% of calls" in tools.advice
    assert "none of the 2 tools of wiki called" in server.title
    assert [(each.name, each.path, each.saves) for each in server.evidence] == [
        ("wiki", "tools[1]", "part"),
        ("wiki", "tools[2]", "part"),
    ]


@pytest.mark.parametrize("turns", [9, 10])
def test_a_tool_is_unused_from_so_many_calls_on(turns: int) -> None:
    assert Thresholds().unused_tool_calls == 10
    assert bool(found(grown(turns, tools=SCHEMAS), "unused_tools")) == (turns == 10)


def test_a_server_of_which_one_tool_was_called_is_used() -> None:
    builder = grown(12, tools=SCHEMAS)
    builder.call([user("look it up")], [tool_call("search", "toolu_x", "wiki", query="q")], tools=SCHEMAS, read=400)
    assert found(builder, "unused_server") == []
    assert "edit, paint" in only(builder, "unused_tools").title


def test_of_a_namespace_only_the_unused_tools_count() -> None:
    space = Said(
        kind=SCHEMAS[0].kind,
        value={"name": "crm", "tools": []},
        tokens=1000,
        role="",
        name="crm",
        tools=((("crm", "find"), 0.25), (("crm", "merge"), 0.75)),
    )
    builder = Builder()
    for turn in range(10):
        asked = tool_call("find", f"toolu_{turn}", "crm", id=turn)
        builder.call([user(words(50))], [asked], tools=[space], read=1000 if turn else 0)
    finding = only(builder, "unused_tools")
    assert finding.tokens == 10 * 750
    assert finding.evidence[0].share == 0.75


def test_failed_calls_say_nothing_about_tools() -> None:
    builder = Builder()
    for turn in range(12):
        builder.call([user(words(50))], tools=SCHEMAS, failed=turn > 8)
    assert found(builder, "unused_tools") == []


@pytest.mark.parametrize(("size", "fires"), [(8_000, False), (10_000, True)])
def test_a_result_beyond_the_limit(size: int, fires: bool) -> None:
    builder = Builder()
    asked = tool_call("dump", "toolu_1")
    messages = [user("Show me."), asked, result("dump", "toolu_1", words(size))]
    builder.call(messages)
    builder.call([*messages, user("And then?")], read=size)
    findings = found(builder, "oversized_result")
    assert bool(findings) == fires
    if fires:
        assert findings[0].tokens == 2 * 2_000
        assert findings[0].evidence[0].share == pytest.approx(0.2)
        assert "1 tool result of more than 8,000 tokens, the largest of ≈10,000" in findings[0].title


def again(first: str, second: str, *, arguments: str = "a.py") -> Builder:
    """The same tool asked twice."""
    builder = Builder()
    one = tool_call("read_file", "toolu_1", path="a.py")
    two = tool_call("read_file", "toolu_2", path=arguments)
    messages = [user("Mend it."), one, result("read_file", "toolu_1", first)]
    builder.call(messages, [two])
    builder.call([*messages, two, result("read_file", "toolu_2", second)], read=300)
    return builder


def test_a_result_that_was_fetched_before() -> None:
    finding = only(again(words(600), words(600)), "fetched_again")
    assert (finding.tokens, finding.calls) == (600, 1)
    assert finding.title.startswith("1 result is one that read_file had given before")
    assert found(again(words(600), words(600)), "duplicates") == [], "it is told once"


@pytest.mark.parametrize(
    ("second", "arguments"),
    [(words(600, "other"), "a.py"), (words(600), "b.py"), (words(199), "a.py")],
    ids=["changed", "other-file", "short"],
)
def test_what_had_to_be_fetched(second: str, arguments: str) -> None:
    first = words(199) if second == words(199) else words(600)
    assert found(again(first, second, arguments=arguments), "fetched_again") == []


def loop(times: int, *, same: bool = True) -> Builder:
    builder = Builder()
    messages: list[Said] = [user(words(400, "task"))]
    for turn in range(times):
        asked = tool_call("status", f"toolu_{turn}", job=7)
        builder.call(messages, [asked])
        messages = [*messages, asked, result("status", f"toolu_{turn}", "running" if same else words(3, f"s{turn}"))]
    builder.call(messages)
    return builder


def test_a_loop_could_have_saved_the_turns_after_the_second_same_result() -> None:
    builder = loop(5)
    finding = only(builder, "loop")
    assert "status was called 5 times in a row with the same arguments" in finding.title
    assert [each.call for each in finding.evidence] == [builder.calls[at].id for at in (4, 3, 2)]
    assert finding.cost == sum(builder.calls[at].cost.total for at in (2, 3, 4))  # type: ignore[union-attr]
    assert {each.saves for each in finding.evidence} == {"call"}


def test_a_loop_whose_results_differ_is_told_and_saves_nothing() -> None:
    finding = only(loop(4, same=False), "loop")
    assert (finding.severity, finding.tokens, finding.cost) == (Severity.WARNING, 0, 0)


def test_the_same_prompt_sent_again_is_no_loop() -> None:
    builder = loop(5)
    for at in range(1, 5):
        builder.calls[at] = replace(builder.calls[at], link="retry")
    assert found(builder, "loop") == []


def test_twice_is_no_loop() -> None:
    assert found(loop(2), "loop") == []
    assert found(grown(6), "loop") == [], "other arguments"


def test_answers_without_tools_are_no_loop() -> None:
    builder = Builder()
    for _ in range(5):
        builder.call([user("Say hello."), system("x")])
    assert found(builder, "loop") == []
