"""Lanes of a run -> a tree: agents stand below the agent that they work for. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from llmprof_addon.store.rows import LaneRow

RANKS = {"main": 0, "subagent": 1, "workflow": 1, "compaction": 2, "auxiliary": 3}
"""Of lanes that stand below the same one, those of the lowest rank come first, then those that began first."""


@dataclass(frozen=True, slots=True)
class LaneNode:
    """A lane and those below it."""

    lane: LaneRow
    depth: int
    below: tuple["LaneNode", ...]

    @property
    def subtree(self) -> tuple[LaneRow, ...]:
        """The lane and all that are below it."""
        return tuple(node.lane for node in walk([self]))


def lane_tree(lanes: Sequence[LaneRow]) -> tuple[LaneNode, ...]:
    """The lanes that stand below no other; each lane is in the tree once, also if it is its own ancestor."""
    keys = {lane.id for lane in lanes}
    below: dict[str | None, list[LaneRow]] = {}
    for lane in lanes:
        known = lane.parent in keys and lane.parent != lane.id
        below.setdefault(lane.parent if known else None, []).append(lane)
    left = dict.fromkeys(lane.id for lane in lanes)

    def grown(lane: LaneRow, depth: int) -> LaneNode:
        del left[lane.id]
        mine = [each for each in _ordered(below.get(lane.id, ())) if each.id in left]
        return LaneNode(lane, depth, tuple(grown(each, depth + 1) for each in mine if each.id in left))

    roots = [grown(lane, 0) for lane in _ordered(below.get(None, ()))]
    while left:  # a circle of lanes that work for each other has no root
        first = min((lane for lane in lanes if lane.id in left), key=lambda lane: (lane.started_ns, lane.id))
        roots.append(grown(first, 0))
    return tuple(roots)


def walk(nodes: Iterable[LaneNode]) -> Iterator[LaneNode]:
    """Nodes and what is below them, from the top down."""
    for node in nodes:
        yield node
        yield from walk(node.below)


def lane_name(lane: LaneRow) -> str:
    """What a lane is called in a word: `main`, the type of an agent, else its kind."""
    return lane.agent_type or lane.kind


def _ordered(lanes: Iterable[LaneRow]) -> list[LaneRow]:
    return sorted(lanes, key=lambda lane: (RANKS.get(lane.kind, 1), lane.started_ns, lane.id))
