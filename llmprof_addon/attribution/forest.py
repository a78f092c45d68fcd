"""The nodes of one kind in a run's tree, or that hold media of it, each below the next one above: what shares of the
kind walk along.

All forests of a run have as many nodes as its tree. Running sums of weights say how much of the kind stands above a
node, and jump pointers (Myers 1983) find in logarithmic time where on a path a running sum passes an amount.
"""

from collections.abc import Iterator, Sequence

from llmprof_addon.model.component import Kind
from llmprof_addon.model.run_tree import RunTree


class Forest:
    """Nodes of a kind by their own positions. Every list has one more item than there are nodes, for position -1."""

    __slots__ = ("_jumps", "_near", "kind", "nodes", "parents")

    def __init__(self, tree: RunTree, kind: Kind) -> None:
        self.kind = kind
        self.nodes: list[int] = []
        """Positions in the tree."""
        self._near = [-1] * (len(tree.nodes) + 1)
        self.parents: list[int] = []
        for at, node in enumerate(tree.nodes):
            above = self._near[node.parent]
            if node.kind is kind or kind in node.media:
                self._near[at] = len(self.nodes)
                self.nodes.append(at)
                self.parents.append(above)
            else:
                self._near[at] = above
        self.parents.append(-1)
        self._jumps = _jumps(self.parents)

    def near(self, node: int) -> int:
        """The lowest node of the forest that is at or above a node of the tree; -1 if there is none."""
        return self._near[node]

    def running(self, weights: Sequence[int]) -> list[int]:
        """Sums of the weights from the root down to each node."""
        sums = [0] * len(self.parents)
        for node, weight in enumerate(weights):
            sums[node] = sums[self.parents[node]] + weight
        return sums

    def last_within(self, head: int, running: Sequence[int], amount: float) -> tuple[int, int]:
        """The lowest node above `head` whose running sum is within the amount, and the node below it on the path.

        The running sum at `head` must be more than the amount.
        """
        parents, jumps = self.parents, self._jumps
        below = head
        while True:
            above = parents[below]
            if running[above] <= amount:
                return above, below
            jump = jumps[below]
            below = jump if running[jump] > amount else above

    def sum_up(self, values: list[int]) -> None:
        """Add to each node, in place, what all nodes below it have."""
        parents = self.parents
        for node in range(len(self.nodes) - 1, -1, -1):
            values[parents[node]] += values[node]


def _jumps(parents: Sequence[int]) -> list[int]:
    """For each node one far above it, so that any place on its path is reached in logarithmic time."""
    depths, jumps = [0] * len(parents), [-1] * len(parents)
    for node in range(len(parents) - 1):
        above = parents[node]
        depths[node] = depths[above] + 1
        far = jumps[above]
        is_even = depths[above] - depths[far] == depths[far] - depths[jumps[far]]
        jumps[node] = jumps[far] if is_even else above
    return jumps


def sections(ends: Sequence[int], forest: Forest, running: Sequence[int]) -> Iterator[tuple[int, int]]:
    """For the last nodes of a prompt's sections, in order: the forest's node there, and the sum before the section."""
    before = 0
    for head in ends:
        near = forest.near(head)
        if near >= 0:
            yield near, before
            before += running[near]
