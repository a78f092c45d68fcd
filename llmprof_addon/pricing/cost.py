"""Usage times rates: what a call cost, in whole pico-dollars, by what was billed."""

from dataclasses import dataclass

from llmprof_addon.model.cost import Cost, Price
from llmprof_addon.model.usage import Usage

NOT_BILLED = Price(source="not billed", model="")
"""Stands on calls that failed before anything was billed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What a model charges, in pico-dollars per token; tiers are chosen. `None` = the source lists no such rate.

    A cache rate that is not listed is the next more general one (1h write -> 5m write -> input, read -> input): what
    has no price of its own is billed as input. So OpenAI's cache writes before GPT-5.6 are free of a surcharge.
    """

    price: Price
    input: int | None
    output: int | None
    cache_read: int | None = None
    cache_write_5m: int | None = None
    cache_write_1h: int | None = None
    modalities: tuple[tuple[str, int], ...] = ()
    """(`input_audio`, rate), (`output_audio`, rate), (`output_reasoning`, rate): in place of the text rate."""
    fees: tuple[tuple[str, int], ...] = ()
    """(`web_search`, pico-dollars per request); `request` is charged once a call."""

    @property
    def read_rate(self) -> int:
        """What a token costs that is read from the cache."""
        return (self.input or 0) if self.cache_read is None else self.cache_read


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheSplit:
    """Input tokens by how they are billed; the four sum to the input."""

    fresh: int
    read: int
    write_5m: int
    """Also writes of any other retention."""
    write_1h: int

    @property
    def write(self) -> int:
        """All written tokens."""
        return self.write_5m + self.write_1h


def cache_split(usage: Usage, cache_ttl: str | None = None) -> CacheSplit:
    """Split the reported input; parts that exceed it are cut, reads before writes, so that none is negative.

    Writes whose retention is not reported are taken as `cache_ttl`, the longest that the request's markers ask for.
    """
    total = max(usage.input_tokens or 0, 0)
    read = min(max(usage.cache_read_input_tokens or 0, 0), total)
    write = min(max(usage.cache_creation_input_tokens or 0, 0), total - read)
    long = usage.cache_creation_1h_input_tokens
    if long is None:
        short = usage.cache_creation_5m_input_tokens
        long = 0 if cache_ttl != "1h" else write - min(short or 0, write)
    long = min(max(long, 0), write)
    return CacheSplit(fresh=total - read - write, read=read, write_5m=write - long, write_1h=long)


def cost(usage: Usage, rates: Rates | None, *, status: int | None = None, cache_ttl: str | None = None) -> Cost | None:
    """What a call cost; `None` where the price or the number of anything that was used is unknown.

    A call that failed (status 400 and above) and reports no usage costs 0, whatever its model.
    """
    nothing_reported = usage.input_tokens is None and usage.output_tokens is None
    if status is not None and status >= 400 and nothing_reported:
        return Cost(input=0, cache_read=0, cache_write=0, output=0, price=NOT_BILLED)
    if rates is None or nothing_reported:
        return None
    if (usage.input_tokens is None and rates.input) or (usage.output_tokens is None and rates.output):
        return None  # half a sum would be taken for the whole
    split = cache_split(usage, cache_ttl)
    output = max(usage.output_tokens or 0, 0)
    if (rates.input is None and usage.input_tokens) or (rates.output is None and output):
        return None
    input_rate, output_rate = rates.input or 0, rates.output or 0
    write_rate = input_rate if rates.cache_write_5m is None else rates.cache_write_5m
    long_rate = write_rate if rates.cache_write_1h is None else rates.cache_write_1h
    # Cached tokens are text first: what a modality costs more is charged on fresh tokens as far as they go.
    special = dict(rates.modalities)
    used = (*usage.by_modality, ("output_reasoning", usage.reasoning_output_tokens or 0))
    if usage.billed_input_tokens is not None:  # whatever was read from a cache
        split = CacheSplit(fresh=usage.billed_input_tokens, read=0, write_5m=0, write_1h=0)
    return Cost(
        input=split.fresh * input_rate + _surcharge("input_", used, special, split.fresh, input_rate),
        cache_read=split.read * rates.read_rate,
        cache_write=split.write_5m * write_rate + split.write_1h * long_rate,
        output=output * output_rate + _surcharge("output_", used, special, output, output_rate),
        other=_fees(usage, dict(rates.fees)),
        price=rates.price,
    )


def _surcharge(
    direction: str, used: tuple[tuple[str, int], ...], special: dict[str, int], tokens: int, rate: int
) -> int:
    """What tokens with a rate of their own cost above (or below) the text rate, for at most `tokens` of them."""
    extra = 0
    for name, count in used:
        if name.startswith(direction) and name in special:
            count = min(max(count, 0), tokens)
            tokens -= count
            extra += count * (special[name] - rate)
    return extra


def _fees(usage: Usage, fees: dict[str, int]) -> int:
    """Fees that the source lists; requests of a tool without a listed fee are not charged."""
    return fees.get("request", 0) + sum(count * fees.get(name, 0) for name, count in usage.server_tool_requests)
