from dataclasses import replace

from llmprof_addon.model.cost import Price
from llmprof_addon.model.usage import Usage
from llmprof_addon.pricing.cost import Rates
from llmprof_addon.pricing.unlisted import completed

CLAUDE = Rates(price=Price(source="test", model="vendor/Claude-1", tier="batch"), input=4, output=20, cache_write_5m=5)
WRITTEN = Usage(input_tokens=10, cache_creation_input_tokens=10)


def test_an_hours_write_by_the_rule_where_it_is_known_and_fits() -> None:
    found = completed(CLAUDE, WRITTEN, "1h")
    assert (found.cache_write_1h, found.price.tier) == (8, "batch, 1h writes at 2x input")
    surcharged = replace(CLAUDE, cache_write_5m=6)
    other = replace(CLAUDE, price=replace(CLAUDE.price, model="gpt-1", tier=None))
    for rates in (surcharged, other):
        found = completed(rates, WRITTEN, "1h")
        assert found.cache_write_1h == rates.cache_write_5m
        assert (found.price.tier or "").endswith("1h writes at the 5m rate")


def test_what_is_listed_or_not_used_stays_as_it_is() -> None:
    assert completed(CLAUDE, WRITTEN, "5m") == CLAUDE
    assert completed(CLAUDE, Usage(input_tokens=10), "1h") == CLAUDE
    reported = replace(WRITTEN, cache_creation_1h_input_tokens=0)
    assert completed(CLAUDE, reported, "1h") == CLAUDE
    listed = replace(CLAUDE, cache_write_1h=7)
    assert completed(listed, WRITTEN, "1h") == listed
    nothing = replace(CLAUDE, cache_write_5m=None)
    assert completed(nothing, WRITTEN, "1h") == nothing


def test_each_sound_without_a_rate_is_named() -> None:
    heard = Usage(input_tokens=9, by_modality=(("input_audio", 5), ("output_audio", 0), ("input_video", 2)))
    assert completed(CLAUDE, heard, None).price.tier == "batch, input audio at the text rate"
    listed = replace(CLAUDE, modalities=(("input_audio", 40),))
    assert completed(listed, heard, None) == listed
