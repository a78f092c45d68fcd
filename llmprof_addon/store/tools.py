"""What each tool of a run has cost: its schema in every prompt, the calls made of it, and their results.

In prompts that is the rent of its parts, with the pictures in its results; what answers paid for calls is shared out
over the calls in them. Shares are estimates; their sums are the run's kind totals exactly.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field

from llmprof_addon.attribution.rent import rents
from llmprof_addon.model.apportion import apportion
from llmprof_addon.model.component import Kind
from llmprof_addon.model.recent import Recent
from llmprof_addon.model.run_tree import Rent, RunCall, RunTree, ToolKey
from llmprof_addon.providers.carving import has_failed
from llmprof_addon.store.open import Store
from llmprof_addon.store.run_tree import run_tree
from llmprof_addon.store.tool_names import ids_in
from llmprof_addon.store.trend_facts import UNNAMED

_KINDS = (Kind.TOOL_SCHEMAS, Kind.TOOL_CALLS, Kind.TOOL_RESULTS)
_FINE = 1 << 40
"""Parts of a node that the shares of several tools in it are kept in."""
_NO_TOOL: tuple[tuple[ToolKey, float], ...] = ((("", UNNAMED), 1.0),)
_failed: Recent[bytes, tuple[bool | None]] = Recent(20_000)
"""What contents of results say of it."""


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
    errors: int | None = None
    """Results that say that it failed; `None` where none of them says whether it did."""

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
    """A tool in the making, by kind."""

    carried: int = 0
    tokens: list[int] = field(default_factory=lambda: [0] * len(_KINDS))
    costs: list[int | None] = field(default_factory=lambda: [None] * len(_KINDS))

    def add(self, kind: int, tokens: int, cost: int | None) -> None:
        self.tokens[kind] += tokens
        if cost is not None:
            self.costs[kind] = (self.costs[kind] or 0) + cost


def tools_of_run(store: Store, run_id: str) -> tuple[ToolRow, ...]:
    """The tools of the run with this id, those that cost most tokens first; none if there is no such run."""
    tree = run_tree(store, run_id)
    return () if tree is None else tools_of(tree, rents(tree))


def tools_of(tree: RunTree, carried: Iterable[Rent]) -> tuple[ToolRow, ...]:
    """The same of a run that was read, with its rents."""
    sums: defaultdict[ToolKey, _Sum] = defaultdict(_Sum)
    for rent in carried:
        # Pictures in a result are the result's.
        kind = rent.kind if rent.node is None else tree.nodes[rent.node].kind
        if kind in _KINDS:
            _add_rent(tree, rent, _KINDS.index(kind), sums)
    for call in tree.calls:
        _add_answer(tree, call, sums)
    made, errors = calls_made(tree), _errors(tree)
    for key in {*made, *(key for node in tree.nodes for key, _ in node.tools)}:
        sums.setdefault(key, _Sum())  # a tool that nothing was paid for has its row as well
    rows = [_row(key, one, made.get(key, 0), errors.get(key), len(tree.calls)) for key, one in sums.items()]
    return tuple(sorted(rows, key=lambda row: (-row.tokens, row.name, row.server or "")))


def _add_rent(tree: RunTree, rent: Rent, kind: int, sums: defaultdict[ToolKey, _Sum]) -> None:
    tools = _NO_TOOL if rent.node is None else tree.nodes[rent.node].tools
    for (tool, share), tokens, cost in _divided(tools, rent.tokens, rent.cost):
        sums[tool].add(kind, tokens, cost)
        if share and rent.node is not None and rent.kind is Kind.TOOL_SCHEMAS:
            sums[tool].carried += rent.carried


def _add_answer(tree: RunTree, call: RunCall, sums: defaultdict[ToolKey, _Sum]) -> None:
    """Share what an answer paid per kind out over the nodes that it added."""
    for total in call.output_composition:
        if total.kind not in _KINDS or not (total.tokens or total.cost):
            continue
        nodes = [node for at in tree.answer(call) if (node := tree.nodes[at]).kind is total.kind]
        tools = [(tool, share * node.weight(total.kind, call.encoding)) for node in nodes for tool, share in node.tools]
        for (tool, _), tokens, cost in _divided(tools or _NO_TOOL, total.tokens, total.cost):
            sums[tool].add(_KINDS.index(total.kind), tokens, cost)


def _divided(
    tools: Sequence[tuple[ToolKey, float]], tokens: int, cost: int | None
) -> Iterable[tuple[tuple[ToolKey, float], int, int | None]]:
    """Tokens and cost by the weights of tools."""
    weights = [int(share * _FINE) for _, share in tools]
    costs: Sequence[int | None] = [None] * len(tools) if cost is None else apportion(cost, weights)
    return zip(tools, apportion(tokens, weights), costs, strict=True)


def _row(key: ToolKey, one: _Sum, made: int, errors: int | None, run_calls: int) -> ToolRow:
    schema, *uses = one.costs
    known = [cost for cost in uses if cost is not None]
    return ToolRow(
        name=key[1],
        server=key[0] or None,
        calls=made,
        carried=min(one.carried, run_calls),
        schema_tokens=one.tokens[0],
        call_tokens=one.tokens[1],
        result_tokens=one.tokens[2],
        schema_cost=schema,
        use_cost=sum(known) if known else None,
        errors=errors,
    )


def _errors(tree: RunTree) -> dict[ToolKey, int]:
    """The tools whose results say whether they failed, with the number of those that did."""
    results = {node.content: node for node in tree.nodes if node.kind is Kind.TOOL_RESULTS}
    found: dict[ToolKey, int] = {}
    for content, node in results.items():
        failed = _failed.get(content)
        if failed is None:
            failed = (has_failed(tree.contents.get(content)),)
            _failed.add(content, failed)
        if failed[0] is not None:
            for tool, _ in node.tools:
                found[tool] = found.get(tool, 0) + failed[0]
    return found


def calls_made(tree: RunTree) -> dict[ToolKey, int]:
    """How often each tool was called.

    A call stands in the answer that made it and in the prompts that carry it on, often at the same node. Clients may
    rewrite it on the way, and after a compaction it stands elsewhere. Its content holds its id in most dialects; where
    it does not, calls are told apart by their depth.
    """
    nodes = {at for at, node in enumerate(tree.nodes) if node.kind is Kind.TOOL_CALLS}
    answered = {at for call in tree.calls for at in tree.answer(call) if at in nodes}
    sent = [False] * len(tree.nodes)
    for call in tree.calls:
        if call.messages >= 0:
            sent[call.messages] = True
    for at in range(len(tree.nodes) - 1, -1, -1):
        if sent[at] and tree.nodes[at].parent >= 0:
            sent[tree.nodes[at].parent] = True
    places: defaultdict[bytes, list[int]] = defaultdict(list)
    for at in sorted(nodes):
        places[tree.nodes[at].content].append(at)
    in_answers = {tree.nodes[at].content for at in answered}
    in_prompts = {tree.nodes[at].content for at in nodes if sent[at]}
    unsure = {content for content, at in places.items() if len({tree.nodes[one].depth for one in at}) > 1}
    if not in_prompts <= in_answers and not in_answers <= in_prompts:
        unsure |= in_prompts ^ in_answers
    made: defaultdict[ToolKey, set[Hashable]] = defaultdict(set)
    same: dict[str, bytes] = {}
    for content, found in places.items():
        ids = list(ids_in(tree.contents.get(content))) if content in unsure else []
        first = next((same[id_] for id_ in ids if id_ in same), content)
        same |= dict.fromkeys(ids, first)
        for at in found:
            for tool, _ in tree.nodes[at].tools:
                made[tool].add(first if ids or content not in unsure else tree.nodes[at].depth)
    return {tool: len(identities) for tool, identities in made.items()}
