"""Show how spend, tokens and cache hits went, by day, week or month.

Periods are those of UTC. A sparkline has one mark per period, of the dollars (of tools: of the calls made of them),
from 0 to the highest. `hits` is the share of the input that was read from a cache, `wasted` what cache breaks cost.
By tool and MCP server the tokens are estimates, those of results counted once, and a schema's share is left out: it
is carried by every call, and `llmprof report` shows it by run. A template is the first line of a prompt's system
text, numbers as `#`. `≥` says that calls without a known price are missing, `–` that nothing is known.

Examples:
  llmprof trends --by model --period week
  llmprof trends --by tool --since 30d
  llmprof trends --json | jq '.projection'
"""

import argparse
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from llmprof_addon.cli.opened import NOTHING_YET, age_ns, changing, positive, reading

if TYPE_CHECKING:
    from rich.text import Text

    from llmprof_addon.cli.grid import Column
    from llmprof_addon.store.trends import TrendRow, Trends

BY = ("all", "model", "app", "provider", "tool", "server", "template")
MARKS = "▁▂▃▄▅▆▇█"
MOST_MARKS = 30
"""Periods that a sparkline shows: the last ones."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """By what, how finely, since when."""
    parser.add_argument("--by", choices=BY, default="all", metavar="WHAT", help=f"a row for each: {', '.join(BY[1:])}")
    periods = ("day", "week", "month")
    parser.add_argument("--period", choices=periods, default="day", metavar="HOW", help="day (default), week, month")
    parser.add_argument("--since", type=_since, metavar="WHEN", help="a day (2026-11-01), or an age: 30d, 12w")
    parser.add_argument("--limit", type=positive, metavar="N", help="so many rows (20 for people, all with --json)")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--recount", action="store_true", help="sum all calls anew first")


def _since(text: str) -> date:
    from datetime import UTC, datetime, timedelta

    try:
        return date.fromisoformat(text)
    except ValueError:
        pass
    try:
        return (datetime.now(UTC) - timedelta(microseconds=age_ns(text) // 1000)).date()
    except (argparse.ArgumentTypeError, OverflowError):
        raise argparse.ArgumentTypeError(f"{text!r} is neither a day (2026-11-01) nor an age (30d, 12w)") from None


def run(args: argparse.Namespace) -> int:
    """Print the table."""
    from llmprof_addon.store.trends import trends

    if args.recount:
        _recount(args)
    with reading(args) as store:
        found = trends(store, args.by, args.period, since=args.since)
    if args.json:
        from dataclasses import replace

        from llmprof_addon.cli.terminal import print_json
        from llmprof_addon.export.trends import trends_json

        print_json(trends_json(replace(found, rows=found.rows[: args.limit])))
        return 0
    if found.starts:
        _print(found, args.limit or 20)
    else:
        print(NOTHING_YET if args.since is None else f"nothing was recorded since {args.since}")
    if found.uncounted_calls:
        import sys

        waiting = f"{found.uncounted_calls:,} calls of an older llmprof are not counted yet"
        print(f"llmprof: {waiting}; `llmprof up` goes on, `llmprof trends --recount` does it at once", file=sys.stderr)
    return 0


def _recount(args: argparse.Namespace) -> None:
    from llmprof_addon.store import trend_check, trend_fill

    with changing(args) as store:
        trend_check.sum_anew(store)
        while trend_fill.catch_up(store):
            pass


def _print(found: "Trends", limit: int) -> None:
    from llmprof_addon.cli.terminal import print_grid
    from llmprof_addon.export import text

    of_tools = found.by in ("tool", "server")
    shown = found.rows[:limit]
    rows = [*shown, found.whole] if found.by != "all" and not of_tools and len(shown) > 1 else shown
    print_grid(_tool_columns(found) if of_tools else _columns(found), [_cells(found, row) for row in rows])
    if len(found.rows) > len(shown):
        print(f"{len(shown)} of {len(found.rows):,}; --limit N shows more")
    first, last = found.starts[0], found.starts[-1]
    print(f"{text.counted(len(found.starts), found.period)}, {first} to {last} (UTC)")
    said = found.projection
    if said is not None:
        pace = f"at the pace of {text.counted(said.days, 'day')}"
        print(f"the next 30 days cost ≈{text.dollars(said.cost, at_least=said.at_least)} {pace}")
    else:
        print(found.no_projection)


def _columns(found: "Trends") -> "tuple[Column, ...]":
    from llmprof_addon.cli.grid import Column

    return (
        Column(name="" if found.by == "all" else found.by, least=12),
        Column(name=f"dollars by {found.period}", left=True, leaves=1),
        Column(name="calls"),
        Column(name="failed", leaves=4),
        Column(name="in"),
        Column(name="hits"),
        Column(name="out", leaves=3),
        Column(name="wasted", leaves=2),
        Column(name="cost"),
    )


def _tool_columns(found: "Trends") -> "tuple[Column, ...]":
    from llmprof_addon.cli.grid import Column

    return (
        Column(name=found.by, least=16),
        Column(name=f"uses by {found.period}", left=True, leaves=1),
        Column(name="uses"),
        Column(name="in calls"),
        Column(name="tokens of calls"),
        Column(name="of results"),
    )


def _cells(found: "Trends", row: "TrendRow") -> "list[str | Text]":
    from llmprof_addon.cli.terminal import plain
    from llmprof_addon.export import text

    sums = row.total
    if found.by in ("tool", "server"):
        return [
            plain(row.name),
            sparkline([point.uses for point in row.points]),
            f"{sums.uses:,}",
            text.UNKNOWN if sums.calls is None else f"{sums.calls:,}",
            text.tokens(sums.call_tokens, estimated=True),
            text.tokens(sums.result_tokens, estimated=True),
        ]
    unnamed = {"template": "(no system prompt)", "all": "all"}.get(found.by, text.UNKNOWN)
    estimated, unpriced = bool(sums.estimated_calls), bool(sums.unpriced_calls)
    return [
        "all" if row is found.whole else plain(row.name or unnamed),
        sparkline([point.cost for point in row.points]),
        f"{sums.calls:,}",
        f"{sums.error_calls:,}" if sums.error_calls else "·",
        text.tokens(sums.input_tokens, estimated=estimated),
        text.share(sums.cache_read_input_tokens, sums.input_tokens),
        text.tokens(sums.output_tokens, estimated=estimated),
        text.dollars(sums.wasted),
        text.dollars(sums.cost, at_least=unpriced),
    ]


def sparkline(values: Sequence[int | None]) -> str:
    """One mark per value, the last ones of many; a space where there is nothing, or nothing is known."""
    shown = values[-MOST_MARKS:]
    most = max((value for value in shown if value), default=0)
    return "".join(MARKS[(len(MARKS) * value - 1) // most] if value and value > 0 else " " for value in shown)
