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
    """Pico-dollars; `None` if one of the calls is unpriced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheTally:
    """A run's cache in numbers. Tokens are those of calls that have a verdict, money is that of all priced calls."""

    by_cause: Mapping[CacheCause, Losses]
    """The dearest first; calls that lost nothing are not among them."""
    lost: int
    wasted: int | None
    """Pico-dollars; `None` if a call that lost something is unpriced, or no call has a verdict."""
    hit_ratio: float | None
    """Which part of the input was read from the cache."""
    rewrite_factor: float | None
    """How often each token that had to be read anew once was paid for anew: 1.0 with a perfect cache."""
    cost: int | None
    """Pico-dollars; `None` if all calls are unpriced."""
    perfect_cost: int | None
    """The same, had nothing been lost; `None` if no call has a verdict."""
    unpriced: int
    """Calls whose cost is not known, and in neither sum."""


def tally(calls: Iterable[tuple[CacheVerdict | None, int | None, int | None]]) -> CacheTally:
    """Sum the calls of a run: verdict, input tokens, pico-dollars of each."""
    every = list(calls)
    judged = [(verdict, tokens or 0) for verdict, tokens, _ in every if verdict is not None]
    causes: dict[CacheCause, list[CacheVerdict]] = {}
    for verdict, _ in judged:
        if verdict.lost and verdict.cause is not None:
            causes.setdefault(verdict.cause, []).append(verdict)
    by_cause = {cause: _losses(verdicts) for cause, verdicts in causes.items()}
    input_tokens = sum(tokens for _, tokens in judged)
    # Some hosts report more cached than input tokens.
    anew = sum(max(0, tokens - verdict.read) for verdict, tokens in judged)
    lost = sum(verdict.lost for verdict, _ in judged)
    costs = [cost for _, _, cost in every if cost is not None]
    saved = sum(verdict.wasted or 0 for verdict, _, cost in every if verdict is not None and cost is not None)
    return CacheTally(
        by_cause=dict(sorted(by_cause.items(), key=lambda item: (-(item[1].wasted or 0), -item[1].lost, item[0]))),
        lost=lost,
        wasted=_wasted([verdict for verdict, _ in judged]),
        hit_ratio=1 - anew / input_tokens if input_tokens else None,
        rewrite_factor=anew / (anew - lost) if anew > lost else None,
        cost=sum(costs) if costs else None,
        perfect_cost=sum(costs) - saved if costs and judged else None,
        unpriced=len(every) - len(costs),
    )


def _losses(verdicts: list[CacheVerdict]) -> Losses:
    return Losses(calls=len(verdicts), lost=sum(verdict.lost for verdict in verdicts), wasted=_wasted(verdicts))


def _wasted(verdicts: list[CacheVerdict]) -> int | None:
    """What was lost cost nothing where nothing was lost, priced or not."""
    amounts = [verdict.wasted if verdict.lost else 0 for verdict in verdicts]
    return sum(amount for amount in amounts if amount is not None) if amounts and None not in amounts else None
