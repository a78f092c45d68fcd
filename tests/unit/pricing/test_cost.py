from dataclasses import replace

from llmprof_addon.model.cost import PICO, Price, usd
from llmprof_addon.model.usage import Usage
from llmprof_addon.pricing.cost import CacheSplit, Rates, cache_split, cost

RATES = Rates(
    price=Price(source="test", model="m"),
    input=4_000_000,
    output=20_000_000,
    cache_read=400_000,
    cache_write_5m=5_000_000,
    cache_write_1h=8_000_000,
    modalities=(("input_audio", 10_000_000), ("output_audio", 40_000_000), ("output_reasoning", 30_000_000)),
    fees=(("web_search", PICO // 100),),
)


def test_each_token_is_charged_at_the_rate_of_its_own() -> None:
    usage = Usage(
        input_tokens=1000,
        cache_read_input_tokens=600,
        cache_creation_input_tokens=300,
        cache_creation_5m_input_tokens=100,
        cache_creation_1h_input_tokens=200,
        output_tokens=10,
        server_tool_requests=(("web_search", 3), ("unlisted", 9)),
    )
    found = cost(usage, RATES)
    assert found is not None
    assert found.input == 100 * 4_000_000
    assert found.cache_read == 600 * 400_000
    assert found.cache_write == 100 * 5_000_000 + 200 * 8_000_000
    assert found.output == 10 * 20_000_000
    assert found.other == 3 * PICO // 100
    assert found.total == sum((found.input, found.cache_read, found.cache_write, found.output, found.other))


def test_a_write_of_unknown_retention_follows_the_marker_of_the_request() -> None:
    usage = Usage(input_tokens=100, cache_creation_input_tokens=100)
    assert cache_split(usage) == CacheSplit(fresh=0, read=0, write_5m=100, write_1h=0)
    assert cache_split(usage, "1h") == CacheSplit(fresh=0, read=0, write_5m=0, write_1h=100)
    reported = replace(usage, cache_creation_5m_input_tokens=70)
    assert cache_split(reported, "1h") == CacheSplit(fresh=0, read=0, write_5m=70, write_1h=30)


def test_parts_beyond_the_total_are_cut_and_none_is_negative() -> None:
    usage = Usage(input_tokens=10, cache_read_input_tokens=8, cache_creation_input_tokens=50)
    assert cache_split(usage) == CacheSplit(fresh=0, read=8, write_5m=2, write_1h=0)
    assert cache_split(Usage(input_tokens=-4, cache_read_input_tokens=-3)) == CacheSplit(
        fresh=0, read=0, write_5m=0, write_1h=0
    )


def test_cache_tokens_without_a_rate_are_billed_as_input() -> None:
    usage = Usage(input_tokens=100, cache_read_input_tokens=40, cache_creation_input_tokens=60, output_tokens=0)
    found = cost(usage, replace(RATES, cache_read=None, cache_write_5m=None, cache_write_1h=None))
    assert found is not None
    assert found.total == 100 * 4_000_000
    only_short = cost(usage, replace(RATES, cache_write_1h=None), cache_ttl="1h")
    assert only_short is not None
    assert only_short.cache_write == 60 * 5_000_000


def test_audio_and_reasoning_replace_the_text_rate() -> None:
    usage = Usage(
        input_tokens=100,
        cache_read_input_tokens=90,
        output_tokens=50,
        reasoning_output_tokens=20,
        by_modality=(("input_audio", 30), ("output_audio", 5)),
    )
    found = cost(usage, RATES)
    assert found is not None
    assert found.input == 10 * 10_000_000  # audio is fresh as far as fresh goes
    assert found.output == 25 * 20_000_000 + 5 * 40_000_000 + 20 * 30_000_000


def test_a_failed_call_without_usage_costs_nothing_whatever_its_model() -> None:
    free = cost(Usage(), None, status=529)
    assert free is not None
    assert free.total == 0
    assert usd(free.total) == "0"


def test_a_failed_call_with_usage_is_billed() -> None:
    billed = cost(Usage(input_tokens=10, output_tokens=0), RATES, status=500)
    assert billed is not None
    assert billed.total == 10 * 4_000_000


def test_what_is_not_known_is_no_price() -> None:
    assert cost(Usage(input_tokens=10), None) is None
    assert cost(Usage(), RATES) is None
    assert cost(Usage(input_tokens=10, output_tokens=1), replace(RATES, output=None)) is None
    assert cost(Usage(input_tokens=10, output_tokens=1), replace(RATES, input=None)) is None
    embedding = cost(Usage(input_tokens=10, output_tokens=0), replace(RATES, output=None))
    assert embedding is not None
    assert embedding.total == 10 * 4_000_000


def test_half_a_usage_is_of_unknown_cost() -> None:
    assert cost(Usage(input_tokens=100), RATES) is None
    assert cost(Usage(output_tokens=100), RATES) is None
    assert cost(Usage(input_tokens=100), replace(RATES, output=None)) is not None


def test_where_a_provider_says_what_it_charges_of_the_input_that_is_charged() -> None:
    usage = Usage(input_tokens=500, cache_read_input_tokens=480, billed_input_tokens=34, output_tokens=10)
    found = cost(usage, RATES)
    assert found is not None
    assert (found.input, found.cache_read, found.output) == (34 * 4_000_000, 0, 10 * 20_000_000)
