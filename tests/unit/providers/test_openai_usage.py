import pytest

from llmprof_addon.model.part import Json
from llmprof_addon.providers.openai_usage import read_usage, usage_of
from tests.unit.providers.test_openai_fixtures import read

NONE = (None, None, None, None, None)


def five(raw: Json) -> tuple[int | None, ...]:
    usage = usage_of(raw)
    assert usage is not None
    return (
        usage.input_tokens,
        usage.cache_read_input_tokens,
        usage.cache_creation_input_tokens,
        usage.output_tokens,
        usage.reasoning_output_tokens,
    )


@pytest.mark.parametrize(
    ("raw", "want"),
    [
        ({"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}, (5, None, None, 2, None)),
        (
            {
                "input_tokens": 18014,
                "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 18011},
                "output_tokens": 9,
                "output_tokens_details": {"reasoning_tokens": 4},
                "total_tokens": 18023,
            },
            (18014, 0, 18011, 9, 4),
        ),
        ({"prompt_tokens": 9, "prompt_cache_hit_tokens": 8, "prompt_cache_miss_tokens": 1}, (9, 8, None, None, None)),
        ({"prompt_tokens": 9, "cached_tokens": 4, "completion_tokens": 1}, (9, 4, None, 1, None)),
        (
            {"prompt_tokens": 9, "cache_read_input_tokens": 3, "cache_creation_input_tokens": 2, "total_tokens": 9},
            (9, 3, 2, None, None),
        ),
        ({"prompt_tokens": 9, "prompt_token_details": {"cached_tokens": 1}}, (9, 1, None, None, None)),
        # Reasoning beside the output: xAI in the details, Copilot at top level.
        (
            {
                "prompt_tokens": 5,
                "completion_tokens": 3,
                "total_tokens": 28,
                "completion_tokens_details": {"reasoning_tokens": 20},
            },
            (5, None, None, 23, 20),
        ),
        (
            {"prompt_tokens": 5, "completion_tokens": 30, "total_tokens": 55, "reasoning_tokens": 20},
            (5, None, None, 50, 20),
        ),
        # Cache beside the input.
        (
            {
                "prompt_tokens": 5,
                "completion_tokens": 3,
                "total_tokens": 108,
                "prompt_tokens_details": {"cached_tokens": 100},
            },
            (105, 100, None, 3, None),
        ),
        (
            {
                "prompt_tokens": 5,
                "completion_tokens": 3,
                "total_tokens": 8,
                "prompt_tokens_details": {"cached_tokens": 100, "cache_write_tokens": 10},
            },
            (115, 100, 10, 3, None),
        ),
        ({"total_tokens": 9}, NONE),
        ({"prompt_tokens": None, "completion_tokens": "3", "prompt_tokens_details": None}, NONE),
        ({"prompt_tokens": True, "completion_tokens": -1}, NONE),
        ({"prompt_tokens": 12.0, "completion_tokens": 1.5}, (12, None, None, None, None)),
    ],
)
def test_normalisation(raw: Json, want: tuple[int | None, ...]) -> None:
    assert five({"usage": raw}) == want
    assert read_usage(raw).raw == raw


def test_a_total_that_nothing_explains_changes_nothing() -> None:
    raw = {
        "prompt_tokens": 5,
        "completion_tokens": 3,
        "total_tokens": 99,
        "prompt_tokens_details": {"cached_tokens": 2},
    }
    assert five({"usage": raw}) == (5, 2, None, 3, None)


def test_where_hosts_put_it() -> None:
    raw = {"prompt_tokens": 5, "completion_tokens": 3}
    want = (5, None, None, 3, None)
    assert five({"usage": None, "x_groq": {"usage": raw}}) == want
    assert five({"choices": [{"index": 0, "usage": raw}]}) == want
    assert five({"timings": {"prompt_n": 4, "cache_n": 6, "predicted_n": 2}}) == (10, 6, None, 2, None)
    for body in (None, [], {}, {"usage": {}}, {"usage": 3}, {"choices": [None]}, {"timings": 1}):
        assert usage_of(body) is None


def test_modalities_writes_and_requests() -> None:
    usage = read_usage(
        {
            "prompt_tokens": 50,
            "completion_tokens": 9,
            "prompt_tokens_details": {
                "audio_tokens": 3,
                "image_tokens": 0,
                "cache_creation_input_tokens": 7,
                "cache_creation": {"ephemeral_5m_input_tokens": 5, "ephemeral_1h_input_tokens": 2},
            },
            "completion_tokens_details": {"image_tokens": 4},
            "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 0},
        }
    )
    assert usage.by_modality == (("input_audio", 3), ("output_image", 4))
    assert usage.server_tool_requests == (("web_search", 2),)
    assert (usage.cache_creation_input_tokens, usage.cache_creation_5m_input_tokens) == (7, 5)
    assert usage.cache_creation_1h_input_tokens == 2


@pytest.mark.parametrize(
    ("case", "want"),
    [
        ("reasoning_beside_output", (14, 3, 124, 120)),
        ("reasoning_beside_total", (14, 0, 40, 30)),
        ("cache_beside_input", (2168, 2048, 3, None)),
        ("reasoning_deepseek", (22, 0, 15, 7)),
    ],
)
def test_hosts_with_habits_of_their_own(case: str, want: tuple[int | None, ...]) -> None:
    usage = read("openai.chat", case)[2].usage
    assert usage is not None
    assert (
        usage.input_tokens,
        usage.cache_read_input_tokens,
        usage.output_tokens,
        usage.reasoning_output_tokens,
    ) == want
