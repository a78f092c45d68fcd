"""Two calls -> what became of each part of the prompt, and where the prefix that both begin with ends. Pure.

Parts are aligned section by section by what they are, not by where they stand. Every leaf of either call is in exactly
one part of the comparison, so that the differences of tokens and dollars sum to those of the calls.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from llmprof_addon.attribution.positions import called
from llmprof_addon.export.alignment import aligned, alike
from llmprof_addon.model.call import SECTIONS, Call
from llmprof_addon.model.component import Component, Kind, Leaf
from llmprof_addon.model.kinds import kind_of
from llmprof_addon.model.part import Part
from llmprof_addon.model.tree import canonical, digest
from llmprof_addon.model.usage import Source

PROVIDER = "provider"
"""The section of what the provider adds."""


class Change(StrEnum):
    """What became of a part."""

    SAME = "same"
    MOVED = "moved"
    """The same content, before or behind others than it was."""
    CHANGED = "changed"
    NEW = "new"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two calls."""

    call: Call
    """With all parts that `leaves` point at."""
    leaves: tuple[Leaf, ...]
    """Of the prompt, laid out."""
    components: tuple[Component, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a call holds of a part."""

    index: int | None = None
    """In `Prompt.parts`; `None` for what the provider adds."""
    path: str | None = None
    tokens: int = 0
    cost: int | None = 0
    """Pico-dollars; `None` = unpriced."""
    read_tokens: int = 0
    write_tokens: int = 0
    fresh_tokens: int = 0
    estimated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PartDiff:
    """One part of either prompt, or of both."""

    change: Change
    section: str
    kind: Kind
    name: str
    before: Held | None
    after: Held | None

    @property
    def tokens(self) -> int:
        """Tokens more than before."""
        return (self.after.tokens if self.after else 0) - (self.before.tokens if self.before else 0)

    @property
    def cost(self) -> int | None:
        """Pico-dollars more than before; `None` where either is unpriced."""
        before, after = (held.cost if held else 0 for held in (self.before, self.after))
        return None if before is None or after is None else after - before


@dataclass(frozen=True, slots=True, kw_only=True)
class CallDiff:
    """The comparison."""

    before: Side
    after: Side
    parts: tuple[PartDiff, ...]
    """Section after section as it is in the later call, what is gone where it was; last what the provider adds."""
    shared_tokens: int
    """Tokens of the later prompt before it parts from the earlier one, in the order in which the provider caches."""
    parting: PartDiff | None
    """Where they part: the first part that differs. `None` if one prompt is the beginning of the other."""

    @property
    def changed(self) -> tuple[PartDiff, ...]:
        """All that is not the same."""
        return tuple(part for part in self.parts if part.change is not Change.SAME)


def diff(before: Side, after: Side) -> CallDiff:
    """Compare the prompts of two calls."""
    held = (_held(before), _held(after))
    keys = [[identity(part) for part in side.call.prompt.parts] for side in (before, after)]
    parts: list[PartDiff] = []
    for section in SECTIONS:
        parts += _section(section, before.call, after.call, held, keys)
    parts += _provided(before.leaves, after.leaves)
    shared, parting = _parting(before, after, parts, keys)
    return CallDiff(before=before, after=after, parts=tuple(parts), shared_tokens=shared, parting=parting)


type Identity = tuple[str, bytes, bytes | None]


def identity(part: Part) -> Identity:
    """What makes a provider read a part as the same one: place, content, and the message that it opens."""
    wrapper = None if part.wrapper is None else digest(canonical(part.wrapper))
    return part.place, digest(canonical(part.value)), wrapper


def extends(before: Call, after: Call) -> bool:
    """Whether the messages of a call begin with those of another."""
    old, new = (_lasting(call, "messages") for call in (before, after))
    parts = before.prompt.parts, after.prompt.parts
    return len(old) <= len(new) and all(
        identity(parts[0][here]) == identity(parts[1][there]) for here, there in zip(old, new, strict=False)
    )


def _held(side: Side) -> dict[int, Held]:
    """What each part of a prompt holds, inner parts included."""
    by_part: dict[int, list[Leaf]] = {}
    for leaf in side.leaves:
        if leaf.part is not None:
            by_part.setdefault(leaf.part, []).append(leaf)
    parts = side.call.prompt.parts
    return {index: _sum(by_part.get(index, ()), index, part.path or None) for index, part in enumerate(parts)}


def _sum(leaves: Iterable[Leaf], index: int | None = None, path: str | None = None) -> Held:
    leaves = list(leaves)
    costs = [leaf.cost for leaf in leaves]
    return Held(
        index=index,
        path=path,
        tokens=sum(leaf.tokens for leaf in leaves),
        cost=None if None in costs else sum(cost for cost in costs if cost is not None),
        read_tokens=sum(leaf.read for leaf in leaves),
        write_tokens=sum(leaf.write for leaf in leaves),
        fresh_tokens=sum(leaf.fresh for leaf in leaves),
        estimated=any(leaf.tokens and leaf.source is Source.ESTIMATED for leaf in leaves),
    )


def _provided(before: Sequence[Leaf], after: Sequence[Leaf]) -> Iterator[PartDiff]:
    """What stands behind no part, by kind and name."""
    sides: list[dict[tuple[Kind, str], list[Leaf]]] = [{}, {}]
    for side, leaves in zip(sides, (before, after), strict=True):
        for leaf in leaves:
            if leaf.part is None:
                side.setdefault((leaf.kind, leaf.name), []).append(leaf)
    for key in dict.fromkeys((*sides[0], *sides[1])):
        was, is_ = (_sum(side[key]) if key in side else None for side in sides)
        change = Change.NEW if was is None else Change.GONE if is_ is None else Change.CHANGED
        if was and is_ and was.tokens == is_.tokens:
            change = Change.SAME
        yield PartDiff(change=change, section=PROVIDER, kind=key[0], name=key[1] or key[0].value, before=was, after=is_)


def _section(
    section: str,
    before: Call,
    after: Call,
    held: tuple[dict[int, Held], dict[int, Held]],
    keys: Sequence[Sequence[Identity]],
) -> list[PartDiff]:
    """The parts of one section, paired."""
    starts = [0, 0]
    for other in SECTIONS[: SECTIONS.index(section)]:
        starts = [starts[0] + len(getattr(before.prompt, other)), starts[1] + len(getattr(after.prompt, other))]
    old: tuple[Part, ...] = getattr(before.prompt, section)
    new: tuple[Part, ...] = getattr(after.prompt, section)
    own = [keys[side][starts[side] : starts[side] + len((old, new)[side])] for side in (0, 1)]
    pairs = {there: (here, change) for here, there, change in _pair(old, new, *own)}
    gone = iter(sorted(set(range(len(old))) - {here for here, _ in pairs.values()}))
    missing = next(gone, None)
    out: list[PartDiff] = []

    def add(change: Change, here: int | None, there: int | None) -> None:
        part = new[there] if there is not None else old[here or 0]
        out.append(
            PartDiff(
                change=change,
                section=section,
                kind=kind_of(part, section),
                name=called(part, part),
                before=None if here is None else held[0][starts[0] + here],
                after=None if there is None else held[1][starts[1] + there],
            )
        )

    for there in range(len(new)):
        here, change = pairs.get(there, (None, Change.NEW))
        while missing is not None and here is not None and missing < here and change is not Change.MOVED:
            add(Change.GONE, missing, None)
            missing = next(gone, None)
        add(change, here, there)
    while missing is not None:
        add(Change.GONE, missing, None)
        missing = next(gone, None)
    return out


def _pair(
    old: Sequence[Part], new: Sequence[Part], keys_old: Sequence[Identity], keys_new: Sequence[Identity]
) -> list[tuple[int, int, Change]]:
    """(index before, index after, change) of the parts of a section that both prompts have.

    The same in the same order first, then what moved, then what has the same tool name, then what stands between the
    same neighbours: by close text, else by what kind of part it is.
    """
    anchors = aligned(keys_old, keys_new)
    pairs = [(here, there, Change.SAME) for here, there in anchors]
    left = [sorted(set(range(len(old))) - {here for here, _ in anchors})]
    left.append(sorted(set(range(len(new))) - {there for _, there in anchors}))

    def take(found: list[tuple[int, int]], change: Change) -> None:
        pairs.extend((here, there, change) for here, there in found)
        for side in (0, 1):
            taken = {each[side] for each in found}
            left[side] = [index for index in left[side] if index not in taken]

    take(_matched(left, [key[:2] for key in keys_old], [key[:2] for key in keys_new]), Change.MOVED)
    names = [[part.name if part.place.startswith("tools") else None for part in side] for side in (old, new)]
    take(_matched(left, *names), Change.CHANGED)
    if left[0] and left[1]:
        take(list(_between(anchors, left, old, new)), Change.CHANGED)
    return pairs


def _matched(left: Sequence[Sequence[int]], old: Sequence[object], new: Sequence[object]) -> list[tuple[int, int]]:
    """Pairs of those left that have the same key; `None` is no key."""
    waiting: dict[object, list[int]] = {}
    for here in reversed(left[0]):
        waiting.setdefault(old[here], []).append(here)
    waiting.pop(None, None)
    return [(waiting[new[there]].pop(), there) for there in left[1] if waiting.get(new[there])]


def _between(
    anchors: Sequence[tuple[int, int]], left: Sequence[Sequence[int]], old: Sequence[Part], new: Sequence[Part]
) -> Iterator[tuple[int, int]]:
    """Pairs of those left that stand between the same neighbours."""
    edges = [*anchors, (len(old), len(new))]
    sides = [iter([*left[0], len(old)]), iter([*left[1], len(new)])]
    heads = [next(sides[0]), next(sides[1])]
    for edge in edges:
        gap: list[list[int]] = [[], []]
        for side in (0, 1):
            while heads[side] < edge[side]:
                gap[side].append(heads[side])
                heads[side] = next(sides[side])
        if not gap[0] or not gap[1]:
            continue
        close = alike([old[here] for here in gap[0]], [new[there] for there in gap[1]])
        yield from ((gap[0][here], gap[1][there]) for here, there in close)
        rest = [
            [each for place, each in enumerate(gap[side]) if place not in {found[side] for found in close}]
            for side in (0, 1)
        ]
        keys = [[(part.kind, part.role, part.name) for part in (old, new)[side]] for side in (0, 1)]
        in_place = aligned([keys[0][here] for here in rest[0]], [keys[1][there] for there in rest[1]])
        yield from ((rest[0][here], rest[1][there]) for here, there in in_place)


def _parting(
    before: Side, after: Side, parts: Sequence[PartDiff], keys: Sequence[Sequence[Identity]]
) -> tuple[int, PartDiff | None]:
    """Tokens of the later prompt that stand before the first difference, and that difference."""
    shared: set[int] = set()
    parting: tuple[int | None, int | None] | None = None
    order = after.call.section_order
    for section in order:
        old, new = (_lasting(side.call, section) for side in (before, after))
        for here, there in zip(old, new, strict=False):
            if keys[0][here] != keys[1][there]:
                parting = here, there
                break
            shared.add(there)
        if parting is None and len(old) != len(new) and section != order[-1]:
            longer = min(len(old), len(new))
            parting = (old[longer], None) if len(old) > len(new) else (None, new[longer])
        if parting is not None:
            break
    tokens = 0
    for leaf in after.leaves:
        if leaf.part is not None and leaf.part not in shared and leaf.tokens:
            break
        tokens += leaf.tokens
    return tokens, None if parting is None else _part_of(parts, *parting)


def _lasting(call: Call, section: str) -> list[int]:
    """Indexes of a section's parts in the prompt, without those that the provider strips."""
    start = 0
    for other in SECTIONS[: SECTIONS.index(section)]:
        start += len(getattr(call.prompt, other))
    parts: tuple[Part, ...] = getattr(call.prompt, section)
    return [start + at for at, part in enumerate(parts) if not part.volatile]


def _part_of(parts: Sequence[PartDiff], here: int | None, there: int | None) -> PartDiff:
    """The entry of a part of the later prompt, or of the earlier one."""
    for part in parts:
        held, index = (part.after, there) if there is not None else (part.before, here)
        if held is not None and held.index is not None and held.index == index:
            return part
    raise AssertionError("every part is in the comparison")
