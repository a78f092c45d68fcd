"""Which parts of a run its answers still refer to: by the ids, paths, addresses, names, lines and quotes they share.

A reference is what a reader can point at, so that a part that is used without being named seems forgotten, and one that
shares a name by accident seems remembered. Of a part without names nothing is said; nor of instructions, which are
followed without being quoted, of reasoning, pictures and sounds. A schema is referred to by calls of its tool.

A content's handles are taken once and remembered by its digest; what is done anew for a run that grew is to look up
which of them are in its answers.
"""

import re
from array import array
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import NamedTuple

from llmprof_addon.model.component import Kind
from llmprof_addon.model.part import Json
from llmprof_addon.model.recent import Recent
from llmprof_addon.model.run_tree import Rent, RunNode, RunTree, ToolKey
from llmprof_addon.model.standin import is_stand_in

READ_CHARS = 200_000
"""Of each content."""
MOST_HANDLES = 4_000
"""Of each content and sort."""
RARE = 0.05
"""What is in more of the run's contents than this share, and in more than `FEW`, tells none of them apart."""
FEW = 4
COMMON = 0.25
"""What more of the calls of tools have than this share does not say which is meant: the folder that all work in."""

_NAMED = (Kind.USER, Kind.ASSISTANT, Kind.TOOL_CALLS, Kind.TOOL_RESULTS, Kind.DOCUMENTS, Kind.GENERIC)
"""Kinds of which it can be seen that an answer refers to them."""

_WORD = re.compile(r"https?://[^\s\"'<>)\]}`]+|[\w.~@+-]*+(?:/[\w.@+-]++)++|[\w.-]{5,}+")
"""Possessive, for half the time: no word is found by giving back."""
_TELLING = re.compile(r"[A-Za-z]\d|\d[A-Za-z]|\w[_./-]\w|[a-z][A-Z]|^\d+$")
"""Letters and digits together, joined words, numbers: words that no language has."""
_QUOTED = re.compile(r"`([^`\n]{6,120})`|\"([^\"\n]{8,120})\"")
_NUMBERED = re.compile(r"^\s*\d+(?:\t|→|[:|] ?)")
"""What tools put before the lines of a file."""
_LINE_CHARS = range(16, 201)
_NAME_CHARS = range(5, 201)
_TYPE = frozenset(("type",))
_IDS = frozenset(("id", "call_id", "tool_use_id", "tool_call_id", "toolUseId"))
"""Keys of a block itself whose values join it to others."""
_FRAME = _TYPE | _IDS | frozenset(("name", "role", "status"))
"""Keys of a block itself whose values no answer would say again."""
_SPACE = re.compile(r"[\s,;]")
_BLOB_CHARS = 400
"""A text of more that has no gap in so many is encoded: a picture, a signature."""


class Handles(NamedTuple):
    """Hashes of what a content can be referred to by."""

    names: array[int]
    """Whoever refers to the content is expected to say one of them."""
    wordings: array[int]
    """Whoever says one of them refers to the content; but one may well refer to it without."""
    ids: array[int]
    """What it has in common with the call that it is a result of."""


_NONE = Handles(array("q"), array("q"), array("q"))
_known: Recent[bytes, Handles] = Recent(1_000_000, lambda known: sum(map(len, known)) + 8)


def refer(tree: RunTree, rents: Sequence[Rent]) -> tuple[Rent, ...]:
    """The rents with `referred` and `referable`."""
    return _References(tree).of(rents)


class _References:
    """What answers say, and which of it tells a part."""

    def __init__(self, tree: RunTree) -> None:
        self.tree = tree
        self.said: defaultdict[int, list[int]] = defaultdict(list)
        """The calls whose answers say a handle, by position."""
        self.called: defaultdict[ToolKey, list[int]] = defaultdict(list)
        for at, call in enumerate(tree.calls):
            for node in map(tree.nodes.__getitem__, tree.answer(call)):
                known = _handles(tree, node.content)
                for handle in chain(known.names, known.wordings):
                    self.said[handle].append(at)
                if node.kind is Kind.TOOL_CALLS:
                    for tool, _ in node.tools:
                        self.called[tool].append(at)
        self.asked = {
            id_: known.names
            for node in tree.nodes
            if node.kind is Kind.TOOL_CALLS
            for known in [_handles(tree, node.content)]
            for id_ in known.ids
        }
        """Names in the calls of tools, by the ids of the calls."""
        having = Counter(name for names in self.asked.values() for name in set(names))
        most = max(FEW, COMMON * len(self.asked))
        self.meant = {name for name, number in having.items() if number <= most}
        """Names in the calls of tools that tell them apart, however often texts say them."""

    def of(self, rents: Sequence[Rent]) -> tuple[Rent, ...]:
        """The rents with what refers to their parts."""
        nodes = {
            self.tree.nodes[rent.node].content: self.tree.nodes[rent.node] for rent in rents if rent.node is not None
        }
        telling = self._telling(nodes.values())
        return tuple(self._referred(rent, telling) for rent in rents)

    def _telling(self, nodes: Collection[RunNode]) -> set[int]:
        """Handles that few of these contents have, and that no schema has: names of tools and of their parameters."""
        having: Counter[int] = Counter()
        for node in nodes:
            having.update({*chain(*self._handles_of(node))})
        most = max(FEW, RARE * len(nodes))
        telling = {handle for handle, number in having.items() if number <= most}
        telling.difference_update(hash(tool[1]) for node in self.tree.nodes for tool, _ in node.tools)
        for schema in {node.content for node in self.tree.nodes if node.kind is Kind.TOOL_SCHEMAS}:
            telling.difference_update(*_handles(self.tree, schema, with_keys=True))
        return telling

    def _handles_of(self, node: RunNode) -> tuple[Iterable[int], Iterable[int]]:
        """Names and wordings of a part; names of a result are those in its call as well: the file that was read."""
        if node.kind not in _NAMED:
            return (), ()
        known = _handles(self.tree, node.content)
        if node.kind is not Kind.TOOL_RESULTS:
            return known.names, known.wordings
        return [*known.names, *self._asked(node)], known.wordings

    def _asked(self, node: RunNode) -> Iterable[int]:
        """Names in the call that a result is of."""
        known = _handles(self.tree, node.content)
        ids = (known.ids, _handles(self.tree, node.wrapper).ids if node.wrapper is not None else ())
        return next((self.asked[id_] for id_ in chain(*ids) if id_ in self.asked), ())

    def _referred(self, rent: Rent, telling: set[int]) -> Rent:
        if rent.node is None:
            return rent
        node = self.tree.nodes[rent.node]
        if rent.kind is Kind.TOOL_SCHEMAS:
            referable = bool(node.tools)
            found = [self.called[tool] for tool, _ in node.tools if tool in self.called]
        else:
            names, wordings = self._handles_of(node)
            referable = not telling.isdisjoint(names)
            meant = self.meant.intersection(self._asked(node)) if node.kind is Kind.TOOL_RESULTS else ()
            handles = telling.intersection(chain(names, wordings)).union(meant)
            found = [self.said[handle] for handle in handles & self.said.keys()]
        last = max((_last_within(calls, rent) for calls in found), default=-1)
        return replace(rent, referable=referable, referred=None if last < 0 else last)


def _last_within(calls: list[int], rent: Rent) -> int:
    """The last of the calls that are between the first and the last one that carried a part; -1 if none is."""
    place = bisect_right(calls, rent.last) - 1
    return calls[place] if place >= 0 and calls[place] >= rent.first else -1


def _handles(tree: RunTree, digest: bytes, *, with_keys: bool = False) -> Handles:
    known = _known.get(digest)
    if known is None:
        try:
            value = tree.contents[digest]
        except KeyError:  # its text is gone: nothing can be said of it
            return _NONE
        names, wordings = _taken(_texts(value, with_keys=with_keys))
        known = Handles(names, wordings, array("q", map(hash, _ids(value))))
        _known.add(digest, known)
    return known


def _taken(texts: Iterable[str]) -> tuple[array[int], array[int]]:
    names: set[int] = set()
    wordings: set[int] = set()
    left = READ_CHARS
    for text in texts:
        if is_stand_in(text) or (len(text) > _BLOB_CHARS and not _SPACE.search(text, 0, _BLOB_CHARS)):
            continue
        read, left = text[:left], left - len(text)
        names.update(map(hash, islice(names_in(read), MOST_HANDLES - len(names))))
        wordings.update(map(hash, islice(wordings_in(read), MOST_HANDLES - len(wordings))))
        if left <= 0:
            break
    return array("q", names), array("q", wordings)


def _ids(value: Json, depth: int = 0) -> Iterator[str]:
    """What joins a block or a message to others."""
    for key, inner in value.items() if isinstance(value, dict) else ():
        if isinstance(inner, dict) and not depth:
            yield from _ids(inner, 1)
        elif key in _IDS and isinstance(inner, str):
            yield inner


def _texts(value: Json, *, with_keys: bool) -> Iterator[str]:
    """All texts of a block but what only frames it; those of inner values after its own."""
    todo = [(value, 0)]
    for one, depth in todo:
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            framing = _FRAME if depth < 2 else _TYPE
            todo += [(inner, depth + 1) for key, inner in one.items() if key not in framing]
            todo += [(key, depth) for key in one if with_keys]
        elif isinstance(one, list):
            todo += [(inner, depth + 1) for inner in one]


def names_in(text: str) -> Iterator[str]:
    """Addresses, paths and their last parts, ids, names that are no plain words."""
    for word in dict.fromkeys(_WORD.findall(text)):
        if word.isalpha() and word[1:].islower():  # most words are plain, which takes a tenth of the time to see
            continue
        word = word.strip(".-")
        if len(word) in _NAME_CHARS and _TELLING.search(word):
            yield word
            if "/" in word and len(last := word.rpartition("/")[2]) in _NAME_CHARS and _TELLING.search(last):
                yield last


def wordings_in(text: str) -> Iterator[str]:
    """Lines, and what is quoted."""
    for found in _QUOTED.findall(text):
        yield " ".join((found[0] or found[1]).split())
    if " " in text:
        for line in text.splitlines():
            line = " ".join(_NUMBERED.sub("", line).split())
            if len(line) in _LINE_CHARS and " " in line:
                yield line
