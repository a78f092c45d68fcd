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
    assert (found.hit_ratio, found.rewrite_factor, found.perfect_cost, found.wasted) == (None, None, None, None)
    assert (found.cost, found.unpriced) == (PAID, 0)


def test_what_an_unpriced_call_lost_leaves_the_waste_unknown() -> None:
    lossy = call(10, 5, None, CacheCause.EXPIRED)
    found = tally([(lossy, INPUT, None), (call(10, 5, 3, CacheCause.EXPIRED), INPUT, PAID)])
    assert (found.wasted, found.by_cause[CacheCause.EXPIRED].wasted) == (None, None)
    assert (found.cost, found.perfect_cost, found.unpriced) == (PAID, PAID - 3, 1)


def test_an_unpriced_call_that_lost_nothing_leaves_it_known() -> None:
    found = tally([(call(900, wasted=None), INPUT, None), (call(10, 5, 3, CacheCause.EXPIRED), INPUT, PAID)])
    assert (found.wasted, found.perfect_cost, found.unpriced) == (3, PAID - 3, 1)


def test_calls_of_other_providers_are_part_of_the_cost() -> None:
    found = tally([(None, INPUT, PAID), (call(10, 5, 3, CacheCause.EXPIRED), INPUT, PAID)])
    assert (found.cost, found.perfect_cost, found.lost) == (2 * PAID, 2 * PAID - 3, 5)
    assert found.hit_ratio == pytest.approx(10 / INPUT)


def test_more_read_than_there_is_input_is_no_more_than_all_of_it() -> None:
    found = tally([(call(INPUT + 200), INPUT, PAID), (call(0), INPUT, PAID)])
    assert found.hit_ratio == pytest.approx(0.5)
    assert found.rewrite_factor == 1
