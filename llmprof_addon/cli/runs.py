"""List the recorded runs, the newest first.

A run is one agent session, or calls that continue each other. `peak` is its largest prompt; `in`, `cached` and `out`
are sums over its calls, and so is the cost: `≥` says that calls without a known price are missing from it. `savable` is
what its findings could save together. `≈` marks estimates. A narrow terminal leaves columns out; --json has everything.

Examples:
  llmprof runs --limit 5
  llmprof runs --json | jq -r '.id + " " + (.cost.total_usd // "unpriced")'
"""

import argparse
from itertools import batched
from typing import TYPE_CHECKING

from llmprof_addon.cli.opened import NOTHING_YET, add_list_arguments, reading

if TYPE_CHECKING:
    from llmprof_addon.store.rows import RunRow


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How many, and in which form."""
    add_list_arguments(parser, "runs")


def run(args: argparse.Namespace) -> int:
    """Print the table, or a JSON object a line."""
    from llmprof_addon.store import queries

    with reading(args) as store:
        if args.json:
            from llmprof_addon.cli.terminal import print_json
            from llmprof_addon.export.shapes import run_json

            for rows in batched(queries.runs(store, limit=args.limit), queries.PAGE):
                lanes = queries.lanes(store, [row.id for row in rows])
                for row in rows:
                    print_json(run_json(row, lanes[row.id]))
            return 0
        shown = list(queries.runs(store, limit=args.limit or 20))
        total = queries.count(store)[0]
    if not shown:
        print(NOTHING_YET)
        return 0
    _print_table(shown, total)
    return 0


def _print_table(rows: "list[RunRow]", total: int) -> None:
    from llmprof_addon.cli.grid import Column
    from llmprof_addon.cli.terminal import plain, print_grid
    from llmprof_addon.export import text

    columns = (
        Column(name="run", left=True),
        Column(name="when", left=True),
        Column(name="app", least=6, leaves=5),
        Column(name="what", least=14),
        Column(name="model", least=10, leaves=3),
        Column(name="calls"),
        Column(name="peak", leaves=2),
        Column(name="in"),
        Column(name="cached", leaves=1),
        Column(name="out", leaves=4),
        Column(name="cost"),
        Column(name="savable", leaves=6),
    )
    cells = []
    for row in rows:
        usage, estimated = row.usage, row.estimated_calls > 0
        cells.append(
            (
                row.id[:8],
                text.when(row.started_ns),
                plain(row.app or text.UNKNOWN),
                plain(row.label or text.UNKNOWN),
                plain(", ".join(row.models) or text.UNKNOWN),
                f"{row.calls}{f' ({row.error_calls} ✗)' if row.error_calls else ''}",
                text.tokens(row.peak_context_tokens, estimated=estimated),
                text.tokens(usage.input_tokens, estimated=estimated),
                text.share(usage.cache_read_input_tokens, usage.input_tokens),
                text.tokens(usage.output_tokens, estimated=estimated),
                text.dollars(row.cost.total if row.cost else None, at_least=row.unpriced_calls > 0),
                text.dollars(row.reclaimable_cost),
            )
        )
    print_grid(columns, cells)
    if total > len(rows):
        print(f"{len(rows)} of {text.counted(total, 'run')}; --limit N shows more")
