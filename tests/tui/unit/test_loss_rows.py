"""What the tab of the cache says of a whole run."""

from dataclasses import replace

from llmprof_tui.widgets.loss_rows import sums

from llmprof_addon.cachedoctor.tally import CacheTally
from llmprof_addon.export.cache import RunCache

TALLY = CacheTally(
    by_cause={},
    lost=0,
    wasted=0,
    hit_ratio=0.5,
    rewrite_factor=1.0,
    cost=2 * 10**12,
    perfect_cost=10**12,
    unpriced=0,
)


def said(tally: CacheTally) -> str:
    found = RunCache(tally=tally, calls=4, judged=4, losses=())
    return " | ".join("".join(text for text, _ in fact) for fact in sums(found))


def test_sums_say_what_is_missing_from_them() -> None:
    assert "$2.00, with a perfect cache $1.00" in said(TALLY)
    assert "unpriced" not in said(TALLY)
    some = said(replace(TALLY, unpriced=2))
    assert "≥$2.00, with a perfect cache ≥$1.00" in some
    assert "2 calls unpriced" in some
    assert "–, with a perfect cache –" in said(replace(TALLY, cost=None, perfect_cost=None, unpriced=4))
