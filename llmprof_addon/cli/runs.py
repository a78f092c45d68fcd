"""List the recorded runs, the newest first.

A run is one agent session, or calls that continue each other. Costs are sums over the priced calls; `≥` says that
calls without a known price are missing from them.

Examples:
  llmprof runs
  llmprof runs --json | jq -r '.id + " " + (.cost.total_usd // "unpriced")'
"""

import argparse
from typing import TYPE_CHECKING

from llmprof_addon.cli.opened import add_list_arguments, reading

if TYPE_CHECKING:
    from llmprof_addon.store.rows import RunRow


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How many, and in which form."""
    add_list_arguments(parser, "runs")


def run(args: argparse.Namespace) -> int:
    """Print the table, or a JSON object a line."""
    import json

    from llmprof_addon.store import queries

    with reading(args) as store:
        if args.json:
            from llmprof_addon.export.shapes import run_json

            for row in queries.runs(store, limit=args.limit):
                print(json.dumps(run_json(row), ensure_ascii=False))
            return 0
        rows = list(queries.runs(store, limit=args.limit or 20))
        total = queries.count(store)[0]
    if not rows:
        print("nothing is recorded yet; start with `llmprof up`, or look at `llmprof demo`")
        return 0
    _print_table(rows, total)
    return 0


def _print_table(rows: "list[RunRow]", total: int) -> None:
    from rich.table import Table

    from llmprof_addon.cli.terminal import console, plain
    from llmprof_addon.export import text

    table = Table(box=None, pad_edge=False, header_style="bold", expand=True)
    for name, ratio in (("run", None), ("when", None), ("app", 2), ("what", 5), ("model", 3)):
        table.add_column(name, no_wrap=True, ratio=ratio, overflow="ellipsis")
    for name in ("calls", "peak", "in", "cached", "out", "cost"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        usage, estimated = row.usage, row.estimated_calls > 0
        table.add_row(
            row.id[:8],
            text.when(row.started_ns),
            plain(row.app or text.UNKNOWN),
            plain(row.label or text.UNKNOWN),
            plain(", ".join(row.models) or text.UNKNOWN),
            f"{row.calls}{f' ({row.error_calls} ✗)' if row.error_calls else ''}",
            text.tokens(row.peak_context_tokens),
            text.tokens(usage.input_tokens, estimated=estimated),
            text.share(usage.cache_read_input_tokens, usage.input_tokens),
            text.tokens(usage.output_tokens, estimated=estimated),
            text.dollars(row.cost.total if row.cost else None, at_least=row.unpriced_calls > 0),
        )
    console().print(table)
    if total > len(rows):
        print(f"{len(rows)} of {total} runs; --limit N shows more")
