"""The smallest things worth naming in a prompt or an answer, and where each of them stands in its body.

A part carries what re-assembly needs: the canonical JSON `value` of its block, the message `wrapper` that it opens, and
its `place`. Token counts and identity are elsewhere, so that parts of two calls compare by what they are.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

type Json = Any
"""A value as `json.loads` returns it."""

type Form = Literal["item", "string", "bare", "whole", "beside", "absent"]
"""How the value stood in its body: `item` of a list; a `string` for one text block; `bare`, a string for the whole list
of messages; `whole`, the value itself under its key; `beside`, a string under the slot's name beside the list that it
is the last message of; `absent`, a message that has nothing but its wrapper."""


class PartKind(StrEnum):
    """What a block is, whichever provider's word stood for it."""

    TEXT = "text"
    REASONING = "reasoning"
    TOOL_CALL = "tool_call"
    TOOL_RESULT = "tool_result"
    IMAGE = "image"
    AUDIO = "audio"
    DOCUMENT = "document"
    TOOL_SCHEMA = "tool_schema"
    OUTPUT_SCHEMA = "output_schema"
    GENERIC = "generic"
    """A block of a type that no reader knows: kept and shown as it is."""

    __hash__ = str.__hash__  # that of enumerations is written in Python


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """What can be known of an image, document or sound without decoding it."""

    type: str | None = None
    """Media type, e.g. `image/png`."""
    width: int | None = None
    height: int | None = None
    size_bytes: int | None = None
    """Decoded size; `None` where the body only refers to the data."""
    pages: int | None = None
    """Of an inline PDF."""
    detail: str | None = None
    """OpenAI's `low`, `high`, `original`, `auto`."""
    source: Literal["inline", "url", "file"] = "inline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """A cache breakpoint: stripped from the canonical value, kept in the envelope."""

    where: tuple[str | int, ...] = ()
    """Path of the object that carried it, inside the value."""
    on_wrapper: bool = False
    key: str = "cache_control"
    value: Json = None

    @property
    def ttl(self) -> str | None:
        """`5m`, `1h`, … where it is said."""
        return self.value.get("ttl") if isinstance(self.value, dict) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One block of a prompt or an answer."""

    kind: PartKind
    role: str = ""
    """`system`, `developer`, `user`, `assistant`, `tool`, or what the wire said; empty for schemas."""
    text: str | None = None
    """The text that is billed: of a message, a result, call arguments, a schema as sent. `None` for pure media."""
    name: str | None = None
    """Tool name of a call, a result (found through its call id) or a schema; `name` of a message."""
    server: str | None = None
    """MCP server or namespace that a tool belongs to."""
    call_id: str | None = None
    media: Media | None = None
    hidden: bool = False
    """Encrypted or signed content whose tokens no text shows."""
    deferred: bool = False
    """A schema that is not loaded into the prompt until it is searched for."""
    volatile: bool = False
    """Changes with every call and is stripped by the provider: no part of any chain, 0 tokens."""
    inner: tuple["Part", ...] = ()
    """Blocks inside this one (a result's images, a namespace's tools); their texts are not repeated in `text`."""

    value: Json = None
    """Canonical JSON of the block: cache markers stripped, key order as sent, a bare string as one text block."""
    place: str = ""
    """`container/slot`: top-level key (dotted if nested) and the key inside the message: `messages/content`."""
    form: Form = "item"
    wrapper: Json = None
    """The message without what was carved out of it, on the first part of a message; `None` on those that follow."""
    markers: tuple[Marker, ...] = ()
    path: str = field(default="", compare=False)
    """JSON path in the body, e.g. `messages[3].content[1]`."""
    whole: "Part | None" = field(default=None, compare=False, repr=False)
    """The part with its text, which is counted, where this one is kept without it."""
