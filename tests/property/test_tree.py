"""A prompt is what its parts say: carving and assembling are inverse, paths point home, and storing loses nothing."""

import re
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from llmprof_addon.model.call import SECTIONS, Prompt
from llmprof_addon.model.part import Json, Marker, Part, PartKind
from llmprof_addon.model.tree import StoredPart, assemble, canonical, chains, envelope, locate, parse, restore

words = st.text(st.characters(exclude_categories=()), max_size=8)  # lone surrogates as well
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(st.sampled_from(["a", "b", "id", "name"]), json_values, max_size=3)


@dataclass
class Carved:
    """A body with the parts that a reader would carve from it."""

    body: dict[str, Any] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)
    sections: dict[str, list[Part]] = field(default_factory=lambda: {name: [] for name in SECTIONS})

    @property
    def prompt(self) -> Prompt:
        return Prompt(params=self.params, **{name: tuple(parts) for name, parts in self.sections.items()})


def _block(draw: st.DrawFn) -> tuple[Json, Json, tuple[Marker, ...]]:
    """A block as it is sent, its canonical value, and the marker taken out of it."""
    value = {"type": "text", "text": draw(words)} if draw(st.booleans()) else {"type": "x", "in": [draw(objects)]}
    sent = deepcopy(value)
    if not draw(st.booleans()):
        return sent, value, ()
    where = draw(st.sampled_from([(), ("in", 0)])) if "in" in value else ()
    target: Any = sent
    for step in where:
        target = target[step]
    target["cache_control"] = {"type": "ephemeral"}
    return sent, value, (Marker(where=where, value={"type": "ephemeral"}),)


def _list(draw: st.DrawFn, carved: Carved, section: str, container: str) -> None:
    *outer, last = container.split(".")
    owner = carved.body
    for step in outer:
        owner = owner.setdefault(step, {})
    items = owner.setdefault(last, [])
    for _ in range(draw(st.integers(1, 3))):
        sent, value, markers = _block(draw)
        items.append(sent)
        volatile = draw(st.integers(0, 4)) == 0
        kind = PartKind.GENERIC
        carved.sections[section].append(
            Part(kind=kind, value=value, place=container, markers=markers, volatile=volatile)
        )


def _message(draw: st.DrawFn, carved: Carved) -> None:
    wrapper = {"role": draw(st.sampled_from(["user", "assistant"]))} | draw(objects)
    message: dict[str, Any] = deepcopy(wrapper)
    parts: list[Part] = []

    def add(slot: str, form: Any, value: Json, markers: tuple[Marker, ...] = ()) -> None:
        first = None if parts else wrapper
        place = f"messages/{slot}"
        parts.append(Part(kind=PartKind.TEXT, value=value, place=place, form=form, wrapper=first, markers=markers))

    shape = draw(st.sampled_from(["string", "items", "whole", "absent"]))
    if shape == "string":
        message["content"] = draw(words)
        add("content", "string", {"type": "text", "text": message["content"]})
    elif shape == "whole":
        message["content"] = draw(objects)
        add("content", "whole", deepcopy(message["content"]))
    elif shape == "items":
        message["content"] = []
        for _ in range(draw(st.integers(1, 3))):
            sent, value, markers = _block(draw)
            message["content"].append(sent)
            add("content", "item", value, markers)
    if shape == "absent" or draw(st.booleans()):
        calls = draw(st.lists(objects, min_size=0 if shape == "absent" else 1, max_size=2))
        if calls:
            message["tool_calls"] = deepcopy(calls)
        for call in calls:
            add("tool_calls", "item", call)
    if not parts:
        add("content", "absent", None)
    if draw(st.booleans()):
        message["cachePoint"] = 1
        marker = Marker(on_wrapper=True, key="cachePoint", value=1)
        object.__setattr__(parts[0], "markers", (*parts[0].markers, marker))
    carved.body.setdefault("messages", []).append(message)
    carved.sections["messages"] += parts


@st.composite
def carved_bodies(draw: st.DrawFn) -> Carved:
    params = draw(st.dictionaries(st.sampled_from(["model", "stream", "temperature"]), json_values))
    carved = Carved(body=deepcopy(params), params=params)
    if draw(st.booleans()):
        _list(draw, carved, "tools", draw(st.sampled_from(["tools", "toolConfig.tools"])))
    if draw(st.booleans()):
        carved.body["format"] = draw(objects)
        schema = Part(kind=PartKind.OUTPUT_SCHEMA, value=deepcopy(carved.body["format"]), place="format", form="whole")
        carved.sections["tools"].append(schema)
    if draw(st.booleans()):
        _list(draw, carved, "system", "system")
    elif draw(st.booleans()):
        carved.body["system"] = draw(words)
        value = {"type": "text", "text": carved.body["system"]}
        carved.sections["system"].append(Part(kind=PartKind.TEXT, value=value, place="system", form="string"))
    if draw(st.integers(0, 5)) == 0:
        carved.body["messages"] = draw(words)
        value = {"type": "text", "text": carved.body["messages"]}
        part = Part(kind=PartKind.TEXT, value=value, place="messages/content", form="bare", wrapper={"role": "user"})
        carved.sections["messages"].append(part)
    else:
        for _ in range(draw(st.integers(0, 4))):
            _message(draw, carved)
    return carved


def look(body: Json, path: str) -> Json:
    """The value at a path such as `messages[3].content[1]`."""
    for name, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path):
        body = body[name] if name else body[int(index)]
    return body


@given(carved_bodies())
@settings(max_examples=80, deadline=None)
def test_assemble_is_the_inverse_of_carving(carved: Carved) -> None:
    assert assemble(carved.params, carved.prompt.parts) == carved.body


@given(carved_bodies())
@settings(max_examples=80, deadline=None)
def test_paths_point_at_the_values(carved: Carved) -> None:
    for name in SECTIONS:
        for part in locate(carved.sections[name]):
            there = look(carved.body, part.path)
            if part.form in ("string", "bare"):
                assert there == part.value["text"]
            elif part.form == "absent":
                assert there.items() >= part.wrapper.items()
            else:
                unmarked = Part(kind=part.kind, value=part.value, place="at", markers=own_markers(part))
                assert assemble({}, [unmarked])["at"] == [there]


def own_markers(part: Part) -> tuple[Marker, ...]:
    return tuple(marker for marker in part.markers if not marker.on_wrapper)


@given(carved_bodies(), st.data())
@settings(max_examples=80, deadline=None)
def test_what_is_stored_gives_the_body_back(carved: Carved, data: st.DataObject) -> None:
    """Nodes may have been stored first by a call in which a string stood for the block, or a block for the string."""
    prompt = carved.prompt
    paths = chains(prompt)
    stored: dict[str, list[StoredPart]] = {}
    for name in SECTIONS:
        parts = [part for part in getattr(prompt, name) if not part.volatile]
        links = getattr(paths, name)
        assert len(links) == len(parts)
        stored[name] = []
        for part, link in zip(parts, links, strict=True):
            swapped = part.form in ("string", "item") and data.draw(st.booleans())
            form = {"string": "item", "item": "string"}[part.form] if swapped else part.form
            wrapper = None if link.wrapper is None else parse(link.wrapper)
            again = StoredPart(place=part.place, form=form, wrapper=wrapper, value=parse(link.content))  # type: ignore[arg-type]
            stored[name].append(again)
    kept = envelope(prompt, {name: [part.form for part in parts] for name, parts in stored.items()})
    assert assemble(carved.params, restore(dict(stored), kept)) == carved.body


@given(json_values)
def test_canonical_json_is_read_back_as_it_was(value: Json) -> None:
    data = canonical(value)
    assert parse(data) == value
    assert canonical(parse(data)) == data


@given(carved_bodies(), carved_bodies())
@settings(deadline=None)
def test_prompts_share_nodes_exactly_as_far_as_they_agree(one: Carved, two: Carved) -> None:
    def shape(part: Part) -> tuple[str, bytes | None, bytes]:
        return part.place, None if part.wrapper is None else canonical(part.wrapper), canonical(part.value)

    for name in SECTIONS:
        left, right = getattr(chains(one.prompt), name), getattr(chains(two.prompt), name)
        same = 0
        for a, b in zip(left, right, strict=False):
            if shape(a.part) != shape(b.part):
                break
            same += 1
        assert [link.key for link in left[:same]] == [link.key for link in right[:same]]
        assert not {link.key for link in left[same:]} & {link.key for link in right[same:]}
