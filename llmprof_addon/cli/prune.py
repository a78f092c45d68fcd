"""Delete old calls, or drop their texts and keep their numbers: by age, or until the store is small enough.

What younger calls still carry stays: a conversation that goes on keeps its history. A dropped text comes back when it
is sent again. Without a limit those of `LLMPROF_CALLS_DAYS`, `LLMPROF_BODIES_DAYS` and `LLMPROF_MAX_DB_MB` hold, which
`llmprof up` keeps by itself.

Examples:
  llmprof prune --older-than 90d --bodies 30d --dry-run
  llmprof prune --bodies 12h --yes
  llmprof prune --max-mb 500 --json --yes
"""

import argparse
from typing import TYPE_CHECKING

from llmprof_addon.cli.opened import age_ns, changing, confirmed, positive, reading, settings_of

if TYPE_CHECKING:
    from llmprof_addon.model.retention import Retention
    from llmprof_addon.store.retention import Pruned

MEBIBYTE = 1024 * 1024


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How old, how large, and in which form."""
    age = "a number with a unit: 90m, 12h, 30d, 8w"
    parser.add_argument("--older-than", type=age_ns, metavar="AGE", help=f"delete calls that are older: {age}")
    parser.add_argument("--bodies", type=age_ns, metavar="AGE", help="drop the texts of calls that are older")
    parser.add_argument(
        "--max-mb",
        type=positive,
        metavar="N",
        help="drop the oldest texts, then delete the oldest calls, until it is smaller; nothing of the last hour",
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would go, and change nothing")
    parser.add_argument("--yes", "-y", action="store_true", help="do not ask")
    parser.add_argument("--json", action="store_true", help="one JSON object, of the shape in the readme")
    parser.set_defaults(wrong=parser.error)


def run(args: argparse.Namespace) -> int:
    """Prune, or foresee it, and say what that were."""
    from llmprof_addon import clock
    from llmprof_addon.store import foresee, queries, retention
    from llmprof_addon.store.database import shown

    limits, now_ns = _limits(args), clock.now_ns()
    if args.dry_run:
        with reading(args) as store:
            pruned, left, size = foresee.foresee(store, limits, now_ns), queries.count(store), None
        left = (left[0] - pruned.deleted.runs, left[1] - pruned.deleted.calls)
    else:
        with changing(args) as store:
            if not confirmed(f"{_in_words(limits, now_ns)} from {shown(store.url)}?", args.yes):
                return 1
            pruned = retention.prune(store, limits, now_ns)
            left, size = queries.count(store), retention.used_bytes(store.db)
    _print(args, pruned, left, size)
    return 0


def _limits(args: argparse.Namespace) -> "Retention":
    from llmprof_addon.model.retention import Retention

    given = Retention(
        calls_ns=args.older_than,
        bodies_ns=args.bodies,
        max_bytes=None if args.max_mb is None else args.max_mb * MEBIBYTE,
    )
    limits = given if given else settings_of(args).retention
    if not limits:
        args.wrong("give a limit: --older-than AGE, --bodies AGE, --max-mb N")
    return limits


def _in_words(limits: "Retention", now_ns: int) -> str:
    from llmprof_addon.export import text

    said = []
    if limits.calls_ns is not None:
        said.append(f"delete the calls from before {text.when(limits.calls_before(now_ns) or 0)}")
    if limits.bodies_ns is not None:
        said.append(f"drop the texts of calls from before {text.when(limits.bodies_before(now_ns) or 0)}")
    if limits.max_bytes is not None:
        said.append(f"drop and delete the oldest beyond {text.byte_size(limits.max_bytes)}")
    words = ", ".join(said)
    return words[0].upper() + words[1:]


def _print(args: argparse.Namespace, pruned: "Pruned", left: tuple[int, int], size: int | None) -> None:
    from llmprof_addon.cli.grid import Column
    from llmprof_addon.cli.terminal import print_grid, print_json
    from llmprof_addon.export import text

    deleted, dropped = pruned.deleted, pruned.dropped
    if args.json:
        print_json(
            {
                "dry_run": args.dry_run,
                "deleted": {
                    "calls": deleted.calls,
                    "runs": deleted.runs,
                    "contents": deleted.contents,
                    "bytes": deleted.bytes,
                },
                "texts_dropped": {"calls": dropped.calls, "contents": dropped.contents, "bytes": dropped.bytes},
                "left": {"calls": left[1], "runs": left[0], "bytes": size},
            }
        )
        return
    would = "would be " if args.dry_run else ""
    names = ("", "calls", "runs", "contents", "bytes")
    none = text.UNKNOWN
    print_grid(
        [Column(name=name, left=not name) for name in names],
        [
            (f"{would}deleted", *_cells(deleted.calls, deleted.runs, deleted.contents), text.byte_size(deleted.bytes)),
            (
                f"texts {would}dropped",
                f"{dropped.calls:,}",
                none,
                f"{dropped.contents:,}",
                text.byte_size(dropped.bytes),
            ),
            ("left", *_cells(left[1], left[0]), none, none if size is None else text.byte_size(size)),
        ],
    )


def _cells(*numbers: int) -> list[str]:
    return [f"{number:,}" for number in numbers]
