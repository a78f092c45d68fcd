"""The rents of a run as rows with texts: what reports and screens show of what its parts have cost."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from llmprof_addon.attribution.references import refer
from llmprof_addon.attribution.rent import rents
from llmprof_addon.export.text import KIND_NAMES, byte_size, counted
from llmprof_addon.model.apportion import apportion
from llmprof_addon.model.component import Kind
from llmprof_addon.model.cost import usd
from llmprof_addon.model.part import Json
from llmprof_addon.model.run_tree import Rent, RunNode, RunTree, ToolKey
from llmprof_addon.model.usage import Source
from llmprof_addon.providers.texts import texts
from llmprof_addon.store.open import Store
from llmprof_addon.store.rows import RunRow
from llmprof_addon.store.run_tree import run_tree

LABEL_CHARS = 200
NO_TOOL = "(no tool)"
NO_SERVER = "(no server)"
BY = ("part", "tool", "server", "kind")
"""What rents can be summed by."""

_NO_TOOL: tuple[tuple[ToolKey, float], ...] = ((("", ""), 1.0),)
_FINE = 1 << 40


@dataclass(frozen=True, slots=True, kw_only=True)
class RentRow:
    """One part of a run, or several that are summed, and what carrying it has cost. Calls are numbered from 1."""

    label: str
    """Of a part the start of its text; else the name of the tool, server or kind. From the wire, as it is."""
    kind: Kind | None
    """`None` if parts of several are summed."""
    tool: str | None = None
    server: str | None = None
    path: str = ""
    """JSON path of a part in the body that brought it."""
    call: str | None = None
    """Id of the first call that carried a part;"""
    node: str | None = None
    """and the part's key (hex)."""
    parts: int = 1
    """How many are summed; 0 where no part stands behind it: overhead and the like."""
    tokens: int
    """Over all calls that carried it."""
    read: int
    write: int
    fresh: int
    estimated: bool = True
    carried: int
    """Calls that carried it; of several parts how often in all."""
    first_call: int
    last_call: int
    referred_call: int | None = None
    """The last call that carried it and whose answer refers to it."""
    referable: bool = False
    """Whether it would be seen; else `None` as `referred_call` says nothing."""
    cost: int | None
    """Pico-dollars; `None` = unpriced."""
    share: float | None = None
    """Of the cost of the run's input."""

    @property
    def tokens_per_call(self) -> int:
        """Each time that it was carried."""
        return round(self.tokens / self.carried) if self.carried else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRents:
    """What carrying the parts of a run has cost, by each of `BY`."""

    tokens: int = 0
    """Of the run's input."""
    cost: int | None = None
    """Pico-dollars of it; `None` = unpriced."""
    rows: Mapping[str, tuple[RentRow, ...]] = MappingProxyType({})
    """The dearest first."""
    more: Mapping[str, RentRow] = MappingProxyType({})
    """The sum of those beyond the limit, where there are more."""


def run_rents(store: Store, run_id: str, *, limit: int) -> RunRents:
    """The rents of a run as it is stored, at most so many rows of each kind. All of the run is read."""
    tree = run_tree(store, run_id)
    if tree is None:
        return RunRents()
    found = refer(tree, rents(tree))
    tokens, cost = input_of(found)
    by = {each: rent_rows(tree, found, each, limit=limit) for each in BY}
    return RunRents(
        tokens=tokens,
        cost=cost,
        rows={each: rows for each, (rows, _) in by.items()},
        more={each: more for each, (_, more) in by.items() if more is not None},
    )


def rent_rows(
    tree: RunTree, found: Sequence[Rent], by: str = "part", *, limit: int | None = None
) -> tuple[tuple[RentRow, ...], RentRow | None]:
    """The dearest rows by one of `BY`, and the sum of those beyond the limit. Texts are read only of what is shown.

    Tokens and costs of all sum to those of the run's input exactly.
    """
    whole = sum(rent.cost or 0 for rent in found)
    if by == "part":
        ranked = sorted(found, key=lambda rent: (-(rent.cost or 0), -rent.tokens))
        shown = [_of_part(tree, rent) for rent in ranked[:limit]]
        rest = [_unlabelled(rent) for rent in ranked[len(shown) :]]
    else:
        rows = sorted(_grouped(tree, found, by), key=lambda row: (-(row.cost or 0), -row.tokens, row.label))
        shown = rows[:limit]
        rest = rows[len(shown) :]
    more = _sum(counted(len(rest), f"more {by}"), rest) if rest else None
    return tuple(_with_share(row, whole) for row in shown), None if more is None else _with_share(more, whole)


def input_of(carried: Iterable[Rent]) -> tuple[int, int | None]:
    """Tokens and pico-dollars of a run's input."""
    known = [(rent.tokens, rent.cost) for rent in carried]
    costs = [cost for _, cost in known if cost is not None]
    return sum(tokens for tokens, _ in known), sum(costs) if costs else None


def _with_share(row: RentRow, whole: int) -> RentRow:
    return replace(row, share=row.cost / whole if whole and row.cost is not None else None)


def _unlabelled(rent: Rent) -> RentRow:
    return RentRow(
        label=KIND_NAMES[rent.kind],
        kind=rent.kind,
        parts=0 if rent.node is None else 1,
        tokens=rent.tokens,
        read=rent.read,
        write=rent.write,
        fresh=rent.fresh,
        carried=rent.carried,
        first_call=rent.first + 1,
        last_call=rent.last + 1,
        referred_call=None if rent.referred is None else rent.referred + 1,
        referable=rent.referable,
        cost=rent.cost,
    )


def _of_part(tree: RunTree, rent: Rent) -> RentRow:
    row = _unlabelled(rent)
    if rent.node is None:
        totals = [total for call in tree.calls for total in call.composition if total.kind is rent.kind]
        return replace(row, estimated=any(total.source is Source.ESTIMATED for total in totals))
    node = tree.nodes[rent.node]
    (server, name), *others = [tool for tool, _ in node.tools] or [("", "")]
    return replace(
        row,
        label=_label(node, tree.contents) if rent.kind is node.kind else _held(node.media[rent.kind], rent.kind),
        path=node.path,
        call=tree.calls[rent.first].id,
        node=node.key.hex(),
        tool=None if others else name or None,
        server=server or None,
    )


def _label(node: RunNode, contents: Mapping[bytes, Json]) -> str:
    """The start of a part's text on one line; of what has none how large it is."""
    if node.kind is Kind.TOOL_SCHEMAS:
        return " ".join(name for (_, name), _ in node.tools)[:LABEL_CHARS] or node.name or ""
    try:
        value = contents[node.content]
    except KeyError:
        return "(its text is gone)"
    said: list[str] = []
    names = {node.name, *(name for (_, name), _ in node.tools)}
    for text in texts(value):
        if text not in names:
            said += text[: 4 * LABEL_CHARS].split()
        if sum(map(len, said)) > LABEL_CHARS:
            break
    return " ".join(said)[:LABEL_CHARS] or f"({node.part_kind.replace('_', ' ')}, {byte_size(node.size)})"


def _held(number: int, kind: Kind) -> str:
    """What media inside a part are called."""
    name = KIND_NAMES[kind]
    return f"({number} {name} in it)" if kind is Kind.AUDIO else f"({counted(number, name.removesuffix('s'))} in it)"


def _grouped(tree: RunTree, found: Sequence[Rent], by: str) -> list[RentRow]:
    groups: defaultdict[ToolKey, list[RentRow]] = defaultdict(list)
    for rent in found:
        row = _unlabelled(rent)
        if by == "kind":
            groups["", KIND_NAMES[rent.kind]].append(row)
            continue
        tools = tree.nodes[rent.node].tools if rent.node is not None else ()
        for (server, name), own in _divided(tools or _NO_TOOL, row):
            groups[server, name if by == "tool" else ""].append(own)
    if by == "kind":
        return [_sum(name, rows) for (_, name), rows in groups.items()]
    nothing = NO_TOOL if by == "tool" else NO_SERVER
    return [
        replace(_sum(name or server or nothing, rows), tool=name or None, server=server or None)
        for (server, name), rows in groups.items()
    ]


def _divided(tools: Sequence[tuple[ToolKey, float]], row: RentRow) -> Iterable[tuple[ToolKey, RentRow]]:
    """The row of a part by the tools that share it."""
    weights = [int(share * _FINE) for _, share in tools]
    amounts = [apportion(amount, weights) for amount in (row.read, row.write, row.fresh, row.cost or 0)]
    for (tool, _), read, write, fresh, cost in zip(tools, *amounts, strict=True):
        numbers = {"tokens": read + write + fresh, "read": read, "write": write, "fresh": fresh}
        yield tool, replace(row, cost=None if row.cost is None else cost, **numbers)


def _sum(label: str, rows: Sequence[RentRow]) -> RentRow:
    kinds = {row.kind for row in rows}
    costs = [row.cost for row in rows if row.cost is not None]
    referred = [row.referred_call for row in rows if row.referred_call is not None]
    return RentRow(
        label=label,
        kind=rows[0].kind if len(kinds) == 1 else None,
        parts=sum(row.parts for row in rows),
        tokens=sum(row.tokens for row in rows),
        read=sum(row.read for row in rows),
        write=sum(row.write for row in rows),
        fresh=sum(row.fresh for row in rows),
        carried=sum(row.carried for row in rows),
        first_call=min(row.first_call for row in rows),
        last_call=max(row.last_call for row in rows),
        referred_call=max(referred, default=None),
        referable=any(row.referable for row in rows),
        cost=sum(costs) if costs else None,
    )


def rent_json(row: RentRow) -> dict[str, Json]:
    """A row in the shape of the readme."""
    return {
        "label": row.label,
        "kind": row.kind.value if row.kind else None,
        "tool": row.tool,
        "server": row.server,
        "path": row.path or None,
        "parts": row.parts,
        "tokens": row.tokens,
        "read_tokens": row.read,
        "write_tokens": row.write,
        "fresh_tokens": row.fresh,
        "estimated": row.estimated,
        "carried_calls": row.carried,
        "first_call": row.first_call,
        "last_call": row.last_call,
        "referred_call": row.referred_call,
        "referable": row.referable,
        "cost_usd": usd(row.cost),
        "share": None if row.share is None else round(row.share, 6),
    }


def rent_report_json(
    run: RunRow, by: str, found: Sequence[Rent], rows: Sequence[RentRow], more: RentRow | None
) -> dict[str, Json]:
    """A run's rents: the sums of its input, the rows, and the sum of those beyond the limit."""
    tokens, cost = input_of(found)
    return {
        "run_id": run.id,
        "calls": run.calls,
        "unpriced_calls": run.unpriced_calls,
        "input_tokens": tokens,
        "input_cost_usd": usd(cost),
        "by": by,
        "rents": [rent_json(row) for row in rows],
        "more": None if more is None else rent_json(more),
    }
