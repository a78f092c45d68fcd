"""What a call cost, line by line: tokens times a rate, what the price is, what it would have been without a cache.

The rates follow from the amounts that are stored, so that every line multiplies out. Where several rates are mixed in
one amount (two retentions of a cache, modalities), their average stands in for them and is marked as such.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from llmprof_addon.model.component import KindTotal
from llmprof_addon.model.cost import Cost, usd
from llmprof_addon.model.usage import Source, Usage

MILLION = 10**6
FRESH, READ, WRITE = "fresh input", "cache read", "cache write"


@dataclass(frozen=True, slots=True, kw_only=True)
class CostLine:
    """One thing that is billed."""

    name: str
    tokens: int | None
    amount: int | None
    """Pico-dollars."""
    about: str = ""
    part: bool = False
    """It is part of the line above, and not to be added again."""

    @property
    def rate(self) -> Fraction | None:
        """Pico-dollars per token; `None` where nothing was used or it is not billed by the token."""
        if not self.tokens or self.amount is None:
            return None
        return Fraction(self.amount, self.tokens)


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncached:
    """What the same call would have cost without a cache."""

    amount: int | None
    """Pico-dollars, rounded to whole ones; `None` where that cannot be told."""
    exact: bool
    why: str = ""
    """Why it cannot be told."""


def cost_lines(usage: Usage, composition: Iterable[KindTotal], cost: Cost | None) -> list[CostLine]:
    """The lines of a call's bill; those of the composition sum to its input."""
    totals = list(composition)
    fresh, read, write = (sum(getattr(total, name) for total in totals) for name in ("fresh", "read", "write"))
    if not totals and usage.input_tokens is not None:
        fresh = usage.input_tokens
    known = usage.input_tokens is not None or bool(totals)
    short, long = usage.cache_creation_5m_input_tokens, usage.cache_creation_1h_input_tokens
    held = [f"{tokens:,} for {name}" for tokens, name in ((short, "5 minutes"), (long, "1 hour")) if tokens]
    lines = [
        CostLine(name=FRESH, tokens=fresh if known else None, amount=None if cost is None else cost.input),
        CostLine(name=READ, tokens=read if known else None, amount=None if cost is None else cost.cache_read),
        CostLine(
            name=WRITE, tokens=write if known else None, amount=None if cost is None else cost.cache_write,
            about=" · ".join(held) if write else "",
        ),
        CostLine(name="output", tokens=usage.output_tokens, amount=None if cost is None else cost.output),
    ]  # fmt: skip
    if usage.cache_read_input_tokens is None and usage.cache_creation_input_tokens is None and not read + write:
        lines = [lines[0], lines[-1]]  # there is nothing known of a cache, which is not the same as 0
    if usage.reasoning_output_tokens and usage.output_tokens:
        share = None if cost is None else cost.output * usage.reasoning_output_tokens // usage.output_tokens
        lines.append(CostLine(name="of it reasoning", tokens=usage.reasoning_output_tokens, amount=share, part=True))
    requests = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in usage.server_tool_requests)
    if requests or (cost and cost.other):
        lines.append(
            CostLine(name="requests", tokens=None, amount=None if cost is None else cost.other, about=requests)
        )
    return lines


def uncached(lines: Iterable[CostLine], cost: Cost | None) -> Uncached | None:
    """What all input would have cost as fresh input; `None` where no cache was in use."""
    by_name = {line.name: line for line in lines}
    inputs = [by_name[name] for name in (FRESH, READ, WRITE) if name in by_name]
    fresh = inputs[0]
    if not any(line.tokens for line in inputs[1:]):
        return None
    if cost is None:
        return Uncached(amount=None, exact=False, why="the call is unpriced")
    if fresh.rate is None:
        return Uncached(amount=None, exact=False, why="no token was fresh, so that the rate of fresh input is unknown")
    tokens = sum(line.tokens or 0 for line in inputs)
    amount = fresh.rate * tokens + cost.output + cost.other
    return Uncached(amount=round(amount), exact=fresh.rate.denominator == 1)


def per_million(rate: Fraction | None) -> str:
    """A rate in dollars per million tokens, all digits of it; `≈` where it is an average."""
    if rate is None:
        return "–"
    if rate.denominator != 1:
        return f"≈${float(rate) * MILLION / 10**12:,.4f}"
    text = usd(int(rate) * MILLION) or ""
    whole, _, cents = text.partition(".")
    return f"${int(whole):,}.{cents.ljust(2, '0')}"


def money(pico: int | None) -> str:
    """An amount with all its digits, at least cents."""
    if pico is None:
        return "–"
    sign, text = ("-", usd(-pico)) if pico < 0 else ("", usd(pico))
    whole, _, cents = (text or "").partition(".")
    return f"{sign}${int(whole):,}.{cents.ljust(2, '0')}"


def aligned(amounts: Sequence[int | None]) -> list[str]:
    """Amounts with all their digits, each with as many of them as the longest has."""
    texts = [money(pico) for pico in amounts]
    longest = max((len(text.partition(".")[2]) for text in texts), default=0)
    return [text + "0" * (longest - len(text.partition(".")[2])) if "." in text else text for text in texts]


def unpriced(usage: Usage, model: str | None) -> str:
    """Why a call has no price."""
    if model is None:
        return "unpriced: neither the request nor the answer names a model"
    if usage.source is not Source.REPORTED and usage.output_tokens is None:
        return "unpriced: how much was answered is unknown"
    return f"unpriced: no price is known for {model}; LLMPROF_PRICING can give one"
