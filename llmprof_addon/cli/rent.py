"""Show what carrying each part through a run has cost, the dearest first.

Every call sends its whole prompt again, so a part is paid for once for each call that carries it: `tokens` each time,
at the rate that it really paid (read from the cache, written to it, or fresh). `referred` is the last call whose answer
says one of its names (a path, an id, a quoted line): `never` where none does, `–` where that cannot be told. `≈` marks
estimates: how what a call paid for a kind is shared between the parts of that kind. The sums are exact.

Examples:
  llmprof rent               the newest run
  llmprof rent --by tool     what each tool has cost, schemas, calls and results together
  llmprof rent 0199c2 --json | jq '.rents[0]'
"""

import argparse
from typing import TYPE_CHECKING

from llmprof_addon.cli.opened import chosen_run, positive, reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmprof_addon.export.rent import RentRow
    from llmprof_addon.model.run_tree import Rent
    from llmprof_addon.store.rows import RunRow

SHOWN = 20
"""Rows, unless it is said how many."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which run, and in which form."""
    parser.add_argument(
        "run_id", nargs="?", metavar="RUN", help="id of the run, or the start of it; the newest by default"
    )
    parser.add_argument(
        "--limit", type=positive, metavar="N", help="so many rows (20 for people, all with --json); the rest is summed"
    )
    parser.add_argument("--by", choices=("part", "tool", "server", "kind"), default="part", help="what is summed")
    parser.add_argument("--json", action="store_true", help="one JSON object, of the shape in the readme")


def run(args: argparse.Namespace) -> int:
    """Print the run's rents."""
    from llmprof_addon.attribution.references import refer
    from llmprof_addon.attribution.rent import rents
    from llmprof_addon.export.rent import rent_rows
    from llmprof_addon.store.run_tree import run_tree

    with reading(args) as store:
        row = chosen_run(store, args.run_id)
        tree = run_tree(store, row.id)
        found = refer(tree, rents(tree)) if tree else ()
        limit = args.limit or (None if args.json else SHOWN)
        rows, more = rent_rows(tree, found, args.by, limit=limit) if tree else ((), None)
    if args.json:
        from llmprof_addon.cli.terminal import print_json
        from llmprof_addon.export.rent import rent_report_json

        print_json(rent_report_json(row, args.by, found, rows, more))
    else:
        _print(row, args.by, found, rows, more)
    return 0


def _print(row: "RunRow", by: str, found: "Sequence[Rent]", rows: "Sequence[RentRow]", more: "RentRow | None") -> None:
    from rich.text import Text

    from llmprof_addon.cli.grid import Column
    from llmprof_addon.cli.terminal import console, plain, print_grid
    from llmprof_addon.export import text
    from llmprof_addon.export.rent import input_of

    out = console()
    out.print(Text.assemble((plain(row.label or text.UNKNOWN).plain, "bold"), "  ", (row.id, "dim")), soft_wrap=True)
    tokens, cost = input_of(found)
    bounded = bool(row.unpriced_calls) and cost is not None
    said = f"{text.exact(tokens)} tokens of input in {text.counted(row.calls, 'call')}"
    out.print(f"{said}, {text.dollars(cost, at_least=bounded)}", soft_wrap=True, markup=False)
    if not rows:
        out.print("none of them carried anything")
        return
    columns = [
        Column(name=by, least=24),
        *([Column(name="kind", least=12, leaves=2)] if by != "kind" else []),
        *([Column(name="path", least=22, leaves=4)] if by == "part" else [Column(name="parts", leaves=4)]),
        *(Column(name="tokens"), Column(name="× carried"), Column(name="calls", leaves=3)),
        *(Column(name="referred", leaves=1), Column(name="in all"), Column(name="cost"), Column(name="share")),
    ]
    print_grid(columns, [_cells(one, by, cost) for one in (*rows, *((more,) if more else ()))])


def _cells(row: "RentRow", by: str, whole: int | None) -> "list[str]":
    from llmprof_addon.cli.terminal import one_line
    from llmprof_addon.export import text

    referred = "never" if row.referable else text.UNKNOWN
    kind = text.KIND_NAMES[row.kind] if row.kind else ""
    is_tools = by == "part" and row.tool is not None and row.tool != row.label
    return [
        one_line(f"{row.tool}: {row.label}" if is_tools else row.label),
        *([kind] if by != "kind" else []),
        one_line(row.path) if by == "part" else f"{row.parts:,}",
        text.tokens(row.tokens_per_call, estimated=row.estimated),
        f"× {row.carried:,}",
        str(row.first_call) if row.first_call == row.last_call else f"{row.first_call}–{row.last_call}",
        referred if row.referred_call is None else f"call {row.referred_call}",
        text.tokens(row.tokens, estimated=row.estimated),
        text.dollars(row.cost),
        text.share(row.cost, whole),
    ]
