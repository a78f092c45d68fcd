"""Two sequences -> which of their members are one another's counterparts, in n log n and without recursion."""

from bisect import bisect_left
from collections.abc import Hashable, Sequence

from llmprof_addon.model.part import Part

COMPARED_CHARS = 4_000
"""Of each text, by which closeness is judged."""
MOST_COMPARED = 4_096
"""Pairs of texts; where there are more, closeness is not looked at."""
CLOSE = 0.4
"""Least share of common words of texts that are versions of one another."""


def aligned(old: Sequence[Hashable], new: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Pairs of equal members in the order of both, the longest such list where members differ from one another.

    Equal beginnings and ends are paired as they are. In between, the nth of several equal members is paired with the
    nth, which may miss a pair; looking at all combinations would be quadratic.
    """
    first = 0
    while first < min(len(old), len(new)) and old[first] == new[first]:
        first += 1
    last = 0
    while last < min(len(old), len(new)) - first and old[-1 - last] == new[-1 - last]:
        last += 1
    places = {key: at for at, key in enumerate(_numbered(old[first : len(old) - last]), first)}
    candidates = [
        (places[key], at) for at, key in enumerate(_numbered(new[first : len(new) - last]), first) if key in places
    ]
    middle = _rising(candidates)
    ends = [(len(old) - at, len(new) - at) for at in range(last, 0, -1)]
    return [*((at, at) for at in range(first)), *middle, *ends]


def _numbered(keys: Sequence[Hashable]) -> list[tuple[Hashable, int]]:
    """Keys with how often each came before."""
    seen: dict[Hashable, int] = {}
    out: list[tuple[Hashable, int]] = []
    for key in keys:
        number = seen.get(key, 0)
        seen[key] = number + 1
        out.append((key, number))
    return out


def _rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest subsequence whose first members rise; the second ones rise already."""
    ends: list[int] = []
    holders: list[int] = []
    before: list[int] = []
    for at, (here, _) in enumerate(pairs):
        length = bisect_left(ends, here)
        before.append(holders[length - 1] if length else -1)
        if length == len(ends):
            ends.append(here)
            holders.append(at)
        else:
            ends[length] = here
            holders[length] = at
    out: list[tuple[int, int]] = []
    at = holders[-1] if holders else -1
    while at >= 0:
        out.append(pairs[at])
        at = before[at]
    out.reverse()
    return out


def alike(old: Sequence[Part], new: Sequence[Part]) -> list[tuple[int, int]]:
    """Pairs of parts of one kind whose texts have most of their words in common, the closest first."""
    if len(old) * len(new) > MOST_COMPARED:
        return []
    words = [[frozenset((part.text or "")[:COMPARED_CHARS].split()) for part in side] for side in (old, new)]
    found: list[tuple[float, int, int]] = []
    for here, mine in enumerate(words[0]):
        for there, theirs in enumerate(words[1]):
            if mine and theirs and old[here].kind is new[there].kind and old[here].role == new[there].role:
                closeness = len(mine & theirs) / len(mine | theirs)
                if closeness >= CLOSE:
                    found.append((-closeness, here, there))
    pairs: list[tuple[int, int]] = []
    taken: tuple[set[int], set[int]] = (set(), set())
    for _, here, there in sorted(found):
        if here not in taken[0] and there not in taken[1]:
            taken[0].add(here)
            taken[1].add(there)
            pairs.append((here, there))
    return pairs
