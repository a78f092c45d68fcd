import pytest

from llmprof_addon.errors import ConfigError
from llmprof_addon.pricing.overrides import read_overrides


def test_both_forms_give_pico_dollars_per_token() -> None:
    rates = read_overrides('{"Own-Model": {"input": 2.5, "output": 10, "cache_read": "0.25"}, "other": [0.001, 0.002]}')
    own, other = rates["own-model"], rates["other"]
    assert (own.input, own.output, own.cache_read, own.cache_write_5m) == (2_500_000, 10_000_000, 250_000, None)
    assert (other.input, other.output) == (1_000_000, 2_000_000)
    assert own.price.source == "override"
    assert own.price.model == "Own-Model"


@pytest.mark.parametrize("text", [None, "", "  ", "{}"])
def test_nothing_set_is_no_override(text: str | None) -> None:
    assert read_overrides(text) == {}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "must be a JSON object"),
        ('{"m": 3}', "model 'm': expected an object"),
        ('{"m": [1]}', "two prices"),
        ('{"m": {"inputs": 1}}', "unknown price 'inputs'"),
        ('{"m": {"cache_read": 1}}', "neither an input nor an output"),
        ('{"m": {"input": "cheap"}}', "no price"),
        ('{"m": {"input": -1}}', "no price"),
        ('{"m": {"input": NaN}}', "no price"),
        ('{"m": {"input": true}}', "no price"),
        ('{"m": [1, null]}', "no price"),
    ],
)
def test_malformed_overrides_give_one_clear_line(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_overrides(text)
    assert says in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint
