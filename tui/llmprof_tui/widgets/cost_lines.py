"""What a call cost, line by line: tokens times a rate, what the price is, what it would have been without a cache.

The rates are those that are stored with the price. Of a call that was stored without them they follow from the amounts,
so that every line multiplies out; where several rates are mixed in one amount (two retentions of a cache, modalities),
their average stands in for them and is marked as such.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from llmprof_addon.export.bill import Charge, bill
from llmprof_addon.model.component import KindTotal
from llmprof_addon.model.cost import Cost, usd
from llmprof_addon.model.usage import Source, Usage

MILLION = 10**6
FRESH, READ, WRITE, LONG_WRITE = "fresh input", "cache read", "cache write", "1h cache write"
CACHED = (READ, WRITE, LONG_WRITE)
OUTPUT, REASONING, REQUESTS = "output", "reasoning output", "requests"


@dataclass(frozen=True, slots=True, kw_only=True)
class CostLine:
    """One thing that is billed."""

    name: str
    tokens: int | None
    amount: int | None
    """Pico-dollars."""
    about: str = ""
    part: bool = False
    """It is part of a line above, and not to be added again."""
    listed: int | None = None
    """Pico-dollars per token, where the price says it."""

    @property
    def rate(self) -> Fraction | None:
        """Pico-dollars per token; `None` where nothing was used or it is not billed by the token."""
        if self.listed is not None:
            return Fraction(self.listed)
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
    charges = bill(usage, cost)
    lines = [_line(charge, usage) for charge in charges] if charges else list(_derived(usage, composition, cost))
    if not _is_cached(usage, lines):
        # There is nothing known of a cache, which is not the same as 0.
        lines = [line for line in lines if line.name not in CACHED]
    elif any(line.name == LONG_WRITE and line.tokens for line in lines):
        lines = [line for line in lines if line.name != WRITE or line.tokens]
    else:
        lines = [line for line in lines if line.name != LONG_WRITE]
    if usage.reasoning_output_tokens and usage.output_tokens and not any(line.name == REASONING for line in lines):
        at = next(index for index, line in enumerate(lines) if line.name == OUTPUT)
        lines.insert(at + 1, _reasoning(usage.reasoning_output_tokens, lines[at]))
    return lines


_NAMES = {
    "input": FRESH,
    "cache_read": READ,
    "cache_write_5m": WRITE,
    "cache_write_1h": LONG_WRITE,
    "output": OUTPUT,
    "output_reasoning": REASONING,
}


def _line(charge: Charge, usage: Usage) -> CostLine:
    if charge.bucket == "other":
        each = "" if charge.rate is None else f" at {money(charge.rate)}"
        about = f"{charge.units:,} {charge.name.replace('_', ' ')}{each}"
        return CostLine(name=REQUESTS, tokens=None, amount=charge.amount, about=about)
    direction, _, modality = charge.name.partition("_")
    name = _NAMES.get(charge.name) or f"{modality} {direction}"
    about = ""
    if charge.name == "cache_write_1h":
        about = "for 1 hour"
    elif charge.name == "cache_write_5m" and usage.cache_creation_5m_input_tokens and charge.units:
        about = "for 5 minutes"
    elif charge.name == "input" and usage.billed_input_tokens is not None:
        about = "as far as it is billed"
    return CostLine(name=name, tokens=charge.units, amount=charge.amount, about=about, listed=charge.rate)


def _derived(usage: Usage, composition: Iterable[KindTotal], cost: Cost | None) -> Iterator[CostLine]:
    """Lines of a call of whose price no rates are known."""
    totals = list(composition)
    fresh, read, write = (sum(getattr(total, name) for total in totals) for name in ("fresh", "read", "write"))
    if not totals and usage.input_tokens is not None:
        fresh = usage.input_tokens
    known = usage.input_tokens is not None or bool(totals)
    short, long = usage.cache_creation_5m_input_tokens, usage.cache_creation_1h_input_tokens
    held = [f"{tokens:,} for {name}" for tokens, name in ((short, "5 minutes"), (long, "1 hour")) if tokens]
    amounts: tuple[int | None, ...] = (None,) * 5
    if cost is not None:
        amounts = (cost.input, cost.cache_read, cost.cache_write, cost.output, cost.other)
    yield CostLine(name=FRESH, tokens=fresh if known else None, amount=amounts[0])
    yield CostLine(name=READ, tokens=read if known else None, amount=amounts[1])
    about = " · ".join(held) if write else ""
    yield CostLine(name=WRITE, tokens=write if known else None, amount=amounts[2], about=about)
    yield CostLine(name=OUTPUT, tokens=usage.output_tokens, amount=amounts[3])
    requests = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in usage.server_tool_requests)
    if requests or amounts[4]:
        yield CostLine(name=REQUESTS, tokens=None, amount=amounts[4], about=requests)


def _is_cached(usage: Usage, lines: Iterable[CostLine]) -> bool:
    reported = usage.cache_read_input_tokens is not None or usage.cache_creation_input_tokens is not None
    return reported or any(line.tokens for line in lines if line.name in CACHED)


def _reasoning(tokens: int, output: CostLine) -> CostLine:
    """The part of the output that is reasoning, where it has no rate of its own."""
    share = None if output.rate is None else int(output.rate * tokens)
    return CostLine(name="of it reasoning", tokens=tokens, amount=share, part=True, listed=output.listed)


def uncached(lines: Sequence[CostLine], cost: Cost | None) -> Uncached | None:
    """What all input would have cost as fresh input; `None` where no cache was in use."""
    fresh = next(line for line in lines if line.name == FRESH)
    cached = sum(line.tokens or 0 for line in lines if line.name in CACHED)
    if not cached:
        return None
    if cost is None:
        return Uncached(amount=None, exact=False, why="the call is unpriced")
    if fresh.rate is None:
        return Uncached(amount=None, exact=False, why="no token was fresh, so that the rate of fresh input is unknown")
    amount = cost.total - cost.cache_read - cost.cache_write + fresh.rate * cached
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
