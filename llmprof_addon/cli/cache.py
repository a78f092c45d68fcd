"""Show what became of a run's prompt cache: which calls lost their cached prefix, why, and what that cost.

Each call is compared with the one that it goes on from. `lost` are tokens that could have been read from the cache and
were paid for anew, `wasted` what that cost more. `−` and `+` are the texts before and after, from where they part. `≈`
marks estimates. The re-write factor says how often what had to be read anew once was paid for: 1.0 is a perfect cache.

Examples:
  llmprof cache              the newest run
  llmprof cache 0199c2 --json | jq '.by_cause'
"""

import argparse
from typing import TYPE_CHECKING

from llmprof_addon.cli.opened import chosen_run, reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmprof_addon.cachedoctor.tally import CacheTally
    from llmprof_addon.store.judged import Judged
    from llmprof_addon.store.open import Store
    from llmprof_addon.store.rows import RunRow


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which run, and in which form."""
    parser.add_argument(
        "run_id", nargs="?", metavar="RUN", help="id of the run, or the start of it; the newest by default"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object with every call's verdict")


def run(args: argparse.Namespace) -> int:
    """Print the run's losses."""
    from llmprof_addon.cachedoctor.tally import tally
    from llmprof_addon.store.judged import judged

    with reading(args) as store:
        row = chosen_run(store, args.run_id)
        calls = judged(store, row.id)
        summed = tally((call.verdict, call.input_tokens, call.cost) for call in calls)
        if args.json:
            from llmprof_addon.cli.terminal import print_json
            from llmprof_addon.export.cache import cache_report_json

            print_json(cache_report_json(store, row, calls, summed))
        else:
            _print(store, row, calls, summed)
    return 0


def _print(store: "Store", row: "RunRow", calls: "Sequence[Judged]", tally: "CacheTally") -> None:
    from rich.text import Text

    from llmprof_addon.cli.terminal import console, plain
    from llmprof_addon.export import text

    out = console()
    out.print(Text.assemble((plain(row.label or text.UNKNOWN).plain, "bold"), "  ", (row.id, "dim")), soft_wrap=True)
    judged = sum(call.verdict is not None for call in calls)
    if not judged:
        out.print(f"no verdict on {text.counted(len(calls), 'call')}: how their provider caches is not known")
        return
    for line in summary(row, tally):
        out.print(line, soft_wrap=True, markup=False)
    if judged < len(calls):
        out.print(f"[dim]{text.counted(len(calls) - judged, 'call')} without a verdict[/]")
    _print_losses(store, calls)


def summary(row: "RunRow", tally: "CacheTally") -> list[str]:
    """The run's cache in a line or two."""
    from llmprof_addon.export import text

    ratio = text.UNKNOWN if tally.hit_ratio is None else f"{100 * tally.hit_ratio:.1f}%"
    factor = text.UNKNOWN if tally.rewrite_factor is None else f"{tally.rewrite_factor:.2f}"
    lines = [f"{ratio} of the input read from cache, re-write factor {factor}"]
    if row.cache_breaks or row.cache_expiries:
        counts = [text.counted(row.cache_breaks, "break")] if row.cache_breaks else []
        counts += [text.counted(row.cache_expiries, "expiry", "expiries")] if row.cache_expiries else []
        bounded = tally.unpriced > 0
        cost, perfect = (text.dollars(amount, at_least=bounded) for amount in (tally.cost, tally.perfect_cost))
        lines.append(
            f"{', '.join(counts)}: {text.tokens(tally.lost)} tokens paid for anew, {text.dollars(tally.wasted)} wasted;"
            f" {perfect} instead of {cost} with a perfect cache"
        )
    else:
        lines.append("nothing lost")
    if tally.unpriced:
        lines.append(f"{text.counted(tally.unpriced, 'call')} without a known price, in no sum of dollars")
    return lines


def _print_losses(store: "Store", calls: "Sequence[Judged]") -> None:
    from rich.text import Text

    from llmprof_addon.cli.terminal import console, plain
    from llmprof_addon.export import text
    from llmprof_addon.export.cache import LOSS_SIGNS, excerpt, in_words, is_loss

    out = console()
    for call in calls:
        verdict = call.verdict
        if verdict is None or not is_loss(verdict):
            continue
        lost = text.tokens(verdict.lost, estimated=verdict.estimated)
        amounts = f"{lost} lost, {text.dollars(verdict.wasted)} wasted"
        head = f"{LOSS_SIGNS[verdict.status]} call {call.place}  {amounts}  {plain(in_words(verdict)).plain}"
        out.print()
        out.print(Text.assemble(head, "  ", (call.id, "dim")), soft_wrap=True)
        if verdict.first_diff is not None:
            texts = excerpt(store, verdict.first_diff)
            for mark, said, colour in (("−", texts.before, "red"), ("+", texts.after, "green")):
                if said is not None:
                    out.print(Text(f"  {mark} {plain(said).plain}", style=colour), soft_wrap=True)
