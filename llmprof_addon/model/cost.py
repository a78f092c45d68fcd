"""Money, in whole pico-dollars (10^-12 US dollars): a token at $0.0375 per million is 37,500 of them."""

from dataclasses import dataclass

PICO = 10**12


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Which price was applied: a snapshot, never rewritten when prices change."""

    source: str
    """`genai-prices 0.2.3`, or `override`."""
    model: str
    as_of: str | None = None
    """ISO date from which the price holds, if the source says."""
    tier: str | None = None
    """Service or long-context tier that was applied, and what stood in for a rate that the source does not list."""
    rates: tuple[tuple[str, int], ...] = ()
    """(`input`, pico-dollars per token), (`cache_write_1h`, …), (`input_audio`, …), (`web_search`, per request), as
    they were applied; empty where nothing was billed, and where the call was stored without them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a call cost, by what was billed. All in pico-dollars; the four parts and `other` sum to `total`."""

    input: int
    """Fresh input."""
    cache_read: int
    cache_write: int
    output: int
    other: int = 0
    """Per-request fees, e.g. of web searches."""
    price: Price

    @property
    def total(self) -> int:
        """The whole call."""
        return self.input + self.cache_read + self.cache_write + self.output + self.other


def usd(pico: int | None) -> str | None:
    """Exact decimal string of an amount in pico-dollars, without trailing zeros: `"0.0123"`."""
    if pico is None:
        return None
    sign = "-" if pico < 0 else ""
    whole, rest = divmod(abs(pico), PICO)
    return f"{sign}{whole}" + (f".{rest:012d}".rstrip("0") if rest else "")
