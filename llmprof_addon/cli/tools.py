"""Show what each tool of a run has cost: its schema in every prompt, the calls made of it, and their results.

`schema` is what its definition takes in each prompt, `schemas` that times the calls that carried it. MCP servers are
summed first. `≈` marks estimates: how what a call paid for a kind is shared between its parts. The sums are exact.

Examples:
  llmprof tools              the newest run
  llmprof tools 0199c2 --json | jq '.tools[] | select(.tool_calls == 0) | .name'
"""

import argparse
from typing import TYPE_CHECKING

from llmprof_addon.cli.opened import chosen_run, reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmprof_addon.store.rows import RunRow
    from llmprof_addon.store.tools import ToolRow


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which run, and in which form."""
    parser.add_argument(
        "run_id", nargs="?", metavar="RUN", help="id of the run, or the start of it; the newest by default"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object, of the shape in the readme")


def run(args: argparse.Namespace) -> int:
    """Print the run's tools."""
    from llmprof_addon.store.tools import tools_of_run

    with reading(args) as store:
        row = chosen_run(store, args.run_id)
        tools = tools_of_run(store, row.id)
    if args.json:
        from llmprof_addon.cli.terminal import print_json
        from llmprof_addon.export.tools import tools_json

        print_json(tools_json(row, tools))
    else:
        _print(row, tools)
    return 0


def _print(row: "RunRow", tools: "Sequence[ToolRow]") -> None:
    from rich.text import Text

    from llmprof_addon.cli.terminal import console, plain
    from llmprof_addon.export import text
    from llmprof_addon.export.tools import server_rows, sum_of

    out = console()
    out.print(Text.assemble((plain(row.label or text.UNKNOWN).plain, "bold"), "  ", (row.id, "dim")), soft_wrap=True)
    if not tools:
        out.print(f"no tools in {text.counted(row.calls, 'call')}")
        return
    whole = sum_of("in all", tools)
    said = f"{text.exact(whole.tokens)} tokens of schemas, calls and results in {text.counted(row.calls, 'call')}"
    bounded = bool(row.unpriced_calls) and whole.cost is not None
    out.print(f"{said}, {text.dollars(whole.cost, at_least=bounded)}", soft_wrap=True, markup=False)
    if servers := server_rows(tools):
        _grid("server", servers)
        out.print()
    _grid("tool", [*tools, whole] if len(tools) > 1 else tools)


def _grid(first: str, rows: "Sequence[ToolRow]") -> None:
    from llmprof_addon.cli.grid import Column
    from llmprof_addon.cli.terminal import print_grid

    columns = (
        *(Column(name=first, least=16), Column(name="called"), Column(name="errors", leaves=3)),
        *(Column(name="schema", leaves=2), Column(name="× calls", leaves=2), Column(name="schemas")),
        *(Column(name="in calls", leaves=4), Column(name="results"), Column(name="cost"), Column(name="", left=True)),
    )
    print_grid(columns, [_cells(row) for row in rows])


def _cells(row: "ToolRow") -> "list[str]":
    from llmprof_addon.cli.terminal import one_line
    from llmprof_addon.export import text
    from llmprof_addon.export.tools import note

    each = round(row.schema_tokens / row.carried) if row.carried else 0
    return [
        one_line(row.name),
        f"{row.calls:,}",
        text.UNKNOWN if row.errors is None else f"{row.errors:,}",
        text.tokens(each, estimated=True),
        f"× {row.carried:,}",
        text.tokens(row.schema_tokens, estimated=True),
        text.tokens(row.call_tokens, estimated=True),
        text.tokens(row.result_tokens, estimated=True),
        text.dollars(row.cost),
        note(row),
    ]
