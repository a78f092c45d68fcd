"""The laws of the numbers over recorded calls of every kind, by `llmprof selftest --corpus`. Skipped without them."""

import random
from pathlib import Path

import pytest

from llmprof_addon import cli
from llmprof_addon.spool import files
from tests.corpus.recorded import calls, exchange_of, needs_recordings
from tests.corpus.test_all_rows import APIS, NOT_CALLS

pytestmark = needs_recordings

OF_EACH_KIND = 8


def test_recorded_calls_obey_the_laws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chance, number, expected = random.Random(20261121), 0, 0
    for kind in (*APIS, *NOT_CALLS):
        held = calls(kind)
        for row, _, call in chance.sample(held, min(len(held), OF_EACH_KIND)):
            (tmp_path / f"{number:06d}.exchange").write_bytes(files.encode(exchange_of(row, number)))
            number += 1
            expected += call.api != "unknown"
    code = cli.main(["selftest", "--corpus", str(tmp_path), "--home", str(tmp_path / "none")])
    out = capsys.readouterr().out
    assert code == 0, out
    assert out.startswith(f"{expected} calls and ")
    assert out.endswith(" checked: no breaches\n")
