"""A node of a flame -> the parts of the call that stand behind it."""

from collections.abc import Sequence
from dataclasses import dataclass

from llmprof_addon.model.component import Component
from llmprof_tui.widgets.entry import Entry


@dataclass(frozen=True, slots=True)
class Node:
    """The parts behind a node."""

    entries: tuple[Entry, ...]
    offset: int = 0
    """Where in the text of the only part the node begins, as far as that can be told."""


def behind(entries: Sequence[Entry], trail: Sequence[Component]) -> Node:
    """The parts of a trail's last node: its own, those below it, or the one that it is a stretch of."""
    if len(trail) < 2:
        return Node(tuple(entries))
    node = trail[-1]
    paths = _paths(node)
    if paths:
        return Node(tuple(entry for entry in entries if entry.path in paths))
    for above in reversed(trail[1:-1]):
        if above.path:
            found = tuple(entry for entry in entries if entry.path == above.path)
            at = found[0].text.find(node.name) if found and node.name else -1
            return Node(found[:1], max(at, 0))
    # What no part stands behind is an entry of its own.
    return Node(tuple(entry for entry in entries if entry.kind is node.kind and not entry.path))


def _paths(node: Component) -> set[str]:
    found: set[str] = set()
    todo = [node]
    while todo:
        each = todo.pop()
        if each.path:
            found.add(each.path)
        else:
            todo += each.children
    return found
