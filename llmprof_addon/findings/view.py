"""A run as rules see it: its tree and rents, the thresholds, and what several rules derive from them, made once.

Rules make their evidence and findings here, so that a saving is always what was really paid.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from llmprof_addon.findings.shares import Shares, part_of
from llmprof_addon.findings.texts import Features, features
from llmprof_addon.model.component import Kind
from llmprof_addon.model.cost import Cost
from llmprof_addon.model.finding import Evidence, Finding, Severity
from llmprof_addon.model.run_tree import Rent, RunCall, RunNode, RunTree
from llmprof_addon.model.thresholds import Thresholds

MOST_EVIDENCE = 100
"""Places of one finding; smaller ones are neither told nor counted."""


@dataclass(frozen=True)
class RunView:
    """One run. Calls and nodes are told by their positions in `tree`."""

    tree: RunTree
    rents: tuple[Rent, ...] = ()
    thresholds: Thresholds = field(default_factory=Thresholds)

    @property
    def nodes(self) -> Sequence[RunNode]:
        return self.tree.nodes

    @property
    def calls(self) -> Sequence[RunCall]:
        return self.tree.calls

    @cached_property
    def shares(self) -> Shares:
        """What parts cost in calls."""
        return Shares(self.tree)

    @cached_property
    def cost(self) -> int | None:
        """Pico-dollars of all priced calls; `None` if there are none."""
        costs = [call.cost.total for call in self.calls if call.cost is not None]
        return sum(costs) if costs else None

    @cached_property
    def input_tokens(self) -> int:
        """Of all calls: as reported, or what the parts were counted to where nothing is."""
        counted = [sum(total.tokens for total in call.composition) for call in self.calls]
        return sum(tokens or call.usage.input_tokens or 0 for tokens, call in zip(counted, self.calls, strict=True))

    @cached_property
    def output_tokens(self) -> int:
        """Of all calls."""
        return sum(call.usage.output_tokens or 0 for call in self.calls)

    @cached_property
    def lanes(self) -> dict[str, list[int]]:
        """Calls of each lane, by start; those that failed are among them."""
        found: dict[str, list[int]] = {}
        for at, call in enumerate(self.calls):
            found.setdefault(call.lane, []).append(at)
        return found

    @cached_property
    def first_carriers(self) -> dict[int, int]:
        """The first billed call whose prompt has a node; nodes that only answers have are not among them."""
        found: dict[int, int] = {}
        for at, call in enumerate(self.calls):
            for head in (call.tools, call.system, call.messages) if call.is_billed else ():
                node = head
                while node >= 0 and node not in found:
                    found[node] = at
                    node = self.nodes[node].parent
        return found

    def of_kind(self, *kinds: Kind) -> list[int]:
        """Nodes that are of these kinds, or hold media of them, and stand in prompts.

        By the first call that carries them, then as they stand there.
        """
        found = [node for node in self.first_carriers if not self._kinds[node].isdisjoint(kinds)]
        return sorted(found, key=self._place)

    @cached_property
    def _kinds(self) -> list[frozenset[Kind]]:
        return [frozenset(node.kinds) for node in self.nodes]

    def _place(self, node: int) -> tuple[int, int, int]:
        part, call = self.nodes[node], self.first_carriers[node]
        return call, self.calls[call].section_order.index(part.section), part.depth

    def tokens_of(self, node: int) -> int:
        """Tokens of a node in the first call that carries it."""
        call = self.first_carriers.get(node)
        return 0 if call is None else self.shares.of(call, node).tokens

    def raw_tokens(self, node: int) -> int:
        """About so many tokens a node has: cheap, to sort out small ones."""
        return max(self.nodes[node].tokens.values(), default=0)

    def features(self, node: int) -> Features | None:
        """What its text is like; `None` if it is not stored (any more)."""
        return features(self.tree.contents, self.nodes[node].content)

    def kind_tokens(self, *kinds: Kind) -> int:
        """Input tokens of these kinds over all calls."""
        return sum(total.tokens for call in self.calls for total in call.composition if total.kind in kinds)

    def largest(self, nodes: Iterable[int]) -> list[int]:
        """Of many nodes those that may be told, by about what carrying them took."""
        return sorted(nodes, key=lambda node: -self.raw_tokens(node) * len(self.shares.carriers(node)))[:MOST_EVIDENCE]

    def name(self, node: int) -> str:
        """What a person would call a part."""
        part = self.nodes[node]
        tools = ", ".join(dict.fromkeys(name for (_, name), _ in part.tools[:3]))
        return tools or part.name or part.role or part.part_kind

    def part(self, node: int, *, share: float = 1.0, since: int = 0, name: str = "") -> Evidence | None:
        """So much of a part need not be carried by any call from `since` on; `None` if none of them does."""
        since_ns = self.calls[since].started_ns if since else 0
        carriers = [at for at in self.shares.carriers(node) if self.calls[at].started_ns >= since_ns]
        if not carriers:
            return None
        found = self.shares.along(node, carriers)
        priced = any(self.calls[at].cost is not None for at in carriers)
        return Evidence(
            saves="part",
            call=self.calls[carriers[0]].id,
            node=self.nodes[node].key.hex(),
            path=self.nodes[node].path,
            name=name or self.name(node),
            share=share,
            since_ns=since_ns,
            tokens=sum(part_of(one.tokens, share) for one in found),
            cost=sum(part_of(one.cost, share) for one in found) if priced else None,
        )

    def whole(self, call: int, name: str = "") -> Evidence:
        """A call need not have been made."""
        made = self.calls[call]
        return Evidence(
            saves="call",
            call=made.id,
            name=name,
            since_ns=made.started_ns,
            tokens=(made.usage.input_tokens or 0) + (made.usage.output_tokens or 0),
            cost=made.cost.total if made.cost else None,
        )

    def rate(self, call: int, tokens: int, cost: int | None, name: str = "") -> Evidence:
        """So many tokens of a call's input cost so much more than they had to: no more than was paid for its input."""
        made = self.calls[call]
        paid = made.cost.input + made.cost.cache_write if made.cost is not None else None
        return Evidence(
            saves="rate",
            call=made.id,
            name=name,
            since_ns=made.started_ns,
            tokens=max(0, min(tokens, made.usage.input_tokens or 0)),
            cost=None if paid is None or cost is None else max(0, min(cost, paid)),
        )

    def shown(self, call: int, node: int | None = None, name: str = "") -> Evidence:
        """A place to look at, where nothing is saved."""
        part = None if node is None else self.nodes[node]
        return Evidence(
            saves="nothing",
            call=self.calls[call].id,
            node=part.key.hex() if part else None,
            path=part.path if part else "",
            name=name or (self.name(node) if node is not None else ""),
            since_ns=self.calls[call].started_ns,
        )

    def carried_by(self, evidence: Iterable[Evidence]) -> int:
        """How many calls these concern."""
        ids = {call.id: at for at, call in enumerate(self.calls)}
        concerned: set[int] = set()
        for each in evidence:
            if each.node is None or each.saves == "nothing":
                concerned.add(ids[each.call])
            else:
                carriers = self.shares.carriers(self.by_key[each.node])
                concerned |= {at for at in carriers if self.calls[at].started_ns >= each.since_ns}
        return len(concerned)

    @cached_property
    def by_key(self) -> dict[str, int]:
        """Nodes by their keys (hex)."""
        return {node.key.hex(): at for at, node in enumerate(self.nodes)}

    def saving(
        self, code: str, title: str, advice: str, evidence: Iterable[Evidence | None], *, estimated: bool = True
    ) -> Iterable[Finding]:
        """A finding that saves what its evidence does; nothing if that is too little to tell.

        In the title, `{tokens}` stands for the tokens of all of it, `{calls}` for the calls that it concerns.
        """
        kept = sorted((each for each in evidence if each is not None and each.tokens), key=_weight)[:MOST_EVIDENCE]
        tokens = sum(each.tokens for each in kept)
        costs = [each.cost for each in kept if each.cost is not None]
        cost = sum(costs) if costs else None
        share = self._share(tokens, cost)
        if tokens < self.thresholds.saving_tokens or share < self.thresholds.saving_share:
            return
        calls = self.carried_by(kept)
        mark = "≈" if estimated else ""
        yield Finding(
            code=code,
            severity=Severity.CRITICAL if share >= self.thresholds.critical_share else Severity.WARNING,
            title=title.replace("{tokens}", f"{mark}{tokens:,}").replace("{calls}", f"{calls:,}"),
            advice=advice,
            tokens=tokens,
            cost=cost,
            calls=calls,
            evidence=tuple(kept),
            estimated=estimated,
        )

    def note(
        self,
        code: str,
        title: str,
        advice: str,
        evidence: Iterable[Evidence],
        *,
        severity: Severity = Severity.INFO,
        calls: int | None = None,
        estimated: bool = False,
    ) -> Finding:
        """A finding that saves nothing by itself."""
        kept = tuple(evidence)[:MOST_EVIDENCE]
        return Finding(
            code=code,
            severity=severity,
            title=title,
            advice=advice,
            calls=self.carried_by(kept) if calls is None else calls,
            evidence=kept,
            estimated=estimated,
        )

    def _share(self, tokens: int, cost: int | None) -> float:
        """Which part of the run's cost, or of its tokens where it is unpriced, a saving is."""
        if cost is not None and self.cost:
            return cost / self.cost
        whole = self.input_tokens + self.output_tokens
        return tokens / whole if whole else 0.0


def _weight(evidence: Evidence) -> tuple[int, int, int, str]:
    """The dearest first."""
    return -(evidence.cost or 0), -evidence.tokens, evidence.since_ns, evidence.node or evidence.call


def rates_of(cost: Cost | None) -> dict[str, int]:
    """Pico-dollars per token by what is billed; empty where they are not known."""
    return dict(cost.price.rates) if cost is not None else {}
