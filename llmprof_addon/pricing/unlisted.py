"""Rates for what a call used and its source lists no price of: a published rule, or the nearest rate, and said so."""

from dataclasses import replace

from llmprof_addon.model.usage import Usage
from llmprof_addon.pricing.cost import Rates, cache_split

_HOUR_AT_TWICE = ("claude",)
"""In the names of models whose cache writes cost 1.25 times the input rate for 5 minutes and twice for an hour, whoever
sells them (Anthropic, "Prompt caching", pricing, 2026)."""


def completed(rates: Rates, usage: Usage, cache_ttl: str | None) -> Rates:
    """The rates as this usage needs them; `price.tier` names what stands in for a rate of its own.

    `cache_ttl` is that of writes whose retention is not reported.
    """
    standing_in = []
    short, hour = rates.cache_write_5m, rates.cache_write_1h
    if hour is None and short is not None and cache_split(usage, cache_ttl).write_1h:
        by_rule = _follows_rule(rates)
        rates = replace(rates, cache_write_1h=2 * (rates.input or 0) if by_rule else short)
        standing_in.append("1h writes at 2x input" if by_rule else "1h writes at the 5m rate")
    listed = dict(rates.modalities)
    for name, tokens in usage.by_modality:
        if tokens and name.endswith("_audio") and name not in listed:
            standing_in.append(f"{name.replace('_', ' ')} at the text rate")
    if not standing_in:
        return rates
    tier = ", ".join((*filter(None, [rates.price.tier]), *standing_in))
    return replace(rates, price=replace(rates.price, tier=tier))


def _follows_rule(rates: Rates) -> bool:
    """Whether the rule is that of this model, and its 5m rate in fact 1.25 times the input rate."""
    known = any(name in rates.price.model.lower() for name in _HOUR_AT_TWICE)
    return known and 4 * (rates.cache_write_5m or 0) == 5 * (rates.input or 0)
