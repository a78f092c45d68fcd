import pytest

from llmprof_addon.counting.openai_rules import GPT_4, GPT_5, GPT_5_1, GPT_5_3, O_SERIES, rules_of
from llmprof_addon.model.call import Answer, Call


@pytest.mark.parametrize(
    ("model", "rules"),
    [
        ("gpt-3.5-turbo-0125", GPT_4),
        ("gpt-35-turbo", GPT_4),
        ("gpt-4-turbo", GPT_4),
        ("GPT-4o-mini", GPT_4),
        ("chatgpt-4o-latest", GPT_4),
        ("o1", O_SERIES),
        ("azure/o3-mini", O_SERIES),
        ("gpt-5", GPT_5),
        ("gpt-5-nano-2025-08-07", GPT_5),
        ("gpt-5.1", GPT_5_1),
        ("gpt-5.2-codex", GPT_5_1),
        ("gpt-5.3-codex", GPT_5_3),
        ("openai/gpt-5.4-nano", GPT_5_3),
        ("gpt-6-sol", GPT_5_3),
        ("turbo-sauce", GPT_4),
        (None, GPT_4),
    ],
)
def test_a_generation_is_known_by_its_models_name(model, rules):
    assert rules_of(Call(provider="openai", api="openai.chat", request_model=model)) is rules


def test_the_model_that_answered_counts_where_the_one_asked_for_is_no_known_name():
    call = Call(provider="azure.openai", api="openai.chat", request_model="prod", answer=Answer(response_model="o3"))
    assert rules_of(call) is O_SERIES


@pytest.mark.parametrize("rules", [GPT_4, GPT_5, GPT_5_1, GPT_5_3, O_SERIES])
def test_an_api_has_rules_of_its_own(rules):
    assert rules.of("openai.chat").joined
    assert not rules.of("openai.responses").joined
