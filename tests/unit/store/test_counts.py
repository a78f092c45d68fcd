import pytest

from llmprof_addon.model.component import Kind, KindTotal
from llmprof_addon.model.count import RawCount, TextKinds
from llmprof_addon.model.usage import Source
from llmprof_addon.store.counts import (
    CODES,
    SOURCES,
    add,
    pack_composition,
    pack_raw,
    pack_totals,
    unpack_composition,
    unpack_raw,
    unpack_totals,
)


def test_every_kind_and_source_has_a_code_of_its_own() -> None:
    assert set(CODES) == set(Kind)
    assert len(set(CODES.values())) == len(CODES)
    assert set(SOURCES) == set(Source)


@pytest.mark.parametrize(
    "raw",
    [RawCount(), RawCount(1, 127, 128, 300_000), RawCount(1, inner=(RawCount(2, inner=(RawCount(3),)), RawCount(4)))],
)
def test_raw_counts_come_back(raw: RawCount) -> None:
    assert unpack_raw(pack_raw(raw)) == raw


def test_running_totals() -> None:
    raw = RawCount(5, 6, 7, label=1, inner=(RawCount(10, 20, 30),))
    totals = add({}, Kind.USER, raw, message=True, tool_call=False)
    totals = add(totals, Kind.TOOL_CALLS, RawCount(json=9), message=False, tool_call=True)
    totals = add(totals, Kind.USER, RawCount(1), message=False, tool_call=False)
    assert totals == {
        Kind.USER: TextKinds(prose=16, json=26, nonlatin=37, messages=1),
        Kind.TOOL_CALLS: TextKinds(json=9, tool_calls=1),
    }
    assert unpack_totals(pack_totals(totals)) == totals
    assert unpack_totals(pack_totals({})) == {}


def test_compositions_come_back() -> None:
    prompt = (
        KindTotal(kind=Kind.SYSTEM, tokens=10**6, read=5, write=6, fresh=7, cost=2**62, source=Source.COUNTED),
        KindTotal(kind=Kind.USER, tokens=0, cost=0, source=Source.REPORTED),
    )
    answer = (KindTotal(kind=Kind.TEXT, tokens=3, cost=None, source=Source.ESTIMATED),)
    assert unpack_composition(pack_composition(prompt, answer)) == [prompt, answer]
    assert unpack_composition(pack_composition((), ())) == [(), ()]


def test_a_negative_number_is_refused() -> None:
    with pytest.raises(ValueError):
        pack_raw(RawCount(-1))
