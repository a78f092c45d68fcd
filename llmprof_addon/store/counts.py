"""Raw counts, running totals and compositions as a few bytes: every number a base-128 varint, low bits first."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice

from llmprof_addon.model.component import Kind, KindTotal
from llmprof_addon.model.count import RawCount, TextKinds
from llmprof_addon.model.usage import Source

CODES: dict[Kind, int] = {
    Kind.SYSTEM: 1,
    Kind.SYSTEM_INJECTION: 2,
    Kind.TOOL_SCHEMAS: 3,
    Kind.USER: 4,
    Kind.ASSISTANT: 5,
    Kind.REASONING: 6,
    Kind.TOOL_CALLS: 7,
    Kind.TOOL_RESULTS: 8,
    Kind.IMAGES: 9,
    Kind.AUDIO: 10,
    Kind.DOCUMENTS: 11,
    Kind.OUTPUT_SCHEMA: 12,
    Kind.GENERIC: 13,
    Kind.PROVIDER_OVERHEAD: 14,
    Kind.UNATTRIBUTED: 15,
    Kind.ELIDED: 16,
    Kind.TEXT: 17,
}
"""How kinds are stored. A code never changes its meaning; new kinds get new codes."""

SOURCES: dict[Source, int] = {Source.REPORTED: 1, Source.COUNTED: 2, Source.ESTIMATED: 3}
"""How sources are stored, by the same rule."""

_KINDS = {code: kind for kind, code in CODES.items()}
_SOURCES = {code: source for source, code in SOURCES.items()}

type Totals = Mapping[Kind, TextKinds]


def _write(out: bytearray, number: int) -> None:
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)


def _numbers(data: bytes) -> list[int]:
    numbers: list[int] = []
    number = shift = 0
    for byte in data:
        if byte > 0x7F:
            number |= (byte & 0x7F) << shift
            shift += 7
        else:
            numbers.append(number | byte << shift)
            number = shift = 0
    return numbers


def pack_raw(raw: RawCount) -> bytes:
    """A part's raw count."""
    out = bytearray()
    _raw(out, raw)
    return bytes(out)


def _raw(out: bytearray, raw: RawCount) -> None:
    for number in (raw.prose, raw.json, raw.nonlatin, raw.label, len(raw.inner)):
        _write(out, number)
    for inner in raw.inner:
        _raw(out, inner)


def unpack_raw(data: bytes) -> RawCount:
    """The inverse of `pack_raw`."""
    return _read_raw(iter(_numbers(data)))


def _read_raw(numbers: Iterator[int]) -> RawCount:
    prose, json, nonlatin, label, inner = islice(numbers, 5)
    return RawCount(prose, json, nonlatin, label, tuple([_read_raw(numbers) for _ in range(inner)]) if inner else ())


def pack_totals(totals: Totals) -> bytes:
    """Running totals by kind."""
    out = bytearray()
    for kind, sums in totals.items():
        for number in (CODES[kind], sums.prose, sums.json, sums.nonlatin, sums.messages, sums.tool_calls):
            _write(out, number)
    return bytes(out)


def unpack_totals(data: bytes) -> dict[Kind, TextKinds]:
    """The inverse of `pack_totals`."""
    numbers = iter(_numbers(data))
    return {
        _KINDS[code]: TextKinds(
            prose=next(numbers),
            json=next(numbers),
            nonlatin=next(numbers),
            messages=next(numbers),
            tool_calls=next(numbers),
        )
        for code in numbers
    }


def add(totals: Totals, kind: Kind, raw: RawCount, *, message: bool, tool_call: bool) -> dict[Kind, TextKinds]:
    """The totals with one more part; its inner parts count under its own kind."""
    old = totals.get(kind, TextKinds())
    prose, json, nonlatin = _sums(raw)
    new = TextKinds(
        prose=old.prose + prose,
        json=old.json + json,
        nonlatin=old.nonlatin + nonlatin,
        messages=old.messages + message,
        tool_calls=old.tool_calls + tool_call,
    )
    return {**totals, kind: new}


def _sums(raw: RawCount) -> tuple[int, int, int]:
    prose, json, nonlatin = raw.prose, raw.json, raw.nonlatin
    for inner in raw.inner:
        more = _sums(inner)
        prose, json, nonlatin = prose + more[0], json + more[1], nonlatin + more[2]
    return prose, json, nonlatin


def pack_composition(*sides: Sequence[KindTotal]) -> bytes:
    """Totals by kind of a call's prompt and of its answer. A cost is stored one higher, 0 stands for `None`."""
    out = bytearray()
    for side in sides:
        _write(out, len(side))
        for one in side:
            cost = 0 if one.cost is None else one.cost + 1
            for number in (CODES[one.kind], SOURCES[one.source], one.tokens, one.read, one.write, one.fresh, cost):
                _write(out, number)
    return bytes(out)


def unpack_composition(data: bytes) -> list[tuple[KindTotal, ...]]:
    """The inverse of `pack_composition`."""
    numbers = _numbers(data)
    sides = []
    at = 0
    while at < len(numbers):
        start, at = at + 1, at + 1 + 7 * numbers[at]
        sides.append(tuple(_total(*numbers[one : one + 7]) for one in range(start, at, 7)))
    return sides


@lru_cache(maxsize=1024)  # the calls of a run have many in common: one object instead of thousands
def _total(kind: int, source: int, tokens: int, read: int, write: int, fresh: int, cost: int) -> KindTotal:
    return KindTotal(
        kind=_KINDS[kind],
        source=_SOURCES[source],
        tokens=tokens,
        read=read,
        write=write,
        fresh=fresh,
        cost=cost - 1 if cost else None,
    )
