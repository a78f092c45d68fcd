"""A short storm: what `make faults` does for minutes, with a seed of its own for every run of the tests."""

import os
from pathlib import Path

from tests.e2e.faults.__main__ import report, storm
from tests.e2e.faults.storm import Wanted


def test_nothing_is_lost_doubled_changed_failed_or_told(tmp_path: Path) -> None:
    seed = int(os.environ.get("LLMPROF_FAULTS_SEED", "1"))
    print(f"seed {seed}")
    # Where all tests share few processors, the thread that writes files may not get its turn for a while.
    wanted = Wanted(seed=seed, calls=500, kills=3, disk_faults=2, rate=150, share=0.2, clients=16, grace_seconds=1.0)
    weather, result = storm(tmp_path / "home", wanted)
    report(weather, result)
    assert {name: bad for name, bad in result.bad.items() if bad} == {}
    assert weather.kills.total() == wanted.kills
    assert weather.wire.total() > 50
    assert result.finished > 200
