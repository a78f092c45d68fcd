"""`LLMPROF_PRICING` -> rates by model: prices that a person sets, which go before every catalogue.

Two forms, mixed as one likes: `{"model": {"input": usd_per_million, "output": …, "cache_read": …, "cache_write_5m": …,
"cache_write_1h": …}}` and `{"model": [input_usd_per_1k, output_usd_per_1k]}`.
"""

import json
from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any

from llmprof_addon.errors import ConfigError
from llmprof_addon.model.cost import Price
from llmprof_addon.pricing.cost import Rates

_FIELDS = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")
_HINT = 'for example LLMPROF_PRICING={"my-model": {"input": 2.5, "output": 10}} (USD per million tokens)'


def pico_per_unit(usd: Decimal, units: int) -> int:
    """USD per that many units as whole pico-dollars per unit, rounded half to even."""
    return int((usd * 10**12 / units).to_integral_value(ROUND_HALF_EVEN))


def read_overrides(text: str | None) -> dict[str, Rates]:
    """Rates by lower-case model name; empty where nothing is set.

    Raises:
        ConfigError: no JSON object, or an entry of neither form.
    """
    if not text or not text.strip():
        return {}
    try:
        data = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    except (ValueError, RecursionError, InvalidOperation) as error:
        raise ConfigError(f"LLMPROF_PRICING is not JSON: {error}", hint=_HINT) from None
    if not isinstance(data, Mapping):
        raise ConfigError("LLMPROF_PRICING must be a JSON object of models", hint=_HINT)
    return {model.strip().lower(): _entry(model, entry) for model, entry in data.items()}


def _entry(model: str, entry: Any) -> Rates:
    if isinstance(entry, list):
        if len(entry) != 2:
            raise _wrong(model, "a list must hold two prices, input and output, per 1,000 tokens")
        read, written = (_rate(model, value, 1_000) for value in entry)
        return Rates(price=Price(source="override", model=model), input=read, output=written)
    if not isinstance(entry, Mapping):
        raise _wrong(model, "expected an object of prices or a list of two")
    if unknown := sorted(set(entry) - set(_FIELDS)):
        raise _wrong(model, f"unknown price {unknown[0]!r}; known are {', '.join(_FIELDS)}")
    if "input" not in entry and "output" not in entry:
        raise _wrong(model, "names neither an input nor an output price")
    rates = {name: _rate(model, entry[name], 1_000_000) for name in _FIELDS if name in entry}
    return Rates(
        price=Price(source="override", model=model),
        input=rates.get("input"),
        output=rates.get("output"),
        cache_read=rates.get("cache_read"),
        cache_write_5m=rates.get("cache_write_5m"),
        cache_write_1h=rates.get("cache_write_1h"),
    )


def _rate(model: str, value: Any, units: int) -> int:
    try:
        usd = Decimal(value) if isinstance(value, str | Decimal) else None
    except InvalidOperation:
        usd = None
    if usd is None or not usd.is_finite() or not 0 <= usd < 10**9:
        raise _wrong(model, f"{json.dumps(value, default=str)} is no price")
    return pico_per_unit(usd, units)


def _wrong(model: str, why: str) -> ConfigError:
    return ConfigError(f"LLMPROF_PRICING, model {model!r}: {why}", hint=_HINT)
