"""A run's cache in numbers."""

import pytest

from llmprof_addon.cachedoctor.tally import tally
from llmprof_addon.model.cache import CacheCause, CacheStatus, CacheVerdict


def call(read: int, lost: int = 0, wasted: int | None = 0, cause: CacheCause | None = None) -> CacheVerdict:
    status = CacheStatus.BREAK if cause else CacheStatus.HIT
    return CacheVerdict(status=status, cause=cause, expected=read + lost, read=read, lost=lost, wasted=wasted)


INPUT, PAID = 1000, 100


def test_losses_are_summed_by_cause_the_dearest_first() -> None:
    verdicts = [
        call(0),
        call(800),
        call(100, 700, 7, CacheCause.EXPIRED),
        call(100, 300, 30, CacheCause.TOOL_CHANGED),
        call(100, 200, 20, CacheCause.TOOL_CHANGED),
    ]
    found = tally([*((verdict, INPUT, PAID) for verdict in verdicts), (None, INPUT, None)])
    assert list(found.by_cause) == [CacheCause.TOOL_CHANGED, CacheCause.EXPIRED]
    changed = found.by_cause[CacheCause.TOOL_CHANGED]
    assert (changed.calls, changed.lost, changed.wasted) == (2, 500, 50)
    assert (found.lost, found.wasted, found.cost, found.perfect_cost) == (1200, 57, 500, 443)
    assert found.hit_ratio == pytest.approx(1100 / 5000)
    assert found.rewrite_factor == 3900 / 2700


def test_nothing_judged_is_nothing_known() -> None:
    found = tally([(None, INPUT, PAID)])
    assert (found.hit_ratio, found.rewrite_factor, found.cost, found.wasted) == (None, None, None, None)


def test_an_unpriced_call_leaves_the_sum_unknown() -> None:
    found = tally(
        [(call(10, 5, None, CacheCause.EXPIRED), INPUT, None), (call(10, 5, 3, CacheCause.EXPIRED), INPUT, PAID)]
    )
    assert (found.wasted, found.perfect_cost, found.by_cause[CacheCause.EXPIRED].wasted) == (None, None, None)
