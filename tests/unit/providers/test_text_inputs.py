from typing import Any

import pytest

from llmprof_addon.model.part import PartKind
from llmprof_addon.model.tree import assemble
from llmprof_addon.providers.text_inputs import is_token_ids, take_texts


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        ("one", ["one"]),
        (["one", "two", ""], ["one", "two", ""]),
        ([1, 2, 3], [None]),
        ([[1, 2], [3]], [None, None]),
        (["one", [1]], ["one", None]),
        ([{"text": "one", "image": "x"}], ["one"]),
    ],
)
def test_texts_and_token_ids(value: Any, texts: list[str | None]) -> None:
    params = {"input": value, "model": "m"}
    parts = take_texts(params, "input")
    assert params == {"model": "m"}
    assert [part.text for part in parts] == texts
    assert {part.kind for part in parts} == {PartKind.TEXT}
    assert assemble(params, parts) == {"input": value, "model": "m"}


@pytest.mark.parametrize("value", [None, "", [], 7, {"text": "x"}])
def test_what_is_no_text_stays(value: Any) -> None:
    params = {"input": value}
    assert take_texts(params, "input") == ()
    assert params == {"input": value}


def test_odd_items_are_kept() -> None:
    parts = take_texts({"input": [None, {"image": 1}, [], [True]]}, "input")
    assert {part.kind for part in parts} == {PartKind.GENERIC}
    assert [part.path for part in parts] == ["input[0]", "input[1]", "input[2]", "input[3]"]


def test_token_ids_are_whole_numbers() -> None:
    assert is_token_ids([1])
    assert not any(map(is_token_ids, ([], [1.5], [True], ["1"], "1", None)))
