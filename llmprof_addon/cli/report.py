"""Report on a run: how its context grew call by call, what its last prompt is made of, where its dollars went.

Examples:
  llmprof report             the newest run
  llmprof report 0199c2      the run whose id starts so
"""

import argparse
from typing import TYPE_CHECKING

from llmprof_addon.cli.opened import chosen_run, positive, reading

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from llmprof_addon.pipeline import Explanation
    from llmprof_addon.store.rows import CallRow, RunRow

MOST_CALLS = 60
"""Calls that the growth chart shows; of a longer run, the last ones."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which run."""
    parser.add_argument(
        "run_id", nargs="?", metavar="RUN", help="id of the run, or the start of it; the newest by default"
    )
    parser.add_argument("--depth", type=positive, default=3, help="levels of the flame (3)")


def run(args: argparse.Namespace) -> int:
    """Print the report."""
    from llmprof_addon.pipeline import explain
    from llmprof_addon.store import queries

    with reading(args) as store:
        row = chosen_run(store, args.run_id)
        calls = list(queries.calls(store, run=row.id))[::-1]
        biggest = max(calls[-MOST_CALLS:], key=lambda call: (not call.failed, call.usage.input_tokens or 0, call.id))
        explained = explain(store, biggest)
    _print(row, calls, explained, args.depth)
    return 0


def _print(row: "RunRow", calls: "list[CallRow]", explained: "Explanation", depth: int) -> None:
    from rich.text import Text

    from llmprof_addon.cli import flame
    from llmprof_addon.cli.terminal import console, plain
    from llmprof_addon.export import text

    out = console()
    title = Text.assemble((plain(row.label or text.UNKNOWN).plain, "bold"), "  ", (row.id, "dim"))
    out.print(title, soft_wrap=True)
    usage, estimated = row.usage, row.estimated_calls > 0
    out.print(
        f"{plain(row.app or 'unknown app').plain}, {', '.join(plain(model).plain for model in row.models)}:"
        f" {row.calls} calls{f', {row.error_calls} failed' if row.error_calls else ''}"
        f" in {text.duration(row.ended_ns - row.started_ns)}",
        markup=False,
        soft_wrap=True,
    )
    out.print(
        f"{text.tokens(usage.input_tokens, estimated=estimated)} in"
        f" ({text.share(usage.cache_read_input_tokens, usage.input_tokens)} read from cache),"
        f" {text.tokens(usage.output_tokens, estimated=estimated)} out,"
        f" {text.dollars(row.cost.total if row.cost else None, at_least=row.unpriced_calls > 0)}",
        soft_wrap=True,
    )
    out.print("\n[bold]Context growth[/]")
    out.print(_growth(calls[-MOST_CALLS:]))
    if len(calls) > MOST_CALLS:
        out.print(f"[dim]the last {MOST_CALLS} of {len(calls)} calls[/]")
    out.print(_legend(calls))
    number = next(number for number, call in enumerate(calls, 1) if call.id == explained.row.id)
    out.print(f"\n[bold]The largest prompt[/], call {number}  [dim]llmprof show {explained.row.id}[/]")
    total = sum(component.tokens for component in explained.components)
    out.print(flame.table(flame.lines(explained.components, depth=depth, most=5), total))
    out.print("\n[bold]Dollars of the whole run by component[/]")
    out.print(_dollars(calls))


def _growth(calls: "list[CallRow]") -> "Table":
    """One stacked bar a call, coloured by kind, with its cache share and cost."""
    from rich.table import Table
    from rich.text import Text

    from llmprof_addon.export import text
    from llmprof_addon.model.usage import Source

    peak = max(call.usage.input_tokens or 0 for call in calls)
    table = Table(box=None, pad_edge=False, header_style="dim", expand=True)
    for name in ("call", "", "in", "cached", "out", "cost"):
        table.add_column(name, justify="left" if name == "" else "right", no_wrap=True, ratio=None)
    for number, call in enumerate(calls, 1):
        usage, estimated = call.usage, call.usage.source is not Source.REPORTED
        bar = Text()
        drawn = seen = 0
        for total in call.composition:
            # The running sum is rounded, never the pieces: the bar has the exact length of the whole.
            seen += total.tokens
            cells = round(seen * _GROWTH_CELLS / peak) if peak else 0
            bar.append("█" * (cells - drawn), text.KIND_COLOURS[total.kind])
            drawn = max(cells, drawn)
        table.add_row(
            f"{number}{' ✗' if call.failed else ''}",
            bar,
            text.tokens(usage.input_tokens, estimated=estimated),
            text.share(usage.cache_read_input_tokens, usage.input_tokens),
            text.tokens(usage.output_tokens, estimated=estimated),
            text.dollars(call.cost.total if call.cost else None),
        )
    return table


_GROWTH_CELLS = 48


def _legend(calls: "list[CallRow]") -> "Text":
    from rich.text import Text

    from llmprof_addon.export.text import KIND_COLOURS, KIND_NAMES

    present = {total.kind for call in calls for total in call.composition if total.tokens}
    pieces = [
        Text.assemble(("██", KIND_COLOURS[kind]), f" {KIND_NAMES[kind]}") for kind in KIND_NAMES if kind in present
    ]
    return Text("   ").join(pieces)


def _dollars(calls: "list[CallRow]") -> "Table":
    """Tokens and dollars by kind over all calls, prompts and answers, the dearest first."""
    from rich.table import Table
    from rich.text import Text

    from llmprof_addon.cli.flame import bar
    from llmprof_addon.export import text

    sums: dict[tuple[str, str], list[int]] = {}
    for call in calls:
        for side, totals in (("", call.composition), ("answer: ", call.output_composition)):
            for total in totals:
                name = side + text.KIND_NAMES[total.kind]
                held = sums.setdefault((name, text.KIND_COLOURS[total.kind]), [0, 0, 0, 0])
                held[0] += total.tokens
                held[1] += total.read
                held[2] += total.cost or 0
                held[3] += total.cost is None
    whole = sum(held[2] for held in sums.values())
    table = Table(box=None, pad_edge=False, header_style="dim", expand=True)
    table.add_column("component", no_wrap=True, ratio=1)
    table.add_column("", no_wrap=True, width=24)
    for name in ("tokens carried", "read", "cost", "share"):
        table.add_column(name, justify="right", no_wrap=True)
    sums = {key: held for key, held in sums.items() if held[0] or held[2]}
    for (name, colour), (count, read, cost, unpriced) in sorted(sums.items(), key=lambda item: (-item[1][2], item[0])):
        priced = unpriced < len(calls)
        table.add_row(
            name,
            Text(bar(cost, whole), style=colour),
            text.tokens(count),
            text.tokens(read) if read else "·",
            text.dollars(cost if priced else None, at_least=priced and unpriced > 0),
            text.share(cost, whole),
        )
    return table
