import pytest

from llmprof_addon.counting.coefficients import COEFFICIENTS
from llmprof_addon.counting.families import CL100K, DEFAULT, O200K, family, family_of
from llmprof_addon.model.call import Answer
from tests.factories import make_call


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("claude-2.1", "claude-3"),
        ("anthropic.claude-v2:1", "claude-3"),
        ("claude-instant-1.2", "claude-3"),
        ("claude-3-haiku-20240307", "claude-3"),
        ("anthropic.claude-3-sonnet-20240229-v1:0", "claude-3-sonnet"),
        ("claude-3-opus-20240229", "claude-3-opus"),
        ("claude-3-5-sonnet-20241022", "claude-3.5"),
        ("anthropic/claude-3.5-sonnet", "claude-3.5"),
        ("claude-3-5-haiku-latest", "claude-3.5-haiku"),
        ("claude-3-7-sonnet@20250219", "claude-3.7"),
        ("databricks-claude-3-7-sonnet", "claude-3.7"),
        ("claude-sonnet-4-0", "claude-4"),
        ("claude-sonnet-4-20250514", "claude-4"),
        ("claude-sonnet-4@20250514", "claude-4"),
        ("anthropic/claude-sonnet-4", "claude-4"),
        ("claude-4-sonnet", "claude-4"),
        ("claude-opus-4-1-20250805", "claude-4"),
        ("us.anthropic.claude-haiku-4-5-20251001-v1:0", "claude-4.5"),
        ("anthropic/claude-sonnet-4.5", "claude-4.5"),
        ("claude-opus-4-6", "claude-4.6"),
        ("claude-opus-4-8", "claude-5"),
        ("claude-sonnet-5", "claude-5"),
        ("claude-opus-5-20270101", "claude-5"),
        ("claude-sonnet-latest", "claude-5"),
        ("google/gemini-2.5-flash", "gemini-2"),
        ("gemini-1.5-pro", "gemini-2"),
        ("google/gemini-3-pro-preview", "gemini-3"),
        ("gemini-3.1-flash-lite", "gemini-3"),
        ("gemini-3.5-flash", "gemini-3.5"),
        ("gemini-flash-latest", "gemini-3.5"),
        ("mistral-large-latest", "mistral"),
        ("mistralai/Mixtral-8x7B-Instruct-v0.1", "mistral"),
        ("command-a-03-2025", "command"),
        ("us.amazon.nova-lite-v1:0", "nova-1"),
        ("amazon.nova-2-lite-v1:0", "nova-2"),
        ("z-ai/glm-5-turbo", "glm"),
        ("moonshotai/Kimi-K2-Instruct-0905:groq", "kimi"),
        ("deepseek-chat", "deepseek"),
        ("openai/gpt-oss-20b", "gpt-oss"),
        ("Qwen/Qwen2.5-72B-Instruct-Turbo", "qwen"),
        ("@cf/meta/llama-3.3-70b-instruct-fp8-fast", "llama-3.1"),
        ("meta-llama/Llama-3.2-1B-Instruct", "llama-3.1"),
        ("llama3.1", "llama-3.1"),
        ("llama3-8b-8192", "llama"),
        ("meta-llama/Llama-3-70b-chat-hf", "llama"),
        ("meta-llama/llama-4-maverick", "llama"),
        ("codellama", "llama"),
        ("x-ai/grok-4.1-fast", "grok"),
        ("MiniMax-M2.5", "minimax"),
        ("text-davinci-003", "other"),
    ],
)
def test_families_without_a_tokenizer_of_their_own_are_estimated(model: str, name: str) -> None:
    found = family("openai.chat", model, "openrouter")
    assert found.name == name
    assert found.encoding == O200K
    assert not found.exact
    assert 0 < found.slack < 1


@pytest.mark.parametrize(
    ("model", "name", "encoding"),
    [
        ("gpt-3.5-turbo", "gpt-4", CL100K),
        ("gpt-35-turbo", "gpt-4", CL100K),
        ("gpt-4-turbo", "gpt-4", CL100K),
        ("text-embedding-3-small", "gpt-4", CL100K),
        ("gpt-4o-2024-08-06", "gpt-4o", O200K),
        ("chatgpt-4o-latest", "gpt-4o", O200K),
        ("ft:gpt-4o-mini-2024-07-18:acme::abc", "gpt-4o-mini", O200K),
        ("openai/gpt-4.1-nano", "gpt-4.1-nano", O200K),
        ("o1", "o3", O200K),
        ("o3-mini", "o3", O200K),
        ("openai/o4-mini", "o4-mini", O200K),
        ("gpt-5", "gpt-5", O200K),
        ("gpt-5.1-codex-mini", "gpt-5-mini", O200K),
        ("gpt-5-nano", "gpt-5-nano", O200K),
        ("gpt-5.4-nano", "gpt-5.4-nano", O200K),
        ("gpt-5.6-sol", "gpt-5.4", O200K),
        ("gpt-6-sol", "gpt-5.4", O200K),
    ],
)
def test_models_of_openai_are_exact_in_their_own_dialects(model: str, name: str, encoding: str) -> None:
    for api in ("openai.chat", "openai.responses"):
        found = family(api, model, "openai")
        assert (found.name, found.encoding, found.exact) == (name, encoding, True)
    assert not family("anthropic.messages", model, "litellm").exact


def test_case_does_not_matter() -> None:
    assert family("openai.chat", "GPT-4O", "") is family("openai.chat", "gpt-4o", "")


@pytest.mark.parametrize("model", [None, "", "no-such-model-1", "🦙" * 500, "o", "claude"])
def test_an_unknown_model_has_a_family_too(model: str | None) -> None:
    assert family("openai.chat", model, "localhost").slack > 0
    assert family("unknown", model, "").slack > 0


def test_what_is_assumed_of_an_unknown_model_depends_on_the_dialect() -> None:
    assert family("openai.chat", "house-model", "") is DEFAULT
    assert family("anthropic.messages", "house-model", "").name == "claude-4.5"


def test_the_answering_model_tells_where_the_requested_one_does_not() -> None:
    deployment = make_call(
        api="openai.chat", request_model="production-eu", answer=Answer(response_model="gpt-4o-2024-08-06")
    )
    assert family_of(deployment).name == "gpt-4o"
    routed = make_call(request_model="claude-opus-4-8", answer=Answer(response_model="claude-haiku-4-5"))
    assert family_of(routed).name == "claude-5"


def test_no_coefficient_is_negative_but_what_forcing_saves() -> None:
    for name, row in COEFFICIENTS.items():
        for field in row.__slots__:
            value = getattr(row, field)
            assert value >= 0 or (field == "forced" and value + row.tools > 0), (name, field)


def test_cohere_s_own_api_counts_preambles_that_other_hosts_of_its_models_do_not() -> None:
    assert family("cohere.chat", "command-a-03-2025", "cohere").name == "command-a"
    assert family("cohere.chat", "command-r-08-2024", "cohere").name == "command-r-08"
    assert family("cohere.chat", None, "cohere").name == "command-r-08"
    assert family("cohere.chat", "command-r", "cohere").name == "command-r"
    assert family("bedrock.invoke", "cohere.command-r-v1:0", "aws.bedrock").name == "command"


def test_bedrock_s_names_lead_to_the_families_of_their_vendors() -> None:
    for model, name in (
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-4.5"),
        ("arn:aws:bedrock:us-east-1:0:inference-profile/eu.anthropic.claude-3-7-sonnet-20250219-v1:0", "claude-3.7"),
        ("anthropic.claude-v2:1", "claude-3"),
        ("amazon.nova-micro-v1:0", "nova-1"),
        ("amazon.titan-text-express-v1", "titan"),
        ("meta.llama3-1-70b-instruct-v1:0", "llama-3.1"),
        ("mistral.mistral-7b-instruct-v0:2", "mistral"),
    ):
        found = family("bedrock.converse", model, "aws.bedrock")
        assert (found.name, found.exact) == (name, False)
