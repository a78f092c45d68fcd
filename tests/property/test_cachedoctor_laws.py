"""What holds for every verdict, whatever two prompts are compared."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from tempfile import TemporaryDirectory
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmprof_addon.cachedoctor.examine import examine, wasted
from llmprof_addon.cli.laws import check_run
from llmprof_addon.model.cache import CacheCause, CacheVerdict, CacheView
from llmprof_addon.model.exchange import Exchange
from llmprof_addon.model.record import CallRecord
from llmprof_addon.pipeline import process
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.store import queries
from llmprof_addon.store.open import Store, open_store
from llmprof_addon.store.rows import LaneRow, RunRow
from tests.simulator import runs as runs_module
from tests.simulator.agents import Style
from tests.simulator.runs import play
from tests.unit.cachedoctor.views import EACH, view

BOOK = PriceBook()
letters = st.text("abcdefgh", max_size=9)


@st.composite
def calls(draw: st.DrawFn) -> tuple[CacheView, CacheView]:
    """A call and the one before it, whose numbers need not fit together."""
    made = []
    for at in (0, draw(st.integers(-3, 90))):
        tools, system, messages = draw(letters), draw(letters), draw(letters)
        total = EACH * len(tools + system + messages)
        read = draw(st.integers(0, total + EACH))
        write = draw(st.integers(0, max(0, total - read)))
        costs = {"write_cost": write * 1250, "fresh_cost": max(0, total - read - write) * 1000, "read_rate": 100}
        made.append(view(tools, system, messages, at=at, read=read, write=write, **costs))
    return made[1], made[0]


@given(calls())
def test_a_verdict_never_claims_more_than_was_paid(pair: tuple[CacheView, CacheView]) -> None:
    call, previous = pair
    found = examine(call, previous)
    assert found is not None
    assert call.input is not None
    assert call.write_cost is not None
    assert call.fresh_cost is not None
    assert 0 <= found.lost <= max(0, call.input - (call.read or 0))
    assert found.wasted is not None
    assert 0 <= found.wasted <= call.write_cost + call.fresh_cost
    assert found.wasted <= found.lost * 1250
    assert (found.cause is None) == (found.status.value in ("hit", "parallel"))


@given(calls(), st.integers(0, 20_000), st.integers(0, 20_000))
def test_more_lost_tokens_never_cost_less(pair: tuple[CacheView, CacheView], one: int, other: int) -> None:
    call, _ = pair
    less, more = (wasted(call, lost) for lost in sorted((one, other)))
    assert less is not None
    assert more is not None
    assert less <= more


@given(calls())
def test_the_same_prompt_that_was_read_is_a_hit(pair: tuple[CacheView, CacheView]) -> None:
    _, previous = pair
    left = (previous.read or 0) + (previous.write or 0)
    found = examine(view(at=1, read=left, input=max(left, 1), write=0), previous)
    assert isinstance(found, CacheVerdict)
    assert found.lost == 0


PLAYED = (
    ("anthropic", CacheCause.SYSTEM_CHANGED),
    ("chat", CacheCause.MESSAGE_REMOVED),
    ("responses", None),
    ("exact", CacheCause.HISTORY_COMPACTED),
)


@contextmanager
def new_store() -> Iterator[Store]:
    with TemporaryDirectory() as folder, open_store(f"sqlite:///{folder}/llmprof.db") as store:
        yield store


@pytest.fixture(scope="module")
def played() -> list[list[Exchange]]:
    """The exchanges of some runs, each in its order."""
    runs: list[list[Exchange]] = []
    with pytest.MonkeyPatch.context() as patch, new_store() as store:
        for number, (style, cause) in enumerate(PLAYED):
            seen: list[Exchange] = []

            def kept(exchange: Exchange, *rest: Any, seen: list[Exchange] = seen) -> CallRecord | None:
                seen.append(exchange)
                return process(exchange, *rest)

            patch.setattr(runs_module, "process", kept)
            list(play(cast(Style, style), cause, number, store, BOOK, turns=6))
            runs.append(seen)
    return runs


def verdicts(exchanges: list[Exchange]) -> dict[str, CacheVerdict | None]:
    with new_store() as store:
        records = [process(exchange, store, BOOK) for exchange in exchanges]
    return {record.exchange.id: record.cache for record in records if record is not None}


def stored(exchanges: list[Exchange]) -> dict[str, Any]:
    """The verdicts of all calls, and what runs and lanes sum of them."""
    with new_store() as store:
        for exchange in exchanges:
            process(exchange, store, BOOK)
        runs = list(queries.runs(store))
        assert [line for run in runs for line in check_run(store, run)] == []
        lanes = queries.lanes(store, [run.id for run in runs])
        sums = {run.id: sums_of(run) for run in runs}
        sums |= {f"{run} {lane.id}": sums_of(lane) for run, some in lanes.items() for lane in some}
        return {row.id: row.cache for row in queries.calls(store)} | sums


def sums_of(row: RunRow | LaneRow) -> tuple[int | None, ...]:
    return row.cache_breaks, row.cache_expiries, row.cache_lost, row.cache_wasted


@settings(max_examples=6, deadline=None)
@given(data=st.data())
def test_what_else_arrives_changes_no_verdict(played: list[list[Exchange]], data: st.DataObject) -> None:
    alone = [verdicts(run) for run in played]
    turns = data.draw(st.permutations([number for number, run in enumerate(played) for _ in run]))
    left = [iter(run) for run in played]
    mixed = verdicts([next(left[number]) for number in turns])
    assert mixed == {uid: verdict for run in alone for uid, verdict in run.items()}


@settings(max_examples=4, deadline=None)
@given(st.sampled_from([0, 1, 3]), st.booleans(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_no_verdict(
    played: list[list[Exchange]], run: int, named: bool, chance: random.Random
) -> None:
    """Whether the runs are named on the wire, or found by what calls continue."""
    exchanges = [exchange if named else replace(exchange, session=None) for exchange in played[run]]
    expected = stored(sorted(exchanges, key=lambda exchange: exchange.ended_ns))
    assert stored(chance.sample(exchanges, len(exchanges))) == expected
    assert stored(exchanges[::-1]) == expected
