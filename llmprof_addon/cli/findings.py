"""Show what could be saved in a run: unused tools, repeated or stale content, lost caches, calls made for nothing.

Each finding says what is so, what to do, and what it would have saved in this run at the prices really paid. Savings
may overlap; the sum in the first line counts nothing twice. `●` is critical, `▲` a warning, `·` good to know. `≈` marks
estimates. From which numbers on something is told stands under `[findings]` in `config.toml`.

Examples:
  llmprof findings              the newest run
  llmprof findings 0199c2 --json | jq -r '.findings[] | .code + " " + (.saving_usd // "–")'
"""

import argparse
from typing import TYPE_CHECKING

from llmprof_addon.cli.opened import NotFoundError, chosen_run, positive, reading, settings_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmprof_addon.model.finding import Finding, Waste
    from llmprof_addon.store.open import Store
    from llmprof_addon.store.rows import RunRow


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which run, and in which form."""
    parser.add_argument(
        "run_id", nargs="?", metavar="RUN", help="id of the run, or the start of it; the newest by default"
    )
    parser.add_argument("--places", type=positive, default=3, metavar="N", help="places shown of each finding (3)")
    parser.add_argument("--json", action="store_true", help="one JSON object with all findings and their places")


def run(args: argparse.Namespace) -> int:
    """Look at the run as it is stored now, by the thresholds as they are now."""
    from llmprof_addon.pipeline.waste import waste_of

    with reading(args) as store:
        row = chosen_run(store, args.run_id)
        waste = waste_of(store, row.id, settings_of(args).findings)
        if waste is None:
            raise NotFoundError(f"run {row.id} was deleted meanwhile")
        if args.json:
            from llmprof_addon.cli.terminal import print_json
            from llmprof_addon.export.findings import findings_report_json

            cost = row.cost.total if row.cost else None
            paths = _paths(store, waste.findings, None)
            print_json(findings_report_json(row.id, cost, waste.findings, waste.reclaimable, paths))
        else:
            _print(store, row, waste, args.places)
    for error in waste.errors:
        _warn(error)
    return 0


def _print(store: "Store", row: "RunRow", waste: "Waste", places: int) -> None:
    from rich.text import Text

    from llmprof_addon.cli.terminal import console, plain
    from llmprof_addon.export import text
    from llmprof_addon.export.findings import finding_rows, summary

    out = console()
    out.print(Text.assemble((plain(row.label or text.UNKNOWN).plain, "bold"), "  ", (row.id, "dim")), soft_wrap=True)
    out.print(summary(row, len(waste.findings), waste.reclaimable), markup=False, soft_wrap=True)
    rows = finding_rows(waste.findings, _paths(store, waste.findings, places))
    for found in rows:
        out.print()
        head = Text.assemble(f"{found.sign} {found.cost:>8}  ", (found.label, "bold"), f"  {plain(found.title).plain}")
        out.print(head, soft_wrap=True)
        out.print(Text(f"  → {plain(found.advice).plain}", style="green"), soft_wrap=True)
        for place in found.places[:places]:
            where = " ".join(filter(None, (place.path, place.name)))
            said = f"    {plain(where).plain}  {place.tokens} tokens, {place.cost}  "
            out.print(Text.assemble(said, (f"llmprof show {place.call}", "dim")), soft_wrap=True)
        if len(found.places) > places:
            out.print(Text(f"    and {len(found.places) - places:,} more", style="dim"))


def _paths(store: "Store", findings: "Sequence[Finding]", most: int | None) -> dict[tuple[str, str], str]:
    """Where the first places of each finding stand in the bodies of their calls, if those did not bring the parts."""
    from llmprof_addon.pipeline.explained import paths_of
    from llmprof_addon.store import queries

    places = [each for finding in findings for each in finding.evidence[:most] if each.node is not None]
    wanted = {each.call for each in places if each.since_ns or not each.path}
    found: dict[tuple[str, str], str] = {}
    for id in sorted(wanted):
        if (row := queries.call(store, id)) is not None:
            found |= {(id, key): path for key, path in paths_of(store, row).items()}
    return found


def _warn(error: str) -> None:
    import sys

    from llmprof_addon.cli.terminal import one_line

    print(f"llmprof: {one_line(error)}", file=sys.stderr)
