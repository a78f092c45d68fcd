"""The part of the prompt tree that a run's calls run through, as parallel lists, with the tools its nodes belong to.

Parents stand before their children, so that a walk forward carries sums down the paths and a walk backward carries them
up. Contents are read only where a row cannot tell: namespaces, results without a name, calls that came back rewritten.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from itertools import batched
from typing import Any

from llmprof_addon.model.component import Kind
from llmprof_addon.model.count import RawCount
from llmprof_addon.model.kinds import kind_of
from llmprof_addon.model.part import Json, Part, PartKind
from llmprof_addon.model.tree import parse
from llmprof_addon.providers.carving import defers
from llmprof_addon.store.compress import unpack
from llmprof_addon.store.counts import unpack_raw
from llmprof_addon.store.nodes import BATCH
from llmprof_addon.store.open import Store
from llmprof_addon.store.schema import Content
from llmprof_addon.store.trend_facts import UNNAMED

type ToolKey = tuple[str, str]
"""Server (or nothing) and name."""

_NODES = """
WITH RECURSIVE path (id, parent_id) AS (
    SELECT node.id, node.parent_id FROM node WHERE node.id IN (
        SELECT tools_head_id FROM call WHERE run_id = {0}
        UNION SELECT message_head_id FROM call WHERE run_id = {0}
        UNION SELECT answer_head_id FROM call WHERE run_id = {0}
    )
    UNION
    SELECT node.id, node.parent_id FROM node JOIN path ON node.id = path.parent_id
)
SELECT node.id, node.parent_id, node.depth, node.kind, node.role, node.name, node.content_id, node.wrapper_id,
       node_count.encoding, node_count.own
FROM path
JOIN node ON node.id = path.id
LEFT JOIN node_count ON node_count.node_id = node.id
    AND (node.kind IN ('tool_schema', 'tool_call', 'tool_result') OR node.role IN ('tool', 'function'))
ORDER BY node.depth
"""


@cache
def _kind(kind: str, role: str) -> Kind:
    return kind_of(Part(kind=PartKind(kind), role=role), "messages")


@lru_cache(maxsize=10_000)
def _weights(own: bytes) -> tuple[int, tuple[int, ...]]:
    """Tokens of a node and of its inner parts, at least one: what has no text of its own still has a frame."""
    raw = unpack_raw(own)
    return max(1, _text(raw)), tuple(max(1, _text(inner)) for inner in raw.inner)


def _text(raw: RawCount) -> int:
    return raw.text + raw.label + sum(map(_text, raw.inner))


@dataclass(slots=True)
class ToolTree:
    """Nodes by position; `index` has the position of a row id."""

    index: dict[int, int] = field(default_factory=dict)
    parents: list[int] = field(default_factory=list)
    """Positions, -1 above the first node of a chain."""
    depths: list[int] = field(default_factory=list)
    contents: list[bytes] = field(default_factory=list)
    tools: list[tuple[tuple[ToolKey, float], ...]] = field(default_factory=list)
    """The tools that a node belongs to, each with its share of the node; a namespace has many."""
    by_kind: dict[Kind, dict[str, dict[int, int]]] = field(default_factory=dict)
    """Tokens by kind, encoding and position."""

    def weights(self, encoding: str, kind: Kind) -> list[int]:
        """Tokens of each node that is of this kind, 0 for all others."""
        out = [0] * len(self.parents)
        for node, weight in self.by_kind.get(kind, {}).get(encoding, {}).items():
            out[node] = weight
        return out

    def running(self, own: Sequence[int]) -> list[int]:
        """Sums from the root down to each node."""
        out: list[int] = []
        for parent, weight in zip(self.parents, own, strict=True):
            out.append(weight if parent < 0 else out[parent] + weight)
        return out

    def sum_up(self, values: list[Any]) -> None:
        """Add to each node, in place, what all nodes below it have."""
        parents = self.parents
        for node in range(len(parents) - 1, -1, -1):
            value = values[node]
            if value and parents[node] >= 0:
                values[parents[node]] += value

    def between(self, top: int | None, head: int | None) -> list[int]:
        """Positions from below the node with row id `top` down to `head`, the last first."""
        end = -1 if top is None else self.index[top]
        node = -1 if head is None else self.index[head]
        found = []
        while node not in (end, -1):
            found.append(node)
            node = self.parents[node]
        return found


def read_tree(store: Store, run: int) -> ToolTree:
    """The nodes above all heads of a run's calls; `run` is its row id."""
    tree, named = ToolTree(), _Names(store)
    index, by_kind = tree.index, tree.by_kind
    rows = store.db.execute_sql(_NODES.format(store.db.param), (run,) * 3).fetchall()
    for id_, parent, depth, kind, role, name, content, wrapper, encoding, own in rows:
        at = index.get(id_)
        if new := at is None:
            at = index[id_] = len(tree.parents)
            tree.parents.append(-1 if parent is None else index[parent])
            tree.depths.append(depth)
            tree.contents.append(bytes(content))
        if own is not None:
            weight, inner = _weights(bytes(own))
            under = _kind(kind, role)
            by_kind.setdefault(under, {}).setdefault(encoding, {})[at] = weight
            if new:
                named.note(at, under, name, bytes(content), wrapper, inner)
    tree.tools = [()] * len(tree.parents)
    named.settle(tree)
    named.leave_out_deferred(tree)
    return tree


@dataclass(slots=True)
class _Names:
    """Finds out which tools nodes belong to."""

    store: Store
    plain: dict[int, str] = field(default_factory=dict)
    schemas: set[int] = field(default_factory=set)
    listings: dict[int, tuple[bytes, tuple[int, ...]]] = field(default_factory=dict)
    """Namespaces: their contents, and the tokens of each tool in them."""
    nameless: dict[int, tuple[bytes, bytes | None]] = field(default_factory=dict)
    """Results whose call is not in the same request: contents of block and message."""
    calls: dict[int, bytes] = field(default_factory=dict)

    def note(self, at: int, kind: Kind, name: str | None, content: bytes, wrapper: Any, inner: tuple[int, ...]) -> None:
        """Take down a node; those of other kinds belong to no tool."""
        if kind is Kind.TOOL_SCHEMAS:
            self.schemas.add(at)
            if inner:
                self.listings[at] = content, inner
        elif kind is Kind.TOOL_CALLS:
            self.calls[at] = content
        elif kind is not Kind.TOOL_RESULTS:
            return
        elif not name:
            self.nameless[at] = content, None if wrapper is None else bytes(wrapper)
        self.plain[at] = name or ""

    def settle(self, tree: ToolTree) -> None:
        """Write the tools of all nodes that have been noted."""
        called = self._names_by_id() if self.nameless else {}
        inner = self._listed(tree)
        for at, name in self.plain.items():
            if at in inner:
                continue
            name = name or called.get(at) or UNNAMED
            tree.tools[at] = (((_server(name), name), 1.0),)
        # Calls of a namespace's tool may leave the namespace out.
        listed: dict[str, set[ToolKey]] = defaultdict(set)
        for shares in inner.values():
            for key, _ in shares:
                listed[key[1]].add(key)
        own = {tree.tools[at][0][0] for at in self.schemas if at not in inner}
        for at in self.plain.keys() - self.schemas:
            ((key, _),) = tree.tools[at]
            if len(listed[key[1]]) == 1 and key not in own:
                tree.tools[at] = ((next(iter(listed[key[1]])), 1.0),)

    def leave_out_deferred(self, tree: ToolTree) -> None:
        """Take no tokens for schemas that wait to be searched for, unless a call shows that they were found."""
        contents = _contents(self.store, {tree.contents[at] for at in self.schemas})
        waiting = {key: value for key, value in contents.items() if any(map(defers, [value, *_inner_tools(value)]))}
        called = {key for at in self.calls for key, _ in tree.tools[at]}
        for at in self.schemas:
            value = waiting.get(tree.contents[at])
            if value is None:
                continue
            tools = tree.tools[at]
            items = _inner_tools(value, len(tools)) or [value] * len(tools)
            shares = [
                share if key in called or not (defers(value) or defers(item)) else 0.0
                for (key, share), item in zip(tools, items, strict=True)
            ]
            kept = sum(shares)
            tree.tools[at] = tuple(
                (key, share / kept if kept else 0.0) for (key, _), share in zip(tools, shares, strict=True)
            )
            for weights in tree.by_kind[Kind.TOOL_SCHEMAS].values():
                if at in weights:
                    weights[at] = round(weights[at] * kept)

    def _listed(self, tree: ToolTree) -> dict[int, tuple[tuple[ToolKey, float], ...]]:
        """Tools of each namespace, with their shares of it."""
        found = {}
        contents = _contents(self.store, {content for content, _ in self.listings.values()})
        for at, (content, weights) in self.listings.items():
            names = _inner_names(contents[content], len(weights))
            if not names:
                continue
            server = _server(self.plain[at]) or self.plain[at].removeprefix("mcp__")
            whole = sum(weights)
            shares = zip(names, weights, strict=True)
            found[at] = tree.tools[at] = tuple(((server, name), weight / whole) for name, weight in shares)
        return found

    def _names_by_id(self) -> dict[int, str]:
        """Names of the nameless results, from the calls that they share an id with."""
        asked = {content for pair in self.nameless.values() for content in pair if content is not None}
        contents = _contents(self.store, asked | set(self.calls.values()))
        names = {id_: self.plain[at] for at, content in self.calls.items() for id_ in _ids(contents[content])}
        found = {}
        for at, (block, message) in self.nameless.items():
            ids = [*_ids(contents[block]), *(_ids(contents[message]) if message is not None else ())]
            found[at] = next((names[id_] for id_ in ids if id_ in names), "")
        return found


def calls_made(store: Store, tree: ToolTree, heads: Iterable[tuple[int | None, int | None]]) -> dict[ToolKey, int]:
    """How often each tool was called; `heads` are those of the messages and the answer of each of the run's calls.

    A call stands in the answer that made it and in the prompts that carry it on, often at the same node. Clients may
    rewrite it on the way, and after a compaction it stands elsewhere. Its content holds its id in most dialects; where
    it does not, calls are told apart by their depth.
    """
    nodes = {node for found in tree.by_kind.get(Kind.TOOL_CALLS, {}).values() for node in found}
    sent, answered = [0] * len(tree.parents), set()
    for messages, answer in heads:
        if messages is not None:
            sent[tree.index[messages]] = 1
        answered |= nodes.intersection(tree.between(messages, answer))
    tree.sum_up(sent)
    places: defaultdict[bytes, set[int]] = defaultdict(set)
    for node in nodes:
        places[tree.contents[node]].add(node)
    in_answers = {tree.contents[node] for node in answered}
    in_prompts = {tree.contents[node] for node in nodes if sent[node]}
    unsure = {content for content, at in places.items() if len({tree.depths[node] for node in at}) > 1}
    if not in_prompts <= in_answers and not in_answers <= in_prompts:
        unsure |= in_prompts ^ in_answers
    values = _contents(store, unsure)
    made: defaultdict[ToolKey, set[Hashable]] = defaultdict(set)
    same: dict[str, bytes] = {}
    for content, at in places.items():
        ids = list(_ids(values.get(content)))
        first = next((same[id_] for id_ in ids if id_ in same), content)
        same |= dict.fromkeys(ids, first)
        for node in at:
            ((tool, _),) = tree.tools[node]
            made[tool].add(first if ids or content not in unsure else tree.depths[node])
    return {tool: len(identities) for tool, identities in made.items()}


def _server(name: str) -> str:
    """The MCP server in a name of the form `mcp__server__tool`, which coding agents use."""
    server, separator, _ = name[5:].partition("__") if name.startswith("mcp__") else ("", "", "")
    return server if separator else ""


def _ids(value: Json) -> Iterator[str]:
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


def _contents(store: Store, digests: set[bytes]) -> dict[bytes, Json]:
    found: dict[bytes, Json] = {}
    for some in batched(sorted(digests), BATCH):
        query = Content.select(Content.digest, Content.data, Content.size).where(Content.digest.in_(some))
        for digest, data, size in store.db.execute(query).fetchall():
            found[bytes(digest)] = parse(unpack(bytes(data), size))
    return found
