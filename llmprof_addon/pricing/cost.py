"""Usage times rates: what a call cost, in whole pico-dollars, by what was billed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

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

    @property
    def named(self) -> tuple[tuple[str, int], ...]:
        """All rates by the names of charges, those that stand in for what is not listed among them."""
        write = self.input if self.cache_write_5m is None else self.cache_write_5m
        tokens = (
            ("input", self.input),
            ("cache_read", self.input if self.cache_read is None else self.cache_read),
            ("cache_write_5m", write),
            ("cache_write_1h", write if self.cache_write_1h is None else self.cache_write_1h),
            ("output", self.output),
        )
        return (*((name, rate) for name, rate in tokens if rate is not None), *self.modalities, *self.fees)


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
    if (rates.input is None and usage.input_tokens) or (rates.output is None and (usage.output_tokens or 0) > 0):
        return None
    sums = dict.fromkeys(BUCKETS, 0)
    for charge in charges(usage, dict(rates.named), cache_ttl=cache_ttl):
        sums[charge.bucket] += charge.amount or 0
    return Cost(**sums, price=replace(rates.price, rates=rates.named))


type Bucket = Literal["input", "cache_read", "cache_write", "output", "other"]
BUCKETS: tuple[Bucket, ...] = ("input", "cache_read", "cache_write", "output", "other")
"""What a `Cost` consists of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """One thing that is billed: so many units at one rate."""

    name: str
    """Of its rate: `input`, `cache_read`, `cache_write_5m`, `cache_write_1h`, `output`, `input_audio`, `web_search`."""
    bucket: Bucket
    units: int
    """Tokens, or requests."""
    rate: int | None
    """Pico-dollars each; `None` where none is listed, and nothing is charged."""

    @property
    def amount(self) -> int | None:
        """Pico-dollars."""
        return None if self.rate is None else self.units * self.rate


def charges(usage: Usage, rates: Mapping[str, int], *, cache_ttl: str | None = None) -> Iterator[Charge]:
    """All that a call is billed for, bucket after bucket, at these rates by name; the amounts sum to its cost.

    Cached tokens are text first: what a modality costs more is charged on fresh tokens as far as they go.
    """
    split = cache_split(usage, cache_ttl)
    if usage.billed_input_tokens is not None:  # whatever was read from a cache
        split = CacheSplit(fresh=usage.billed_input_tokens, read=0, write_5m=0, write_1h=0)
    yield from _by_modality("input", usage, split.fresh, rates)
    yield Charge(name="cache_read", bucket="cache_read", units=split.read, rate=rates.get("cache_read"))
    yield Charge(name="cache_write_5m", bucket="cache_write", units=split.write_5m, rate=rates.get("cache_write_5m"))
    yield Charge(name="cache_write_1h", bucket="cache_write", units=split.write_1h, rate=rates.get("cache_write_1h"))
    yield from _by_modality("output", usage, max(usage.output_tokens or 0, 0), rates)
    if "request" in rates:
        yield Charge(name="request", bucket="other", units=1, rate=rates["request"])
    for name, count in usage.server_tool_requests:
        yield Charge(name=name, bucket="other", units=count, rate=rates.get(name))


def _by_modality(
    direction: Literal["input", "output"], usage: Usage, tokens: int, rates: Mapping[str, int]
) -> Iterator[Charge]:
    """At most `tokens` of the tokens that have a rate of their own, behind the rest at the text rate."""
    special: list[Charge] = []
    for name, count in (*usage.by_modality, ("output_reasoning", usage.reasoning_output_tokens or 0)):
        if name.startswith(f"{direction}_") and name in rates:
            count = min(max(count, 0), tokens)
            tokens -= count
            special.append(Charge(name=name, bucket=direction, units=count, rate=rates[name]))
    yield Charge(name=direction, bucket=direction, units=tokens, rate=rates.get(direction))
    yield from special
