"""The tools of a run -> the JSON and the sums in which they are told: by tool, by MCP server, and in all."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from llmprof_addon.model.cost import usd
from llmprof_addon.model.part import Json
from llmprof_addon.store.rows import RunRow
from llmprof_addon.store.tools import ToolRow


def server_rows(tools: Sequence[ToolRow]) -> tuple[ToolRow, ...]:
    """The tools of each MCP server or namespace as one, those that cost most tokens first."""
    servers: defaultdict[str, list[ToolRow]] = defaultdict(list)
    for row in tools:
        if row.server:
            servers[row.server].append(row)
    rows = [sum_of(name, server_tools) for name, server_tools in servers.items()]
    return tuple(sorted(rows, key=lambda row: (-row.tokens, row.name)))


def sum_of(name: str, tools: Sequence[ToolRow]) -> ToolRow:
    """Several tools as one; it was carried by as many calls as the one that was carried by most."""
    return ToolRow(
        name=name,
        server=tools[0].server if len({row.server for row in tools}) == 1 else None,
        calls=sum(row.calls for row in tools),
        carried=max((row.carried for row in tools), default=0),
        schema_tokens=sum(row.schema_tokens for row in tools),
        call_tokens=sum(row.call_tokens for row in tools),
        result_tokens=sum(row.result_tokens for row in tools),
        schema_cost=_known(tools, lambda row: row.schema_cost),
        use_cost=_known(tools, lambda row: row.use_cost),
        errors=_known(tools, lambda row: row.errors),
    )


def _known(tools: Iterable[ToolRow], number: Callable[[ToolRow], int | None]) -> int | None:
    """The sum of what is known; `None` if nothing is."""
    known = [found for row in tools if (found := number(row)) is not None]
    return sum(known) if known else None


def note(row: ToolRow) -> str:
    """What stands out of a tool."""
    if row.calls or not row.carried:
        return ""
    return f"never called in {row.carried:,} call{'' if row.carried == 1 else 's'}"


def tools_json(run: RunRow, tools: Sequence[ToolRow]) -> dict[str, Json]:
    """A run's tools in the shape of the readme."""
    whole = sum_of("", tools) if tools else None
    return {
        "run_id": run.id,
        "calls": run.calls,
        "tokens": whole.tokens if whole else 0,
        "cost_usd": usd(whole.cost) if whole else None,
        "tools": [_json(row) for row in tools],
        "servers": [_json(row) for row in server_rows(tools)],
    }


def _json(row: ToolRow) -> dict[str, Json]:
    return {
        "name": row.name,
        "server": row.server,
        "tool_calls": row.calls,
        "errors": row.errors,
        "carried_calls": row.carried,
        "schema_tokens": row.schema_tokens,
        "call_tokens": row.call_tokens,
        "result_tokens": row.result_tokens,
        "tokens": row.tokens,
        "schema_cost_usd": usd(row.schema_cost),
        "use_cost_usd": usd(row.use_cost),
        "cost_usd": usd(row.cost),
    }
