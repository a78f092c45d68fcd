"""What each tool of a run has cost: its schema in every prompt, the calls made of it, and their results.

Read from the prompt tree, not by laying out each call: a call's stored tokens and dollars of a kind are divided by the
raw count of that kind on its path, and these rates are summed up the tree, so that a node knows what all calls that
carried it have paid for it in O(nodes + calls). Shares are estimates; their sums are the run's kind totals exactly.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from llmprof_addon.model.apportion import apportion
from llmprof_addon.model.component import Kind
from llmprof_addon.store.counts import kind_sums
from llmprof_addon.store.database import errors_of
from llmprof_addon.store.open import Store
from llmprof_addon.store.schema import Call, Run
from llmprof_addon.store.tool_nodes import ToolKey, ToolTree, calls_made, read_tree
from llmprof_addon.store.trend_facts import UNNAMED

_KINDS = (Kind.TOOL_SCHEMAS, Kind.TOOL_CALLS, Kind.TOOL_RESULTS)
_FINE = 1 << 20
"""Parts of a token or pico-dollar that shares are kept in until they are rounded together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolRow:
    """One tool of a run. Tokens and costs are estimated shares of the run's kinds, over all its calls."""

    name: str
    """As it was sent, with its server's prefix if it has one."""
    server: str | None
    """MCP server or namespace."""
    calls: int
    """How often a model called it."""
    carried: int
    """Calls of the run whose prompt had its schema."""
    schema_tokens: int
    call_tokens: int
    """Its calls, in the answers that made them and in the prompts that carried them on."""
    result_tokens: int
    schema_cost: int | None
    """Pico-dollars; `None` where every call that carried it is unpriced."""
    use_cost: int | None
    """Of its calls and results."""

    @property
    def tokens(self) -> int:
        """All of it."""
        return self.schema_tokens + self.call_tokens + self.result_tokens

    @property
    def cost(self) -> int | None:
        """All of it that is priced."""
        known = [cost for cost in (self.schema_cost, self.use_cost) if cost is not None]
        return sum(known) if known else None


@dataclass(slots=True)
class _Sum:
    """A tool in the making: real numbers, which are rounded all together."""

    carried: int = 0
    tokens: list[float] = field(default_factory=lambda: [0.0] * len(_KINDS))
    costs: list[float] = field(default_factory=lambda: [0.0] * len(_KINDS))
    priced: list[bool] = field(default_factory=lambda: [False] * len(_KINDS))

    def add(self, kind: int, tokens: float, cost: float | None) -> None:
        self.tokens[kind] += tokens
        if cost is not None:
            self.costs[kind] += cost
            self.priced[kind] = True


def tools_of_run(store: Store, run_id: str) -> tuple[ToolRow, ...]:
    """The tools of the run with this id, those that cost most tokens first; none if there is no such run."""
    with errors_of(store.url), store.snapshot():
        columns = (Call.run, Call.tools_head, Call.message_head, Call.answer_head, Call.encoding, Call.composition)
        query = Call.select(*columns).join(Run, on=(Call.run == Run.id)).where(Run.uid == run_id)
        calls = store.db.execute(query).fetchall()
        if not calls:
            return ()
        tree = read_tree(store, calls[0][0])
        sums: defaultdict[ToolKey, _Sum] = defaultdict(_Sum)
        totals = _Totals()
        by_encoding: defaultdict[str, list[_Paths]] = defaultdict(list)
        for _, tools, messages, answer, encoding, composition in calls:
            prompt_side, answer_side = kind_sums(bytes(composition), _KINDS)
            totals.add(prompt_side)
            totals.add(answer_side)
            by_encoding[encoding].append((tools, messages, answer, prompt_side, answer_side))
        for encoding, paths in by_encoding.items():
            _spread_prompts(tree, encoding, paths, sums)
            _spread_answers(tree, encoding, paths, sums)
        for key in {key for shares in tree.tools for key, _ in shares}:
            sums.setdefault(key, _Sum())  # a tool that nothing was paid for has its row as well
        made = calls_made(store, tree, ((messages, answer) for _, _, messages, answer, _, _ in calls))
    return _rows(sums, made, totals, len(calls))


type _Side = Sequence[tuple[int, int | None]]
"""Tokens and cost of a call's prompt or answer, by kind."""

type _Paths = tuple[int | None, int | None, int | None, _Side, _Side]
"""Heads of a call's tools, messages and answer, and its two sides."""


@dataclass(slots=True)
class _Totals:
    tokens: list[int] = field(default_factory=lambda: [0] * len(_KINDS))
    costs: list[int] = field(default_factory=lambda: [0] * len(_KINDS))

    def add(self, side: _Side) -> None:
        for kind, (tokens, cost) in enumerate(side):
            self.tokens[kind] += tokens
            self.costs[kind] += cost or 0


def _spread_prompts(tree: ToolTree, encoding: str, calls: Iterable[_Paths], sums: defaultdict[ToolKey, _Sum]) -> None:
    """Share what prompts paid per kind out over the nodes on their paths, and add it up by tool."""
    size = len(tree.parents)
    carried = [0] * size
    weights = [tree.weights(encoding, kind) for kind in _KINDS]
    for kind, own in enumerate(weights):
        below_root = tree.running(own)
        rates, costs, priced = [0.0] * size, [0.0] * size, [0] * size
        for tools, messages, _, prompt, _ in calls:
            heads = [tree.index[head] for head in (tools, messages) if head is not None]
            if kind == 0:
                for head in heads:
                    carried[head] += 1
            tokens, cost = prompt[kind]
            if not tokens and cost is None:
                continue
            weight = sum(below_root[head] for head in heads)
            if not weight:
                sums["", UNNAMED].add(kind, tokens, cost)
                continue
            for head in heads:
                rates[head] += tokens / weight
                if cost is not None:
                    costs[head] += cost / weight
                    priced[head] += 1
        for sums_up in (rates, costs, priced, *((carried,) if kind == 0 else ())):
            tree.sum_up(sums_up)
        for node, weight in enumerate(own):
            if not weight:
                continue
            for tool, share in tree.tools[node]:
                paid = costs[node] * weight * share if priced[node] else None
                sums[tool].add(kind, rates[node] * weight * share, paid)
                if kind == 0:
                    sums[tool].carried += carried[node]


def _spread_answers(tree: ToolTree, encoding: str, calls: Iterable[_Paths], sums: defaultdict[ToolKey, _Sum]) -> None:
    """Share what answers paid per kind out over the nodes that each of them added."""
    for kind in range(len(_KINDS)):
        own = tree.weights(encoding, _KINDS[kind])
        for _, messages, answer, _, written in calls:
            tokens, cost = written[kind]
            if not tokens and cost is None:
                continue
            nodes = tree.between(messages, answer)
            weight = sum(own[node] for node in nodes)
            if not weight:
                sums["", UNNAMED].add(kind, tokens, cost)
                continue
            for node in nodes:
                for tool, share in tree.tools[node] if own[node] else ():
                    part = own[node] * share / weight
                    sums[tool].add(kind, tokens * part, None if cost is None else cost * part)


def _rows(sums: dict[ToolKey, _Sum], made: dict[ToolKey, int], totals: _Totals, run_calls: int) -> tuple[ToolRow, ...]:
    """Round all shares of a kind together, so that they sum to what the calls have."""
    keys = sorted({*sums, *made})
    found = [sums.get(key) or _Sum() for key in keys]
    tokens, costs = [], []
    for kind in range(len(_KINDS)):
        tokens.append(apportion(totals.tokens[kind], [int(one.tokens[kind] * _FINE) for one in found]))
        costs.append(apportion(totals.costs[kind], [int(one.costs[kind] * _FINE) for one in found]))
    rows = [
        ToolRow(
            name=name,
            server=server or None,
            calls=made.get((server, name), 0),
            carried=min(one.carried, run_calls),
            schema_tokens=tokens[0][at],
            call_tokens=tokens[1][at],
            result_tokens=tokens[2][at],
            schema_cost=costs[0][at] if one.priced[0] else None,
            use_cost=costs[1][at] + costs[2][at] if one.priced[1] or one.priced[2] else None,
        )
        for at, ((server, name), one) in enumerate(zip(keys, found, strict=True))
    ]
    return tuple(sorted(rows, key=lambda row: (-row.tokens, row.name)))
