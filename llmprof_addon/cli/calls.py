"""List the recorded calls, the newest first.

`in` is the whole prompt and `cached` the share of it that was read from the provider's cache, `out` the answer with its
reasoning; `first` is the time to the first byte, `total` to the last. `≈` marks estimates, `–` what is unknown, `✗` a
call that failed. A narrow terminal leaves columns out; --json has everything.

Examples:
  llmprof calls --limit 100
  llmprof calls --run 0199c2
  llmprof calls --json --limit 100 | jq 'select(.error) | .error'
"""

import argparse
from typing import TYPE_CHECKING

from llmprof_addon.cli.opened import NOTHING_YET, add_list_arguments, chosen_run, reading

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
    from llmprof_addon.store import queries

    with reading(args) as store:
        run = chosen_run(store, args.run_id) if args.run_id else None
        only = run.id if run else None
        if args.json:
            from llmprof_addon.cli.terminal import print_json
            from llmprof_addon.export.shapes import call_json

            for row in queries.calls(store, run=only, limit=args.limit):
                print_json(call_json(row))
            return 0
        rows = list(queries.calls(store, run=only, limit=args.limit or 20))
        total = run.calls if run else queries.count(store)[1]
    if not rows:
        print(NOTHING_YET)
        return 0
    _print_table(rows, total)
    return 0


def _print_table(rows: "list[CallRow]", total: int) -> None:
    from llmprof_addon.cli.grid import Column
    from llmprof_addon.cli.terminal import plain, print_grid
    from llmprof_addon.export import text
    from llmprof_addon.model.usage import Source

    columns = (
        Column(name="call", left=True),
        Column(name="when", left=True),
        Column(name="model", least=10),
        Column(name="api", least=9, leaves=4),
        Column(name="lane", least=6, leaves=5),
        Column(name="end", least=6),
        Column(name="in"),
        Column(name="cached", leaves=1),
        Column(name="out"),
        Column(name="first", leaves=3),
        Column(name="total", leaves=2),
        Column(name="cost"),
    )
    # Ids begin with their time: calls of the same millisecond need more of them.
    shown = next(size for size in range(13, 129) if len({row.id[:size] for row in rows}) == len(rows))
    cells = []
    for row in rows:
        usage = row.usage
        estimated = usage.source is not Source.REPORTED
        first = None if row.first_chunk_ns is None else row.first_chunk_ns - row.started_ns
        end = f"✗ {row.status or row.outcome}" if row.failed else ", ".join(row.finish_reasons) or row.outcome
        cells.append(
            (
                row.id[:shown],
                text.when(row.started_ns),
                plain(row.model or text.UNKNOWN),
                row.api,
                plain(f"{row.lane[:12]} {row.turn}" if row.turn else row.lane[:12]),
                plain(end),
                text.tokens(usage.input_tokens, estimated=estimated),
                text.share(usage.cache_read_input_tokens, usage.input_tokens),
                text.tokens(usage.output_tokens, estimated=estimated),
                text.duration(first),
                text.duration(row.ended_ns - row.started_ns),
                text.dollars(row.cost.total if row.cost else None),
            )
        )
    print_grid(columns, cells)
    if total > len(rows):
        print(f"{len(rows)} of {text.counted(total, 'call')}; --limit N shows more")
