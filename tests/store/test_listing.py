"""Lists of runs by number: what fits, in which order, with which sums."""

from collections.abc import Callable
from typing import Any

import pytest

from llmprof_addon.model.finding import Reclaimable, Waste
from llmprof_addon.store import edits, findings, listing, queries, timeline
from llmprof_addon.store.listing import RunFilter
from llmprof_addon.store.open import Store
from tests.store.building import conversation, exchange, money, record


@pytest.fixture
def filled(store: Store) -> Store:
    """Three runs: `a` of three priced calls, `b` of one failed call, `c` of one call without a price."""
    for turn, (messages, answer) in enumerate(conversation(3, said_by="a")):
        made = exchange(f"a{turn}".ljust(32, "0"), at=10 * turn, tags=(("team", "blue"),))
        store.write(record(store, made, messages, answer, cost=money()))
    for name, at, fields in (("b", 100, {"status": 500}), ("c", 200, {})):
        ((messages, answer),) = conversation(1, said_by=name)
        store.write(record(store, exchange(name.ljust(32, "0"), at=at, **fields), messages, answer))
    return store


ALL = RunFilter()


def _ids(store: Store, wanted: RunFilter = ALL, **options: Any) -> list[str]:
    found = listing.list_runs(store, wanted, **options)
    rows = listing.runs_by_number(store, found.numbers)
    first = {row.run_id: row.id[0] for row in queries.calls(store)}
    return [first[rows[number].id] for number in found.numbers]


def test_the_newest_run_comes_first(filled: Store) -> None:
    assert _ids(filled) == ["c", "b", "a"]
    assert _ids(filled, descending=False) == ["a", "b", "c"]


@pytest.mark.parametrize(("order", "first"), [("calls", "a"), ("cost", "a"), ("duration", "a"), ("input", "a")])
def test_orders(filled: Store, order: Any, first: str) -> None:
    assert _ids(filled, order=order)[0] == first


def test_waste_orders_runs_and_what_could_be_saved_is_summed(filled: Store) -> None:
    saved = {"a": Reclaimable(tokens=9, cost=30), "b": Reclaimable(), "c": Reclaimable(cost=None)}
    first = {row.run_id: row.id[0] for row in queries.calls(filled)}
    for mark in findings.due(filled):
        findings.put(filled, mark, Waste(reclaimable=saved[first[mark.run_id]]))
    assert _ids(filled, order="waste") == ["a", "b", "c"]
    assert _ids(filled, order="waste", descending=False) == ["b", "a", "c"]
    assert listing.list_runs(filled).totals.reclaimable_cost == 30


@pytest.mark.parametrize("descending", [True, False])
def test_what_is_unknown_comes_last_in_either_direction(filled: Store, descending: bool) -> None:
    assert _ids(filled, order="cost", descending=descending)[-1] in "bc"
    assert _ids(filled, order="cost", descending=descending)[0] == "a"


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (RunFilter(failed=True), ["b"]),
        (RunFilter(failed=False), ["c", "a"]),
        (RunFilter(tag="team"), ["a"]),
        (RunFilter(tag="team:blue"), ["a"]),
        (RunFilter(tag="team:red"), []),
        (RunFilter(app="no such app"), []),
        (RunFilter(model="no such model"), []),
        (RunFilter(provider="no such provider"), []),
        (RunFilter(query="TEAM:Blue"), ["a"]),
        (RunFilter(query="tea lue"), ["a"]),
        (RunFilter(query="tea -blue"), []),
        (RunFilter(query="team:blue absent"), []),
        (RunFilter(query="tea has:error"), []),
    ],
    ids=str,
)
def test_filters(filled: Store, wanted: RunFilter, found: list[str]) -> None:
    assert _ids(filled, wanted) == found


def test_a_period_takes_the_runs_that_reach_into_it(filled: Store) -> None:
    newest, middle, oldest = listing.runs_by_number(filled, listing.list_runs(filled).numbers).values()
    starts = sorted(row.started_ns for row in (newest, middle, oldest))
    assert _ids(filled, RunFilter(since_ns=starts[1])) == ["c", "b"]
    assert _ids(filled, RunFilter(until_ns=starts[1])) == ["a"]
    within_a = starts[0] + 1  # it had started before, and ends later
    assert _ids(filled, RunFilter(since_ns=within_a, until_ns=starts[1])) == ["a"]


def test_totals_are_the_sums_of_the_runs_that_fit(filled: Store) -> None:
    totals = listing.list_runs(filled).totals
    rows = list(queries.runs(filled))
    assert (totals.runs, totals.calls) == (3, 5)
    assert totals.input_tokens == sum(row.usage.input_tokens or 0 for row in rows)
    assert totals.cost == sum(row.cost.total for row in rows if row.cost)
    assert totals.unpriced_calls == sum(row.unpriced_calls for row in rows)
    assert listing.list_runs(filled, RunFilter(app="nobody")).totals == listing.Totals()


def test_facets_name_what_runs_have(filled: Store) -> None:
    found = listing.facets(filled)
    assert found.tags == ("team:blue",)
    assert found.providers == queries.run(filled, next(queries.calls(filled)).run_id).providers  # type: ignore[union-attr]


def test_growth_has_a_point_for_each_call_and_keeps_the_peaks_of_long_runs(filled: Store) -> None:
    numbers = listing.list_runs(filled).numbers
    assert sorted(map(len, listing.growth(filled, numbers).values())) == [1, 1, 3]
    whole = max(listing.growth(filled, numbers).values(), key=len)
    assert max(listing.growth(filled, numbers, points=2).values(), key=len)[-1] == max(whole)


def test_calls_of_a_run_come_by_start(filled: Store) -> None:
    run = next(row for row in queries.runs(filled) if row.calls == 3)
    numbers = listing.call_numbers(filled, run.id)
    rows = listing.calls_by_number(filled, numbers)
    assert [rows[number].id[:2] for number in numbers] == ["a0", "a1", "a2"]
    assert [call.id[:2] for call in timeline.timeline(filled, run.id)] == ["a0", "a1", "a2"]
    assert [call.id[:2] for call in timeline.timeline(filled, run.id, after=numbers[1])] == ["a2"]


def test_a_timeline_says_what_the_calls_say(filled: Store) -> None:
    run = next(row for row in queries.runs(filled) if row.calls == 3)
    for drawn, row in zip(
        timeline.timeline(filled, run.id), list(queries.calls(filled, run=run.id))[::-1], strict=True
    ):
        assert drawn.input_tokens == row.usage.input_tokens
        assert drawn.cost == (row.cost.total if row.cost else None)
        assert drawn.composition == row.composition
        assert drawn.failed == row.failed


def test_a_runs_composition_is_the_sum_of_its_calls(filled: Store) -> None:
    run = next(row for row in queries.runs(filled) if row.calls == 3)
    tokens: dict[str, int] = {}
    for call in queries.calls(filled, run=run.id):
        for total in call.composition:
            tokens[total.kind] = tokens.get(total.kind, 0) + total.tokens
    assert {total.kind: total.tokens for total in timeline.composition(filled, run.id)} == tokens


@pytest.mark.parametrize(
    "change",
    [
        lambda store, id: edits.rename_run(store, id, "a name"),
        lambda store, id: edits.tag_run(store, id, {"k": "v"}),
        lambda store, id: edits.delete_run(store, id),
    ],
    ids=["rename", "tag", "delete"],
)
def test_the_version_changes_with_what_a_person_does(
    sqlite_store: Store, change: Callable[[Store, str], object]
) -> None:
    from llmprof_addon.store.open import open_store

    ((messages, answer),) = conversation(1)
    sqlite_store.write(record(sqlite_store, exchange("a" * 32), messages, answer))
    with open_store(sqlite_store.url, read_only=True) as reader:
        before = listing.version(reader)
        assert listing.version(reader) == before
        change(sqlite_store, next(queries.runs(sqlite_store)).id)
        assert listing.version(reader) != before
