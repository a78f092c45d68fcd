"""List the recorded calls, the newest first.

Examples:
  llmprof calls --run 0199c2
  llmprof calls --json --limit 100 | jq 'select(.error) | .error'
"""

import argparse
from typing import TYPE_CHECKING

from llmprof_addon.cli.opened import add_list_arguments, chosen_run, reading

if TYPE_CHECKING:
    from llmprof_addon.store.rows import CallRow


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which, how many, and in which form."""
    parser.add_argument(
        "--run", dest="run_id", metavar="RUN", help="only calls of this run (the start of its id will do)"
    )
    add_list_arguments(parser, "calls")


def run(args: argparse.Namespace) -> int:
    """Print the table, or a JSON object a line."""
    import json

    from llmprof_addon.store import queries

    with reading(args) as store:
        only = chosen_run(store, args.run_id).id if args.run_id else None
        if args.json:
            from llmprof_addon.export.shapes import call_json

            for row in queries.calls(store, run=only, limit=args.limit):
                print(json.dumps(call_json(row), ensure_ascii=False))
            return 0
        rows = list(queries.calls(store, run=only, limit=args.limit or 20))
    if not rows:
        print("nothing is recorded yet; start with `llmprof up`, or look at `llmprof demo`")
        return 0
    _print_table(rows)
    return 0


def _print_table(rows: "list[CallRow]") -> None:
    from rich.table import Table

    from llmprof_addon.cli.terminal import console, plain
    from llmprof_addon.export import text
    from llmprof_addon.model.usage import Source

    table = Table(box=None, pad_edge=False, header_style="bold", expand=True)
    for name, ratio in (("call", None), ("when", None), ("model", 3), ("api", 3), ("end", 2)):
        table.add_column(name, no_wrap=True, ratio=ratio, overflow="ellipsis")
    for name in ("in", "cached", "out", "first", "total", "cost"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        usage = row.usage
        estimated = usage.source is not Source.REPORTED
        first = None if row.first_chunk_ns is None else row.first_chunk_ns - row.started_ns
        end = f"✗ {row.status or row.outcome}" if row.failed else ", ".join(row.finish_reasons) or row.outcome
        table.add_row(
            row.id[:13],
            text.when(row.started_ns),
            plain(row.model or text.UNKNOWN),
            row.api,
            plain(end),
            text.tokens(usage.input_tokens, estimated=estimated),
            text.share(usage.cache_read_input_tokens, usage.input_tokens),
            text.tokens(usage.output_tokens, estimated=estimated),
            text.duration(first),
            text.duration(row.ended_ns - row.started_ns),
            text.dollars(row.cost.total if row.cost else None),
        )
    console().print(table)
