"""A comparison of two calls -> one tree of both, whose nodes have grown, shrunk, come or gone. Pure.

Nodes are matched by the parts behind them where they have one, else by name. A node is as wide as the larger of its two
sides, or as what is inside it, so that also what is gone can be seen.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from llmprof_addon.export.diff import CallDiff, Change
from llmprof_addon.export.whole import whole
from llmprof_addon.model.component import Component, Kind
from llmprof_addon.model.usage import Source

_TURN = re.compile(r"^turn \d+")


class Shift(StrEnum):
    """How a node differs."""

    SAME = "same"
    CHANGED = "changed"
    """Another content of the same size."""
    GROWN = "grown"
    SHRUNK = "shrunk"
    NEW = "new"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """One node of both trees."""

    shift: Shift
    kind: Kind
    name: str
    before: Component | None
    after: Component | None
    wide_tokens: int
    """Its width: never less than what is inside it."""
    wide_cost: int | None
    """The same in pico-dollars; `None` where either side is unpriced."""
    children: tuple["Delta", ...] = ()

    @property
    def tokens(self) -> int:
        """Tokens more than before."""
        return (self.after.tokens if self.after else 0) - (self.before.tokens if self.before else 0)

    @property
    def cost(self) -> int | None:
        """Pico-dollars more than before; `None` where either side is unpriced."""
        before, after = _costs(self.before, self.after)
        return None if before is None or after is None else after - before


@dataclass(slots=True)
class _Pair:
    """A node in the making."""

    before: Component | None
    after: Component | None
    same: bool
    """Whether it is, or is inside of, a part that did not change."""
    children: "list[_Pair]" = field(default_factory=list)


def delta_tree(compared: CallDiff) -> tuple[Delta, ...]:
    """The kinds of both prompts with everything below them, in the order of the later one."""
    counterparts: dict[str, str] = {}
    same: set[str] = set()
    for part in compared.parts:
        if part.before and part.after and part.before.path and part.after.path:
            counterparts[part.after.path] = part.before.path
            if part.change in (Change.SAME, Change.MOVED):
                same.add(part.after.path)
    return _merged(compared.before.components, compared.after.components, counterparts, same)


def by_name(before: Sequence[Component], after: Sequence[Component]) -> tuple[Delta, ...]:
    """Two trees merged by names alone, e.g. those of two runs."""
    return _merged(before, after, None, frozenset())


def merged_root(name: str, tops: Sequence[Delta], sources: tuple[Source | None, Source | None] = (None, None)) -> Delta:
    """Trees that stand side by side under one root; `sources` are those of its two totals, if surer than the parts'."""
    sides = [[each for each in side if each] for side in zip(*((top.before, top.after) for top in tops), strict=True)]
    old, new = (whole(name, side, source) for side, source in zip(sides or ((), ()), sources, strict=True))
    costs = [top.wide_cost for top in tops]
    same = all(top.shift is Shift.SAME for top in tops)
    return Delta(
        shift=Shift.SAME if same else Shift.GROWN if new.tokens > old.tokens else Shift.SHRUNK,
        kind=Kind.GENERIC,
        name=name,
        before=old,
        after=new,
        wide_tokens=sum(top.wide_tokens for top in tops),
        wide_cost=None if None in costs else sum(cost or 0 for cost in costs),
        children=tuple(tops),
    )


def _merged(
    before: Sequence[Component],
    after: Sequence[Component],
    counterparts: Mapping[str, str] | None,
    same: Collection[str],
) -> tuple[Delta, ...]:
    # Explicit stacks: a tree from the wire may be as deep as it likes.
    tops = [_Pair(old, new, False) for old, new in _matched(before, after, counterparts)]
    order: list[_Pair] = []
    stack = list(tops)
    while stack:
        pair = stack.pop()
        order.append(pair)
        if pair.after is not None and pair.before is not None and pair.after.path in same:
            pair.same = True
        old, new = _insides(pair.before, pair.after)
        pair.children = [_Pair(mine, theirs, pair.same) for mine, theirs in _matched(old, new, counterparts)]
        stack += pair.children
    made: dict[int, Delta] = {}
    for pair in reversed(order):
        made[id(pair)] = _delta(pair, tuple(made.pop(id(child)) for child in pair.children))
    return tuple(made[id(pair)] for pair in tops)


def _insides(before: Component | None, after: Component | None) -> tuple[Sequence[Component], Sequence[Component]]:
    """The children of both. A part that is a group on the other side is the only one of its own."""
    old: Sequence[Component] = before.children if before else ()
    new: Sequence[Component] = after.children if after else ()
    if before and after and bool(before.path) != bool(after.path):
        old = old if before.path is None else (_bare(before),)
        new = new if after.path is None else (_bare(after),)
    return old, new


def _bare(component: Component) -> Component:
    """A turn of one part as that part."""
    return replace(component, name=_TURN.sub("", component.name).removeprefix(": "))


def _matched(
    before: Sequence[Component], after: Sequence[Component], counterparts: Mapping[str, str] | None
) -> Iterator[tuple[Component | None, Component | None]]:
    """Counterparts, in the order of the later ones; those that are gone stand where they were."""
    named = counterparts is None
    waiting = {key: at for at, key in enumerate(_keys(before, None if named else str))}
    found = _keys(after, None if counterparts is None else counterparts.get)
    partners = [waiting.pop(key, None) for key in found]
    gone = sorted(waiting.values(), reverse=True)
    for partner, component in zip(partners, after, strict=True):
        while gone and partner is not None and gone[-1] < partner:
            yield before[gone.pop()], None
        yield None if partner is None else before[partner], component
    while gone:
        yield before[gone.pop()], None


def _keys(components: Sequence[Component], path_before: Callable[[str], str | None] | None) -> list[object]:
    """What siblings are matched by: the path that a part has in the earlier call, or the name."""
    seen: dict[object, int] = {}
    out: list[object] = []
    for component in components:
        turn = _TURN.match(component.name)
        key: object = component.kind, turn[0] if turn else component.name
        if path_before is not None and component.path and not turn:
            before = path_before(component.path)
            key = component.kind, "path", before, None if before else component.path
        seen[key] = seen.get(key, 0) + 1
        out.append((key, seen[key]))
    return out


def _delta(pair: _Pair, children: tuple[Delta, ...]) -> Delta:
    before, after = pair.before, pair.after
    shown = after or before
    assert shown is not None  # of a pair one is there
    costs = _costs(before, after)
    inside = [child.wide_cost for child in children]
    unpriced = None in costs or None in inside
    wide_cost = None if unpriced else max(max(cost or 0 for cost in costs), sum(cost or 0 for cost in inside))
    tokens = (before.tokens if before else 0, after.tokens if after else 0)
    return Delta(
        shift=_shift(pair, tokens, children),
        kind=shown.kind,
        name=shown.name,
        before=before,
        after=after,
        wide_tokens=max(*tokens, sum(child.wide_tokens for child in children)),
        wide_cost=wide_cost,
        children=children,
    )


def _shift(pair: _Pair, tokens: tuple[int, int], children: Sequence[Delta]) -> Shift:
    if pair.before is None:
        return Shift.NEW
    if pair.after is None:
        return Shift.GONE
    # Shares of an unchanged text may differ by a token, since the whole was reconciled with another total.
    if pair.same or (children and all(child.shift is Shift.SAME for child in children)):
        return Shift.SAME
    if tokens[0] == tokens[1]:
        return Shift.CHANGED if children or pair.after.path else Shift.SAME
    return Shift.GROWN if tokens[1] > tokens[0] else Shift.SHRUNK


def _costs(before: Component | None, after: Component | None) -> tuple[int | None, int | None]:
    return before.cost if before else 0, after.cost if after else 0
