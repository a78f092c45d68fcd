from fractions import Fraction
from pathlib import Path

import pytest

from llmprof_addon.errors import ConfigError
from llmprof_addon.pytest_plugin.budget import baseline_file, budget


def test_options_as_they_are_written() -> None:
    found = budget({"max_usd": "0.5", "max_breaks": None}, "kept", "10%", writes=False)
    assert found.limits.max_usd == 5 * 10**11
    assert (found.folder, found.tolerance, found.writes) == (Path("kept"), Fraction(1, 10), False)


@pytest.mark.parametrize(
    ("given", "folder", "tolerance", "writes", "said"),
    [
        ({"max_usd": "x"}, None, "5%", False, "max-usd: 'x'"),
        ({}, "kept", "much", False, "tolerance: 'much'"),
        ({}, None, "5%", True, "write-baseline needs a folder"),
    ],
)
def test_wrong_ones(given: dict[str, str], folder: str | None, tolerance: str, writes: bool, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        budget(given, folder, tolerance, writes=writes)


@pytest.mark.parametrize(
    ("nodeid", "file"),
    [
        ("tests/test_a.py::test_x", "tests/test_a.py/test_x.json"),
        ("test_a.py::TestX::test_y[1-a b]", "test_a.py/TestX.test_y[1-a b].json"),
        ("test_a.py::test_x[a/../b]", "test_a.py/test_x[a%2F..%2Fb].json"),
        ("../test_a.py::test_x[ö:é]", "%2E%2E/test_a.py/test_x[%C3%B6%3A%C3%A9].json"),
    ],
)
def test_each_test_has_a_file_of_its_own(nodeid: str, file: str) -> None:
    assert baseline_file(Path("kept"), nodeid) == Path("kept") / file
