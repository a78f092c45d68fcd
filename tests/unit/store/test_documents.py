import pytest

from llmprof_addon.model.count import Framing
from llmprof_addon.model.part import Json, Marker, Part, PartKind
from llmprof_addon.model.tree import Envelope, canonical, parse
from llmprof_addon.store.documents import PLACES, from_envelope, placed, put_back, set_out, to_envelope, to_framing


@pytest.mark.parametrize("value", [{}, {"b": 1, "a": "x" * 2000, "c": ["y" * 2000]}, None, [1, 2], "text", 7.0])
def test_values_come_back(value: Json) -> None:
    contents: dict[bytes, bytes] = {}
    kept = parse(canonical(set_out(value, contents)))
    again = put_back(kept, contents)
    assert again == value
    assert canonical(again) == canonical(value)


def test_only_large_values_are_set_out() -> None:
    contents: dict[bytes, bytes] = {}
    set_out({"small": "x", "large": "y" * 2000}, contents)
    assert list(contents.values()) == [canonical("y" * 2000)]


def test_envelopes_come_back() -> None:
    marker = Marker(where=("source", 0), key="cache_control", value={"type": "ephemeral", "ttl": "1h"})
    volatile = Part(
        kind=PartKind.TEXT,
        role="system",
        text="bill 1",
        volatile=True,
        value={"type": "text", "text": "bill 1"},
        place="system",
        markers=(marker,),
        wrapper=None,
    )
    envelope = Envelope(
        markers=(("messages", 3, marker), ("tools", 0, Marker(on_wrapper=True))),
        volatile=(("system", 0, volatile),),
        forms=(("messages", 1, "string"), ("messages", 2, "bare")),
    )
    assert to_envelope(parse(canonical(from_envelope(envelope)))) == envelope
    assert from_envelope(Envelope()) == {}


@pytest.mark.parametrize(
    "framing", [None, Framing(), Framing(prompt=7, preamble=-2, tools=(31, 0), inner=(5,), answer=1)]
)
def test_framings_come_back(framing: Framing | None) -> None:
    document = placed(Envelope(), Envelope(), (0, 0), framing)
    assert to_framing(parse(canonical(document))) == framing
    assert set(document) <= set(PLACES)
