"""Rules by dialect and model."""

import pytest

from llmprof_addon.cachedoctor.rules import rules_for


@pytest.mark.parametrize(
    ("model", "minimum"),
    [
        ("claude-sonnet-4-5-20250929", 1024),
        ("claude-opus-4-8", 1024),
        ("claude-3-5-haiku-latest", 2048),
        ("claude-haiku-4-5", 4096),
        ("claude-opus-4-6", 4096),
        ("claude-opus-5", 512),
        ("us.anthropic.claude-sonnet-4-6-v1:0", 2048),
    ],
)
def test_the_minimum_is_that_of_the_model(model: str, minimum: int) -> None:
    for api in ("anthropic.messages", "bedrock.converse"):
        rules = rules_for(api, model)
        assert rules is not None
        assert rules.minimum == minimum
        assert rules.opt_in


def test_openai_caches_by_itself_and_exactly_from_5_6_on() -> None:
    older, newer = rules_for("openai.chat", "openai/gpt-4o"), rules_for("openai.responses", "gpt-5.6-sol")
    assert older is not None
    assert newer is not None
    assert (older.step, older.may_expire_s) == (128, 300)
    assert (newer.step, newer.may_expire_s) == (1, 1800)
    assert not older.opt_in
    assert not newer.opt_in


@pytest.mark.parametrize(
    ("api", "model"),
    [
        ("gemini.generate_content", "models/gemini-2.5-pro"),
        ("gemini.generate_content", "gemini-flash-latest"),
        ("openai.chat", "grok-4"),
        ("openai.chat", "qwen/qwen3-max"),
        ("openai.chat", "moonshotai/kimi-k2.5"),
    ],
)
def test_some_caches_promise_nothing(api: str, model: str) -> None:
    rules = rules_for(api, model)
    assert rules is not None
    assert not rules.promises
    assert not rules.opt_in


def test_nova_looks_for_the_very_checkpoint() -> None:
    rules = rules_for("bedrock.converse", "us.amazon.nova-pro-v1:0")
    assert rules is not None
    assert (rules.opt_in, rules.lookback) == (True, 1)


@pytest.mark.parametrize(
    ("api", "model"),
    [
        ("gemini.generate_content", "gemini-1.5-flash"),
        ("bedrock.converse", "amazon.titan-text-express-v1"),
        ("openai.chat", "llama-3"),
        ("openai.chat", "gpt-oss-120b"),
        ("anthropic.messages", "kimi-k2"),
        ("ollama.chat", None),
    ],
)
def test_what_is_not_known_has_no_rules(api: str, model: str | None) -> None:
    assert rules_for(api, model) is None
