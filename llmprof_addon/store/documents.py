"""JSON values beside the tree: request fields, and the envelope of what chains and columns leave out.

Large values at the top level are set out among the contents, so that what repeats in every call (tools that a response
echoes, a long schema) is stored once.
"""

from llmprof_addon.model.call import Answer
from llmprof_addon.model.count import Framing
from llmprof_addon.model.exchange import Exchange
from llmprof_addon.model.part import Form, Json, Marker, Part, PartKind
from llmprof_addon.model.tree import Envelope, canonical, digest, parse

LARGE_BYTES = 1024
"""From this size on a value is set out. Smaller ones (usage, metadata) differ from call to call and gain nothing."""

type Contents = dict[bytes, bytes]
"""Canonical JSON by digest."""


def set_out(value: Json, contents: Contents) -> Json:
    """The value without its large top-level values, which go into `contents`: `[[key, value] | [key, digest, true]]`.

    A value that is no object is kept as `{"value": …}`.
    """
    if not isinstance(value, dict):
        return {"value": value}
    pairs: list[Json] = []
    for key, held in value.items():
        data = canonical(held)
        if len(data) < LARGE_BYTES:
            pairs.append([key, held])
        else:
            contents[digest(data)] = data
            pairs.append([key, digest(data).hex(), True])
    return pairs


def put_back(kept: Json, contents: Contents) -> Json:
    """The inverse of `set_out`."""
    if isinstance(kept, dict):
        return kept["value"]
    return {pair[0]: parse(contents[bytes.fromhex(pair[1])]) if len(pair) == 3 else pair[1] for pair in kept}


def from_envelope(envelope: Envelope) -> Json:
    """An envelope as JSON; what is empty is left out."""
    out: dict[str, Json] = {}
    if envelope.markers:
        out["markers"] = [[section, index, *_from_marker(marker)] for section, index, marker in envelope.markers]
    if envelope.volatile:
        out["volatile"] = [[section, index, *_from_part(part)] for section, index, part in envelope.volatile]
    if envelope.forms:
        out["forms"] = [list(one) for one in envelope.forms]
    return out


def to_envelope(kept: Json) -> Envelope:
    """The inverse of `from_envelope`."""
    return Envelope(
        markers=tuple((section, index, _to_marker(rest)) for section, index, *rest in kept.get("markers", ())),
        volatile=tuple((section, index, _to_part(rest)) for section, index, *rest in kept.get("volatile", ())),
        forms=tuple((section, index, _form(form)) for section, index, form in kept.get("forms", ())),
    )


def _from_marker(marker: Marker) -> list[Json]:
    return [list(marker.where), marker.on_wrapper, marker.key, marker.value]


def _to_marker(kept: list[Json]) -> Marker:
    where, on_wrapper, key, value = kept
    return Marker(where=tuple(where), on_wrapper=on_wrapper, key=key, value=value)


def _from_part(part: Part) -> list[Json]:
    markers = [_from_marker(marker) for marker in part.markers]
    return [part.kind.value, part.role, part.text, part.place, part.form, part.wrapper, part.value, markers]


def _to_part(kept: list[Json]) -> Part:
    kind, role, text, place, form, wrapper, value, markers = kept
    return Part(
        kind=PartKind(kind),
        role=role,
        text=text,
        volatile=True,
        place=place,
        form=_form(form),
        wrapper=wrapper,
        value=value,
        markers=tuple(_to_marker(marker) for marker in markers),
    )


def _form(form: Form) -> Form:
    return form


PLACES = ("markers", "volatile", "forms", "inherited", "framing", "answer")
"""Keys of `placed` in the document of a call."""


def placed(kept: Envelope, of_answer: Envelope, inherited: tuple[int, int], framing: Framing | None) -> dict[str, Json]:
    """What depends on the paths of a call: the envelopes of its prompt and its answer, and what stands around both."""
    document: dict[str, Json] = from_envelope(kept)
    if inherited[1]:
        document["inherited"] = list(inherited)
    if framing is not None:
        document["framing"] = [framing.prompt, framing.preamble, framing.answer, [*framing.tools], [*framing.inner]]
    if held := from_envelope(of_answer):
        document["answer"] = held
    return document


def to_framing(document: Json) -> Framing | None:
    """The framing in a call's document; `None` where an earlier version wrote it, or there is none to count."""
    if "framing" not in document:
        return None
    prompt, preamble, answer, tools, inner = document["framing"]
    return Framing(prompt=prompt, preamble=preamble, answer=answer, tools=tuple(tools), inner=tuple(inner))


def envelope_document(exchange: Exchange, answer: Answer, places: dict[str, Json], contents: Contents) -> Json:
    """What a call's chains and columns leave out; `places` is what `placed` gives. Large values go into `contents`."""
    document = dict(places)
    if exchange.request_headers:
        document["request_headers"] = [list(pair) for pair in exchange.request_headers]
    if exchange.response_headers:
        document["response_headers"] = [list(pair) for pair in exchange.response_headers]
    if answer.usage is not None and answer.usage.raw is not None:
        document["usage_raw"] = answer.usage.raw
    if answer.rest is not None:
        document["rest"] = set_out(answer.rest, contents)
    return document
