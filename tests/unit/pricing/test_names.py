import pytest

from llmprof_addon.pricing.names import spellings


@pytest.mark.parametrize(
    ("wire", "listed"),
    [
        ("GPT-4.1", "gpt-4.1"),
        ("gpt-4.1-2025-04-14", "gpt-4.1"),
        ("openai/gpt-5.4-nano-20260317", "gpt-5.4-nano"),
        ("models/gemini-2.5-pro", "gemini-2.5-pro"),
        ("gemini-2.5-flash-lite-preview-06-17", "gemini-2.5-flash-lite-preview"),
        ("claude-opus-5@20260401", "claude-opus-5"),
        ("us.anthropic.claude-haiku-4-5-20251001-v1:0", "claude-haiku-4-5-20251001"),
        ("gpt-35-turbo", "gpt-3.5-turbo"),
        ("davinci:2023-07-21-v2", "davinci-002"),
        ("ft:gpt-4o-2024-08-06:some-org::8fK2", "ft:gpt-4o"),
    ],
)
def test_a_listed_name_is_among_the_spellings(wire: str, listed: str) -> None:
    assert listed in list(spellings(wire))


def test_the_name_as_it_is_comes_first() -> None:
    assert next(spellings("gpt-4o-2024-05-13")) == "gpt-4o-2024-05-13"


@pytest.mark.parametrize(
    ("wire", "other"),
    [
        ("gpt-4o-mini", "gpt-4o"),
        ("claude-haiku-4-5-turbo", "claude-haiku-4-5"),
        ("gpt-4.1", "1"),
        ("deepseek-v3", "deepseek"),
        ("global.anthropic.claude-opus-5", "claude-opus-5"),
    ],
)
def test_no_name_is_found_by_being_part_of_another(wire: str, other: str) -> None:
    assert other not in list(spellings(wire))
