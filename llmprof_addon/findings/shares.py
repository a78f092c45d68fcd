"""What a part cost in one call: its tokens among those of its kind, at the rates of where they stand.

Parts of a kind share the kind's reconciled tokens by their raw counts, in their order, and the provider's cache splits
them as it splits the kind: what stands first was read. The shares of a kind in a call never sum to more than the kind.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from llmprof_addon.model.component import SYNTHETIC, Kind, KindTotal
from llmprof_addon.model.run_tree import RunCall, RunNode, RunTree

type Weights = Mapping[Kind, int]

_FINE = 40
"""Bits of a pico-dollar in which prices of single tokens are compared."""


class Share(NamedTuple):
    """Of one part in one call."""

    tokens: int
    cost: int
    """Pico-dollars; 0 in a call that is unpriced."""
    dear: int
    """Of these what was paid for tokens that were not read from the cache."""


def part_of(amount: int, share: float) -> int:
    """So much of an amount, rounded down; what only floating point is short of counts."""
    return min(amount, int(amount * share + 1e-6))


NO_SHARE = Share(0, 0, 0)


class _KindInCall(NamedTuple):
    """One kind in one call: tokens lie along the raw counts of its parts."""

    total: KindTotal
    weight: int
    values: tuple[int, int, int]
    """What a token is worth that was read, written, or fresh, in `_FINE` parts of a pico-dollar."""

    def tokens_to(self, weight: int) -> int:
        """Tokens of the parts up to this running count."""
        return self.total.tokens if weight >= self.weight else self.total.tokens * weight // self.weight

    def cost_to(self, tokens: int) -> int:
        """Pico-dollars of the first so many tokens."""
        cost = self.total.cost or 0
        whole = self._value(self.total.tokens)
        if tokens >= self.total.tokens:
            return cost
        return cost * self._value(tokens) // whole if whole else cost * tokens // self.total.tokens

    def _value(self, tokens: int) -> int:
        read = min(tokens, self.total.read)
        write = min(tokens - read, self.total.write)
        of_read, of_write, of_fresh = self.values
        return read * of_read + write * of_write + (tokens - read - write) * of_fresh


class Shares:
    """The parts of a run in its calls."""

    def __init__(self, tree: RunTree) -> None:
        self._tree = tree
        self._running: dict[str, list[Weights]] = {}
        """By encoding: tokens by kind from the root of its section through each node."""
        self._kinds: dict[int, dict[Kind, _KindInCall]] = {}
        self._entered, self._left = _order(tree)
        self._carriers: dict[str, tuple[list[int], list[int]]] = {}
        """By section: where the calls' heads stand in that order, and their positions, side by side."""
        for section in ("tools", "system", "messages"):
            heads = [
                (self._entered[head], at) for at, call in enumerate(tree.calls) if (head := _head(call, section)) >= 0
            ]
            heads.sort()
            self._carriers[section] = [where for where, _ in heads], [at for _, at in heads]

    def carriers(self, node: int) -> list[int]:
        """Positions of the calls whose prompts have this node, by start."""
        places, calls = self._carriers[self._tree.nodes[node].section]
        return sorted(calls[bisect_left(places, self._entered[node]) : bisect_left(places, self._left[node])])

    def carries(self, call: int, node: int) -> bool:
        """Whether a call's prompt has this node."""
        head = _head(self._tree.calls[call], self._tree.nodes[node].section)
        return head >= 0 and self.is_above(node, head)

    def is_above(self, node: int, other: int) -> bool:
        """Whether the other one is this node, or stands below it."""
        return self._entered[node] <= self._entered[other] < self._left[node]

    def of(self, call: int, node: int) -> Share:
        """What a node, which the call carries, took of it."""
        part, made = self._tree.nodes[node], self._tree.calls[call]
        kind = self._of_call(call).get(part.kind)
        if kind is None or not kind.weight:
            return NO_SHARE
        end = self._before(made, part.section).get(part.kind, 0) + self._run(made.encoding)[node].get(part.kind, 0)
        start = end - weight(part, made.encoding)
        first, last = kind.tokens_to(start), kind.tokens_to(end)
        cost = kind.cost_to(last)
        return Share(
            last - first,
            cost - kind.cost_to(first),
            max(0, cost - kind.cost_to(max(first, min(last, kind.total.read)))),
        )

    def through(self, call: int, ends: Mapping[str, int]) -> int:
        """Tokens of a call's prompt down to these nodes, one a section, without what no part stands behind."""
        made = self._tree.calls[call]
        total = 0
        for kind, found in self._of_call(call).items():
            for section, node in ends.items():
                if node >= 0:
                    before = self._before(made, section).get(kind, 0)
                    weight = self._run(made.encoding)[node].get(kind, 0)
                    total += found.tokens_to(before + weight) - found.tokens_to(before)
        return total

    def _of_call(self, call: int) -> dict[Kind, _KindInCall]:
        found = self._kinds.get(call)
        if found is None:
            made = self._tree.calls[call]
            weights: dict[Kind, int] = {}
            for section in made.section_order:
                _add(weights, self._section(made, section))
            values = _values(made)
            found = self._kinds[call] = {
                total.kind: _KindInCall(total, weights.get(total.kind, 0), values)
                for total in made.composition
                if total.kind not in SYNTHETIC and weights.get(total.kind)
            }
        return found

    def _before(self, call: RunCall, section: str) -> Weights:
        """What of each kind stands in the sections before."""
        out: dict[Kind, int] = {}
        for earlier in call.section_order:
            if earlier == section:
                break
            _add(out, self._section(call, earlier))
        return out

    def _section(self, call: RunCall, section: str) -> Weights:
        head = _head(call, section)
        return self._run(call.encoding)[head] if head >= 0 else {}

    def _run(self, encoding: str) -> list[Weights]:
        running = self._running.get(encoding)
        if running is None:
            running = self._running[encoding] = []
            for node in self._tree.nodes:
                above: Weights = running[node.parent] if node.parent >= 0 else {}
                running.append({**above, node.kind: above.get(node.kind, 0) + weight(node, encoding)})
        return running


def weight(node: RunNode, encoding: str) -> int:
    """What a node weighs among those of its kind: its tokens; of another encoding if it was not counted in this one."""
    tokens = node.tokens.get(encoding)
    return next(iter(node.tokens.values()), 1) if tokens is None else tokens


def _head(call: RunCall, section: str) -> int:
    return {"tools": call.tools, "system": call.system}.get(section, call.messages)


def _add(sums: dict[Kind, int], more: Weights) -> None:
    for kind, weight in more.items():
        sums[kind] = sums.get(kind, 0) + weight


def _values(call: RunCall) -> tuple[int, int, int]:
    """What a token is worth that was read, written, or fresh: each bucket's dollars over its tokens."""
    cost, sums = call.cost, call.composition
    if cost is None or call.usage.billed_input_tokens is not None:  # then all have one price, whatever was read
        return 1, 1, 1
    read, write, fresh = (sum(getattr(total, name) for total in sums) for name in ("read", "write", "fresh"))
    return (
        (cost.cache_read << _FINE) // read if read else 0,
        (cost.cache_write << _FINE) // write if write else 0,
        (cost.input << _FINE) // fresh if fresh else 0,
    )


def _order(tree: RunTree) -> tuple[list[int], list[int]]:
    """Where a walk down the tree enters each node and leaves it: what is below a node lies in between."""
    below: list[list[int]] = [[] for _ in tree.nodes]
    roots: list[int] = []
    for at, node in enumerate(tree.nodes):
        (below[node.parent] if node.parent >= 0 else roots).append(at)
    entered, left = [0] * len(tree.nodes), [0] * len(tree.nodes)
    clock = 0
    waiting: list[tuple[int, Iterator[int]]] = []
    for root in roots:
        entered[root], clock = clock, clock + 1
        waiting.append((root, iter(below[root])))
        while waiting:
            above, children = waiting[-1]
            child = next(children, None)
            if child is None:
                left[above] = clock
                waiting.pop()
            else:
                entered[child], clock = clock, clock + 1
                waiting.append((child, iter(below[child])))
    return entered, left
