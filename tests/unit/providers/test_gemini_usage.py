from typing import Any

import pytest

from llmprof_addon.providers.gemini_usage import tier_of, usage_of


def usage(**raw: Any) -> tuple[int | None, int | None, int | None, int | None]:
    found = usage_of({"usageMetadata": raw})
    assert found
    assert found.raw == raw
    return found.input_tokens, found.cache_read_input_tokens, found.output_tokens, found.reasoning_output_tokens


def test_thoughts_are_output_and_tool_use_is_input() -> None:
    assert usage(
        promptTokenCount=100,
        toolUsePromptTokenCount=40,
        cachedContentTokenCount=60,
        candidatesTokenCount=7,
        thoughtsTokenCount=30,
        totalTokenCount=177,
    ) == (140, 60, 37, 30)


def test_thoughts_that_a_total_shows_to_be_in_the_candidates() -> None:
    assert usage(promptTokenCount=10, candidatesTokenCount=30, thoughtsTokenCount=20, totalTokenCount=40) == (
        *(10, None, 30, 20),
    )


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"promptTokenCount": 5, "thoughtsTokenCount": 47, "totalTokenCount": 52}, (5, None, 47, 47)),
        ({"promptTokenCount": 5, "totalTokenCount": 5}, (5, None, 0, None)),
        ({"promptTokenCount": 5, "totalTokenCount": 9}, (5, None, 4, None)),
        ({"promptTokenCount": 5}, (5, None, None, None)),
        ({"candidatesTokenCount": 5, "totalTokenCount": None}, (None, None, 5, None)),
        ({"promptTokenCount": True, "responseTokenCount": 2}, (None, None, 2, None)),
    ],
)
def test_counts_that_are_left_out(raw: dict[str, Any], expected: tuple[int | None, ...]) -> None:
    assert usage(**raw) == expected


@pytest.mark.parametrize("raw", [None, 7, {}, [], {"trafficType": "ON_DEMAND"}, {"totalTokenCount": 3}])
def test_nothing_is_reported(raw: object) -> None:
    assert usage_of({"usageMetadata": raw}) is None
    assert usage_of({}) is None


def test_tokens_by_modality() -> None:
    found = usage_of(
        {
            "usageMetadata": {
                "promptTokenCount": 900,
                "toolUsePromptTokenCount": 50,
                "promptTokensDetails": [
                    {"modality": "TEXT", "tokenCount": 10},
                    {"modality": "IMAGE", "tokenCount": 258},
                    {"modality": 2, "tokenCount": 258},
                    {"modality": "AUDIO"},
                    "odd",
                ],
                "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 1290}],
            }
        }
    )
    assert found
    assert found.by_modality == (("input_image", 516), ("input_tool_use", 50), ("output_image", 1290))


@pytest.mark.parametrize(
    ("model", "searches"), [("gemini-3.5-flash", 2), ("gemini-2.5-flash", 1), ("gemini-1.5-pro", 1), (None, 2)]
)
def test_searches_are_billed_by_query_since_gemini_3(model: str | None, searches: int) -> None:
    body = {
        "usageMetadata": {"promptTokenCount": 3},
        "modelVersion": model,
        "candidates": [{"groundingMetadata": {"webSearchQueries": ["a", "b"]}}, {"groundingMetadata": {}}, None],
    }
    found = usage_of(body)
    assert found
    assert found.server_tool_requests == (("web_search", searches),)


def test_the_tier_that_was_billed() -> None:
    assert tier_of({"usageMetadata": {"serviceTier": "priority"}}) == "priority"
    assert tier_of({"usageMetadata": {"trafficType": 2}}) == "PROVISIONED_THROUGHPUT"
    assert tier_of({"usageMetadata": {"trafficType": "ON_DEMAND"}}) == "ON_DEMAND"
    assert tier_of({"usageMetadata": {"trafficType": 9}}) is None
    assert tier_of({}) is None
