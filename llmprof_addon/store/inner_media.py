"""Media that stand inside other parts, as pictures do in the results of tools: of which kinds, and how many.

A row does not tell, its body does, in its dialect's own way; it is read in runs alone whose calls paid for media.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from llmprof_addon.model.component import MEDIA, Kind
from llmprof_addon.model.kinds import kind_of
from llmprof_addon.model.part import Json, Part
from llmprof_addon.model.recent import Recent
from llmprof_addon.model.tree import StoredPart, assemble
from llmprof_addon.providers import dialects
from llmprof_addon.store.contents import Contents
from llmprof_addon.store.run_nodes import Columns

_AT_ONCE = 20
"""Contents, which may hold megabytes each."""

_known: Recent[tuple[str, bytes], Mapping[Kind, int]] = Recent(20_000)
"""What was found in contents, by dialect."""


def inner_media(
    nodes: Columns, contents: Contents, calls: Sequence[Mapping[str, Any]], first: Sequence[int]
) -> dict[int, Mapping[Kind, int]]:
    """By position: media inside a node, by kind. `first` has the first call that carries each node, if one does."""
    found: dict[int, Mapping[Kind, int]] = {}
    asked: list[tuple[int, str]] = []
    for at, weights in enumerate(nodes.inner):
        if weights and first[at] < len(calls) and nodes.kinds[at] not in (Kind.TOOL_SCHEMAS, *MEDIA):
            api: str = calls[first[at]]["api"]
            known = _known.get((api, nodes.contents[at]))
            if known is None:
                asked.append((at, api))
            elif known:
                found[at] = known
    for start in range(0, len(asked), _AT_ONCE):
        some = asked[start : start + _AT_ONCE]
        wrappers = {at: _wrapper(nodes, at) for at, _ in some}
        digests = [*(nodes.contents[at] for at, _ in some), *filter(None, wrappers.values())]
        values = contents.some(digests)
        for at, api in some:
            held = _media(api, nodes, at, values.get(nodes.contents[at]), values.get(wrappers[at] or b""))
            _known.add((api, nodes.contents[at]), held)
            if held:
                found[at] = held
    return found


def _wrapper(nodes: Columns, at: int) -> bytes | None:
    """Digest of the message that a node stands in."""
    while nodes.wrappers[at] is None and nodes.parents[at] >= 0:
        at = nodes.parents[at]
    return nodes.wrappers[at]


def _media(api: str, nodes: Columns, at: int, value: Json, wrapper: Json) -> Mapping[Kind, int]:
    dialect = dialects.by_api(api)
    if dialect is None or value is None:
        return {}
    part = StoredPart(place=nodes.places[at], form=nodes.forms[at], wrapper=wrapper, value=value)  # type: ignore[arg-type]  # stored as one of these
    read = dialect.read_request(assemble({}, [part]))
    return Counter(kind for one in read.parts for kind in _inner(one) if kind in MEDIA)


def _inner(part: Part) -> Iterator[Kind]:
    for one in part.inner:
        yield kind_of(one, "messages")
        yield from _inner(one)
