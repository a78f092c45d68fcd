"""Plays many runs and prints how the cache doctor did: `python -m tests.simulator [FAULTY [CLEAN_CALLS]]`.

Exits with 1 if less than 98% of the planted causes are found, lost tokens are wrong by more than 1% (in all, or of a
call whose verdict does not say that it is an estimate), or a clean call is called a break.
"""

import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.store.open import open_store
from tests.simulator.runs import LOSSES, PLANTED, STYLES, Outcome, play


def main(faulty: int = 448, clean_calls: int = 5200) -> int:
    """Play so many runs with a fault each, and clean ones until there are so many calls."""
    book = PriceBook()
    planted: list[Outcome] = []
    beside: list[Outcome] = []
    with tempfile.TemporaryDirectory() as folder, open_store(f"sqlite:///{Path(folder) / 'store.db'}") as store:
        for number in range(faulty):
            style, cause = PLANTED[number % len(PLANTED)]
            for outcome in play(style, cause, number, store, book):
                (planted if outcome.cause is cause else beside).append(outcome)
        clean: list[Outcome] = []
        number = faulty
        while len(clean) < clean_calls:
            clean += play(STYLES[number % len(STYLES)], None, number, store, book, turns=14)
            number += 1
    wrong: dict[str, Counter[str]] = defaultdict(Counter)
    lost = [outcome for outcome in planted if outcome.lost and outcome.is_right]
    off = [outcome for outcome in lost if outcome.error > 0.01]
    unmarked = [outcome for outcome in off if outcome.verdict and not outcome.verdict.estimated]
    for outcome in planted:
        if not outcome.is_right:
            said = outcome.verdict and f"{outcome.verdict.status}/{outcome.verdict.cause}"
            wrong[f"{outcome.style} {outcome.cause}"][f"{said} ({outcome.uid})"] += 1
    false = [outcome for outcome in (*clean, *beside) if outcome.verdict is None or outcome.verdict.status in LOSSES]
    right = sum(outcome.is_right for outcome in planted)
    print(f"{faulty} faulty runs: {right} of {len(planted)} planted causes found ({right / len(planted):.2%})")
    for what, found in sorted(wrong.items()):
        print(f"  {what}: {dict(found)}")
    truth, found_lost = sum(one.lost for one in lost), sum(one.verdict.lost for one in lost if one.verdict)
    print(f"lost tokens: {found_lost} found, {truth} true; {len(off)} of {len(lost)} calls are off by more than 1%")
    classes = Counter(f"{outcome.style} {outcome.cause}" for outcome in off)
    print(f"  {len(unmarked)} of them are not marked as estimates; by what was planted: {dict(classes)}")
    for outcome in off[:20]:
        print(f"  {outcome.uid}: {outcome.verdict and outcome.verdict.lost} found, {outcome.lost} true")
    print(f"{len(clean)} clean calls and {len(beside)} around a fault: {len(false)} called breaks")
    for outcome in false[:20]:
        print(f"  {outcome.uid}: {outcome.verdict}")
    return int(right < 0.98 * len(planted) or abs(found_lost - truth) > 0.01 * truth or bool(false or unmarked))


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
