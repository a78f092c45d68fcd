"""What may be asked of calls, and how people write it: `0.50` dollars, `20k` tokens, `80%`. Raises `ConfigError`."""

from dataclasses import dataclass, fields
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from llmprof_addon.errors import ConfigError
from llmprof_addon.model.cost import PICO

TOLERANCE = Fraction(5, 100)
"""By how much a number may be worse than in the baseline, if nothing else is said."""

_UNITS = {"k": 1000, "m": 1_000_000}

type Amount = int | Fraction
"""Tokens, or a share of something."""

type Written = str | int | float | Decimal | Fraction | None
"""As it stands on a command line, in a test, or nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Each works alone; `None` asks for nothing."""

    max_usd: int | None = None
    """Pico-dollars."""
    max_context: Amount | None = None
    """Of the largest prompt; a share is one of its model's window."""
    max_growth: Amount | None = None
    """From the first prompt of a lane to its largest; a share is one of the first."""
    max_schema_tokens: int | None = None
    min_cache_hit: Fraction | None = None
    max_breaks: int | None = None

    def __bool__(self) -> bool:
        return any(getattr(self, each.name) is not None for each in fields(self))


def limits(
    *,
    max_usd: Written = None,
    max_context: Written = None,
    max_growth: Written = None,
    max_schema_tokens: Written = None,
    min_cache_hit: Written = None,
    max_breaks: Written = None,
) -> Limits:
    """Limits as people write them."""
    return Limits(
        max_usd=None if max_usd is None else dollars(max_usd, "max-usd"),
        max_context=None if max_context is None else amount(max_context, "max-context"),
        max_growth=None if max_growth is None else amount(max_growth, "max-growth"),
        max_schema_tokens=None if max_schema_tokens is None else whole(max_schema_tokens, "max-schema-tokens"),
        min_cache_hit=None if min_cache_hit is None else share(min_cache_hit, "min-cache-hit"),
        max_breaks=None if max_breaks is None else whole(max_breaks, "max-breaks"),
    )


def dollars(written: Written, name: str) -> int:
    """Pico-dollars of an amount: `0.50`, `$2`."""
    value = _decimal(str(written).strip().removeprefix("$"))
    if value is None:
        raise ConfigError(f"{name}: {written!r} is no amount of dollars", hint="write e.g. 0.50")
    return int(value * PICO)


def amount(written: Written, name: str) -> Amount:
    """Tokens, or a share if a per cent sign says so: `12000`, `20k`, `80%`."""
    return share(written, name) if str(written).strip().endswith("%") else whole(written, name)


def whole(written: Written, name: str) -> int:
    """A whole number: `3`, `8_000`, `20k`, `1.5M`."""
    text = str(written).strip().lower().replace("_", "").replace(",", "")
    unit = _UNITS.get(text[-1:], 1)
    value = _decimal(text[:-1] if unit > 1 else text)
    if value is None or value * unit % 1:
        raise ConfigError(f"{name}: {written!r} is no whole number", hint="write e.g. 8000 or 8k")
    return int(value * unit)


def share(written: Written, name: str) -> Fraction:
    """A share: `80%`, or `0.8`."""
    text = str(float(written) if isinstance(written, Fraction) else written).strip()
    value = _decimal(text.removesuffix("%"))
    if value is None:
        raise ConfigError(f"{name}: {written!r} is no share", hint="write e.g. 80%")
    return Fraction(value) / 100 if text.endswith("%") else Fraction(value)


def _decimal(text: str) -> Decimal | None:
    """A number that is neither negative nor endless."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    # The exponent as well: a whole number or a fraction of 1e-99999999 takes minutes to make.
    return value if value.is_finite() and 0 <= value < 10**15 and value.adjusted() > -100 else None
