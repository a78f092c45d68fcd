"""JSON paths of a run's nodes, each in the body that brought it first: by the rule of `model.tree.locate`."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import batched
from typing import Any, NamedTuple

from llmprof_addon.store.compress import unsqueeze
from llmprof_addon.store.nodes import BATCH
from llmprof_addon.store.open import Store
from llmprof_addon.store.run_nodes import Columns
from llmprof_addon.store.schema import Envelope

_HEADS = {"tools": "tools_head", "system": "system_head", "messages": "message_head"}


class _Step(NamedTuple):
    """Where a part stands: what the next one has to know of the lists that it is in."""

    path: str = ""
    items: Mapping[str, int] = {}
    """The last index in each list."""
    blocks: Mapping[tuple[str, str], int] = {}
    """The last index in each list of the last item."""

    def next(self, place: str, form: str, *, opens: bool) -> "_Step":
        """The step of a part behind this one; `opens` says whether it is the first of a message."""
        container, _, slot = place.partition("/")
        items, blocks = self.items, self.blocks
        if form == "bare" or (not slot and form in ("string", "whole")):
            return _Step(container, items, blocks)
        if form == "beside":
            return _Step(slot, items, blocks)
        if opens or not slot:
            items = {**items, container: items.get(container, -1) + 1}
            blocks = {key: last for key, last in blocks.items() if key[0] != container} if blocks else blocks
        path = f"{container}[{items.get(container, 0)}]"
        if slot and form in ("string", "whole"):
            path += f".{slot}"
        elif slot and form == "item":
            last = blocks.get((container, slot), -1) + 1
            blocks = {**blocks, (container, slot): last}
            path += f".{slot}[{last}]"
        return _Step(path, items, blocks)


_START = _Step()


def paths(store: Store, nodes: Columns, calls: Sequence[Mapping[str, Any]], first: Sequence[int]) -> list[str]:
    """The path of each node; answers that no prompt has sent stand where the next prompt would have them.

    `calls` are rows in the order of calls, `first` is that of each node, as `first_calls` has it. Of volatile parts,
    which are no nodes, only those that stand before all others of their section are taken into account.
    """
    starts = [at for at, parent in enumerate(nodes.parents) if parent < 0 and first[at] < len(calls)]
    leading = _leading(store, {calls[first[at]]["id"] for at in starts})
    steps = [_START] * len(first)
    # Messages may stand in one list with the system prompt, behind it.
    for at in sorted(range(len(first)), key=lambda at: nodes.sections[at] == "messages"):
        parent, section = nodes.parents[at], nodes.sections[at]
        before = steps[parent] if parent >= 0 else _START
        if first[at] < len(calls):
            call = calls[first[at]]
            base = call["base"]
            if section == "messages" and parent == (-1 if base is None else nodes.index[base]):
                # What continues a call by its id starts a list of its own.
                head = call["system_head"] if base is None else None
                before = _START if head is None else _Step(items=steps[nodes.index[head]].items)
            if parent < 0:
                for place, form, opens in leading.get((call["id"], section), ()):
                    before = before.next(place, form, opens=opens)
        steps[at] = before.next(nodes.places[at], nodes.forms[at], opens=nodes.wrappers[at] is not None)
    return [step.path for step in steps]


def first_calls(nodes: Columns, calls: Sequence[Mapping[str, Any]]) -> list[int]:
    """For each node the first call whose prompt has it, by position; their number for a node that is in none."""
    first = [len(calls)] * len(nodes.parents)
    for at, call in enumerate(calls):
        for head in map(call.__getitem__, _HEADS.values()):
            if head is not None:
                first[nodes.index[head]] = min(at, first[nodes.index[head]])
    for node in range(len(first) - 1, -1, -1):
        parent = nodes.parents[node]
        if parent >= 0 and first[node] < first[parent]:
            first[parent] = first[node]
    return first


def _leading(store: Store, calls: Iterable[int]) -> dict[tuple[int, str], list[tuple[str, str, bool]]]:
    """Place and form of the volatile parts that stand first in their section, and whether they open a message."""
    found: dict[tuple[int, str], list[tuple[str, str, bool]]] = {}
    for some in batched(sorted(calls), BATCH):
        query = Envelope.select(Envelope.call, Envelope.data).where(Envelope.call.in_(some))
        for call, data in store.db.execute(query).fetchall():
            for section, index, _, _, _, place, form, wrapper, *_ in unsqueeze(bytes(data)).get("volatile", ()):
                parts = found.setdefault((call, section), [])
                if index == len(parts):
                    parts.append((place, form, wrapper is not None))
    return found
