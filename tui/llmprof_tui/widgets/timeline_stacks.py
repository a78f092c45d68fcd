"""A call -> the stack that stands for it in a timeline: what its prompt was made of, cached tokens below the others.

A paint is a kind with the question whether it was read from the cache, as one number, so that geometry need not know of
either.
"""

from collections.abc import Sequence
from typing import Literal

from llmprof_addon.model.component import SYNTHETIC, Kind
from llmprof_addon.store.timeline import TimelineCall

type Metric = Literal["tokens", "dollars"]

type Stack = tuple[tuple[int, int], ...]
"""(paint, amount) from the bottom up, without empty amounts."""

_KINDS = (*SYNTHETIC, *(kind for kind in Kind if kind not in SYNTHETIC))
"""In the order of stacks: what the provider adds lies below all."""
_NUMBERS = {kind: number for number, kind in enumerate(_KINDS)}


def paint(kind: Kind, *, cached: bool = False) -> int:
    """The paint of a kind."""
    return _NUMBERS[kind] * 2 + cached


def kind_of_paint(number: int) -> Kind:
    """The inverse of `paint`, with `is_cached`."""
    return _KINDS[number // 2]


def is_cached(number: int) -> bool:
    """Whether a paint stands for what was read from the cache."""
    return bool(number % 2)


def total_of(call: TimelineCall, metric: Metric) -> int | None:
    """The height of a call: prompt tokens, or pico-dollars of prompt and answer; `None` if unknown."""
    if metric == "dollars":
        return call.cost
    tokens = sum([one.tokens for one in call.composition])
    return tokens or call.input_tokens


def stack_of(call: TimelineCall, metric: Metric) -> Stack:
    """The amounts of a call, summing to its total; none if that is unknown.

    Dollars of the answer stand on top of those of the prompt, as its text.
    """
    if metric == "tokens" and not any(one.tokens for one in call.composition):
        return _filled([(paint(Kind.UNATTRIBUTED), call.input_tokens or 0)])
    parts = sorted(call.composition, key=lambda one: _NUMBERS[one.kind])
    if metric == "tokens":
        read = [(paint(one.kind, cached=True), one.read) for one in parts]
        paid = [(paint(one.kind), one.tokens - one.read) for one in parts]
        return _filled([*read, *paid])
    if call.cost is None:
        return ()
    costs = [(paint(one.kind), one.cost or 0) for one in parts]
    return _filled([*costs, (paint(Kind.TEXT), call.cost - sum(cost for _, cost in costs))])


def _filled(amounts: Sequence[tuple[int, int]]) -> Stack:
    return tuple((number, amount) for number, amount in amounts if amount > 0)
