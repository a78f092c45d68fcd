"""The steps of a prompt -> how many tokens stand up to each of them.

Exact where a provider reported it: for the whole prompt, for earlier calls that ended at a step, for what was read or
written up to a breakpoint. Between two such places steps have their share by raw tokens.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from llmprof_addon.cachedoctor.rules import CacheRules
from llmprof_addon.model.cache import CacheView, Step

LIKELY = 4.0
"""Reported numbers by which steps would have more than so many times their share, or less than that part of it, speak
of something else."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Of one prompt."""

    weights: tuple[int, ...]
    ends: tuple[float, ...]
    """Tokens up to each step, from 0 on, and up to the end."""
    exact: frozenset[int]
    """Numbers of steps after which the tokens are as reported."""
    scale: float
    """Tokens for a raw one, on the whole."""

    @classmethod
    def of(cls, call: CacheView, steps: Sequence[Step], known: Mapping[int, int]) -> "Sizes":
        """Of these steps of a call; `known` are reported tokens by numbers of steps."""
        weights = [step.tokens for step in steps]
        total, whole = call.input or 0, sum(weights)
        scale = total / whole if whole else 0.0
        given = {0: 0}
        for at in sorted(known):
            last = max(given)
            share = sum(weights[last:at]) * scale
            likely = share / LIKELY <= known[at] - given[last] <= share * LIKELY
            if last < at < len(steps) and likely and known[at] < total:
                given[at] = known[at]
        given[len(steps)] = total
        ends = [0.0]
        for start, end in pairwise(sorted(given)):
            own = sum(weights[start:end])
            each = (given[end] - given[start]) / own if own else 0.0
            for weight in weights[start:end]:
                ends.append(ends[-1] + weight * each)
            ends[-1] = float(given[end])
        return cls(tuple(weights), tuple(ends), frozenset(given), scale)

    def between(self, start: int, end: int) -> float:
        """Tokens from one step to another."""
        return self.ends[end] - self.ends[start]

    def rate(self, start: int, end: int) -> float:
        """Tokens for a raw one of the steps between these, or around them where there are none."""
        if start == end:
            start, end = max(start - 1, 0), min(end + 1, len(self.weights))
        own = sum(self.weights[start:end])
        return self.between(start, end) / own if own else self.scale

    def unsure(self, start: int, end: int) -> float:
        """Those of them that are an estimate."""
        return 0.0 if start == end or {start, end} <= self.exact else self.between(start, end)


def raw(steps: Iterable[Step]) -> int:
    """Raw tokens of steps."""
    return sum(step.tokens for step in steps)


def known_sizes(
    call: CacheView, previous: CacheView, old: Sequence[Step], new: Sequence[Step], rules: CacheRules
) -> dict[int, int]:
    """Reported tokens up to some steps of the earlier call (`old`)."""
    known: dict[int, int] = {}
    first = next((at for at, step in enumerate(old) if step.section == "messages"), len(old))
    if all(step.section == "messages" for step in old[first:]):
        known |= {first + number: tokens for number, tokens in previous.sizes.items()}
    if rules.opt_in and previous.marks:
        ends = [mark.end for mark in previous.marks]
        if there := (previous.read or 0) + (previous.write or 0):
            known[ends[-1]] = there
        pairs = enumerate(zip(old, new, strict=False))
        same = next((at for at, (one, other) in pairs if one.identity != other.identity), min(len(old), len(new)))
        end = max((end for end in ends if end <= same), default=0)
        if call.read and end and call.read not in known.values():
            known.setdefault(end, call.read)
    return known
