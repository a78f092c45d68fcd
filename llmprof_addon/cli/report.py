"""Report on a run: how its context grew call by call, what its largest prompt is made of, where its dollars went.

The bars of the first part are prompts, coloured by what is in them; where they grow fast, look at that call with
`llmprof show`. In the last part `tokens carried` counts a text once for each call that carried it: what stands in every
prompt is paid for in every call.

Examples:
  llmprof report             the newest run
  llmprof report 0199c2      the run whose id starts so
  llmprof report --json | jq '.kinds[0]'
"""

import argparse
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from llmprof_addon.cli.opened import chosen_run, positive, reading

if TYPE_CHECKING:
    from rich.text import Text

    from llmprof_addon.model.finding import Finding
    from llmprof_addon.pipeline import Explanation
    from llmprof_addon.store.open import Store
    from llmprof_addon.store.rows import CallRow, LaneRow, RunRow

    type _Told = tuple[RunRow, Sequence[LaneRow], Sequence[Finding], list[CallRow], Explanation]

MOST_LANES = 12
"""Lanes that are named."""

MOST_FINDINGS = 5
"""The dearest so many are named."""

MOST_CALLS = 60
"""Calls that the growth chart shows; of a longer run, the last ones."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which run."""
    parser.add_argument(
        "run_id", nargs="?", metavar="RUN", help="id of the run, or the start of it; the newest by default"
    )
    parser.add_argument("--depth", type=positive, default=3, metavar="N", help="levels of the flame (3)")
    parser.add_argument("--json", action="store_true", help="one JSON object, with all calls and findings")


def run(args: argparse.Namespace) -> int:
    """Print the report."""
    with reading(args) as store:
        told = _told(store, args.run_id)
    if args.json:
        from llmprof_addon.cli.terminal import print_json
        from llmprof_addon.export.report import report_json

        row, lanes, findings, calls, largest = told
        print_json(report_json(row, lanes, findings, calls, (largest.row.id, largest.components)))
    else:
        _print(*told, args.depth)
    return 0


def print_report(store: "Store", run_id: str | None = None, depth: int = 3) -> None:
    """Print the report on a run of this store; on the newest one by default. Raises `NotFoundError`."""
    _print(*_told(store, run_id), depth)


def _told(store: "Store", run_id: str | None) -> "_Told":
    """The run, its lanes, its findings, its calls by start, and the largest prompt among those that are shown."""
    from llmprof_addon.pipeline import explain
    from llmprof_addon.store import queries
    from llmprof_addon.store.findings import findings_of

    row = chosen_run(store, run_id)
    calls = list(queries.calls(store, run=row.id))[::-1]
    biggest = max(calls[-MOST_CALLS:], key=lambda call: (not call.failed, call.usage.input_tokens or 0, call.id))
    lanes, findings = queries.lanes(store, [row.id])[row.id], findings_of(store, row.id)
    return row, lanes, findings, calls, explain(store, biggest)


def _print(
    row: "RunRow",
    lanes: "Sequence[LaneRow]",
    findings: "Sequence[Finding]",
    calls: "list[CallRow]",
    explained: "Explanation",
    depth: int,
) -> None:
    from rich.text import Text

    from llmprof_addon.cli import flame
    from llmprof_addon.cli.terminal import console, plain
    from llmprof_addon.export import text

    out = console()
    title = Text.assemble((plain(row.label or text.UNKNOWN).plain, "bold"), "  ", (row.id, "dim"))
    out.print(title, soft_wrap=True)
    usage, estimated = row.usage, row.estimated_calls > 0
    out.print(
        f"{plain(row.app or 'unknown app').plain}, {', '.join(plain(model).plain for model in row.models)}:"
        f" {text.counted(row.calls, 'call')}{f', {row.error_calls} failed' if row.error_calls else ''}"
        f" in {text.duration(row.ended_ns - row.started_ns)}",
        markup=False,
        soft_wrap=True,
    )
    out.print(
        f"{text.tokens(usage.input_tokens, estimated=estimated)} in"
        f" ({text.share(usage.cache_read_input_tokens, usage.input_tokens)} read from cache),"
        f" {text.tokens(usage.output_tokens, estimated=estimated)} out,"
        f" {text.dollars(row.cost.total if row.cost else None, at_least=row.unpriced_calls > 0)}",
        soft_wrap=True,
    )
    if row.cache_breaks or row.cache_expiries:
        breaks = text.counted(row.cache_breaks + row.cache_expiries, "cache break")
        wasted = text.dollars(row.cache_wasted, at_least=row.unpriced_calls > 0)
        lost = text.tokens(row.cache_lost)
        out.print(
            f"{breaks}: {lost} tokens paid for anew, {wasted} wasted  [dim]llmprof cache {row.id}[/]", soft_wrap=True
        )
    for said in _times(row, lanes):
        out.print(said, markup=False, soft_wrap=True)
    for line in _findings(row, findings):
        out.print(line, soft_wrap=True)
    out.print("\n[bold]Context growth[/]")
    _print_growth(calls[-MOST_CALLS:], len(calls))
    if len(calls) > MOST_CALLS:
        out.print(f"[dim]the last {MOST_CALLS} of {text.counted(len(calls), 'call')}[/]")
    for line in _legend(calls, out.width):
        out.print(line, soft_wrap=True)
    number = next(number for number, call in enumerate(calls, 1) if call.id == explained.row.id)
    out.print(f"\n[bold]The largest prompt[/], call {number}  [dim]llmprof show {explained.row.id}[/]", soft_wrap=True)
    total = sum(component.tokens for component in explained.components)
    flame.print_flame(flame.lines(explained.components, depth=depth, most=5), total)
    out.print("\n[bold]Dollars of the whole run by component[/]")
    _print_dollars(calls)


def _times(row: "RunRow", lanes: "Sequence[LaneRow]") -> "Iterator[str]":
    """Where the time went; and the lanes, if there are several: the dearest first."""
    from llmprof_addon.cli.terminal import plain
    from llmprof_addon.export import text

    times = row.times
    speed = times.output_tokens_per_second
    said = [f"{text.duration(times.model_ns)} of model"] if times.model_ns is not None else []
    if times.tool_ns is not None and times.idle_ns is not None:
        said += [f"{text.duration(times.tool_ns)} of tools", f"{text.duration(times.idle_ns)} idle"]
    if said:
        yield ", ".join(said) + (f"; {speed:.0f} tokens/s out" if speed is not None else "")
    if len(lanes) == 1:
        return
    dearest = sorted(lanes, key=lambda lane: (-(lane.cost.total if lane.cost else 0), lane.started_ns, lane.id))
    for lane in dearest[:MOST_LANES]:
        what = ", ".join(filter(None, (lane.kind, lane.agent_type)))
        cost = text.dollars(lane.cost.total if lane.cost else None, at_least=lane.unpriced_calls > 0)
        named = plain(lane.label or lane.id).plain
        calls, tokens = text.counted(lane.calls, "call"), text.tokens(lane.usage.input_tokens)
        yield f"  {what}: {calls}, {tokens} in, {cost}  {named}"
    if len(lanes) > MOST_LANES:
        yield f"  and {text.counted(len(lanes) - MOST_LANES, 'lane')} more"


def _findings(row: "RunRow", findings: "Sequence[Finding]") -> "Iterator[Text]":
    """What could be saved, the dearest first."""
    from rich.text import Text

    from llmprof_addon.cli.terminal import plain
    from llmprof_addon.export import text
    from llmprof_addon.export.findings import finding_rows

    if not findings:
        return
    saved = (
        f", {text.dollars(row.reclaimable_cost)} could be saved"
        if row.reclaimable_tokens or row.reclaimable_cost
        else ""
    )
    yield Text("")
    yield Text.assemble(("What to change", "bold"), saved, "  ", (f"llmprof findings {row.id}", "dim"))
    for found in finding_rows(findings[:MOST_FINDINGS]):
        yield Text.assemble(f"{found.sign} {found.cost:>8}  ", (found.label, "bold"), f"  {plain(found.title).plain}")
    if len(findings) > MOST_FINDINGS:
        yield Text(f"and {len(findings) - MOST_FINDINGS} more", style="dim")


def _print_growth(calls: "list[CallRow]", total: int) -> None:
    """One stacked bar a call, coloured by kind, with its cache share and cost."""
    from rich.text import Text

    from llmprof_addon.cli.grid import Column
    from llmprof_addon.cli.terminal import console, print_grid
    from llmprof_addon.export import text
    from llmprof_addon.model.usage import Source

    cells = min(64, max(10, console().width - 44))
    peak = max(call.usage.input_tokens or 0 for call in calls)
    rows = []
    for number, call in enumerate(calls, total - len(calls) + 1):
        usage, estimated = call.usage, call.usage.source is not Source.REPORTED
        bar = Text()
        drawn = seen = 0
        for kind in call.composition:
            # The running sum is rounded, never the pieces: the bar has the exact length of the whole.
            seen += kind.tokens
            end = round(seen * cells / peak) if peak else 0
            bar.append("█" * (end - drawn), text.KIND_COLOURS[kind.kind])
            drawn = end
        rows.append(
            (
                f"{number}{' ✗' if call.failed else _cache_sign(call)}",
                bar,
                text.tokens(usage.input_tokens, estimated=estimated),
                text.share(usage.cache_read_input_tokens, usage.input_tokens),
                text.tokens(usage.output_tokens, estimated=estimated),
                text.dollars(call.cost.total if call.cost else None),
            )
        )
    numbers = [Column(name=name) for name in ("in", "cached", "out", "cost")]
    print_grid([Column(name="call"), Column(name="", least=cells), *numbers], rows)


def _cache_sign(call: "CallRow") -> str:
    from llmprof_addon.export.cache import is_loss

    if call.cache is None or not is_loss(call.cache):
        return ""
    return " ⏱" if call.cache.status.value == "expired" else " ✂"


def _legend(calls: "list[CallRow]", width: int) -> "list[Text]":
    """The kinds that are there with their colours, as many on a line as fit."""
    from rich.text import Text

    from llmprof_addon.export.text import KIND_COLOURS, KIND_NAMES

    present = {total.kind for call in calls for total in call.composition if total.tokens}
    lines: list[Text] = []
    for kind in KIND_NAMES:
        if kind not in present:
            continue
        entry = Text.assemble(("██", KIND_COLOURS[kind]), f" {KIND_NAMES[kind]}")
        if lines and lines[-1].cell_len + 3 + entry.cell_len <= width:
            lines[-1] = Text("   ").join((lines[-1], entry))
        else:
            lines.append(entry)
    return lines


def _print_dollars(calls: "list[CallRow]") -> None:
    """Tokens and dollars by kind over all calls, prompts and answers, the dearest first."""
    from rich.text import Text

    from llmprof_addon.cli import flame
    from llmprof_addon.cli.grid import Column
    from llmprof_addon.cli.terminal import console, print_grid
    from llmprof_addon.export import text
    from llmprof_addon.export.report import kind_sums

    sums = kind_sums(calls)
    whole = sum(one.cost or 0 for one in sums)
    cells = flame.bar_cells(console().width)
    rows = [
        (
            f"{'answer: ' if one.answer else ''}{text.KIND_NAMES[one.kind]}",
            Text(flame.bar(one.cost or 0, whole, cells), style=text.KIND_COLOURS[one.kind]),
            text.tokens(one.tokens, estimated=one.estimated),
            text.tokens(one.read) if one.read else "·",
            text.dollars(one.cost, at_least=one.bounded),
            text.share(one.cost, whole),
        )
        for one in sums
    ]
    numbers = [Column(name=name) for name in ("tokens carried", "read", "cost", "share")]
    print_grid([Column(name="component", least=12), Column(name=" " * cells, least=cells), *numbers], rows)
