"""Leaves -> components by kind, and below each kind by what put them there; every level sums exactly.

Tokens are counted per leaf, so all above is addition. Below a leaf (headings, parameters) tokens and dollars are
apportioned and inherit the leaf's source; the cache boundary runs through the pieces in order, as it does through
leaves.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from llmprof_addon.attribution.sections import Piece, pieces, title
from llmprof_addon.model.apportion import apportion
from llmprof_addon.model.call import SECTIONS, Call
from llmprof_addon.model.component import SYNTHETIC, Component, Kind, KindTotal, Leaf
from llmprof_addon.model.kinds import kind_of
from llmprof_addon.model.part import Part, PartKind
from llmprof_addon.model.usage import Source

_WEAKEST_FIRST = (Source.ESTIMATED, Source.COUNTED, Source.REPORTED)


def totals(leaves: Iterable[Leaf]) -> tuple[KindTotal, ...]:
    """What each kind has, in the order in which kinds first appear, synthetic ones last.

    The cost of a kind is `None` as soon as one of its leaves is unpriced.
    """
    kinds: dict[Kind, list[Leaf]] = {}
    for leaf in leaves:
        kinds.setdefault(leaf.kind, []).append(leaf)
    return tuple(_total(kind, kinds[kind]) for kind in sorted(kinds, key=SYNTHETIC.__contains__))


def _total(kind: Kind, leaves: list[Leaf]) -> KindTotal:
    _, tokens, sources, _, _, _, _, _, reads, writes, fresh, costs = zip(*leaves, strict=True)
    return KindTotal(
        kind=kind,
        tokens=sum(tokens),
        read=sum(reads),
        write=sum(writes),
        fresh=sum(fresh),
        cost=_total_cost(costs),
        source=_least_sure(zip(sources, (each or paid for each, paid in zip(tokens, costs, strict=True)), strict=True)),
    )


def components(call: Call, leaves: Sequence[Leaf], *, answer: bool = False) -> tuple[Component, ...]:
    """The tree of a prompt, or of an answer: one component per kind, in the order of `totals`."""
    places = _Places(call, answer=answer)
    kinds: dict[Kind, _Node] = {}
    for leaf in leaves:
        part = places.part(leaf)
        if says_nothing(leaf, part):
            continue
        node = kinds.setdefault(leaf.kind, _Node(name=leaf.kind.value))
        for key, name, path in places.trail(leaf, part):
            node = node.children.setdefault(key, _Node(name=name, path=path, is_turn=isinstance(key, int)))
        node.leaves.append((leaf, part))
    return tuple(kinds[kind].freeze(kind) for kind in sorted(kinds, key=SYNTHETIC.__contains__))


def says_nothing(leaf: Leaf, part: Part | None) -> bool:
    """Whether a leaf is but the empty frame of inner parts, or hidden text that is not there."""
    return not leaf.tokens and not leaf.cost and (part is None or (bool(part.inner) and not part.deferred))


@dataclass(slots=True)
class _Node:
    """A component in the making: leaves of its own, or children, or both."""

    name: str
    path: str | None = None
    is_turn: bool = False
    """A turn of one part is that part."""
    leaves: list[tuple[Leaf, Part | None]] = field(default_factory=list)
    children: "dict[object, _Node]" = field(default_factory=dict)

    def freeze(self, kind: Kind, within: str = "") -> Component:
        """`within`: the turn whose only part this is."""
        name = f"{within}: {self.name}" if within else self.name
        if len(self.leaves) == 1 and not self.children:
            leaf, part = self.leaves[0]
            return leaf_component(leaf, name, self.path, part)
        if self.is_turn and len(self.children) == 1:
            (only,) = self.children.values()
            return only.freeze(kind, self.name)
        own = [
            leaf_component(leaf, self.name if part is None else part_name(part), self.path, part)
            for leaf, part in self.leaves
        ]
        return component_of(kind, name, self.path, (*own, *(child.freeze(kind) for child in self.children.values())))


class _Places:
    """Where in the tree each leaf belongs."""

    def __init__(self, call: Call, *, answer: bool) -> None:
        self._parts = call.answer.parts if answer else call.prompt.parts
        self._turns = () if answer else _turns(call)
        self._answer = answer
        self._calls: dict[tuple[Kind, str], dict[object, int]] = {}

    def part(self, leaf: Leaf) -> Part | None:
        """The part, or inner part, that a leaf stands for."""
        if leaf.part is None:
            return None
        part = self._parts[leaf.part]
        for index in leaf.inner:
            part = part.inner[index]
        return part

    def trail(self, leaf: Leaf, part: Part | None) -> Iterable[tuple[object, str, str | None]]:
        """(key, name, JSON path) of each component from below the kind down to the leaf's own."""
        if part is None or leaf.part is None:
            return [(leaf.name, leaf.name, None)] if leaf.name else []
        outer = self._parts[leaf.part]
        # An inner part without a path of its own is found at that of the part around it.
        path = None if self._answer else part.path or outer.path or None
        own = (leaf.part, leaf.inner)
        match leaf.kind:
            case Kind.TOOL_SCHEMAS:
                server = [(part.server, part.server, None)] if part.server else []
                return [*server, (own, part.name or "unnamed", path)]
            case Kind.TOOL_CALLS | Kind.TOOL_RESULTS:
                tool = part.name or outer.name or "unknown tool"
                call = part.call_id or outer.call_id or own
                numbers = self._calls.setdefault((leaf.kind, tool), {})
                return [(tool, tool, None), (call, f"call {numbers.setdefault(call, len(numbers) + 1)}", path)]
            case Kind.USER | Kind.ASSISTANT | Kind.REASONING if self._turns:
                turn = self._turns[leaf.part]
                return [(turn, f"turn {turn}", None), (own, part_name(part), path)]
        return [(own, part_name(part), path)]


def _turns(call: Call) -> tuple[int, ...]:
    """Number of the turn that each part of the prompt belongs to: one begins where the user speaks again."""
    turns: list[int] = []
    turn, user_speaks = 0, False
    for section in SECTIONS:
        for part in getattr(call.prompt, section):
            kind = kind_of(part, section)
            # Injections and pictures beside a user's words do not end his turn.
            speaks = kind is Kind.USER or (user_speaks and part.role == "user" and kind is not Kind.TOOL_RESULTS)
            if kind is Kind.USER and not user_speaks:
                turn += 1
            user_speaks = speaks
            turns.append(max(turn, 1))
    return tuple(turns)


def part_name(part: Part) -> str:
    """What a person would call a part."""
    if part.media is not None:
        size = f" {part.media.width}x{part.media.height}" if part.media.width and part.media.height else ""
        return part.name or f"{part.media.type or part.kind.value}{size}"
    if part.hidden:
        return "hidden"
    if part.kind is PartKind.OUTPUT_SCHEMA:
        return part.name or "schema"
    if part.kind is PartKind.GENERIC and part.form == "whole" and not part.place:
        return "request body"
    return title(part.text) or part.name or part.kind.value


def leaf_component(leaf: Leaf, name: str, path: str | None, part: Part | None) -> Component:
    """The component of a leaf, with the pieces of its part below it."""
    stretches = pieces(part) if part is not None else ()
    return Component(
        kind=leaf.kind,
        name=name,
        tokens=leaf.tokens,
        token_source=leaf.source,
        cost=leaf.cost,
        read_tokens=leaf.read,
        write_tokens=leaf.write,
        fresh_tokens=leaf.fresh,
        path=path,
        children=_share(leaf.kind, leaf.source, stretches, (leaf.read, leaf.write, leaf.fresh), leaf.cost),
    )


def _share(
    kind: Kind, source: Source, parts: tuple[Piece, ...], split: tuple[int, int, int], cost: int | None
) -> tuple[Component, ...]:
    """Components of the pieces: tokens by weight, the cache split in order, dollars by tokens."""
    if not parts or not sum(split):
        return ()
    tokens = apportion(sum(split), [piece.weight for piece in parts])
    costs: Sequence[int | None] = [None] * len(parts) if cost is None else apportion(cost, tokens)
    out: list[Component] = []
    start = 0
    for piece, share, dollars in zip(parts, tokens, costs, strict=True):
        read = _overlap(start, share, 0, split[0])
        write = _overlap(start, share, split[0], split[1])
        own = (read, write, share - read - write)
        start += share
        out.append(
            Component(
                kind=kind,
                name=piece.name,
                tokens=share,
                token_source=source,
                cost=dollars,
                read_tokens=own[0],
                write_tokens=own[1],
                fresh_tokens=own[2],
                children=_share(kind, source, piece.children, own, dollars),
            )
        )
    return tuple(out)


def _overlap(start: int, length: int, low: int, width: int) -> int:
    return max(0, min(start + length, low + width) - max(start, low))


def component_of(kind: Kind, name: str, path: str | None, children: tuple[Component, ...]) -> Component:
    """A component that is the sum of others."""
    return Component(
        kind=kind,
        name=name,
        tokens=sum(child.tokens for child in children),
        token_source=_least_sure((child.token_source, child.tokens or child.cost) for child in children),
        cost=_total_cost([child.cost for child in children]),
        read_tokens=sum(child.read_tokens for child in children),
        write_tokens=sum(child.write_tokens for child in children),
        fresh_tokens=sum(child.fresh_tokens for child in children),
        path=path,
        children=children,
    )


def _total_cost(costs: Sequence[int | None]) -> int | None:
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None


def _least_sure(found: Iterable[tuple[Source, int | None]]) -> Source:
    """The weakest source among those that hold tokens, or a fee where there are none."""
    sources = list(found)
    held = [source for source, amount in sources if amount] or [source for source, _ in sources]
    return next((source for source in _WEAKEST_FIRST if source in held), Source.COUNTED)
