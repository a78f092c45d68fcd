"""Sums by day are those of the calls: in any order of arrival, after deletions, late changes, and counted anew."""

import random
from dataclasses import replace
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from llmprof_addon.model.cost import Cost
from llmprof_addon.model.usage import Usage
from llmprof_addon.store import edits, trend_rows
from llmprof_addon.store.open import open_store
from llmprof_addon.store.schema import Call
from llmprof_addon.store.trend_check import recomputed, stored
from tests.property.test_store_laws import COSTS, USAGES
from tests.store.building import exchange, record, text, tool_call, tool_result

NAMES = st.sampled_from(["", "read", "mcp__files__list", "\0 \ud800"])
CALLS = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from(["You mend boats.", "You 7", ""]), NAMES, USAGES, COSTS),
    min_size=1,
    max_size=7,
)


@settings(max_examples=15, deadline=None)
@given(CALLS, st.randoms(use_true_random=False))
def test_sums_by_day_are_those_of_the_calls(
    calls: list[tuple[int, str, str, Usage, Cost | None]], chance: random.Random
) -> None:
    with TemporaryDirectory() as home, open_store(f"sqlite:///{home}/s.db") as store:
        numbered = list(enumerate(calls))
        chance.shuffle(numbered)
        for number, (day, system, tool, usage, cost) in numbered:
            made = exchange(f"{number:032x}", at=day * 86_400 + number, status=chance.choice([200, 500]))
            talk = [text("user", "Look."), tool_call(tool, "{}", "c"), tool_result(f"Found {day}.", "c")]
            made_of = record(
                *(store, made, talk, [tool_call(tool, "{}", "d")]),
                system=[text("system", system)],
                usage=_smaller(usage),
                cost=cost,
            )
            assert store.write(made_of)
        assert stored(store) == recomputed(store)
        with store.db.atomic(), trend_rows.changing(store.db, [1]):
            store.db.execute(Call.update(cache_wasted=77, cache_status="break").where(Call.id == 1))
        assert stored(store) == recomputed(store)
        for number in chance.sample(range(len(calls)), chance.randrange(len(calls) + 1)):
            assert edits.delete_call(store, f"{number:032x}")
            assert stored(store) == recomputed(store)


def _smaller(usage: Usage) -> Usage:
    """Numbers that are tokens."""
    names = ("input_tokens", "output_tokens", "cache_read_input_tokens")
    smaller: Any = {name: None if (n := getattr(usage, name)) is None else n >> 4 for name in names}
    return replace(usage, **smaller)
