"""Tools of a run -> lines of a table: those of an MCP server below one line that sums them and folds."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from llmprof_addon.export.text import counted, dollars, plain, tokens
from llmprof_addon.store.tools import ToolRow
from llmprof_tui.widgets.columns import Column

COLUMNS = (
    Column(key="name", title="tool", width=30, least=18, grow=1, left=True),
    Column(key="calls", title="calls", width=6),
    Column(key="schema", title="schema × turns", width=15, leaves=2),
    Column(key="schema_tokens", title="schemas", width=8),
    Column(key="call_tokens", title="in calls", width=8, leaves=3),
    Column(key="result_tokens", title="results", width=8),
    Column(key="cost", title="cost", width=9),
    Column(key="note", title="", width=28, least=12, left=True, leaves=1, sorts=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolLine:
    """One line: a tool, or a server with the sums of its tools."""

    name: str
    server: str | None
    """Of a server's line, and of the lines below it."""
    tools: int
    """How many tools a server has; 0 on the line of a tool."""
    folded: bool = False
    calls: int
    carried: int
    """Most calls that carried a schema of it."""
    schema_tokens: int
    call_tokens: int
    result_tokens: int
    cost: int | None

    @property
    def schema(self) -> int:
        """Tokens of the schema in one call, on average."""
        return round(self.schema_tokens / self.carried) if self.carried else 0


_KEYS: dict[str, Callable[[ToolLine], Any]] = {
    "name": lambda line: line.name.casefold(),
    "calls": lambda line: line.calls,
    "schema": lambda line: line.schema,
    "schema_tokens": lambda line: line.schema_tokens,
    "call_tokens": lambda line: line.call_tokens,
    "result_tokens": lambda line: line.result_tokens,
    "cost": lambda line: (line.cost is not None, line.cost or 0),
}


def tool_lines(
    rows: Sequence[ToolRow], key: str, *, descending: bool, folded: Iterable[str] = ()
) -> tuple[ToolLine, ...]:
    """Lines in the order of a column: servers among the tools that have none, each with its own tools below it."""
    closed = set(folded)
    by_server: defaultdict[str, list[ToolLine]] = defaultdict(list)
    lines: list[ToolLine] = []
    for row in rows:
        (by_server[row.server] if row.server else lines).append(_tool(row))
    lines += [_server(server, tools, server in closed) for server, tools in by_server.items()]

    def ordered(some: list[ToolLine]) -> list[ToolLine]:
        some = sorted(some, key=lambda line: (line.name.casefold(), line.name))
        return sorted(some, key=_KEYS[key], reverse=descending)

    shown: list[ToolLine] = []
    for line in ordered(lines):
        shown.append(line)
        if line.tools and not line.folded:
            shown += ordered(by_server[line.name])
    return tuple(shown)


def _tool(row: ToolRow) -> ToolLine:
    return ToolLine(
        name=row.name,
        server=row.server,
        tools=0,
        calls=row.calls,
        carried=row.carried,
        schema_tokens=row.schema_tokens,
        call_tokens=row.call_tokens,
        result_tokens=row.result_tokens,
        cost=row.cost,
    )


def _server(name: str, tools: Sequence[ToolLine], folded: bool) -> ToolLine:
    costs = [tool.cost for tool in tools if tool.cost is not None]
    return ToolLine(
        name=name,
        server=name,
        tools=len(tools),
        folded=folded,
        calls=sum(tool.calls for tool in tools),
        carried=max(tool.carried for tool in tools),
        schema_tokens=sum(tool.schema_tokens for tool in tools),
        call_tokens=sum(tool.call_tokens for tool in tools),
        result_tokens=sum(tool.result_tokens for tool in tools),
        cost=sum(costs) if costs else None,
    )


def tool_cells(line: ToolLine) -> tuple[Text | str, ...]:
    """The cells of a line, in the order of `COLUMNS`. All tokens of tools are estimates."""
    return (
        _name(line),
        f"{line.calls:,}" if line.calls else Text("0", style="dim"),
        f"{_about(line.schema)} × {line.carried:,}" if line.carried else Text("–", style="dim"),
        _about(line.schema_tokens),
        _about(line.call_tokens),
        _about(line.result_tokens),
        dollars(line.cost),
        _note(line),
    )


def tool_exact(line: ToolLine, key: str) -> str | None:
    """A number of a line with all its digits, by its column's key."""
    match key:
        case "schema" if line.carried:
            return f"≈{line.schema:,} tokens of schema in each of {counted(line.carried, 'call')}"
        case "schema_tokens" | "call_tokens" | "result_tokens":
            return f"≈{getattr(line, key):,} tokens over all calls of the run"
        case "calls":
            return f"called {counted(line.calls, 'time')}"
        case "cost" if line.cost is None:
            return "no price is known for the models of these calls"
    return None


def _about(count: int) -> Text | str:
    return tokens(count, estimated=True) if count else Text("0", style="dim")


def _name(line: ToolLine) -> Text:
    if line.tools:
        sign = "▸" if line.folded else "▾"
        return Text.assemble(f"{sign} ", (plain(line.name), "bold"), (f"  {counted(line.tools, 'tool')}", "dim"))
    if line.server:
        return Text(f"    {plain(_bare(line.name, line.server))}")
    return Text(f"  {plain(line.name)}")


def _bare(name: str, server: str) -> str:
    """A tool's name without its server's prefix."""
    return name.removeprefix(f"mcp__{server}__") or name


def _note(line: ToolLine) -> Text:
    if line.calls or not line.carried:
        return Text()
    return Text(f"never called in {counted(line.carried, 'call')}", style="italic")
