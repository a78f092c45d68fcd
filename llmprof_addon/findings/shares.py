"""What a part cost in one call: its tokens among those of its kind, at the rates of where they stand.

Parts of a kind share the kind's reconciled tokens by their raw counts, in their order, and the provider's cache splits
them as it splits the kind: what stands first was read. The shares of a kind in a call never sum to more than the kind.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import takewhile
from typing import NamedTuple

from llmprof_addon.model.component import SYNTHETIC, Kind
from llmprof_addon.model.run_tree import RunCall, RunTree

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
_share: Callable[[tuple[int, int, int]], Share] = partial(tuple.__new__, Share)  # of all parts in all calls


class _Line(NamedTuple):
    """One kind in one call: its tokens lie along the raw counts of its parts."""

    before: int
    """Raw counts in the sections before."""
    weight: int
    tokens: int
    read: int
    cached: int
    """Read or written."""
    cost: int
    values: tuple[int, int, int]
    """What a token is worth that was read, written, or fresh, in `_FINE` parts of a pico-dollar."""
    whole: int
    """All tokens at their values."""

    def tokens_to(self, weight: int) -> int:
        """Tokens of the parts up to this running count."""
        return self.tokens if weight >= self.weight else self.tokens * weight // self.weight

    def cost_to(self, tokens: int) -> int:
        """Pico-dollars of the first so many tokens."""
        if tokens >= self.tokens:
            return self.cost
        if not self.whole:
            return self.cost * tokens // self.tokens
        of_read, of_write, of_fresh = self.values
        if tokens <= self.read:
            return self.cost * of_read * tokens // self.whole
        value = self.read * of_read
        if tokens <= self.cached:
            value += (tokens - self.read) * of_write
        else:
            value += (self.cached - self.read) * of_write + (tokens - self.cached) * of_fresh
        return self.cost * value // self.whole


class Shares:
    """The parts of a run in its calls."""

    def __init__(self, tree: RunTree) -> None:
        self._tree = tree
        self._running: dict[str, list[Weights]] = {}
        """By encoding: tokens by kind from the root of its section through each node."""
        self._lines: dict[tuple[Kind, str], list[_Line | None]] = {}
        self._entered, self._left = _order(tree)
        self._carriers: dict[str, tuple[list[int], list[int]]] = {}
        """By section: where the calls' heads stand in that order, and their positions, side by side."""
        for section in ("tools", "system", "messages"):
            billed = [(at, call) for at, call in enumerate(tree.calls) if call.is_billed]
            heads = [(self._entered[head], at) for at, call in billed if (head := _head(call, section)) >= 0]
            heads.sort()
            self._carriers[section] = [where for where, _ in heads], [at for _, at in heads]

    def carriers(self, node: int) -> list[int]:
        """Positions of the billed calls whose prompts have this node, by start."""
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
        return self.along(node, (call,))[0]

    def along(self, node: int, calls: Sequence[int]) -> list[Share]:
        """What a node, with the media in it, took of each of these calls, which all carry it."""
        part = self._tree.nodes[node]
        own, *media = (self._along(node, kind, calls) for kind in part.kinds)
        for more in media:
            own = [Share(*map(sum, zip(one, other, strict=True))) for one, other in zip(own, more, strict=True)]
        return own

    def _along(self, node: int, kind: Kind, calls: Sequence[int]) -> list[Share]:
        part = self._tree.nodes[node]
        lines, made = self._lines_of(kind, part.section), self._tree.calls
        ends: dict[str, tuple[int, int]] = {}
        """By encoding: raw counts up to the node, without it and with it."""
        out = []
        for call in calls:
            line = lines[call]
            if line is None:
                out.append(NO_SHARE)
                continue
            encoding = made[call].encoding
            if encoding not in ends:
                end = self._run(encoding)[node].get(kind, 0)
                ends[encoding] = end - part.weight(kind, encoding), end
            start, end = ends[encoding]
            first, last = line.tokens_to(line.before + start), line.tokens_to(line.before + end)
            cost = line.cost_to(last)
            dear = 0 if last <= line.read else cost - line.cost_to(max(first, line.read))
            out.append(_share((last - first, cost - line.cost_to(first), dear)))
        return out

    def through(self, call: int, ends: Mapping[str, int]) -> int:
        """Tokens of a call's prompt down to these nodes, one a section, without what no part stands behind."""
        made = self._tree.calls[call]
        total = 0
        for section, node in ends.items():
            for kind, weight in self._run(made.encoding)[node].items() if node >= 0 else ():
                line = self._lines_of(kind, section)[call]
                if line is not None:
                    total += line.tokens_to(line.before + weight) - line.tokens_to(line.before)
        return total

    def _lines_of(self, kind: Kind, section: str) -> list[_Line | None]:
        """By call: the line of a kind, as seen from a section; `None` where the call has nothing of it."""
        found = self._lines.get((kind, section))
        if found is None:
            found = self._lines[kind, section] = [self._line(call, kind, section) for call in self._tree.calls]
        return found

    def _line(self, call: RunCall, kind: Kind, section: str) -> _Line | None:
        total = next((total for total in call.composition if total.kind is kind), None)
        weight = sum(self._section(call, each).get(kind, 0) for each in call.section_order)
        if total is None or not weight or kind in SYNTHETIC:
            return None
        read = min(total.read, total.tokens)
        cached = min(total.read + total.write, total.tokens)
        values = _values(call)
        whole = read * values[0] + (cached - read) * values[1] + (total.tokens - cached) * values[2]
        before = self._before(call, section, kind)
        return _Line(before, weight, total.tokens, read, cached, total.cost or 0, values, whole)

    def _before(self, call: RunCall, section: str, kind: Kind) -> int:
        """What of a kind stands in the sections before."""
        earlier = takewhile(lambda each: each != section, call.section_order)
        return sum(self._section(call, each).get(kind, 0) for each in earlier)

    def _section(self, call: RunCall, section: str) -> Weights:
        head = _head(call, section)
        return self._run(call.encoding)[head] if head >= 0 else {}

    def _run(self, encoding: str) -> list[Weights]:
        running = self._running.get(encoding)
        if running is None:
            running = self._running[encoding] = []
            for node in self._tree.nodes:
                above: Weights = running[node.parent] if node.parent >= 0 else {}
                own = {kind: above.get(kind, 0) + node.weight(kind, encoding) for kind in node.kinds}
                running.append({**above, **own})
        return running


def _head(call: RunCall, section: str) -> int:
    return {"tools": call.tools, "system": call.system}.get(section, call.messages)


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
