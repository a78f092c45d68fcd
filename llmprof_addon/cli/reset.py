"""Delete all runs and calls, and the exchanges that could not be processed.

The CA and the configuration stay. What waits for the worker is not in the store yet, and will be.

Examples:
  llmprof reset
  llmprof reset --yes
"""

import argparse

from llmprof_addon.cli.opened import changing, confirmed, settings_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Whether to ask."""
    parser.add_argument("--yes", "-y", action="store_true", help="do not ask")


def run(args: argparse.Namespace) -> int:
    """Ask, then delete."""
    from llmprof_addon.export import text
    from llmprof_addon.spool.folder import Spool
    from llmprof_addon.store import edits, queries
    from llmprof_addon.store.database import shown

    with changing(args) as store:
        runs, calls = queries.count(store)
        what = f"{text.counted(calls, 'call')} in {text.counted(runs, 'run')}"
        if not confirmed(f"Delete {what} from {shown(store.url)}?", args.yes):
            return 1
        edits.reset(store)
    for path in Spool(settings_of(args).spool_dir).failed_folder.glob("*"):
        path.unlink(missing_ok=True)
    print(f"deleted {what}")
    return 0
