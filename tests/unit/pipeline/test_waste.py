"""Findings kept up while calls arrive: paced, complete at the end, and in nobody's way."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from llmprof_addon import settings
from llmprof_addon.findings import find
from llmprof_addon.model.thresholds import Thresholds
from llmprof_addon.pipeline import process, waste
from llmprof_addon.pipeline.waste import RESTS, WasteKeeper, waste_of
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.spool.folder import Spool
from llmprof_addon.spool.redaction import redact
from llmprof_addon.store import findings, queries
from llmprof_addon.store.open import Store, open_store
from llmprof_addon.worker import settle
from tests.unit.cli.recording import turn

BOOK = PriceBook(None)


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path}/llmprof.db") as store:
        yield store


def record(store: Store, number: int, said: list[str]) -> None:
    process(turn(number, said, f"answer {number}"), store, BOOK)


def test_a_run_is_looked_at_after_it_changed_and_not_again(store: Store) -> None:
    keeper, clock = WasteKeeper(Thresholds(), now=(now := Clock())), now
    record(store, 1, ["Hello"])
    assert not keeper.look(store)
    (run,) = queries.runs(store)
    assert run.findings == 0
    assert run.reclaimable_cost == 0
    clock.seconds += 60
    keeper.look(store)
    assert keeper.looked == 1
    record(store, 2, ["Hello", "answer 1", "More"])
    keeper.look(store)
    assert keeper.looked == 2


def test_a_keeper_rests_for_a_multiple_of_what_it_took(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    keeper = WasteKeeper(Thresholds(), now=clock)

    def slow(*given: object) -> None:
        clock.seconds += 3

    monkeypatch.setattr(waste, "waste_of", slow)
    record(store, 1, ["Hello"])
    keeper.look(store)
    assert findings.due(store) == [], "what is gone is given up"
    record(store, 2, ["Hello", "answer 1", "More"])
    clock.seconds += 3 * RESTS - 0.1
    keeper.look(store)
    assert len(findings.due(store)) == 1
    clock.seconds += 0.2
    keeper.look(store)
    assert findings.due(store) == []


def test_at_the_end_every_run_is_looked_at_without_rest(store: Store) -> None:
    clock = Clock()
    keeper = WasteKeeper(Thresholds(), now=clock)
    record(store, 1, ["Hello"])
    keeper.look(store)
    record(store, 2, ["Bye"])
    record(store, 3, ["Good evening"])
    while keeper.look(store, at_once=True):
        pass
    assert keeper.looked == 3
    assert findings.due(store) == []


def test_a_rule_that_fails_is_noted_and_the_others_go_on(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(run: object) -> None:
        raise KeyError("no such thing")

    monkeypatch.setattr(find, "all_rules", lambda: {"broken": broken, **RULES})
    keeper = WasteKeeper(Thresholds())
    record(store, 1, ["Hello"])
    keeper.look(store)
    (run,) = queries.runs(store)
    assert run.findings == 0
    assert keeper.error is not None
    assert "rule broken: KeyError: 'no such thing'" in keeper.error


def test_a_run_that_cannot_be_looked_at_is_given_up_until_it_changes(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*given: object) -> None:
        raise ValueError("torn")

    monkeypatch.setattr(waste, "run_tree", broken)
    keeper = WasteKeeper(Thresholds())
    record(store, 1, ["Hello"])
    assert not keeper.look(store)
    assert findings.due(store) == []
    assert keeper.error is not None
    assert "ValueError: torn" in keeper.error
    assert next(queries.runs(store)).findings is None


def test_a_worker_has_looked_at_every_run_when_it_is_done(tmp_path: Path) -> None:
    at = settings.load({"home": str(tmp_path)}, {})
    at.ensure_home()
    spool = Spool(at.spool_dir, redact=redact)
    for number, said in enumerate((["Hello"], ["Bye"], ["Hello", "answer 0", "More"])):
        spool.add(turn(number, said, f"answer {number}"))
    assert settle(at) == 0
    with open_store(at.db_url, read_only=True) as store:
        assert [run.findings for run in queries.runs(store)] == [0, 0]
        assert findings.due(store) == []


def test_a_run_that_is_not_there_has_no_waste(store: Store) -> None:
    assert waste_of(store, "0" * 16, Thresholds()) is None


RULES = find.all_rules()
