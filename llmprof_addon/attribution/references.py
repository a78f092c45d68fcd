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
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import NamedTuple

from llmprof_addon.model.component import Kind
from llmprof_addon.model.part import Json
from llmprof_addon.model.recent import Recent
from llmprof_addon.model.run_tree import Rent, RunNode, RunTree

READ_CHARS = 200_000
"""Of each content."""
MOST_HANDLES = 4_000
"""Of each content and sort."""
RARE = 0.05
"""What is in more of the run's contents than this share, and in more than `FEW`, tells none of them apart."""
FEW = 4

_NAMED = (Kind.USER, Kind.ASSISTANT, Kind.TOOL_CALLS, Kind.TOOL_RESULTS, Kind.DOCUMENTS, Kind.GENERIC)
"""Kinds of which it can be seen that an answer refers to them."""

_WORD = re.compile(r"https?://[^\s\"'<>)\]}`]+|[\w.~@+-]*(?:/[\w.@+-]+)+|[\w.-]{5,}")
_TELLING = re.compile(r"[A-Za-z]\d|\d[A-Za-z]|\w[_./-]\w|[a-z][A-Z]|^\d+$")
"""Letters and digits together, joined words, numbers: words that no language has."""
_QUOTED = re.compile(r"`([^`\n]{6,120})`|\"([^\"\n]{8,120})\"")
_NUMBERED = re.compile(r"^\s*\d+(?:\t|→|[:|] ?)")
"""What tools put before the lines of a file."""
_LINE_CHARS = range(16, 201)


class Handles(NamedTuple):
    """Hashes of what a content can be referred to by."""

    names: array[int]
    """Whoever refers to the content is expected to say one of them."""
    wordings: array[int]
    """Whoever says one of them refers to the content; but one may well refer to it without."""


_NONE = Handles(array("q"), array("q"))
_known: Recent[bytes, Handles] = Recent(1_000_000, lambda known: len(known.names) + len(known.wordings) + 8)


def refer(tree: RunTree, rents: Sequence[Rent]) -> tuple[Rent, ...]:
    """The rents with `referred` and `referable`."""
    said: defaultdict[int, list[int]] = defaultdict(list)
    called: defaultdict[object, list[int]] = defaultdict(list)
    for at, call in enumerate(tree.calls):
        for node in map(tree.nodes.__getitem__, tree.answer(call)):
            for handle in chain(*_handles(tree, node)):
                said[handle].append(at)
            if node.kind is Kind.TOOL_CALLS:
                for tool, _ in node.tools:
                    called[tool].append(at)
    telling = _telling(tree, rents)
    return tuple(_referred(tree, rent, said, called, telling) for rent in rents)


def _referred(
    tree: RunTree,
    rent: Rent,
    said: dict[int, list[int]],
    called: dict[object, list[int]],
    telling: set[int],
) -> Rent:
    if rent.node is None:
        return rent
    node = tree.nodes[rent.node]
    found: Iterable[list[int]]
    if rent.kind is Kind.TOOL_SCHEMAS:
        referable = bool(node.tools)
        found = (called[tool] for tool, _ in node.tools if tool in called)
    else:
        handles = _of_node(tree, node)
        referable = any(handle in telling for handle in handles.names)
        found = (said[handle] for handle in chain(*handles) if handle in said and handle in telling)
    last = max((_last_within(calls, rent) for calls in found), default=-1)
    return replace(rent, referable=referable, referred=None if last < 0 else last)


def _last_within(calls: list[int], rent: Rent) -> int:
    """The last of the calls that are between the first and the last one that carried a part; -1 if none is."""
    place = bisect_right(calls, rent.last) - 1
    return calls[place] if place >= 0 and calls[place] >= rent.first else -1


def _telling(tree: RunTree, rents: Sequence[Rent]) -> set[int]:
    """Handles that few of the run's contents have, and that no schema has: names of tools and of their parameters."""
    contents = {node.content: node for rent in rents if rent.node is not None and (node := tree.nodes[rent.node])}
    having: Counter[int] = Counter()
    for node in contents.values():
        having.update({*chain(*_of_node(tree, node))})
    most = max(FEW, RARE * len(contents))
    telling = {handle for handle, number in having.items() if number <= most}
    telling.difference_update(hash(tool[1]) for node in tree.nodes for tool, _ in node.tools)
    for schema in {node.content: node for node in tree.nodes if node.kind is Kind.TOOL_SCHEMAS}.values():
        telling.difference_update(*_handles(tree, schema))
    return telling


def _of_node(tree: RunTree, node: RunNode) -> Handles:
    return _handles(tree, node) if node.kind in _NAMED else _NONE


def _handles(tree: RunTree, node: RunNode) -> Handles:
    known = _known.get(node.content)
    if known is None:
        try:
            value = tree.contents[node.content]
        except KeyError:  # its text is gone: nothing can be said of it
            return _NONE
        known = _taken(_texts(value, with_keys=node.kind is Kind.TOOL_SCHEMAS))
        _known.add(node.content, known)
    return known


def _taken(texts: Iterable[str]) -> Handles:
    names: set[int] = set()
    wordings: set[int] = set()
    left = READ_CHARS
    for text in texts:
        read, left = text[:left], left - len(text)
        names.update(map(hash, islice(names_in(read), MOST_HANDLES - len(names))))
        wordings.update(map(hash, islice(wordings_in(read), MOST_HANDLES - len(wordings))))
        if left <= 0:
            break
    return Handles(array("q", names), array("q", wordings))


def _texts(value: Json, *, with_keys: bool) -> Iterator[str]:
    """All texts of a value, those of its inner values after its own."""
    todo = [value]
    for one in todo:
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            todo += [*one.values(), *one] if with_keys else one.values()
        elif isinstance(one, list):
            todo += one


def names_in(text: str) -> Iterator[str]:
    """Addresses, paths and their last parts, ids, names that are no plain words."""
    for word in _WORD.findall(text):
        word = word.strip(".-")
        if len(word) >= 5 and _TELLING.search(word):
            yield word
            if "/" in word and len(last := word.rpartition("/")[2]) >= 5 and _TELLING.search(last):
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
