"""Columns over the nodes of a run's part of the prompt tree, and the walks on them: each O(log of a prompt's length).

Lists are one longer than the nodes: what stands last belongs to the root, at position -1. `jump` are the pointers of a
skew-binary tree (Myers, "An applicative random-access stack", 1983).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from llmprof_addon.cachedoctor.view import FRAME
from llmprof_addon.model.component import Kind
from llmprof_addon.model.part import PartKind
from llmprof_addon.model.run_tree import RunNode, RunTree
from llmprof_addon.whatif.rules import PLACEHOLDER, Rules


@dataclass(frozen=True, slots=True)
class Forest:
    """Parents with jumps."""

    parent: list[int]
    depth: list[int]
    jump: list[int]

    def common(self, one: int, other: int) -> int:
        """The lowest node that is above both, or either."""
        depth, jump, parent = self.depth, self.jump, self.parent
        if depth[one] < depth[other]:
            one, other = other, one
        least = depth[other]
        while depth[one] > least:
            one = jump[one] if depth[jump[one]] >= least else parent[one]
        while one != other:
            if jump[one] != jump[other]:
                one, other = jump[one], jump[other]
            else:
                one, other = parent[one], parent[other]
        return one

    def climb(self, node: int, column: Sequence[float], most: float) -> tuple[int, int]:
        """The lowest node at or above `node` whose value is at most `most`, and the one below it on the way (or -1).

        The column must not fall on the way down, and the root's value must not exceed `most`.
        """
        below, jump, parent = -1, self.jump, self.parent
        while column[node] > most:
            below = node
            node = jump[node] if column[jump[node]] > most else parent[node]
        return node, below

    def is_above(self, node: int, other: int) -> bool:
        """Whether `node` is `other` or stands above it."""
        return self.depth[node] <= self.depth[other] and self.climb(other, self.depth, self.depth[node])[0] == node


def forest(parents: Sequence[int]) -> Forest:
    """The forest of these parents, which stand before their children."""
    count = len(parents)
    found = Forest([*parents, -1], [0] * (count + 1), [-1] * (count + 1))
    for node, parent in enumerate(parents):
        hop = found.jump[parent]
        same = found.depth[parent] - found.depth[hop] == found.depth[hop] - found.depth[found.jump[hop]]
        found.depth[node] = found.depth[parent] + 1
        found.jump[node] = found.jump[hop] if same else parent
    return found


def running(forest: Forest, values: Sequence[float]) -> list[float]:
    """Sums of a column from the root down to each node."""
    sums = [0.0] * (len(values) + 1)
    for node, value in enumerate(values):
        sums[node] = sums[forest.parent[node]] + value
    return sums


def turns(tree: RunTree, forest: Forest) -> list[int]:
    """How many times the model had spoken, through each node."""
    spoken = [0] * (len(tree.nodes) + 1)
    speaks = [*map(_speaks, tree.nodes), False]
    for node in range(len(tree.nodes)):
        parent = forest.parent[node]
        spoken[node] = spoken[parent] + (speaks[node] and not speaks[parent])
    return spoken


def _speaks(node: RunNode) -> bool:
    if node.part_kind in (PartKind.TOOL_CALL, PartKind.REASONING):
        return True
    return node.role in ("assistant", "model") and node.part_kind != PartKind.TOOL_RESULT


@dataclass(frozen=True, slots=True)
class Altered:
    """The nodes as rules leave them, in tokens."""

    sums: list[float]
    """From the root down to each node."""
    cleared: list[float]
    """The same with all results cleared."""
    results: list[int]
    """The nearest result at or above each node that clearing makes smaller; -1 without."""
    first: list[int]
    """The first such result."""
    names: list[int]
    """Each node's place in `forest`: nodes with the same parts above them, dropped ones left out, share it."""
    forest: Forest


def altered(tree: RunTree, ground: Forest, sizes: Sequence[float], media: Sequence[float], rules: Rules) -> Altered:
    """`sizes`: tokens of each node; `media`: of these the media in it, which no cap cuts."""
    dropped = dropping(rules)
    count = len(tree.nodes)
    sums, cleared = [0.0] * (count + 1), [0.0] * (count + 1)
    results, first, names = [-1] * (count + 1), [-1] * (count + 1), [-1] * (count + 1)
    seen: dict[tuple[int, bytes, bytes | None], int] = {}
    parents: list[int] = []
    for at, node in enumerate(tree.nodes):
        parent = ground.parent[at]
        size = kept = sizes[at]
        gone = dropped(node) if dropped else 0.0
        kept -= size * gone
        bare = kept
        if node.kind is Kind.TOOL_RESULTS:
            kept = min(kept, rules.cap_results + FRAME + media[at]) if rules.cap_results is not None else kept
            bare = min(kept, float(PLACEHOLDER)) if rules.clear_results is not None else kept
        sums[at] = sums[parent] + kept
        cleared[at] = cleared[parent] + bare
        results[at] = at if bare < kept else results[parent]
        first[at] = first[parent] if first[parent] != -1 else results[at]
        if gone >= 1:
            names[at] = names[parent]
            continue
        key = (names[parent], node.content, node.wrapper)
        if (name := seen.get(key)) is None:
            name = seen[key] = len(parents)
            parents.append(names[parent])
        names[at] = name
    return Altered(sums, cleared, results, first, names, forest(parents))


def dropping(rules: Rules) -> Callable[[RunNode], float] | None:
    """Which share of a node goes with the tools that are dropped; `None` where none are."""
    if not rules.drops:
        return None

    def share(node: RunNode) -> float:
        if node.kind is not Kind.TOOL_SCHEMAS and not (rules.with_results and node.part_kind in _OF_CALLS):
            return 0.0
        return min(1.0, sum(share for (server, name), share in node.tools if is_dropped(rules, server, name)))

    return share


_OF_CALLS = (PartKind.TOOL_CALL, PartKind.TOOL_RESULT)


def is_dropped(rules: Rules, server: str, name: str) -> bool:
    """Whether a tool is among those that go."""
    if server and any(fnmatchcase(server, glob) for glob in rules.drop_servers):
        return True
    return any(fnmatchcase(name, glob) or fnmatchcase(f"{server}/{name}", glob) for glob in rules.drop_tools)
