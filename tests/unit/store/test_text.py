import pytest

from llmprof_addon.store.text import clean, dumps, loads


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [(None, None), ("", ""), ("plain", "plain"), ("größer 😀", "größer 😀"), ("a\0b", "a�b"), ("a\ud83db", "a�b")],
)
def test_text_is_cleaned_of_what_no_column_takes(text: str | None, cleaned: str | None) -> None:
    assert clean(text) == cleaned


def test_json_is_ascii() -> None:
    value = {"ü": "\ud83d\0", "n": [1, None]}
    assert dumps(value).isascii()
    assert loads(dumps(value)) == value
