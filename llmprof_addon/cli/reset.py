"""Delete everything that was recorded. The CA and the configuration stay.

Examples:
  llmprof reset
  llmprof reset --yes
"""

import argparse

from llmprof_addon.cli.opened import changing, confirmed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Whether to ask."""
    parser.add_argument("--yes", "-y", action="store_true", help="do not ask")


def run(args: argparse.Namespace) -> int:
    """Ask, then delete."""
    from llmprof_addon.export import text
    from llmprof_addon.store import edits, queries
    from llmprof_addon.store.database import shown

    with changing(args) as store:
        runs, calls = queries.count(store)
        what = f"{text.counted(calls, 'call')} in {text.counted(runs, 'run')}"
        if not confirmed(f"Delete {what} from {shown(store.url)}?", args.yes):
            return 1
        edits.reset(store)
    print(f"deleted {what}")
    return 0
