"""Which calls a command measures: those of a run, of the newest one, or all since some time."""

import argparse
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from llmprof_addon.cli.opened import NotFoundError, age_ns, chosen_run
from llmprof_addon.errors import ConfigError

if TYPE_CHECKING:
    from llmprof_addon.store.open import Store
    from llmprof_addon.store.rows import CallRow


def add_choice(parser: argparse.ArgumentParser) -> None:
    """RUN, `--last` or `--since`."""
    parser.add_argument("run_id", nargs="?", metavar="RUN", help="id or session of the run, or the start of its id")
    parser.add_argument("--last", action="store_true", help="the newest run; so it is without RUN")
    parser.add_argument(
        "--since",
        type=_since_ns,
        metavar="TIME",
        help="all calls since then, taken together: 30m, 12h, 2026-11-21T08:00",
    )


def chosen_calls(store: "Store", args: argparse.Namespace) -> "tuple[str, Iterator[CallRow]]":
    """What was chosen, in words, and its calls, the newest first. Raises `NotFoundError` where there are none."""
    from llmprof_addon.export import text
    from llmprof_addon.store import queries

    if sum((args.run_id is not None, args.last, args.since is not None)) > 1:
        raise ConfigError("RUN, --last and --since exclude one another")
    if args.since is None:
        row = chosen_run(store, args.run_id)
        return f"run {row.id}", queries.calls(store, run=row.id)
    if not next((call.started_ns >= args.since for call in queries.calls(store, limit=1)), False):
        raise NotFoundError(f"nothing was recorded since {text.when(args.since)}", hint="`llmprof runs` lists what was")
    return f"since {text.when(args.since)}", _since(store, args.since)


def _since(store: "Store", since_ns: int) -> "Iterator[CallRow]":
    from llmprof_addon.store import queries

    for call in queries.calls(store):
        if call.started_ns < since_ns:
            return
        yield call


def _since_ns(written: str) -> int:
    """A point in time in ns since the epoch; without a zone it is local."""
    from llmprof_addon import clock

    try:
        return int(datetime.fromisoformat(written.strip()).astimezone().timestamp() * 1e9)
    except (ValueError, OverflowError, OSError):
        return clock.now_ns() - age_ns(written)
