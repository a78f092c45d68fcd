import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from genai_prices import Usage as CatalogueUsage
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelInfo, Provider

from llmprof_addon.errors import ConfigError
from llmprof_addon.model.call import Answer, Call
from llmprof_addon.model.cost import PICO, Cost, usd
from llmprof_addon.model.usage import Usage
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.pricing.cost import cost

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
BOOK = PriceBook()


def ns(at: datetime) -> int:
    return int(at.timestamp()) * 10**9


def call(model: str, provider: str | None = "openai", *, tier: str | None = None, asked: str | None = None) -> Call:
    return Call(
        provider="any",
        api="any",
        request_model=asked or model,
        price_provider=provider,
        answer=Answer(response_model=model, service_tier=tier),
    )


def priced(
    which: Call, usage: Usage, at: datetime = NOW, book: PriceBook = BOOK, cache_ttl: str | None = None
) -> Cost | None:
    which = replace(which, cache_ttl=cache_ttl)
    return cost(usage, book.rates(which, usage, ns(at)), cache_ttl=cache_ttl)


def test_written_tokens_of_gpt_5_6_are_charged_instead_of_the_input_rate() -> None:
    found = priced(call("gpt-5.6-sol"), Usage(input_tokens=18_014, cache_creation_input_tokens=18_011, output_tokens=0))
    assert found is not None
    assert usd(found.total) == "0.090067"


def test_hour_writes_cost_more_than_five_minute_writes() -> None:
    usage = Usage(input_tokens=10**6, cache_creation_input_tokens=10**6, output_tokens=0)
    short, long = (priced(call("claude-opus-5", "anthropic"), usage, cache_ttl=ttl) for ttl in ("5m", "1h"))
    assert short is not None
    assert long is not None
    assert (usd(short.total), usd(long.total)) == ("6.25", "10")


WRITTEN = Usage(input_tokens=10**5, cache_creation_input_tokens=10**5, output_tokens=0)


@pytest.mark.parametrize(
    ("model", "provider", "ttl", "dollars", "tier"),
    [
        ("anthropic/claude-sonnet-4.5", "openrouter", "5m", "0.375", None),
        ("anthropic/claude-sonnet-4.5", "openrouter", "1h", "0.6", "1h writes at 2x input"),
        ("claude-opus-5", "anthropic", "1h", "1", None),
        ("gpt-5.6-luna", "openai", "1h", None, "1h writes at the 5m rate"),
    ],
)
def test_an_hours_write_without_a_listed_price_says_what_it_is_charged_at(
    model: str, provider: str, ttl: str, dollars: str | None, tier: str | None
) -> None:
    found = priced(call(model, provider), WRITTEN, cache_ttl=ttl)
    short = priced(call(model, provider), WRITTEN, cache_ttl="5m")
    assert found is not None
    assert short is not None
    assert usd(found.total) == (dollars or usd(short.total))
    assert found.price.tier == tier


def test_an_override_of_a_models_five_minute_rate_alone_follows_the_rule_if_it_fits() -> None:
    book = PriceBook('{"claude-x": {"input": 4, "cache_write_5m": 5}, "claude-y": {"input": 4, "cache_write_5m": 6}}')
    follows, own = (priced(call(name), WRITTEN, book=book, cache_ttl="1h") for name in ("claude-x", "claude-y"))
    assert follows is not None
    assert own is not None
    assert (usd(follows.total), follows.price.tier) == ("0.8", "1h writes at 2x input")
    assert (usd(own.total), own.price.tier) == ("0.6", "1h writes at the 5m rate")


def test_audio_at_the_text_rate_is_said() -> None:
    audio = (("input_audio", 40), ("output_audio", 46), ("input_image", 3))
    usage = Usage(input_tokens=95, output_tokens=60, by_modality=audio)
    unlisted = priced(call("gpt-4o-audio-preview"), usage)
    assert unlisted is not None
    assert unlisted.price.tier == "input audio at the text rate, output audio at the text rate"
    assert priced(call("gpt-4o-audio-preview"), replace(usage, by_modality=audio[2:])) == replace(
        unlisted, price=replace(unlisted.price, tier=None)
    )
    listed = priced(call("gpt-audio"), usage)
    assert listed is not None
    assert listed.price.tier is None
    assert listed.output > 60 * 10_000_000


@pytest.mark.parametrize(
    ("tokens", "dollars", "tier"), [(272_000, "1.088", None), (272_001, "2.176008", "above 272000 tokens")]
)
def test_the_long_context_tier_begins_strictly_above_and_holds_for_the_whole_call(
    tokens: int, dollars: str, tier: str | None
) -> None:
    found = priced(call("gpt-5.6-sol"), Usage(input_tokens=tokens, output_tokens=0))
    assert found is not None
    assert usd(found.total) == dollars
    assert found.price.tier == tier


def test_cached_tokens_count_towards_the_long_context_tier() -> None:
    usage = Usage(input_tokens=300_000, cache_read_input_tokens=299_000, output_tokens=10)
    found = priced(call("gpt-5.6-sol"), usage)
    assert found is not None
    assert found.cache_read == 299_000 * 800_000
    assert found.output == 10 * 30_000_000


def test_old_calls_keep_their_old_price() -> None:
    usage = Usage(input_tokens=10**6, output_tokens=0)
    before = priced(
        call("gpt-5.6-luna"), Usage(input_tokens=200_000, output_tokens=0), datetime(2026, 7, 29, 23, 59, tzinfo=UTC)
    )
    after = priced(
        call("gpt-5.6-luna"), Usage(input_tokens=200_000, output_tokens=0), datetime(2026, 7, 30, tzinfo=UTC)
    )
    assert before is not None
    assert after is not None
    assert (usd(before.total), usd(after.total)) == ("0.2", "0.04")
    assert (before.price.as_of, after.price.as_of) == (None, "2026-07-30")
    assert priced(call("gpt-5.6-luna"), usage) is not None


def test_service_tiers_are_priced_as_listed_or_half_or_not_at_all() -> None:
    usage = Usage(input_tokens=1000, output_tokens=100)
    standard = priced(call("gpt-5.6-sol"), usage)
    assert standard is not None
    listed = {tier: priced(call("gpt-5.6-sol", tier=tier), usage) for tier in ("default", "flex", "priority", "batch")}
    assert listed["default"] is not None
    assert listed["default"].total == standard.total
    assert listed["flex"] is not None
    assert listed["flex"].total * 2 == standard.total
    assert listed["flex"].price.tier == "flex"
    assert listed["batch"] is not None
    assert listed["batch"].total * 2 == standard.total
    assert listed["priority"] is not None
    assert listed["priority"].total == standard.total * 2
    # The catalogue has no batch prices from before October 2026, and no priority price of that time at all.
    early = datetime(2026, 9, 1, tzinfo=UTC)
    halved = priced(call("gpt-5.6-sol", tier="batch"), usage, early)
    assert halved is not None
    assert halved.total * 2 == standard.total
    assert priced(call("gpt-5.6-sol", tier="priority"), usage, early) is None
    assert priced(call("claude-opus-5", "anthropic", tier="priority"), usage) is None
    fast = priced(call("claude-opus-5", "anthropic", tier="fast"), usage)
    plain = priced(call("claude-opus-5", "anthropic", tier="standard"), usage)
    assert fast is not None
    assert plain is not None
    assert fast.total == 2 * plain.total


def test_web_searches_are_charged_by_the_request() -> None:
    usage = Usage(input_tokens=0, output_tokens=0, server_tool_requests=(("web_search", 2),))
    found = priced(call("claude-sonnet-5", "anthropic"), usage)
    assert found is not None
    assert found.other == 2 * PICO // 100


def test_the_model_that_answered_is_priced_and_else_the_one_that_was_asked_for() -> None:
    usage = Usage(input_tokens=1000, output_tokens=0)
    answered = priced(call("gpt-4o-mini-2024-07-18", asked="gpt-4o"), usage)
    asked = priced(call("my-deployment", asked="gpt-4o"), usage)
    assert answered is not None
    assert asked is not None
    assert (answered.price.model, asked.price.model) == ("gpt-4o-mini", "gpt-4o")


@pytest.mark.parametrize(
    ("model", "provider"),
    [("gpt-4o-no-such-thing", "openai"), ("claude-sonnet-5", None), ("gpt-4o", "nobody"), ("", "openai")],
)
def test_an_unknown_model_or_seller_is_unpriced(model: str, provider: str | None) -> None:
    assert priced(call(model, provider), Usage(input_tokens=10, output_tokens=1)) is None
    assert BOOK.context_window(call(model, provider)) is None


def test_a_cloud_sells_the_models_of_others() -> None:
    usage = Usage(input_tokens=1000, output_tokens=0)
    assert priced(call("gpt-5-mini-2025-08-07", "azure"), usage) is not None
    assert priced(call("claude-opus-5", "azure"), usage) is not None
    assert BOOK.context_window(call("gpt-5.6-sol", "azure")) == 1_050_000


def test_overrides_go_before_the_catalogue_for_any_provider() -> None:
    book = PriceBook('{"claude-opus-5": {"input": 1, "output": 2}, "house-model": [0.001, 0.002]}')
    usage = Usage(input_tokens=1000, cache_read_input_tokens=400, output_tokens=10)
    own = priced(call("claude-opus-5-20260401", "anthropic"), usage, book=book)
    house = priced(call("house-model", None), Usage(input_tokens=1000, output_tokens=10), book=book)
    assert own is not None
    assert house is not None
    assert own.total == 1000 * 1_000_000 + 10 * 2_000_000
    assert own.price.source == house.price.source == "override"
    assert own.price.tier == "cached tokens at the input rate"
    assert house.price.tier is None
    assert house.total == 1000 * 1_000_000 + 10 * 2_000_000


def test_malformed_overrides_fail_at_once() -> None:
    with pytest.raises(ConfigError):
        PriceBook("not json")


def test_the_catalogue_is_neither_imported_early_nor_updated() -> None:
    script = (
        "import sys, threading; from llmprof_addon.pricing.book import PriceBook; book = PriceBook();"
        "assert 'genai_prices' not in sys.modules;"
        "from llmprof_addon.model.call import Call;"
        "assert book.context_window(Call(provider='o', api='a', request_model='gpt-4o', price_provider='openai'));"
        "assert threading.active_count() == 1"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def models() -> Iterator[tuple[Provider, ModelInfo]]:
    for provider in get_snapshot().providers:
        if provider.id in ("openai", "anthropic", "google", "x-ai", "deepseek", "mistral", "groq", "azure"):
            yield from ((provider, model) for model in provider.models)


USAGES = [
    Usage(input_tokens=1234, output_tokens=567),
    Usage(input_tokens=150_001, cache_read_input_tokens=120_000, output_tokens=1),
    Usage(
        input_tokens=350_000, cache_read_input_tokens=100_000, cache_creation_input_tokens=200_000, output_tokens=999
    ),
    Usage(
        input_tokens=5000,
        cache_creation_input_tokens=3000,
        cache_creation_5m_input_tokens=1000,
        cache_creation_1h_input_tokens=2000,
        output_tokens=70,
    ),
]


@pytest.mark.parametrize("at", [datetime(2025, 3, 1, 12, tzinfo=UTC), NOW])
def test_every_price_equals_the_catalogues_own_arithmetic_to_the_pico(at: datetime) -> None:
    compared = 0
    for provider, model in models():
        for usage in USAGES:
            rates = BOOK.rates(call(model.id, provider.id), usage, ns(at))
            found = cost(usage, rates)
            if rates is None or found is None:
                continue
            assert rates.price.model == model.id
            asked = CatalogueUsage(
                input_tokens=usage.input_tokens,
                cache_read_tokens=usage.cache_read_input_tokens or 0,
                cache_write_tokens=usage.cache_creation_input_tokens or 0,
                cache_write_1h_tokens=usage.cache_creation_1h_input_tokens or 0,
                output_tokens=usage.output_tokens,
            )
            if "1h writes" in (rates.price.tier or ""):  # more than the catalogue knows
                continue
            theirs = model.calc_price(asked, provider, genai_request_timestamp=at)
            assert found.total == theirs.total_price * PICO, (provider.id, model.id, usage)
            compared += 1
    assert compared > 800


@pytest.mark.parametrize(
    ("tokens", "dollars", "tier"), [(200_000, "0.25", None), (200_001, "0.5000025", "above 200000 tokens")]
)
def test_gemini_costs_more_above_200k_tokens(tokens: int, dollars: str, tier: str | None) -> None:
    found = priced(call("gemini-2.5-pro", "google"), Usage(input_tokens=tokens, output_tokens=0))
    assert found is not None
    assert found.price is not None
    assert (usd(found.total), found.price.tier) == (dollars, tier)


def test_throughput_that_was_bought_beforehand_has_no_price_per_token() -> None:
    usage = Usage(input_tokens=100, output_tokens=1)
    assert priced(call("gemini-2.5-pro", "google", tier="PROVISIONED_THROUGHPUT"), usage) is None
    assert priced(call("gemini-2.5-pro", "google", tier="ON_DEMAND"), usage) is not None


def test_a_renamed_model_does_not_get_the_price_of_its_namesake() -> None:
    found = priced(call("davinci:2023-07-21-v2", asked="davinci-002"), Usage(input_tokens=10**6, output_tokens=0))
    assert found is not None
    assert usd(found.total) == "2"


def test_an_embedding_costs_its_input_alone() -> None:
    found = priced(call("text-embedding-3-small"), Usage(input_tokens=10**6))
    assert found is not None
    assert usd(found.total) == "0.02"
