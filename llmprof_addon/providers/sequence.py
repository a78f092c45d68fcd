"""Lists of a body (tools, system blocks, messages) carved item by item, none of them twice.

Every turn of a conversation sends all turns before it. How an item is read depends on the item, on its position, and on
what was known before it: a reading is remembered under all of these, and its parts are used again.
"""

import marshal
from collections import ChainMap
from collections.abc import Callable, Hashable, Iterator, MutableMapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from llmprof_addon.model.part import Json, Part
from llmprof_addon.model.recent import Recent
from llmprof_addon.model.tree import locate

type Names = MutableMapping[str, tuple[str | None, str | None]]
"""Tool name and server by call id."""


@dataclass(slots=True)
class Seen:
    """What earlier items of the same body say about later ones."""

    calls: Names = field(default_factory=dict)
    loaded: set[str] = field(default_factory=set)
    """Names of deferred tools that the conversation has loaded."""


@dataclass(frozen=True, slots=True)
class _Reading:
    data: bytes
    """The item, exactly: tells apart what `==` does not (key order, 1 and 1.0), in a tenth of the time of JSON."""
    parts: tuple[Part, ...]
    calls: Names
    loaded: set[str]
    state: int | None
    """Stands for what was known after the item, if that is more than before."""


type _Key = tuple[Hashable, int, int, bytes]

_states = count()
_TAIL_BYTES = 64
_READING_BYTES = 1500
"""What a short item takes in memory beside its text."""
_recent: Recent[_Key, _Reading] = Recent(16 * 1024 * 1024, lambda reading: len(reading.data) + _READING_BYTES)


def carve_items(
    items: Sequence[Json], place: str, carve: Callable[[Json, str, Seen], Sequence[Part]], seen: Seen
) -> Iterator[tuple[Json, tuple[Part, ...]]]:
    """Each item of the list at `place` with its parts, which have their paths. Items add to `seen`.

    `carve` gets item and place, depends on nothing but its arguments, and is the same object in every call.
    """
    state: Hashable = (carve, place, tuple(seen.calls.items()), frozenset(seen.loaded))
    for index, item in enumerate(items):
        try:
            data = marshal.dumps(item, 0)
        except ValueError:  # nested deeper than marshal goes
            data = b""
        # Length and end, since to hash all of it takes longer than to compare it.
        key: _Key = (state, index, len(data), data[-_TAIL_BYTES:])
        reading = _recent.get(key)
        if reading is None or reading.data != data:
            reading = _read(item, data, index, place, carve, seen)
            if data:
                _recent.add(key, reading)
        if reading.state is not None:
            seen.calls.update(reading.calls)
            seen.loaded.update(reading.loaded)
            state = reading.state
        yield item, reading.parts


def _read(
    item: Json, data: bytes, index: int, place: str, carve: Callable[[Json, str, Seen], Sequence[Part]], seen: Seen
) -> _Reading:
    calls: Names = {}
    known = Seen(ChainMap(calls, seen.calls), set(seen.loaded))
    parts = locate(carve(item, place, known), first=index)
    loaded = known.loaded - seen.loaded
    return _Reading(data, parts, calls, loaded, next(_states) if calls or loaded else None)
