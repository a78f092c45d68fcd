"""Write down what a run was, for `llmprof check --baseline` to compare later runs with.

Prints JSON: calls, dollars, tokens by component kind, the largest prompt, the cache's share. No texts are in it, so it
can be kept beside the code. What is not known is null, with the reason.

Examples:
  llmprof baseline > budget.json            the newest run
  llmprof baseline --since 10m > budget.json
"""

import argparse

from llmprof_addon.cli.chosen import add_choice, chosen_calls
from llmprof_addon.cli.opened import reading


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which calls."""
    add_choice(parser)
    parser.add_argument("--json", action="store_true", help="on one line")


def run(args: argparse.Namespace) -> int:
    """Print the baseline."""
    import json

    from llmprof_addon.gate.baseline import baseline_text
    from llmprof_addon.gate.measure import measure

    with reading(args) as store:
        text = baseline_text(measure(chosen_calls(store, args)[1]))
    print(json.dumps(json.loads(text)) if args.json else text, end="\n" if args.json else "")
    return 0
