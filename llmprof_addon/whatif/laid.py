"""One prompt laid out in tokens: where each part begins and ends, before and after rules."""

from collections.abc import Sequence
from dataclasses import dataclass

from llmprof_addon.model.run_tree import RunCall
from llmprof_addon.whatif.chains import Altered, Forest


@dataclass(slots=True)
class Laid:
    """A call's prompt in its provider's order; positions are tokens from its start."""

    ground: Forest
    altered: Altered
    sections: tuple[str, ...]
    heads: tuple[int, ...]
    """The last node of each section."""
    front: float
    """Tokens that no part stands behind, taken to stand first."""
    ratio: float
    """Of the sizes of parts; below 1 where they sum to more than what was reported."""
    starts: tuple[float, ...] = ()
    """Where each section begins."""
    total: float = 0.0
    upto: int = -1
    """The node through which results are cleared."""
    cut: int = -1
    """The node through which a summary stands for the messages,"""
    summary: float = 0.0
    """of so many tokens."""

    def settle(self) -> None:
        """Work out where sections begin, after a change of `upto` or `cut`."""
        starts, at = [], self.front
        for section, head in enumerate(self.heads):
            starts.append(at)
            at += self.within(section, head)
        self.starts, self.total = tuple(starts), at

    def within(self, section: int, node: int) -> float:
        """Tokens of a section through one of its nodes."""
        if self.sections[section] != "messages" or (self.cut == -1 and self.upto == -1):
            return self.altered.sums[node] * self.ratio
        if self.cut == -1:
            return self._sum(node) * self.ratio
        if self.ground.depth[node] <= self.ground.depth[self.cut]:
            return self.summary if node == self.cut else 0.0
        return self.summary + (self._sum(node) - self._sum(self.cut)) * self.ratio

    def _sum(self, node: int) -> float:
        """Tokens of the messages through a node, old results cleared."""
        changed = self.altered
        if self.upto == -1:
            return changed.sums[node]
        if self.ground.depth[node] <= self.ground.depth[self.upto]:
            return changed.cleared[node]
        return changed.sums[node] - changed.sums[self.upto] + changed.cleared[self.upto]

    def at(self, section: int, node: int) -> float:
        """Where a node ends; for -1 where its section begins."""
        return self.starts[section] + self.within(section, node)

    def begins(self, name: str) -> float:
        """Where a section begins."""
        return self.starts[self.sections.index(name)] if name in self.sections else 0.0

    def place(self, position: float, other: "Laid") -> float:
        """Where in the other layout of the same call stands what is here at a position. For layouts without rules."""
        if position <= self.front:
            return other.front * position / self.front if self.front else 0.0
        section = max((at for at, start in enumerate(self.starts) if start <= position), default=0)
        within = (position - self.starts[section]) / self.ratio if self.ratio else 0.0
        node, below = self.ground.climb(self.heads[section], self.altered.sums, max(within, 0.0))
        start = other.at(section, node)
        if below == -1:
            return min(start + position - self.at(section, node), other.total)
        size = self.altered.sums[below] - self.altered.sums[node]
        share = (within - self.altered.sums[node]) / size if size else 0.0
        return start + share * (other.at(section, below) - start)


def lay(ground: Forest, altered: Altered, call: RunCall, sizes: Sequence[float], total: float) -> Laid:
    """A prompt of `total` tokens. `sizes` are sums of the parts' tokens as they were before rules: where they leave
    something of the total it stands in front, where they exceed it they shrink."""
    heads = {"tools": call.tools, "system": call.system, "messages": call.messages}
    own = tuple(heads.get(section, -1) for section in call.section_order)
    parts = sum(sizes[head] for head in own)
    ratio = min(1.0, total / parts) if parts else 1.0
    laid = Laid(ground, altered, call.section_order, own, max(0.0, total - parts * ratio), ratio)
    laid.settle()
    return laid


def common(call: Laid, before: Laid) -> tuple[float, float]:
    """Where two prompts part: the position in either."""
    if call.sections != before.sections:
        return 0.0, 0.0
    names, forest = call.altered.names, call.altered.forest
    for section, name in enumerate(call.sections):
        one, other = call.heads[section], before.heads[section]
        if name == "messages" and call.cut != before.cut:
            return call.starts[section], before.starts[section]
        shared = forest.common(names[one], names[other])
        is_whole = shared == names[one] == names[other]
        if not is_whole:
            one, other = _named(call, one, shared), _named(before, other, shared)
        if name == "messages" and call.upto != before.upto:
            clears = _first_cleared(call, before, one)
            if clears != -1:
                above = call.ground.parent[clears]
                return call.at(section, above), before.at(section, above)
        if not is_whole:
            if section == 0 and shared == -1:
                return 0.0, 0.0
            return call.at(section, one), before.at(section, other)
    return call.total, before.total


def _named(laid: Laid, head: int, name: int) -> int:
    """The lowest node of a prompt at or above `head` that stands at this place of the changed tree."""
    names, depth = laid.altered.names, laid.altered.forest.depth
    ground, least = laid.ground, depth[name]
    while depth[names[head]] > least:
        hop = ground.jump[head]
        head = hop if depth[names[hop]] > least else ground.parent[head]
    return head


def _first_cleared(call: Laid, before: Laid, end: int) -> int:
    """The first result above `end` that is cleared in one of two prompts alone; -1 without."""
    depth, results, parent = call.ground.depth, call.altered.results, call.ground.parent
    low, high = sorted((call.upto, before.upto), key=depth.__getitem__)
    at, first = results[high], -1
    while at != -1 and depth[at] > depth[low]:
        if depth[at] <= depth[end]:
            first = at
        at = results[parent[at]]
    return first
