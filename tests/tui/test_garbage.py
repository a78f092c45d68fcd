"""Full garbage collections wait until nobody is at work, and are not forgotten."""

import gc
from collections.abc import Iterator

import pytest
from llmprof_tui import garbage
from llmprof_tui.garbage import Rest


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


def test_what_was_loaded_is_left_out_and_full_collections_are_rare() -> None:
    before = gc.get_threshold()
    garbage.put_off()
    assert gc.get_freeze_count() > 1000
    assert gc.get_threshold()[:2] == before[:2]
    assert gc.get_threshold()[2] > before[2]


def test_a_collection_waits_for_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    now, counts, collected = 100.0, (0, 0, 50), 0

    def collect() -> int:
        nonlocal collected
        collected += 1
        return 0

    monkeypatch.setattr("time.monotonic", lambda: now)
    monkeypatch.setattr(gc, "get_count", lambda: counts)
    monkeypatch.setattr(gc, "collect", collect)
    rest = Rest()
    now += 0.9
    assert not rest.collect()
    rest.work()
    now += 0.9
    assert not rest.collect()
    now += 0.2
    assert rest.collect()
    assert collected == 1
    counts = (0, 0, 3)
    assert not rest.collect()  # nothing is due
    assert collected == 1
