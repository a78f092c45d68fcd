"""What carrying each part through a run has cost: its share of every call that had it, at the rate it really paid.

A call's tokens of a kind are shared out over the parts of that kind in its prompt by their weights. The provider reads
from the cache first, then writes, and the rest is fresh: of each kind the first parts in the provider's order are those
that were read. The place where that ends is found on the path, shares are noted there and at the path's end, and one
walk up the tree adds them up: O(nodes + calls), whatever the lengths of prompts. Shares are whole numbers of very small
units, so that nothing depends on an order, and are rounded all together.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from llmprof_addon.attribution.forest import Forest, sections
from llmprof_addon.model.apportion import apportion
from llmprof_addon.model.component import Kind, KindTotal
from llmprof_addon.model.run_tree import Rent, RunCall, RunTree

_FINE = 40
"""Bits of a token or pico-dollar that shares are kept in."""


class _Paid(NamedTuple):
    """One kind of one call: tokens by how they were billed, and pico-dollars."""

    read: int
    write: int
    fresh: int
    cost: int
    rates: tuple[int, int, int]
    """Fine units of a pico-dollar for each token that was read, written, fresh."""

    @property
    def tokens(self) -> int:
        return self.read + self.write + self.fresh


def rents(tree: RunTree) -> tuple[Rent, ...]:
    """What each part of the run has cost, the dearest first; then what no part stands behind.

    Over all rents of a kind tokens, read, write, fresh and cost are the sums of that kind over the calls. A part that
    is in no prompt has none. `referred` is left open: `references.refer` fills it.
    """
    shares: dict[Kind, _Shares] = {}
    apart: defaultdict[Kind, _Apart] = defaultdict(_Apart)
    carried = _Carried(tree)
    for at, call in enumerate(tree.calls):
        for kind, paid in _paid(call):
            if kind not in shares:
                shares[kind] = _Shares(tree, kind)
            if not shares[kind].add(call, paid):
                apart[kind].add(at, paid, is_priced=is_priced(call))
    kinds = {kind for node in tree.nodes for kind in node.kinds}
    found = [rent for kind in kinds for rent in _of_kind(kind, shares.get(kind), carried)]
    found += [one.rent(kind) for kind, one in apart.items() if one.cost or one.read or one.write or one.fresh]
    return tuple(sorted(found, key=_dearest_first))


_ORDER = {kind: at for at, kind in enumerate(Kind)}


def _dearest_first(rent: Rent) -> tuple[bool, int, int, int, int]:
    return rent.node is None, -(rent.cost or 0), -rent.tokens, rent.node or 0, _ORDER[rent.kind]


def is_priced(call: RunCall) -> bool:
    """Whether a call's input has a cost."""
    return call.cost is not None or any(total.cost is not None for total in call.composition)


def heads(call: RunCall) -> list[int]:
    """The last nodes of a prompt's sections, as its provider reads them."""
    by_section = {"tools": call.tools, "system": call.system, "messages": call.messages}
    return [by_section[section] for section in call.section_order if section in by_section]


def _paid(call: RunCall) -> Iterator[tuple[Kind, _Paid]]:
    """A call's prompt by kind. What is not said to be read or written is fresh."""
    billed = [_billed(total) for total in call.composition]
    rates = (0, 0, 0)
    if call.cost is not None and call.usage.billed_input_tokens is None and billed:  # else all are charged alike
        amounts = (call.cost.cache_read, call.cost.cache_write, call.cost.input)
        read, write, fresh = map(_rate, amounts, map(sum, zip(*billed, strict=True)))
        rates = (read, write, fresh)
    for total, (read, write, fresh) in zip(call.composition, billed, strict=True):
        cost, own = total.cost or 0, rates
        if cost and not (read * own[0] or write * own[1] or fresh * own[2]):
            own = (_rate(cost, total.tokens),) * 3
        yield total.kind, _Paid(read, write, fresh, cost, own)


def _rate(amount: int, tokens: int) -> int:
    return (amount << _FINE) // tokens if tokens else 0


def _billed(total: KindTotal) -> tuple[int, int, int]:
    read = min(total.read, total.tokens)
    write = min(total.write, total.tokens - read)
    return read, write, total.tokens - read - write


class _Shares:
    """What the calls have paid for the parts of one kind."""

    def __init__(self, tree: RunTree, kind: Kind) -> None:
        self.tree = tree
        self.forest = Forest(tree, kind)
        self.totals = [0, 0, 0, 0]
        """Read, write and fresh tokens and pico-dollars that are to be shared out."""
        self._by_encoding: dict[str, _Densities] = {}

    def add(self, call: RunCall, paid: _Paid) -> bool:
        """Share out what a call has paid; `False` if no part of this kind is in its prompt."""
        densities = self._by_encoding.get(call.encoding)
        if densities is None:
            weights = [self.tree.nodes[node].weight(self.forest.kind, call.encoding) for node in self.forest.nodes]
            densities = self._by_encoding[call.encoding] = _Densities(self.forest, weights)
        if not densities.add(call, paid):
            return False
        for at, amount in enumerate((paid.read, paid.write, paid.fresh, paid.cost)):
            self.totals[at] += amount
        return True

    def rounded(self) -> list[list[int]]:
        """Read, write and fresh tokens and pico-dollars of each node of the forest."""
        sums = [[0] * len(self.forest.nodes) for _ in self.totals]
        for densities in self._by_encoding.values():
            for column, more in zip(sums, densities.amounts(), strict=True):
                for node, amount in enumerate(more):
                    column[node] += amount
        if not self.forest.nodes:
            return sums
        return [
            apportion(total, [max(0, one) for one in column]) for total, column in zip(self.totals, sums, strict=True)
        ]


class _Densities:
    """Fine units per weight that all nodes at or above a place have paid, and those that single nodes have beside."""

    def __init__(self, forest: Forest, weights: Sequence[int]) -> None:
        self._forest, self._weights = forest, weights
        self._running = forest.running(weights)
        size = len(weights) + 1
        # Read tokens, read and written tokens, all tokens, pico-dollars.
        self._at_or_above = [[0] * size for _ in range(4)]
        self._beside = [[0] * size for _ in range(4)]

    def add(self, call: RunCall, paid: _Paid) -> bool:
        """Note what a call has paid at the places on its paths where rates change; `False` if it has no such nodes."""
        running = self._running
        ends = list(sections(heads(call), self._forest, running))
        whole = ends[-1][1] + running[ends[-1][0]] if ends else 0
        if not whole:
            return False
        tokens = paid.tokens
        density = (tokens << _FINE) // whole
        rates = paid.rates
        costs = self._at_or_above[3]
        last = rates[2] * density >> _FINE if tokens else (paid.cost << _FINE) // whole
        for end, _ in ends:
            self._at_or_above[2][end] += density
            costs[end] += last
        self._up_to(0, paid.read, density, ends, rates[0] - rates[1])
        self._up_to(1, paid.read + paid.write, density, ends, rates[1] - rates[2])
        return True

    def _up_to(self, column: int, tokens: int, density: int, ends: Sequence[tuple[int, int]], more: int) -> None:
        """Note so many tokens in the column for the first nodes of the path, and pico-dollars that they cost `more`."""
        if not tokens:
            return
        above, beside = self._at_or_above[column], self._beside[column]
        amount = tokens << _FINE
        for end, before in ends:
            left = amount - density * before
            if left <= 0:
                return
            place = end
            if density * self._running[end] > left:
                place, crossed = self._forest.last_within(end, self._running, left // density)
                part = left - density * self._running[place]
                beside[crossed] += part
                self._beside[3][crossed] += part * more >> _FINE
            above[place] += density
            self._at_or_above[3][place] += density * more >> _FINE

    def amounts(self) -> list[list[int]]:
        """Fine units of read, written and fresh tokens and of pico-dollars by node. To be asked once: it adds up."""
        columns = []
        for above, beside in zip(self._at_or_above, self._beside, strict=True):
            self._forest.sum_up(above)
            columns.append([one * own + more for one, own, more in zip(above, self._weights, beside, strict=False)])
        read, cached, whole, cost = columns
        write = [upper - lower for upper, lower in zip(cached, read, strict=True)]
        fresh = [upper - lower for upper, lower in zip(whole, cached, strict=True)]
        return [read, write, fresh, cost]


class _Carried:
    """By node: the billed calls whose prompt had it, how many, the first, the last, and those without a price."""

    def __init__(self, tree: RunTree) -> None:
        size = len(tree.nodes)
        self.tree = tree
        self.count, self.unpriced = [0] * size, [0] * size
        self.first, self.last = [len(tree.calls)] * size, [-1] * size
        for at, call in enumerate(tree.calls):
            for head in heads(call) if call.is_billed else ():
                if head >= 0:
                    self.count[head] += 1
                    self.unpriced[head] += not is_priced(call)
                    self.first[head] = min(self.first[head], at)
                    self.last[head] = at
        for node in range(size - 1, -1, -1):
            parent = tree.nodes[node].parent
            if parent >= 0:
                self.count[parent] += self.count[node]
                self.unpriced[parent] += self.unpriced[node]
                self.first[parent] = min(self.first[parent], self.first[node])
                self.last[parent] = max(self.last[parent], self.last[node])


def _of_kind(kind: Kind, shares: _Shares | None, carried: _Carried) -> list[Rent]:
    """The rents of the parts of a kind that are in a prompt."""
    if shares is None:
        shares = _Shares(carried.tree, kind)
    read, write, fresh, cost = shares.rounded()
    out = []
    for at, node in enumerate(shares.forest.nodes):
        tokens = carried.tree.nodes[node].tokens
        if not carried.count[node] or (tokens and not any(tokens.values())):
            continue
        out.append(
            Rent(
                node=node,
                kind=kind,
                tokens=read[at] + write[at] + fresh[at],
                read=read[at],
                write=write[at],
                fresh=fresh[at],
                cost=cost[at] if carried.unpriced[node] < carried.count[node] else None,
                unpriced=carried.unpriced[node],
                carried=carried.count[node],
                first=carried.first[node],
                last=carried.last[node],
            )
        )
    return out


@dataclass(slots=True)
class _Apart:
    """What calls have paid for a kind that no part of their prompts is of."""

    read: int = 0
    write: int = 0
    fresh: int = 0
    cost: int = 0
    carried: int = 0
    unpriced: int = 0
    first: int = -1
    last: int = -1

    def add(self, at: int, paid: _Paid, *, is_priced: bool) -> None:
        self.read += paid.read
        self.write += paid.write
        self.fresh += paid.fresh
        self.cost += paid.cost
        self.first = self.first if self.carried else at
        self.carried += 1
        self.unpriced += not is_priced
        self.last = at

    def rent(self, kind: Kind) -> Rent:
        return Rent(
            node=None,
            kind=kind,
            tokens=self.read + self.write + self.fresh,
            read=self.read,
            write=self.write,
            fresh=self.fresh,
            cost=self.cost if self.unpriced < self.carried else None,
            unpriced=self.unpriced,
            carried=self.carried,
            first=self.first,
            last=self.last,
        )
