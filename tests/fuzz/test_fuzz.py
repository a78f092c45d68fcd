"""The short version: every target over the same few hundred inputs, and every input that ever failed."""

import json
from pathlib import Path

import pytest

from llmprof_addon.errors import WireError
from llmprof_addon.wire import jsontext
from tests.factories import FIXTURES
from tests.fuzz import seeds
from tests.fuzz.engine import HANG_SECONDS, Target, alarm, generated
from tests.fuzz.targets import TARGETS

INPUTS = {"pipeline": 25, "search": 40, "flows": 25, "har": 25}
"""Of the slow ones fewer than"""
MOST_INPUTS = 60
FOUND = sorted((FIXTURES / "fuzz").glob("*/*"))


@pytest.fixture(autouse=True)
def no_recordings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeds, "recorded", False)


@pytest.mark.parametrize("target", TARGETS.values(), ids=list(TARGETS))
def test_nothing_fails(target: Target) -> None:
    with target.open() as check:
        for data in generated(target, INPUTS.get(target.name, MOST_INPUTS), seed=1):
            with alarm(HANG_SECONDS):
                check(data)


@pytest.mark.parametrize("path", FOUND, ids=[f"{path.parent.name}/{path.name}" for path in FOUND])
def test_what_failed_once_does_not_again(path: Path) -> None:
    with TARGETS[path.parent.name].open() as check, alarm(HANG_SECONDS):
        check(path.read_bytes())


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_what_is_nested_too_deeply_is_refused_before_anyone_walks_it(opening: str) -> None:
    closing = "]" if opening == "[" else "}"
    depth = jsontext.MAX_DEPTH
    value = jsontext.loads(opening * depth + "1" + closing * depth)
    assert json.dumps(value).replace(" ", "") == opening * depth + "1" + closing * depth
    with pytest.raises(WireError, match="nested too deeply"):
        jsontext.loads(opening * (depth + 1) + "1" + closing * (depth + 1))
