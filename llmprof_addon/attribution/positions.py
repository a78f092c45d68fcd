"""Leaves -> components in the order in which the provider reads them: section, message, block, inner block.

The same leaves as in the tree by kind, so every sum is the same; what was read from the cache is its left end. A group
has the kind that most of what is right inside it is of, by tokens.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from llmprof_addon.attribution.tree import component_of, leaf_component, part_name, says_nothing
from llmprof_addon.model.call import SECTIONS, Call
from llmprof_addon.model.component import Component, Kind, Leaf
from llmprof_addon.model.part import Part, PartKind


def positions(call: Call, leaves: Sequence[Leaf]) -> tuple[Component, ...]:
    """The tree of a prompt by position: what the provider added, and the sections in between."""
    parts = call.prompt.parts
    sections = [section for section in SECTIONS for _ in getattr(call.prompt, section)]
    out: list[Component] = []
    for section, run in groupby(leaves, lambda leaf: "" if leaf.part is None else sections[leaf.part]):
        if not section:
            out += [_synthetic(leaf) for leaf in run if not says_nothing(leaf, None)]
            continue
        blocks = [block for block in _blocks(parts, list(run)) if block[1] is not None]
        inside = list(_messages(parts, blocks)) if section == "messages" else [each for _, each in blocks if each]
        if inside:
            out.append(_group(section, None, inside))
    return tuple(out)


def _synthetic(leaf: Leaf) -> Component:
    return leaf_component(leaf, leaf.name or leaf.kind.value, None, None)


def _blocks(parts: Sequence[Part], leaves: Sequence[Leaf]) -> Iterator[tuple[int, Component | None]]:
    """(index of the part, its component), with its inner parts below it; `None` for one that says nothing."""
    for index, run in groupby(leaves, lambda leaf: leaf.part):
        if index is None:  # cannot be: the leaves of a section have parts
            continue
        outer = parts[index]
        found: list[Component] = []
        for leaf in run:
            part = outer
            for at in leaf.inner:
                part = part.inner[at]
            if not says_nothing(leaf, part):
                found.append(leaf_component(leaf, called(part, outer), part.path or outer.path or None, part))
        if len(found) > 1:
            yield index, _group(called(outer, outer), outer.path or None, found)
        else:
            yield index, found[0] if found else None


def _messages(parts: Sequence[Part], blocks: Sequence[tuple[int, Component | None]]) -> Iterator[Component]:
    """The blocks by message; one of a single block is that block under the name of who speaks."""
    message: list[Component] = []
    role = ""
    for index, block in blocks:
        if block is None:
            continue
        part = parts[index]
        speaker = part.role or part.kind.value
        # The block that opened the message may have said nothing.
        opens = part.wrapper is not None or speaker != role or _owner(part.path or None) != _owner(message[-1].path)
        if message and opens:
            yield _message(role, message)
            message = []
        role = speaker
        message.append(block)
    if message:
        yield _message(role, message)


def _message(role: str, blocks: Sequence[Component]) -> Component:
    if len(blocks) == 1:
        if blocks[0].kind in (Kind.TOOL_CALLS, Kind.TOOL_RESULTS):
            return blocks[0]
        return replace(blocks[0], name=f"{role}: {blocks[0].name}")
    return _group(role, _owner(blocks[0].path), blocks)


def _owner(path: str | None) -> str | None:
    """JSON path of the message that a block stands in."""
    return path.partition("].")[0] + "]" if path and "]." in path else path


def _group(name: str, path: str | None, inside: Sequence[Component]) -> Component:
    held: dict[Kind, int] = {}
    for component in inside:
        held[component.kind] = held.get(component.kind, 0) + component.tokens
    return component_of(max(held, key=held.__getitem__), name, path, tuple(inside))


def called(part: Part, outer: Part) -> str:
    """What a block is called among the others of a prompt."""
    tool = part.name or outer.name or "unknown tool"
    match part.kind:
        case PartKind.TOOL_SCHEMA:
            return part.name or "unnamed"
        case PartKind.TOOL_CALL:
            return f"{tool} call"
        case PartKind.TOOL_RESULT:
            return f"{tool} result"
    return part_name(part)
