r"""Compare two calls, or two runs: what came, went and changed in their prompts, in tokens and dollars.

Of two runs the sums of their calls are compared, and the largest prompt of each part by part. Parts are paired by what
they are, not by where they stand: `new`, `gone`, `changed`, `moved`; what is the same is not listed. `≈` marks
estimates, `–` what is unknown.

Examples:
  llmprof diff 0199c2 0199d7
  llmprof diff 0199c2 0199d7 --json | jq -r '.parts[] | select(.change != "same") | "\(.tokens) \(.name)"'
"""

import argparse
from typing import TYPE_CHECKING

from llmprof_addon.cli.opened import NotFoundError, positive, reading
from llmprof_addon.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmprof_addon.export.comparison import ComparedCalls, ComparedRuns, KindDiff
    from llmprof_addon.export.diff import PartDiff
    from llmprof_addon.model.usage import Usage
    from llmprof_addon.store.open import Store
    from llmprof_addon.store.rows import CallRow, RunRow


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which two, and in which form."""
    parser.add_argument("before", metavar="A", help="id of the earlier call or run, or the start of it")
    parser.add_argument("after", metavar="B", help="id of the later one")
    parser.add_argument("--most", type=positive, default=30, metavar="N", help="so many parts, the largest first (30)")
    parser.add_argument("--json", action="store_true", help="one JSON object with all of them")


def run(args: argparse.Namespace) -> int:
    """Print the comparison."""
    from llmprof_addon.cli.terminal import print_json
    from llmprof_addon.export import comparison
    from llmprof_addon.store.rows import CallRow, RunRow

    with reading(args) as store:
        before, after = _found(store, args.before), _found(store, args.after)
        if isinstance(before, CallRow) and isinstance(after, CallRow):
            calls = _compared(store, before, after)
            print_json(comparison.calls_json(calls)) if args.json else _print_calls(calls, args.most)
        elif isinstance(before, RunRow) and isinstance(after, RunRow):
            runs = _compared_runs(store, before, after)
            print_json(comparison.runs_json(runs)) if args.json else _print_runs(runs, args.most)
        else:
            raise ConfigError("a call and a run cannot be compared", hint="give two of one kind")
    return 0


def _found(store: "Store", id: str) -> "CallRow | RunRow":
    from llmprof_addon.store import queries

    if found := queries.run(store, id) or queries.call(store, id):
        return found
    raise NotFoundError(
        f"there is no run and no call whose id starts with {id!r}", hint="`llmprof runs` and `llmprof calls` list them"
    )


def _compared(store: "Store", before: "CallRow", after: "CallRow") -> "ComparedCalls":
    from llmprof_addon.export.comparison import compared_calls
    from llmprof_addon.export.diff import Side
    from llmprof_addon.pipeline import explain

    def side(row: "CallRow") -> Side:
        explained = explain(store, row)
        return Side(call=explained.whole, leaves=explained.leaves.prompt, components=explained.components)

    return compared_calls((before, after), (side(before), side(after)))


def _compared_runs(store: "Store", before: "RunRow", after: "RunRow") -> "ComparedRuns":
    from llmprof_addon.export.comparison import ComparedRuns, by_kind
    from llmprof_addon.store.timeline import composition

    one, other = _largest(store, before), _largest(store, after)
    return ComparedRuns(
        rows=(before, after),
        kinds=by_kind(composition(store, before.id), composition(store, after.id)),
        largest=_compared(store, one, other) if one and other else None,
    )


def _largest(store: "Store", run: "RunRow") -> "CallRow | None":
    """The call of a run that has the most tokens in its prompt."""
    from llmprof_addon.store import queries
    from llmprof_addon.store.timeline import timeline

    calls = [call for call in timeline(store, run.id) if call.input_tokens]
    return queries.call(store, max(calls, key=lambda call: call.input_tokens or 0).id) if calls else None


def _print_calls(compared: "ComparedCalls", most: int) -> None:
    before, after = compared.rows
    costs = [row.cost.total if row.cost else None for row in compared.rows]
    _print_totals((before.id, after.id), (before.usage, after.usage), costs, [False, False])
    _print_kinds(compared.kinds)
    _print_parts(compared, most)


def _print_runs(compared: "ComparedRuns", most: int) -> None:
    before, after = compared.rows
    costs = [row.cost.total if row.cost else None for row in compared.rows]
    lacks = [row.unpriced_calls > 0 for row in compared.rows]
    _print_totals((before.id, after.id), (before.usage, after.usage), costs, lacks, (before.calls, after.calls))
    _print_kinds(compared.kinds)
    if compared.largest is None:
        print("\none of the runs has no prompt")
    else:
        one, other = compared.largest.rows
        print(f"\nthe largest prompt of each: {one.id} and {other.id}")
        _print_parts(compared.largest, most)


def _print_totals(
    ids: tuple[str, str],
    usages: "tuple[Usage, Usage]",
    costs: "Sequence[int | None]",
    lacks: "Sequence[bool]",
    calls: tuple[int, int] | None = None,
) -> None:
    """Both sides, and what the later one has more."""
    from llmprof_addon.cli.grid import Column
    from llmprof_addon.cli.terminal import print_grid
    from llmprof_addon.export import text
    from llmprof_addon.export.comparison import minus
    from llmprof_addon.model.usage import Source

    counts = [(each.input_tokens, each.cache_read_input_tokens, each.output_tokens) for each in usages]
    columns = [Column(name="", left=True), *(Column(name=name) for name in ("input", "read", "output", "cost"))]
    rows = [
        [
            id,
            *(text.exact(count, estimated=usage.source is not Source.REPORTED) for count in numbers),
            text.dollars(cost, at_least=lack),
        ]
        for id, usage, numbers, cost, lack in zip(ids, usages, counts, costs, lacks, strict=True)
    ]
    paid = None if any(lacks) else minus(costs[1], costs[0])
    changes = [text.signed(minus(new, old), text.exact) for old, new in zip(*counts, strict=True)]
    rows.append(["change", *changes, text.signed(paid, text.dollars)])
    if calls is not None:
        columns.insert(1, Column(name="calls"))
        for row, cell in zip(rows, (*map(str, calls), text.signed(calls[1] - calls[0], str)), strict=True):
            row.insert(1, cell)
    print_grid(columns, rows)


def _print_kinds(kinds: "Sequence[KindDiff]") -> None:
    from llmprof_addon.cli.grid import Column
    from llmprof_addon.cli.terminal import print_grid
    from llmprof_addon.export import text
    from llmprof_addon.export.comparison import minus
    from llmprof_addon.model.usage import Source

    rows = []
    for each in kinds:
        marks = [side is not None and side.source is Source.ESTIMATED for side in (each.before, each.after)]
        (old, new), (paid_old, paid_new) = each.tokens, each.cost
        rows.append(
            [
                text.KIND_NAMES[each.kind],
                text.exact(old, estimated=marks[0] and old > 0),
                text.exact(new, estimated=marks[1] and new > 0),
                text.signed(new - old, text.exact),
                text.signed(minus(paid_new, paid_old), text.dollars),
            ]
        )
    if rows:
        print()
        names = ("before", "after", "tokens", "dollars")
        print_grid([Column(name="component", left=True), *(Column(name=name) for name in names)], rows)


def _print_parts(compared: "ComparedCalls", most: int) -> None:
    from llmprof_addon.cli.grid import Column
    from llmprof_addon.cli.terminal import one_line, plain, print_grid
    from llmprof_addon.export import text
    from llmprof_addon.export.comparison import parting_words, path_of

    found = compared.diff
    said = parting_words(found)
    print()
    print(one_line(f"{said.lead}{said.place}{said.rest}"))
    changed = sorted(found.changed, key=lambda part: -max(_size(part)))
    if not changed:
        print("both prompts are the same, part for part")
        return
    rows = [
        [
            part.change.value,
            plain(part.name),
            plain(path_of(part)),
            text.signed(part.tokens, text.exact),
            text.signed(part.cost, text.dollars),
        ]
        for part in changed[:most]
    ]
    columns = (
        Column(name="change", left=True),
        Column(name="part", least=16),
        Column(name="where", least=10, leaves=1),
        Column(name="tokens"),
        Column(name="dollars"),
    )
    print_grid(columns, rows)
    if len(changed) > most:
        print(f"{most} of {text.counted(len(changed), 'part')}; --most N shows more")


def _size(part: "PartDiff") -> tuple[int, int]:
    return part.before.tokens if part.before else 0, part.after.tokens if part.after else 0
