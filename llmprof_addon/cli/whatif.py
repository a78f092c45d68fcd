"""Replay a run under changed rules, with the prompt cache modelled: what would it have cost?

The flags make one scenario (one for each --model), and each --scenario makes another: rules by the names of the flags,
separated by commas. All are shown side by side, below what really happened. `≈` marks estimates.

Examples:
  llmprof whatif --ttl 1h                            the newest run with one-hour cache markers
  llmprof whatif 0199c2 --drop-server github --cap-results 2000
  llmprof whatif --model claude-haiku-4-5 --model gpt-5-mini
  llmprof whatif --scenario drop-server=github,ttl=1h --scenario compact=60% --scenario perfect-cache
"""

import argparse
from typing import TYPE_CHECKING

from llmprof_addon.cli.opened import chosen_run, reading, settings_of

if TYPE_CHECKING:
    from rich.text import Text

    from llmprof_addon.export.whatif import Comparison, Outcome, Rules


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which run, and the rules."""
    add = parser.add_argument
    add("run_id", nargs="?", metavar="RUN", help="id of the run, or the start of it; the newest by default")
    add("--model", action="append", default=[], metavar="M", help="every prompt goes to this model, of any vendor")
    add("--drop-tool", action="append", default=[], metavar="NAME", help="leave out the schemas of these tools (glob)")
    add("--drop-server", action="append", default=[], metavar="NAME", help="the same for all tools of an MCP server")
    add("--with-results", action="store_true", help="leave out the calls and results of dropped tools too")
    add("--cap-results", metavar="N", help="cut each tool result to N tokens")
    add("--clear-results", metavar="K", help="put a placeholder for results older than K turns")
    add("--ttl", choices=("5m", "1h"), help="lifetime of all cache markers")
    add("--perfect-cache", action="store_true", help="nothing expires or is evicted")
    add("--compact", metavar="X%%", help="compact the history above so much of the context window")
    add("--summary", metavar="N", help="tokens of a compaction's summary (3000)")
    add(
        "--scenario", action="append", default=[], metavar="RULES", help="another scenario, such as ttl=1h,compact=80%%"
    )
    add("--json", action="store_true", help="one JSON object")


def run(args: argparse.Namespace) -> int:
    """Print the run and its scenarios."""
    from llmprof_addon.export.whatif import what_if, whatif_json
    from llmprof_addon.pricing.book import PriceBook

    scenarios = _scenarios(args)
    with reading(args) as store:
        row = chosen_run(store, args.run_id)
        compared = what_if(store, row, scenarios, PriceBook(settings_of(args).pricing))
    if args.json:
        from llmprof_addon.cli.terminal import print_json

        print_json(whatif_json(compared))
    else:
        _print(compared)
    return 0


def _scenarios(args: argparse.Namespace) -> "list[Rules]":
    """The scenario of the flags, if there are any, one for each model; then the others. Raises `ConfigError`."""
    from llmprof_addon.whatif.rules import SUMMARY, Rules, checked, parse, percent, whole

    flags = checked(
        Rules(
            drop_tools=tuple(args.drop_tool),
            drop_servers=tuple(args.drop_server),
            with_results=args.with_results,
            cap_results=None if args.cap_results is None else whole(args.cap_results),
            clear_results=None if args.clear_results is None else whole(args.clear_results),
            ttl=args.ttl,
            perfect_cache=args.perfect_cache,
            compact=None if args.compact is None else percent(args.compact),
            summary=SUMMARY if args.summary is None else whole(args.summary),
        )
    )
    return [*_each_model(flags, args.model), *map(parse, args.scenario)]


def _each_model(flags: "Rules", models: list[str]) -> "list[Rules]":
    from dataclasses import replace

    from llmprof_addon.whatif.rules import Rules

    return [replace(flags, model=model) for model in models] or ([] if flags == Rules() else [flags])


def _print(compared: "Comparison") -> None:
    from rich.text import Text

    from llmprof_addon.cli.grid import Column
    from llmprof_addon.cli.terminal import console, plain, print_grid
    from llmprof_addon.export import text
    from llmprof_addon.model.cost import usd

    out, real = console(), compared.real.total
    head = (plain(compared.label or text.UNKNOWN).plain, "bold"), "  ", (compared.run_id, "dim")
    out.print(Text.assemble(*head), soft_wrap=True)
    out.print(f"{text.counted(real.calls, 'call')} cost ${usd(real.cost)}", soft_wrap=True, markup=False)
    columns = [
        Column(name="", least=24),
        *(Column(name="dollars"), Column(name="change"), Column(name="%", leaves=2)),
        *(Column(name=name, leaves=5) for name in ("fresh", "read", "write", "output")),
        *(Column(name="hit"), Column(name="peak"), Column(name="breaks", leaves=3), Column(name="over", leaves=4)),
    ]
    out.print()
    print_grid(columns, [_row(compared, each) for each in (compared.real, *compared.scenarios)])
    notes = dict.fromkeys(note for outcome in compared.scenarios for note in outcome.notes)
    if real.unpriced:
        what = text.counted(real.unpriced, "call")
        notes[f"{what} without a known price: in no sum of dollars"] = None
    for note in notes:
        out.print(Text(plain(note).plain, style="dim"), soft_wrap=True)


def _row(compared: "Comparison", outcome: "Outcome") -> "list[str | Text]":
    from llmprof_addon.cli.terminal import plain
    from llmprof_addon.export import text

    sums, is_real = outcome.total, outcome is compared.real
    mark = "≈" if outcome.estimated else ""
    percent = compared.percent(outcome)
    change, share = text.UNKNOWN, text.UNKNOWN
    if not is_real:
        change = text.signed(compared.difference(outcome), text.dollars)
        share = share if percent is None else f"{percent:+.1f}%".replace("-", "−")
    return [
        plain("as it was" if is_real else outcome.rules.label),
        f"{mark}{text.dollars(sums.cost)}",
        change,
        share,
        *(text.dollars(cost) for cost in (sums.input_cost, sums.read_cost, sums.write_cost, sums.output_cost)),
        text.UNKNOWN if sums.hit_ratio is None else f"{100 * sums.hit_ratio:.1f}%",
        text.tokens(sums.peak, estimated=outcome.estimated),
        str(sums.breaks + sums.expiries),
        str(sums.overflows),
    ]
