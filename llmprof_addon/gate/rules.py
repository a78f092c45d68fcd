"""What was measured, and what may be -> one check a rule. A number that is not known passes no limit."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from llmprof_addon.export.text import KIND_NAMES
from llmprof_addon.gate.limits import TOLERANCE, Amount, Limits
from llmprof_addon.gate.measure import Measured, Number
from llmprof_addon.model.component import Kind
from llmprof_addon.model.cost import usd

NOISE_TOKENS = 4
"""A call's tokens of a kind may differ by so many through rounding and the words of estimates alone."""


class Status(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    """There was nothing to compare with."""


class Unit(StrEnum):
    """What a number counts."""

    USD = "usd"
    """In pico-dollars."""
    TOKENS = "tokens"
    SHARE = "share"
    COUNT = "count"

    def write(self, value: Amount) -> str:
        """A number for people."""
        if self is Unit.USD:
            return f"${usd(int(value))}"
        if self is Unit.SHARE:
            return percent(value)
        return f"{int(value):,} tokens" if self is Unit.TOKENS else f"{int(value):,}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One rule, applied."""

    rule: str
    """`max-usd`, …; `baseline: dollars`, …"""
    status: Status
    said: str
    """Why, in one line."""
    unit: Unit
    value: Amount | None
    """What was measured."""
    asked: Amount | None
    """The limit, or the number of the baseline without the tolerance."""


def judge(
    measured: Measured, limits: Limits, baseline: Measured | None = None, tolerance: Fraction = TOLERANCE
) -> tuple[Check, ...]:
    """All checks: the limits that are set, then each number of the baseline, which may be worse by the tolerance."""
    checks = list(_limited(measured, limits))
    if baseline is not None:
        checks += _compared(measured, baseline, tolerance)
    return tuple(checks)


def _limited(measured: Measured, limits: Limits) -> Iterator[Check]:
    of_window, of_first = (isinstance(limit, Fraction) for limit in (limits.max_context, limits.max_growth))
    context = (measured.window, Unit.SHARE, " of the window") if of_window else (measured.context, Unit.TOKENS, "")
    growth = (measured.growth_share, Unit.SHARE, " of the first") if of_first else (measured.growth, Unit.TOKENS, "")
    rules: tuple[tuple[str, Amount | None, tuple[Number, Unit, str]], ...] = (
        ("max-usd", limits.max_usd, (measured.cost, Unit.USD, "")),
        ("max-context", limits.max_context, context),
        ("max-growth", limits.max_growth, growth),
        ("max-schema-tokens", limits.max_schema_tokens, (measured.schema_tokens, Unit.TOKENS, "")),
        ("min-cache-hit", limits.min_cache_hit, (measured.cache_hit, Unit.SHARE, "")),
        ("max-breaks", limits.max_breaks, (measured.breaks, Unit.COUNT, "")),
    )
    for rule, limit, (number, unit, of) in rules:
        if limit is None:
            continue
        least = rule.startswith("min-")
        wanted = f"at {'least' if least else 'most'} {unit.write(limit)}{of}"
        if number.value is None:
            status, said = Status.FAILED, f"not known ({number.why}); allowed is {wanted}"
        else:
            good = number.value >= limit if least else number.value <= limit
            status = Status.PASSED if good else Status.FAILED
            said = f"{_shown(number, unit)}{of}; allowed is {wanted}"
        yield Check(rule=rule, status=status, said=said, unit=unit, value=number.value, asked=limit)


def _compared(measured: Measured, baseline: Measured, tolerance: Fraction) -> Iterator[Check]:
    noise = NOISE_TOKENS * baseline.calls
    calls = Number(value=measured.calls), Number(value=baseline.calls)
    numbers: list[tuple[str, Unit, Number, Number, int]] = [
        ("dollars", Unit.USD, measured.cost, baseline.cost, 0),
        ("calls", Unit.COUNT, *calls, 0),
        ("output", Unit.TOKENS, measured.output_tokens, baseline.output_tokens, noise),
        ("largest prompt", Unit.TOKENS, measured.context, baseline.context, NOISE_TOKENS),
    ]
    for kind in Kind:
        if kind in measured.kinds or kind in baseline.kinds:
            now, before = (Number(value=each.kinds.get(kind, 0)) for each in (measured, baseline))
            numbers.append((KIND_NAMES[kind], Unit.TOKENS, now, before, noise))
    for name, unit, now, before, slack in numbers:
        yield _against(name, unit, now, before, tolerance, slack)
    yield _against("cache hit", Unit.SHARE, measured.cache_hit, baseline.cache_hit, tolerance, 0, least=True)


def _against(
    name: str, unit: Unit, now: Number, before: Number, tolerance: Fraction, slack: int, *, least: bool = False
) -> Check:
    """Compare a number with that of the baseline, than which it may be worse by the tolerance and the slack."""
    was = before.value
    if was is None:
        status, said = Status.SKIPPED, f"not compared: it was not known ({before.why or 'not measured'})"
    elif now.value is None:
        status, said = Status.FAILED, f"not known ({now.why}); it was {unit.write(was)}"
    else:
        good = now.value >= was * (1 - tolerance) if least else now.value <= was * (1 + tolerance) + slack
        status = Status.PASSED if good else Status.FAILED
        said = f"{_shown(now, unit)}, {_change(now.value, was, unit)}"
        said += "" if good else f"; tolerated is {percent(tolerance)}"
    return Check(rule=f"baseline: {name}", status=status, said=said, unit=unit, value=now.value, asked=was)


def _change(now: Amount, before: Amount, unit: Unit) -> str:
    if unit.write(now) == unit.write(before):
        return "as it was"
    more = "more" if now > before else "less"
    return f"{percent(abs(Fraction(now) / before - 1)) if before else 'which is'} {more} than {unit.write(before)}"


def _shown(number: Number, unit: Unit) -> str:
    assert number.value is not None  # only what is known is shown
    return f"{'≈' if number.estimated else ''}{unit.write(number.value)}"


def percent(value: Amount) -> str:
    """A share in per cent: `80%`, `79.96%`."""
    text = f"{float(Fraction(value) * 100):.2f}"
    return f"{text.rstrip('0').rstrip('.')}%"
