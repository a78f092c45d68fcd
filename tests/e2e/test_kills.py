"""Law 5 with real processes: a kill -9 loses no finished call and stores none twice."""

import asyncio

import pytest

from tests.benchmarks.kills import VICTIMS, one_round


@pytest.mark.parametrize("victim", VICTIMS)
def test_kill_loses_no_finished_call(victim: str) -> None:
    result = asyncio.run(one_round(VICTIMS.index(victim) + 1000, victim))
    assert len(result.early) > 10
    assert not result.lost
    assert not result.twice
