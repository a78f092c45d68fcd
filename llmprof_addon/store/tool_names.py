"""Which tools the schemas, calls and results of a run belong to.

A namespace's schema holds many tools; a result may stand in another request than the call that has its name; schemas
that wait to be searched for are in no prompt until then.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from llmprof_addon.model.component import Kind
from llmprof_addon.model.part import Json
from llmprof_addon.model.run_tree import ToolKey
from llmprof_addon.providers.carving import defers, server_of
from llmprof_addon.store.contents import Contents
from llmprof_addon.store.run_nodes import Columns
from llmprof_addon.store.trend_facts import UNNAMED

type Shares = tuple[tuple[ToolKey, float], ...]


@dataclass(frozen=True, slots=True)
class ToolNames:
    """By position: tools with their shares of a node, and how much of a schema is loaded where that is not all."""

    tools: dict[int, Shares]
    loaded: dict[int, float]


def tool_names(nodes: Columns, contents: Contents) -> ToolNames:
    """Find out the tools of all nodes; `nodes` has its kinds."""
    schemas = nodes.all_of(Kind.TOOL_SCHEMAS)
    uses = nodes.all_of(Kind.TOOL_CALLS, Kind.TOOL_RESULTS)
    values = contents.some(nodes.contents[at] for at in schemas)
    tools = {at: found for at in schemas if (found := _listed(nodes, at, values.get(nodes.contents[at])))}
    listed: defaultdict[str, set[ToolKey]] = defaultdict(set)
    for shares in tools.values():
        for key, _ in shares:
            listed[key[1]].add(key)
    for at in schemas:
        if at not in tools:
            tools[at] = _alone(nodes.names[at])
    own = {key for at in schemas for key, _ in tools[at] if len(tools[at]) == 1}
    called = _names_by_id(nodes, uses, contents)
    for at in uses:
        tools[at] = _alone(nodes.names[at] or called.get(at))
        ((key, _),) = tools[at]
        # Calls of a namespace's tool may leave the namespace out.
        if len(listed[key[1]]) == 1 and key not in own:
            tools[at] = ((next(iter(listed[key[1]])), 1.0),)
    made = {key for at in uses if nodes.kinds[at] is Kind.TOOL_CALLS for key, _ in tools[at]}
    loaded: dict[int, float] = {}
    for at in schemas:
        if left := _loaded(tools[at], values.get(nodes.contents[at]), made):
            tools[at], loaded[at] = left
    return ToolNames(tools, loaded)


def _alone(name: str | None) -> Shares:
    name = name or UNNAMED
    return (((server_of(name) or "", name), 1.0),)


def _listed(nodes: Columns, at: int, value: Json) -> Shares:
    """The tools of a namespace with their shares of it; nothing for any other schema."""
    weights = nodes.inner[at]
    names = _inner_names(value, len(weights)) if weights else []
    said = nodes.names[at] or ""
    server = server_of(said) or said.removeprefix("mcp__")
    whole = sum(weights)
    return tuple(((server, name), weight / whole) for name, weight in zip(names, weights, strict=False))


def _loaded(shares: Shares, value: Json, called: set[ToolKey]) -> tuple[Shares, float] | None:
    """What is left of a schema without its tools that wait, unless a call shows that they were found."""
    if not any(map(defers, [value, *_inner_tools(value)])):
        return None
    items = _inner_tools(value, len(shares)) or [value] * len(shares)
    left = [
        share if key in called or not (defers(value) or defers(item)) else 0.0
        for (key, share), item in zip(shares, items, strict=True)
    ]
    kept = sum(left)
    return tuple((key, share / kept if kept else 0.0) for (key, _), share in zip(shares, left, strict=True)), kept


def _names_by_id(nodes: Columns, uses: list[int], contents: Contents) -> dict[int, str]:
    """Names of the results that have none, from the calls that they share an id with."""
    nameless = [at for at in uses if nodes.kinds[at] is Kind.TOOL_RESULTS and not nodes.names[at]]
    if not nameless:
        return {}
    calls = [at for at in uses if nodes.kinds[at] is Kind.TOOL_CALLS]
    asked = {nodes.contents[at] for at in (*calls, *nameless)}
    values = contents.some(asked | {digest for at in nameless if (digest := nodes.wrappers[at]) is not None})
    names = {id_: nodes.names[at] or "" for at in calls for id_ in ids_in(values.get(nodes.contents[at]))}
    found = {}
    for at in nameless:
        ids = [*ids_in(values.get(nodes.contents[at])), *ids_in(values.get(nodes.wrappers[at] or b""))]
        found[at] = next((names[id_] for id_ in ids if id_ in names), "")
    return found


def ids_in(value: Json) -> Iterator[str]:
    """What a block or a message says that it is, or belongs to, in whatever dialect."""
    if isinstance(value, dict):
        for key, id_ in value.items():
            if key.endswith("id") and isinstance(id_, str) and id_:
                yield id_


def _inner_tools(value: Json, count: int | None = None) -> list[Json]:
    """The tools in a listing: its only list (of this length) that holds objects alone."""
    for items in value.values() if isinstance(value, dict) else ():
        fits = isinstance(items, list) and items and (count is None or len(items) == count)
        if fits and all(isinstance(item, dict) for item in items):
            return list(items)
    return []


def _inner_names(value: Json, count: int) -> list[str]:
    """Names of the tools in a listing; none if it is read otherwise."""
    tools = _inner_tools(value, count)
    held = [tool.get("function") if isinstance(tool.get("function"), dict) else tool for tool in tools]
    return [tool["name"] if isinstance(tool.get("name"), str) else UNNAMED for tool in held]
