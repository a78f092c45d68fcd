"""Estimated leaves brought to the provider's own total, which is the truth.

What is missing goes, within a family's known error, to estimated text, and for the rest to parts of unknown size, or
else to a leaf of hidden provider overhead. What is too much is taken from framing first, then from parts of unknown
size, from estimates, and only then from counted leaves. A leaf that had to change is marked `estimated`. Splits are
made over kinds, then over the leaves of a kind, so that stored totals by kind equal the sums of leaves derived again.
"""

from collections.abc import Iterable, Sequence

from llmprof_addon.model.apportion import apportion
from llmprof_addon.model.component import Kind, Leaf, leaves_of
from llmprof_addon.model.usage import Source

HIDDEN = "hidden"
"""Name of the overhead leaf that takes what neither the parts nor the known framing explain."""


def reconcile(leaves: Sequence[Leaf], reported: int | None, slack: float) -> tuple[Leaf, ...]:
    """The same leaves with tokens that sum to `reported` exactly, none of them negative.

    `slack` is the share by which estimated text may grow. A total of 0 or `None` counts as not reported: unchanged.
    An `elided` leaf stands for a prompt that is not known and takes all that is missing.
    """
    if not reported or reported < 0:
        return tuple(leaves)
    tokens = [leaf.tokens for leaf in leaves]
    delta = reported - sum(tokens)
    if delta >= 0:
        return _grown(leaves, tokens, delta, slack)
    excess = -delta
    tiers: tuple[list[int], ...] = ([], [], [], [])
    for index, leaf in enumerate(leaves):
        tiers[_tier(leaf)].append(index)
    for indexes in tiers:
        excess = _shrink(leaves, tokens, indexes, excess)
        if not excess:
            break
    doubt = any(leaves[index].tokens != tokens[index] for index in tiers[_COUNTED])
    return _with_tokens(leaves, tokens, doubt=doubt)


_FRAMING, _GUESSED, _ESTIMATED, _COUNTED = range(4)
"""In the order in which tokens are taken from leaves."""


def _tier(leaf: Leaf) -> int:
    if leaf.kind is Kind.PROVIDER_OVERHEAD:
        return _FRAMING
    if leaf.source is not Source.ESTIMATED:
        return _COUNTED
    return _GUESSED if leaf.guessed else _ESTIMATED


def _grown(leaves: Sequence[Leaf], tokens: list[int], delta: int, slack: float) -> tuple[Leaf, ...]:
    """Estimated text scaled up by at most `slack`; the rest in elided, guessed or hidden leaves."""
    elided = next((index for index, leaf in enumerate(leaves) if leaf.kind is Kind.ELIDED), None)
    if elided is not None:
        tokens[elided] += delta
        delta = 0
    else:
        growing = [index for index, leaf in enumerate(leaves) if leaf.scalable and _tier(leaf) == _ESTIMATED]
        text = sum(tokens[index] for index in growing)
        growth = min(delta, int(text * slack))
        if growth > 0:
            _resize(leaves, tokens, growing, text + growth)
            delta -= growth
        guessed = [
            index for index, leaf in enumerate(leaves) if leaf.guessed and leaf.tokens and _tier(leaf) == _GUESSED
        ]
        if delta and guessed:
            _resize(leaves, tokens, guessed, sum(tokens[index] for index in guessed) + delta)
            delta = 0
    grown = _with_tokens(leaves, tokens)
    if not delta:
        return grown
    hidden = Leaf(kind=Kind.PROVIDER_OVERHEAD, name=HIDDEN, tokens=delta, source=Source.ESTIMATED, scalable=False)
    return (hidden, *grown)


def _shrink(leaves: Sequence[Leaf], tokens: list[int], indexes: list[int], excess: int) -> int:
    """Take up to `excess` tokens from these leaves; returns what could not be taken."""
    held = sum(tokens[index] for index in indexes)
    taken = min(excess, held)
    if taken:
        _resize(leaves, tokens, indexes, held - taken)
    return excess - taken


def _resize(leaves: Sequence[Leaf], tokens: list[int], indexes: Iterable[int], total: int) -> None:
    """Give these leaves `total` tokens in proportion to those they have: over kinds, then within each kind."""
    kinds: dict[Kind, list[int]] = {}
    for index in indexes:
        if tokens[index]:
            kinds.setdefault(leaves[index].kind, []).append(index)
    weights = [[tokens[index] for index in members] for members in kinds.values()]
    for members, own, share in zip(
        kinds.values(), weights, apportion(total, [sum(own) for own in weights]), strict=True
    ):
        for index, now in zip(members, apportion(share, own), strict=True):
            tokens[index] = now


def _with_tokens(leaves: Sequence[Leaf], tokens: list[int], *, doubt: bool = False) -> tuple[Leaf, ...]:
    """The leaves with these tokens: an estimate where they are others than before, or where all are in doubt."""
    if not leaves:
        return ()
    kinds, before, sources, *others = zip(*leaves, strict=True)
    now = zip(tokens, before, sources, strict=True)
    doubted = [Source.ESTIMATED if doubt or new != old else source for new, old, source in now]
    return leaves_of(kinds, tokens, doubted, *others)
