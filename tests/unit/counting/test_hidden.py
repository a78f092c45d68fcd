import pytest

from llmprof_addon.counting.coefficients import Coefficients
from llmprof_addon.counting.hidden import sealed_chars, sealed_thoughts, server_loop
from llmprof_addon.model.part import Json, Part, PartKind

SEALED = "QUJD" * 100
PLAIN = Coefficients(call=10, prose=1, sealed=0.5)

CALL = Part(kind=PartKind.TOOL_CALL, text="")
FOUND = Part(kind=PartKind.TOOL_RESULT, text="x" * 400)
SAID = Part(kind=PartKind.TEXT, text="")


@pytest.mark.parametrize(
    ("value", "chars"),
    [
        (SEALED, 400),
        ({"type": "reasoning", "encrypted_content": SEALED, "summary": []}, 400),
        ([{"a": SEALED}, {"b": [SEALED]}], 800),
        ("a text of many words " * 40, 0),
        ("https://example.com/" + "a" * 400, 0),
        ("short", 0),
        (None, 0),
        (17, 0),
        ({}, 0),
    ],
)
def test_only_long_strings_of_one_word_are_taken_for_encrypted(value: Json, chars: int) -> None:
    assert sealed_chars(value) == chars


def test_thoughts_have_a_length_only_where_they_are_hidden() -> None:
    value = {"data": "Q" * 2000}
    assert sealed_thoughts(Part(kind=PartKind.REASONING, hidden=True, value=value)) == pytest.approx(168)
    assert sealed_thoughts(Part(kind=PartKind.REASONING, hidden=True, value={"data": "Q" * 500})) == 0
    assert sealed_thoughts(Part(kind=PartKind.REASONING, value=value)) == 0


def test_each_batch_of_results_has_the_prompt_read_again() -> None:
    assert server_loop([SAID], 1000, PLAIN) == 0
    assert server_loop([CALL], 1000, PLAIN) == 0
    assert server_loop([CALL, FOUND, SAID], 1000, PLAIN) == 1110
    assert server_loop([CALL, CALL, FOUND, FOUND, SAID], 1000, PLAIN) == 1220
    assert server_loop([CALL, FOUND, CALL, FOUND, SAID], 1000, PLAIN) == 1110 + 1220


def test_what_a_result_holds_encrypted_or_inside_is_read_too() -> None:
    sealed = Part(kind=PartKind.TOOL_RESULT, text="", hidden=True, value={"content": [{"encrypted_content": SEALED}]})
    assert server_loop([CALL, sealed], 1000, PLAIN) == 1000 + 10 + 200
    page = Part(kind=PartKind.TOOL_RESULT, text="", inner=(Part(kind=PartKind.DOCUMENT, text="x" * 800),))
    assert server_loop([CALL, page], 1000, PLAIN) == 1000 + 10 + 200
