"""Delete the calls that are older than a given age.

Content that younger calls still carry stays: a conversation that goes on keeps its history.

Examples:
  llmprof prune --older-than 30d
  llmprof prune --older-than 12h --yes
"""

import argparse

from llmprof_addon.cli.opened import age_ns, changing, confirmed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How old."""
    parser.add_argument(
        "--older-than", required=True, type=age_ns, metavar="AGE", help="a number with a unit: 90m, 12h, 30d, 8w"
    )
    parser.add_argument("--yes", "-y", action="store_true", help="do not ask")


def run(args: argparse.Namespace) -> int:
    """Delete, and say how many calls that were."""
    from llmprof_addon import clock
    from llmprof_addon.export import text
    from llmprof_addon.store import edits
    from llmprof_addon.store.database import shown

    before_ns = max(0, clock.now_ns() - args.older_than)
    with changing(args) as store:
        if not confirmed(f"Delete the calls from before {text.when(before_ns)} from {shown(store.url)}?", args.yes):
            return 1
        deleted = edits.prune(store, before_ns)
    print(f"deleted {text.counted(deleted, 'call')}")
    return 0
