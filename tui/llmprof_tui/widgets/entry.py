"""What a page of messages is made of: entries, how much of each is shown, and places in them."""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple

from llmprof_addon.model.component import Kind
from llmprof_addon.model.part import Json

type Syntax = Literal["markdown", "json", "text", "auto"]
"""`json` as it stands; `auto` is JSON to be put in order if it is any, else text."""
HEAD = -1
"""Place of an entry's head, before all its text."""


class Level(StrEnum):
    """How much of an entry is shown."""

    FULL = "full"
    FOLDED = "folded"
    """Its head, with the first words of its text."""
    HIDDEN = "hidden"
    """Counted among its neighbours of the same kind."""


LEVELS: dict[Kind, Level] = dict.fromkeys(Kind, Level.FULL) | {
    Kind.SYSTEM: Level.FOLDED,
    Kind.SYSTEM_INJECTION: Level.FOLDED,
    Kind.TOOL_SCHEMAS: Level.HIDDEN,
    Kind.TOOL_CALLS: Level.FOLDED,
    Kind.TOOL_RESULTS: Level.FOLDED,
    Kind.REASONING: Level.FOLDED,
    Kind.OUTPUT_SCHEMA: Level.FOLDED,
    Kind.GENERIC: Level.FOLDED,
}
"""What is shown of a kind unless a person chose otherwise: the conversation, with its work folded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What one part of the page says."""

    title: str
    """Its role or kind."""
    kind: Kind | None = None
    name: str = ""
    """Of the tool, or what else tells it from its neighbours; printable."""
    preview: str = ""
    """The start of its text, or what there is to say of a part without one; printable, on one line."""
    text: str = ""
    """As it was sent."""
    syntax: Syntax = "markdown"
    tokens: int | None = None
    estimated: bool = False
    read: int = 0
    write: int = 0
    marks: tuple[str, ...] = ()
    """Cache breakpoints that stand on it, by their time to live."""
    path: str = ""
    """JSON path in the body."""
    edges: tuple[str, ...] = ()
    """What ends behind it: the prefix that was read, or written."""
    notes: tuple[str, ...] = ()
    """Short facts beside its name: `error`, `deferred`."""
    whole: Json = None
    """The value whose JSON is copied in place of the text, which leaves out what nobody reads."""


def called(entry: Entry) -> str:
    """What an entry is called in a message."""
    return f"{entry.title} {entry.name}".strip()


def as_sent(entry: Entry) -> str:
    """All of an entry, to be copied."""
    return json.dumps(entry.whole, ensure_ascii=False, indent=2) if entry.whole is not None else entry.text


class Place(NamedTuple):
    """A place on the page that survives folding, resizing and refreshing."""

    entry: int
    offset: int
    """In the text that is shown of it, or `HEAD`."""


class Hit(NamedTuple):
    """Where a searched word stands."""

    entry: int
    start: int
    """`HEAD` where it stands in the entry's name."""
    end: int
