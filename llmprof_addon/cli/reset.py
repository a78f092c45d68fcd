"""Delete everything that was recorded. The CA and the configuration stay.

Examples:
  llmprof reset
  llmprof reset --yes
"""

import argparse

from llmprof_addon.cli.opened import confirmed, settings_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Whether to ask."""
    parser.add_argument("--yes", "-y", action="store_true", help="do not ask")


def run(args: argparse.Namespace) -> int:
    """Ask, then delete."""
    from llmprof_addon.store import edits, queries
    from llmprof_addon.store.open import open_store

    with open_store(settings_of(args).db_url) as store:
        runs, calls = queries.count(store)
        if not confirmed(f"Delete {calls} calls in {runs} runs from {store.url}?", args.yes):
            return 1
        edits.reset(store)
    print(f"deleted {calls} calls in {runs} runs")
    return 0
