import json
from pathlib import Path

import pytest

from llmprof_addon.errors import ConfigError
from llmprof_addon.gate.baseline import baseline_text, read_baseline
from llmprof_addon.gate.measure import measure
from tests.unit.gate.calls import row

MEASURED = measure([row(1, 1000), row(2, 4000)])


def test_what_is_written_is_read(tmp_path: Path) -> None:
    unpriced = measure([row(1, 1000, cost=None)])
    for measured in (MEASURED, unpriced):
        (tmp_path / "b.json").write_text(baseline_text(measured))
        assert read_baseline(tmp_path / "b.json") == measured


def test_no_texts_are_in_it() -> None:
    assert {"llmprof_baseline", "llmprof_version", "calls", "cost_usd", "tokens"} <= json.loads(
        baseline_text(MEASURED)
    ).keys()
    assert "a run" not in baseline_text(MEASURED)


GOOD = json.loads(baseline_text(MEASURED))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no JSON"),
        ("{", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("\udcff", "no JSON"),
        ("[]", "is no baseline of llmprof"),
        ('{"calls": 1}', "is no baseline of llmprof"),
        (json.dumps(GOOD | {"llmprof_baseline": 2}), "is a baseline of version 2, this llmprof reads 1"),
        (json.dumps(GOOD | {"calls": "2"}), "damaged"),
        (json.dumps(GOOD | {"cost_usd": "dear"}), "damaged"),
        (json.dumps(GOOD | {"cost_usd": 0.5}), "damaged"),
        (json.dumps(GOOD | {"cache_hit": True}), "damaged"),
        (json.dumps(GOOD | {"tokens": None}), "damaged"),
        (json.dumps(GOOD | {"tokens": []}), "damaged"),
        (json.dumps(GOOD | {"unknown": [3]}), "damaged"),
        (json.dumps({"llmprof_baseline": 1}), "damaged"),
    ],
    ids=range(15),
)
def test_other_files_are_one_line(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    path.write_text(text, "utf-8", errors="surrogateescape")
    with pytest.raises(ConfigError, match=said) as error:
        read_baseline(path)
    assert str(path) in error.value.message
    assert "\n" not in error.value.message
