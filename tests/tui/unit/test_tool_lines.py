"""Lines of the tools table."""

from dataclasses import replace

from llmprof_tui.widgets.tool_lines import ToolLine, tool_cells, tool_exact, tool_lines
from rich.text import Text

from llmprof_addon.store.tools import UNNAMED, ToolRow


def row(name: str, server: str | None = None, **more: int | None) -> ToolRow:
    given = {"calls": 0, "carried": 10, "schema_tokens": 1000, "call_tokens": 0, "result_tokens": 0}
    given |= {"schema_cost": 5 * 10**9, "use_cost": None}
    return ToolRow(name=name, server=server, **(given | more))  # type: ignore[arg-type]  # numbers of whatever sort


ROWS = (
    row("read", calls=3, result_tokens=9000, use_cost=10**10),
    row("mcp__hub__a", "hub", schema_tokens=4000),
    row("mcp__hub__b", "hub", schema_tokens=50_000, carried=4),
    row("odd", schema_cost=None),
)


def names(lines: tuple[ToolLine, ...]) -> list[str]:
    return [line.name for line in lines]


def said(line: ToolLine) -> list[str]:
    return [cell.plain if isinstance(cell, Text) else cell for cell in tool_cells(line)]


def test_tools_of_a_server_stand_below_its_sums() -> None:
    lines = tool_lines(ROWS, "schema_tokens", descending=True)
    assert names(lines) == ["hub", "mcp__hub__b", "mcp__hub__a", "odd", "read"]
    hub = lines[0]
    assert (hub.tools, hub.schema_tokens, hub.carried, hub.cost) == (2, 54_000, 10, 10**10)
    assert hub.schema_tokens == sum(line.schema_tokens for line in lines[1:3])


def test_a_folded_server_is_one_line() -> None:
    lines = tool_lines(ROWS, "name", descending=False, folded={"hub"})
    assert names(lines) == ["hub", "odd", "read"]
    assert lines[0].folded
    assert said(lines[0])[0] == "▸ hub  2 tools"


def test_any_column_sorts_and_unpriced_is_least() -> None:
    assert names(tool_lines(ROWS, "cost", descending=True, folded={"hub"})) == ["read", "hub", "odd"]
    assert names(tool_lines(ROWS, "cost", descending=False, folded={"hub"})) == ["odd", "hub", "read"]
    assert names(tool_lines(ROWS, "calls", descending=True))[0] == "read"
    assert tool_lines((), "cost", descending=True) == ()


def test_what_a_line_says() -> None:
    lines = {line.name: line for line in tool_lines(ROWS, "cost", descending=True)}
    assert said(lines["read"]) == ["  read", "3", "≈100 × 10", "≈1.0k", "0", "≈9.0k", "$0.0150", ""]
    assert said(lines["mcp__hub__b"])[0] == "    b"
    assert said(lines["odd"])[-2:] == ["–", "never called in 10 calls"]
    called = replace(lines["odd"], carried=0, calls=0)
    assert said(called)[2] == "–"
    assert said(called)[-1] == ""


def test_names_from_the_wire_are_harmless() -> None:
    (line,) = tool_lines((row("\x1b[31mred"),), "name", descending=False)
    assert said(line)[0] == "  ␛[31mred"
    (line,) = tool_lines((row(UNNAMED),), "name", descending=False)
    assert said(line)[0] == "  (unnamed)"


def test_exact_numbers() -> None:
    line = tool_lines(ROWS, "calls", descending=True)[0]
    assert tool_exact(line, "schema") == "≈100 tokens of schema in each of 10 calls"
    assert tool_exact(line, "result_tokens") == "≈9,000 tokens over all calls of the run"
    assert tool_exact(line, "calls") == "called 3 times"
    assert tool_exact(line, "name") is None
    assert tool_exact(replace(line, cost=None), "cost") == "no price is known for the models of these calls"
