"""The one file that knows genai-prices: model, date and tier -> rates, from its bundled catalogue alone.

The catalogue is imported when the first price is asked for (a quarter of a second), its network updater is never
started, and prices are those of the day of the call, so that old calls keep their old price.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from llmprof_addon.model.call import Call
from llmprof_addon.model.cost import Price
from llmprof_addon.model.usage import Usage
from llmprof_addon.pricing.cost import Rates
from llmprof_addon.pricing.names import spellings
from llmprof_addon.pricing.overrides import pico_per_unit, read_overrides
from llmprof_addon.pricing.unlisted import completed

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice, Provider

_STANDARD_TIERS = frozenset({"default", "standard", "auto", "on_demand"})
_HALF_TIERS = frozenset({"flex", "batch"})
"""Half the standard rates wherever the catalogue lists no others (OpenAI and Anthropic pricing pages, 2026)."""
_SAME_PRICE = frozenset({("groq", "flex")})
"""Tiers that differ in service alone."""

_MODALITIES = ("input_audio", "input_image", "input_video", "output_audio", "output_image", "output_reasoning")
_FEES = {
    "web_search": "web_searches_kcount",
    "file_search": "storage_searches_kcount",
    "code_execution": "code_executions_kcount",
    "request": "requests_kcount",
}


class PriceBook:
    """Rates by model and day: overrides first, then the catalogue; what neither lists is unpriced.

    Raises:
        ConfigError: the overrides are malformed.
    """

    def __init__(self, overrides: str | None = None) -> None:
        self._overrides = read_overrides(overrides)
        self._found: dict[tuple[str | None, str], ModelInfo | None] = {}
        self._names: dict[str, tuple[dict[str, ModelInfo], list[tuple[re.Pattern[str], ModelInfo]]]] = {}

    def rates(self, call: Call, usage: Usage, at_ns: int) -> Rates | None:
        """Rates of the model that answered, at the time of the call, in the tiers that its usage falls into."""
        found = self._override(call, usage) or self._catalogued(call, usage, at_ns)
        return completed(found, usage, call.cache_ttl) if found else None

    def context_window(self, call: Call) -> int | None:
        """Most input tokens that the model takes, if the catalogue says."""
        model = self._model(call)
        return model.context_window if model else None

    @cached_property
    def _providers(self) -> "dict[str, Provider]":
        from genai_prices.data_snapshot import get_snapshot

        return {provider.id: provider for provider in get_snapshot().providers}

    @cached_property
    def _source(self) -> str:
        from genai_prices import __version__

        return f"genai-prices {__version__}"

    def _override(self, call: Call, usage: Usage) -> Rates | None:
        if self._overrides:
            for name in _models(call):
                for spelling in spellings(name):
                    if override := self._overrides.get(spelling):
                        return _say_what_lacks(override, usage)
        return None

    def _catalogued(self, call: Call, usage: Usage, at_ns: int) -> Rates | None:
        model = self._model(call)
        if model is None:
            return None
        tier = (call.answer.service_tier or "").lower()
        return _rates(model, usage, datetime.fromtimestamp(at_ns / 1e9, UTC), tier, call.price_provider, self._source)

    def _model(self, call: Call) -> "ModelInfo | None":
        if call.price_provider is None:
            return None
        for name in _models(call):
            key = (call.price_provider, name)
            if key not in self._found:
                self._found[key] = self._find(call.price_provider, name)
            if found := self._found[key]:
                return found
        return None

    def _find(self, provider_id: str, name: str) -> "ModelInfo | None":
        provider = self._providers.get(provider_id)
        if provider is None:
            return None
        for each in (provider_id, *(provider.fallback_model_providers or ())):
            literal, patterns = self._listed(each)
            for spelling in spellings(name):
                if spelling in literal:
                    return literal[spelling]
                for pattern, model in patterns:
                    if pattern.fullmatch(spelling):
                        return model
        return None

    def _listed(self, provider_id: str) -> "tuple[dict[str, ModelInfo], list[tuple[re.Pattern[str], ModelInfo]]]":
        """A provider's models by each name that the catalogue spells out, and by each anchored pattern."""
        if provider_id not in self._names:
            literal: dict[str, ModelInfo] = {}
            patterns: list[tuple[re.Pattern[str], ModelInfo]] = []
            models = self._providers[provider_id].models if provider_id in self._providers else []
            for model in models:
                for name in (model.id, *_texts(model.match, "equals")):
                    literal.setdefault(name.lower(), model)
            for model in models:
                # The catalogue's prefixes and substrings count where they are the whole name.
                for name in _texts(model.match, "starts_with", "ends_with", "contains"):
                    if model.is_match(name):
                        literal.setdefault(name.lower(), model)
                anchored = (text for text in _texts(model.match, "regex") if text[0] == "^" and text[-1] == "$")
                patterns.extend((re.compile(text), model) for text in anchored)
            self._names[provider_id] = literal, patterns
        return self._names[provider_id]


def _models(call: Call) -> tuple[str, ...]:
    return tuple(name for name in (call.answer.response_model, call.request_model) if name)


def _texts(clause: Any, *kinds: str) -> Iterator[str]:
    """The texts of these kinds in a match clause, whatever it is nested in."""
    for group in ("or_", "and_"):
        for inner in getattr(clause, group, ()):
            yield from _texts(inner, *kinds)
    for kind in kinds:
        if text := getattr(clause, kind, None):
            yield text


def _rates(
    model: "ModelInfo", usage: Usage, at: datetime, tier: str, provider_id: str | None, source: str
) -> Rates | None:
    listed, as_of = _standard(model, at)
    names: list[str] = []
    divisor = 1
    if tier and tier not in _STANDARD_TIERS and (provider_id, tier) not in _SAME_PRICE:
        names.append(tier)
        variant = _variant(model, at, tier)
        if variant is not None:
            listed, since = variant
            as_of = max(filter(None, (as_of, since)), default=None)
        elif tier in _HALF_TIERS:
            divisor = 2
        else:
            return None
    prompt_tokens = usage.input_tokens or 0

    def rate(key: str, units: int = 1_000_000 * divisor) -> int | None:
        value = getattr(listed, key, None)
        if value is None:
            return None
        if not isinstance(value, Decimal):
            for step in reversed(value.tiers):
                if prompt_tokens > step.start:
                    name = f"above {step.start} tokens"
                    if name not in names:
                        names.append(name)
                    return pico_per_unit(step.price, units)
            value = value.base
        return pico_per_unit(value, units)

    short_write = rate("cache_write_5m_mtok")
    rates = Rates(
        price=Price(source=source, model=model.id, as_of=as_of),
        input=rate("input_mtok"),
        output=rate("output_mtok"),
        cache_read=rate("cache_read_mtok"),
        cache_write_5m=rate("cache_write_mtok") if short_write is None else short_write,
        cache_write_1h=rate("cache_write_1h_mtok"),
        modalities=tuple((name, value) for name in _MODALITIES if (value := rate(f"{name}_mtok")) is not None),
        fees=tuple((name, value) for name, key in _FEES.items() if (value := rate(key, 1_000)) is not None),
    )
    return replace(rates, price=replace(rates.price, tier=", ".join(names) or None))


def _standard(model: "ModelInfo", at: datetime) -> "tuple[ModelPrice, str | None]":
    """Prices of that moment and the date from which they hold; the last active ones count, as in the catalogue."""
    from genai_prices.types import ModelPrice

    if isinstance(model.prices, ModelPrice):
        return model.prices, None
    for conditional in reversed(model.prices):
        if conditional.constraint is None or conditional.constraint.active(at):
            return conditional.prices, _since(conditional.constraint)
    return model.prices[0].prices, None


def _variant(model: "ModelInfo", at: datetime, tier: str) -> "tuple[ModelPrice, str | None] | None":
    """Prices of a service tier over the standard ones, if the catalogue lists any for that moment."""
    context = {"service_tier": tier, "processing": tier, "speed": tier}
    for variant in model.price_variants or ():
        asked = all(context.get(key) == value for key, value in variant.when.items())
        if asked and (variant.constraint is None or variant.constraint.active(at)):
            return model.get_prices(at, context), _since(variant.constraint)
    return None


def _since(constraint: Any) -> str | None:
    start = getattr(constraint, "start_date", None)
    return start.isoformat() if start else None


def _say_what_lacks(rates: Rates, usage: Usage) -> Rates:
    """An override without the cache rates that a call needs bills those tokens as input; its price says so."""
    read = rates.cache_read is None and usage.cache_read_input_tokens
    written = rates.cache_write_5m is None and usage.cache_creation_input_tokens
    if not (read or written):
        return rates
    return replace(rates, price=replace(rates.price, tier="cached tokens at the input rate"))
