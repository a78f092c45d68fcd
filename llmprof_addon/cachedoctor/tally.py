"""The verdicts of a run's calls -> what its cache did on the whole. Pure sums."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from llmprof_addon.model.cache import CacheCause, CacheVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """What one cause did."""

    calls: int
    lost: int
    wasted: int | None
    """Pico-dollars; `None` if a call is unpriced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheTally:
    """A run's cache in numbers, over the calls that have a verdict."""

    by_cause: Mapping[CacheCause, Losses]
    """The dearest first; calls that lost nothing are not among them."""
    lost: int
    wasted: int | None
    hit_ratio: float | None
    """Which part of the input was read from the cache."""
    rewrite_factor: float | None
    """How often each token that had to be read anew once was paid for anew: 1.0 with a perfect cache."""
    cost: int | None
    """Pico-dollars of these calls."""
    perfect_cost: int | None
    """The same, had nothing been lost."""


def tally(calls: Iterable[tuple[CacheVerdict | None, int | None, int | None]]) -> CacheTally:
    """Sum the calls of a run: verdict, input tokens, pico-dollars of each."""
    judged = [(verdict, tokens or 0, cost) for verdict, tokens, cost in calls if verdict is not None]
    causes: dict[CacheCause, list[CacheVerdict]] = {}
    for verdict, _, _ in judged:
        if verdict.lost and verdict.cause is not None:
            causes.setdefault(verdict.cause, []).append(verdict)
    by_cause = {cause: _losses(verdicts) for cause, verdicts in causes.items()}
    input_tokens = sum(tokens for _, tokens, _ in judged)
    anew = input_tokens - sum(verdict.read for verdict, _, _ in judged)
    lost = sum(verdict.lost for verdict, _, _ in judged)
    wasted = _sum(verdict.wasted for verdict, _, _ in judged)
    cost = _sum(cost for _, _, cost in judged)
    return CacheTally(
        by_cause=dict(sorted(by_cause.items(), key=lambda item: (-(item[1].wasted or 0), -item[1].lost, item[0]))),
        lost=lost,
        wasted=wasted,
        hit_ratio=1 - anew / input_tokens if input_tokens else None,
        rewrite_factor=anew / (anew - lost) if anew > lost else None,
        cost=cost,
        perfect_cost=None if cost is None or wasted is None else cost - wasted,
    )


def _losses(verdicts: list[CacheVerdict]) -> Losses:
    return Losses(
        calls=len(verdicts),
        lost=sum(verdict.lost for verdict in verdicts),
        wasted=_sum(verdict.wasted for verdict in verdicts),
    )


def _sum(amounts: Iterable[int | None]) -> int | None:
    """The sum; `None` if an amount is unknown, or there are none."""
    known = list(amounts)
    return sum(amount for amount in known if amount is not None) if known and None not in known else None
