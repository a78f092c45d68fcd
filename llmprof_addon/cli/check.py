"""Check what a run cost against limits, or a baseline; exit with 1 and say what broke them.

Each limit works alone. Tokens are written 12000 or 12k, shares 80%. A number that is not known passes no limit: a run
with an unpriced call fails --max-usd. A baseline (`llmprof baseline RUN > FILE`) asks that dollars, calls, output, the
largest prompt and the tokens of every kind of component are not above it, and the cache's share not below, by more
than the tolerance; tokens may differ by four a call in any case. What the baseline does not know is not compared.

Examples:
  llmprof check --max-usd 0.50 --max-context 80%        the newest run; dollars, and share of the window
  llmprof check 0199c2 --max-growth 20k --max-breaks 0  growth from a lane's first prompt to its largest
  llmprof check --since 10m --baseline budget.json --tolerance 10% --format markdown >> "$GITHUB_STEP_SUMMARY"
"""

import argparse
from typing import TYPE_CHECKING

from llmprof_addon.cli.chosen import add_choice, chosen_calls
from llmprof_addon.cli.opened import reading
from llmprof_addon.errors import ConfigError
from llmprof_addon.gate.options import LIMITS

if TYPE_CHECKING:
    from llmprof_addon.gate.limits import Limits


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which calls, the limits, and the form of the answer."""
    add_choice(parser)
    for name, (metavar, said) in LIMITS.items():
        parser.add_argument(f"--{name.replace('_', '-')}", metavar=metavar, help=said.replace("%", "%%"))
    parser.add_argument("--baseline", metavar="FILE", help="compare with what `llmprof baseline` wrote")
    parser.add_argument("--tolerance", default="5%", metavar="N%", help="how much worse than the baseline (5%%)")
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument("--format", choices=("text", "markdown", "junit", "json"), help="(text)")
    forms.add_argument("--json", action="store_true", help="the same as --format json")


def run(args: argparse.Namespace) -> int:
    """Print the checks; 1 if one failed."""
    from pathlib import Path

    from llmprof_addon.gate.baseline import read_baseline
    from llmprof_addon.gate.formats import FORMATS, passed
    from llmprof_addon.gate.limits import share
    from llmprof_addon.gate.measure import measure
    from llmprof_addon.gate.rules import judge

    wanted, tolerance = _limits(args), share(args.tolerance, "tolerance")
    if not wanted and args.baseline is None:
        raise ConfigError("nothing to check", hint="give a limit (--max-usd 0.50) or --baseline FILE")
    baseline = None if args.baseline is None else read_baseline(Path(args.baseline))
    with reading(args) as store:
        what, calls = chosen_calls(store, args)
        measured = measure(calls)
    checks = judge(measured, wanted, baseline, tolerance)
    args.answer = 0 if passed(checks) else 1  # also for a reader that goes away (`llmprof check | head -1`)
    print(FORMATS["json" if args.json else args.format or "text"](what, measured, checks), flush=True)
    answer: int = args.answer
    return answer


def _limits(args: argparse.Namespace) -> "Limits":
    from llmprof_addon.gate.limits import limits

    return limits(**{name: getattr(args, name) for name in LIMITS})
