"""A prompt as a path in a tree: the keys of its nodes, what canonical form leaves out, and the body put together again.

A node's key is a hash over its parent's key and its part's canonical form, so that two prompts share a node exactly if
they agree on everything up to and with that part, whatever the model. Tools, system and messages are three independent
chains. What canonical form leaves out (cache markers, volatile blocks, where a string stood for a block) goes into the
call's `Envelope`, so that `assemble` gives back the JSON value that was received.
"""

import json
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from hashlib import blake2b

from llmprof_addon.model.call import SECTIONS, Prompt
from llmprof_addon.model.part import Form, Json, Marker, Part
from llmprof_addon.model.recent import Recent

KEY_BYTES = 16

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_decode = json.JSONDecoder().raw_decode


def canonical(value: Json) -> bytes:
    """Compact JSON in the key order of the value; lone surrogates survive the round trip through `parse`."""
    return _encode(value).encode("utf-8", "surrogatepass")


def parse(data: bytes) -> Json:
    """The inverse of `canonical`: one JSON value that starts with the first byte."""
    text = data.decode("utf-8", "surrogatepass")
    del data  # a picture of 20 MB would be here three times
    return _decode(text)[0]


def digest(data: bytes) -> bytes:
    """The 16 bytes under which a content is stored."""
    return blake2b(data, digest_size=KEY_BYTES).digest()


@dataclass(frozen=True, slots=True)
class Link:
    """One step of a chain: a node's key and the contents behind it."""

    key: bytes
    parent: bytes
    digest: bytes
    content: bytes
    """Canonical JSON of the part's value."""
    wrapper: bytes | None
    """Canonical JSON of the message that the part opens."""
    wrapper_digest: bytes | None
    part: Part
    """As it first came: equal in all that a chain holds; path, form and markers may be those of another call."""


def root(section: str) -> bytes:
    """The key above the first node of a section."""
    return digest(b"llmprof root " + section.encode())


_LINK_BYTES = 500
"""What a link takes in memory beside its content."""
_recent: Recent[tuple[bytes, int], Link] = Recent(16 * 1024 * 1024, lambda link: len(link.content) + _LINK_BYTES)


def follow(parts: Iterable[Part], parent: bytes) -> tuple[Link, ...]:
    """The chain of these parts below `parent`; volatile parts are no part of it."""
    links: list[Link] = []
    for part in parts:
        if part.volatile:
            continue
        # Readers give the same part for what was sent before: it need not be written and hashed anew. The link holds
        # its part, so that nothing else can have the part's id while the link is remembered.
        key = parent, id(part)
        link = _recent.get(key)
        if link is None:
            link = _link(part, parent)
            _recent.add(key, link)
        links.append(link)
        parent = link.key
    return tuple(links)


def _link(part: Part, parent: bytes) -> Link:
    content = canonical(part.value)
    content_digest = digest(content)
    wrapper = wrapper_digest = None
    if part.wrapper is not None:
        wrapper = canonical(part.wrapper)
        wrapper_digest = digest(wrapper)
    key = digest(b"\0".join((parent, part.place.encode(), wrapper_digest or b"", content_digest)))
    return Link(key, parent, content_digest, content, wrapper, wrapper_digest, part)


@dataclass(frozen=True, slots=True)
class Chains:
    """The three paths of a prompt and the path of its answer, which continues that of the messages."""

    tools: tuple[Link, ...]
    system: tuple[Link, ...]
    messages: tuple[Link, ...]
    answer: tuple[Link, ...]
    base: bytes
    """Parent of the first message: the root, or the end of the call that this one continues by id."""

    @property
    def message_head(self) -> bytes:
        """Key of the last message node; `base` where there are no messages."""
        return self.messages[-1].key if self.messages else self.base

    @property
    def system_head(self) -> bytes:
        """Key of the last system node."""
        return self.system[-1].key if self.system else root("system")

    @property
    def tools_key(self) -> bytes:
        """Key of the tool set: that of the chain of its schemas."""
        return self.tools[-1].key if self.tools else root("tools")

    @property
    def answer_head(self) -> bytes:
        """Key of the answer's last node."""
        return self.answer[-1].key if self.answer else self.message_head


def chains(prompt: Prompt, answer: Iterable[Part] = (), *, base: bytes | None = None) -> Chains:
    """The paths of a call; `base` is the answer head of the call that it continues by id."""
    base = root("messages") if base is None else base
    messages = follow(prompt.messages, base)
    head = messages[-1].key if messages else base
    return Chains(
        follow(prompt.tools, root("tools")), follow(prompt.system, root("system")), messages, follow(answer, head), base
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What a chain does not hold of a prompt. Positions are indexes into the section's parts, volatile ones counted."""

    markers: tuple[tuple[str, int, Marker], ...] = ()
    volatile: tuple[tuple[str, int, Part], ...] = ()
    forms: tuple[tuple[str, int, Form], ...] = ()
    """Where the form differs from the one that the stored node was first seen with."""


def envelope(prompt: Prompt, stored: dict[str, Sequence[Form]]) -> Envelope:
    """The envelope of a prompt whose chains are stored with the given forms (one per non-volatile part, by section)."""
    markers: list[tuple[str, int, Marker]] = []
    volatile: list[tuple[str, int, Part]] = []
    forms: list[tuple[str, int, Form]] = []
    for section in SECTIONS:
        known = iter(stored.get(section, ()))
        for index, part in enumerate(getattr(prompt, section)):
            if part.volatile:
                volatile.append((section, index, part))
                continue
            markers += [(section, index, marker) for marker in part.markers]
            if next(known, part.form) != part.form:
                forms.append((section, index, part.form))
    return Envelope(markers=tuple(markers), volatile=tuple(volatile), forms=tuple(forms))


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPart:
    """A node as the store keeps it."""

    place: str
    form: Form
    wrapper: Json = None
    value: Json = None
    markers: tuple[Marker, ...] = field(default=())


def restore(sections: dict[str, Sequence[StoredPart]], kept: Envelope) -> list[StoredPart]:
    """The stored nodes of the sections, in order, with all that the envelope kept put back."""
    out: list[StoredPart] = []
    for section in SECTIONS:
        items = list(sections.get(section, ()))
        for where, index, part in kept.volatile:
            if where == section:
                again = StoredPart(
                    place=part.place, form=part.form, wrapper=part.wrapper, value=part.value, markers=part.markers
                )
                items.insert(index, again)
        for where, index, form in kept.forms:
            if where == section:
                items[index] = replace(items[index], form=form)
        for where, index, marker in kept.markers:
            if where == section:
                items[index] = replace(items[index], markers=(*items[index].markers, marker))
        out += items
    return out


def assemble(params: Json, parts: Iterable[StoredPart | Part]) -> Json:
    """The request body again: parts put back into `params` at their places. JSON-equal to the body that was carved.

    What something is put into is copied, so that params and parts stay as they are; the rest the body shares with them.
    """
    body: Json = dict(params)
    made: dict[str, Json] = {}  # objects and lists of the body that parts go into, by their path
    for part in parts:
        if not part.place:
            return part.value
        value, wrapper = part.value, part.wrapper
        for marker in part.markers:
            if marker.on_wrapper:
                wrapper = _with(wrapper, marker)
            else:
                value = _with(value, marker)
        container, _, slot = part.place.partition("/")
        if part.form == "beside":
            body[slot] = value["text"]
            continue
        alone = part.form == "bare" or (not slot and part.form in ("string", "whole"))
        if alone or container not in made:
            owner, last = _owner(body, container, made)
            if alone:
                owner[last] = value if part.form == "whole" else value["text"]
                continue
            made[container] = owner[last] = list(owner.get(last, ()))
        items = made[container]
        if not slot:
            items.append(value)
            continue
        if wrapper is not None:
            items.append({key: [*held] if isinstance(held, list) else held for key, held in wrapper.items()})
        if part.form == "string":
            items[-1][slot] = value["text"]
        elif part.form == "whole":
            items[-1][slot] = value
        elif part.form == "item":
            items[-1].setdefault(slot, []).append(value)
    return body


def _owner(body: Json, container: str, made: dict[str, Json]) -> tuple[dict[str, Json], str]:
    """The object of the body that a container stands in, and the container's key there."""
    owner, path = body, ""
    *outer, last = container.split(".")
    for step in outer:
        path += f"{step}."
        if path not in made:
            made[path] = owner[step] = dict(owner.get(step, {}))
        owner = made[path]
    return owner, last


def _with(value: Json, marker: Marker) -> Json:
    """The value with a marker put back; what lies beside the way to it is shared."""
    out = at = copy(value)  # in no way deeper: a copy of all of it recurses, and takes as long as to parse it
    for step in marker.where:
        at[step] = copy(at[step])
        at = at[step]
    at[marker.key] = marker.value
    return out


def locate(parts: Iterable[Part], *, first: int = 0) -> tuple[Part, ...]:
    """Give freshly carved parts their JSON paths, which follow from places, wrappers and forms alone.

    `first` is the index of the first item in its list. Parts without a path get it in place: a copy of each would take
    as long as the carving.
    """
    counts: dict[str, int] = {}
    slots: dict[tuple[str, str], int] = {}
    out: list[Part] = []
    for part in parts:
        container, _, slot = part.place.partition("/")
        if part.form == "bare" or (not slot and part.form in ("string", "whole")):
            path = container
        elif part.form == "beside":
            path = slot
        elif not slot:
            index = counts[container] = counts.get(container, first - 1) + 1
            path = f"{container}[{index}]"
        else:
            if part.wrapper is not None:
                counts[container] = counts.get(container, first - 1) + 1
                slots = {key: count for key, count in slots.items() if key[0] != container} if slots else slots
            path = f"{container}[{counts[container]}]"
            if part.form in ("string", "whole"):
                path += f".{slot}"
            elif part.form == "item":
                inner = slots[container, slot] = slots.get((container, slot), -1) + 1
                path += f".{slot}[{inner}]"
        if not part.path:
            object.__setattr__(part, "path", path)
        elif part.path != path:
            part = replace(part, path=path)
        out.append(part)
    return tuple(out)
