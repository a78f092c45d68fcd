"""A fault of every kind at every provider, and clean runs; `python -m tests.simulator` plays many more."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from llmprof_addon.model.cache import CacheCause
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.store import queries
from llmprof_addon.store.open import Store, open_store
from tests.simulator.agents import Style
from tests.simulator.runs import LOSSES, PLANTED, STYLES, play

BOOK = PriceBook()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path}/llmprof.db") as opened:
        yield opened


@pytest.mark.parametrize(("style", "cause"), PLANTED)
def test_a_planted_fault_is_found(style: Style, cause: CacheCause, store: Store) -> None:
    outcomes = list(play(style, cause, 1, store, BOOK, turns=6))
    planted = [outcome for outcome in outcomes if outcome.cause is cause]
    assert planted
    for outcome in planted:
        assert outcome.is_right, outcome
        assert outcome.verdict is not None
        if not outcome.verdict.estimated:
            assert outcome.error <= 0.01, outcome
    for outcome in outcomes:
        if outcome.cause is None:
            assert outcome.verdict is not None
            assert outcome.verdict.status not in LOSSES, outcome


@pytest.mark.parametrize("style", STYLES)
def test_a_clean_run_has_no_breaks(style: Style, store: Store) -> None:
    for outcome in play(style, None, 2, store, BOOK, turns=12):
        assert outcome.verdict is not None
        assert outcome.verdict.status not in LOSSES, outcome
    (run,) = queries.runs(store)
    assert (run.cache_breaks, run.cache_expiries, run.cache_lost, run.cache_wasted) == (0, 0, 0, 0)


def test_the_run_sums_its_calls(store: Store) -> None:
    outcomes = list(play("anthropic", CacheCause.SYSTEM_CHANGED, 3, store, BOOK, turns=6))
    (run,) = queries.runs(store)
    rows = list(queries.calls(store))
    verdicts = [row.cache for row in rows if row.cache is not None]
    assert {row.id: row.cache for row in rows} == {outcome.uid: outcome.verdict for outcome in outcomes}
    assert run.cache_breaks == 1
    assert run.cache_lost == sum(verdict.lost for verdict in verdicts) > 0
    assert run.cache_wasted == sum(verdict.wasted or 0 for verdict in verdicts) > 0
