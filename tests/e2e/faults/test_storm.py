"""A short storm: what `make faults` does for minutes, with a seed of its own for every run of the tests."""

import os
from pathlib import Path
from secrets import randbelow

from tests.e2e.faults.__main__ import report, storm
from tests.e2e.faults.storm import Wanted


def test_nothing_is_lost_doubled_changed_failed_or_told(tmp_path: Path) -> None:
    seed = int(os.environ.get("LLMPROF_FAULTS_SEED", randbelow(10**6)))
    print(f"seed {seed}")  # of a failing test it is shown
    wanted = Wanted(seed=seed, calls=600, kills=3, disk_faults=2, rate=120, share=0.2, clients=16)
    weather, result = storm(tmp_path / "home", wanted)
    report(weather, result)
    assert {name: bad for name, bad in result.bad.items() if bad} == {}
    assert weather.kills.total() == wanted.kills
    assert weather.wire.total() > 50
    assert result.finished > 400


def test_a_storm_finds_what_is_wrong(tmp_path: Path) -> None:
    """That nothing was found means something."""
