import json

import pytest
from llmprof_tui.widgets.pretty import LONGEST, pretty


def test_json_is_indented_and_keeps_its_numbers() -> None:
    assert pretty('{"a":1.10,"b":[1,2],"c":{"d":null,"e":[]},"f":1e400}') == (
        '{\n  "a": 1.10,\n  "b": [1, 2],\n  "c": {\n    "d": null,\n    "e": []\n  },\n  "f": 1e400\n}'
    )


def test_strings_of_several_lines_stand_on_lines_of_their_own() -> None:
    assert pretty('{"content":"one\\ntwo","end":"kept\\n"}') == (
        '{\n  "content": "one\n    two",\n  "end": "kept\\n"\n}'
    )


@pytest.mark.parametrize(
    "text",
    ["", "plain words", "3", '"text"', "{not json", "[1, 2", "{]", "[" * 100_000 + "]" * 100_000],
    ids=["empty", "words", "number", "string", "broken", "open", "mixed", "deep"],
)
def test_what_is_no_object_or_list_is_left_alone(text: str) -> None:
    assert pretty(text) is None


def test_what_is_very_long_is_left_alone() -> None:
    assert pretty(json.dumps(["x" * LONGEST])) is None
