"""The tree that a person looks at: which thing put how many tokens and dollars into a prompt."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, NamedTuple

from llmprof_addon.model.usage import Source


class Kind(StrEnum):
    """Component kinds of prompts and answers, in the order of legends."""

    SYSTEM = "system"
    SYSTEM_INJECTION = "system_injection"
    TOOL_SCHEMAS = "tool_schemas"
    USER = "user"
    ASSISTANT = "assistant"
    REASONING = "reasoning"
    TOOL_CALLS = "tool_calls"
    TOOL_RESULTS = "tool_results"
    IMAGES = "images"
    AUDIO = "audio"
    DOCUMENTS = "documents"
    OUTPUT_SCHEMA = "output_schema"
    GENERIC = "generic"
    PROVIDER_OVERHEAD = "provider_overhead"
    UNATTRIBUTED = "unattributed"
    ELIDED = "elided"
    TEXT = "text"
    """Visible text of an answer."""

    __hash__ = str.__hash__  # that of enumerations is written in Python, and kinds are keys in every loop over leaves


SYNTHETIC = (Kind.PROVIDER_OVERHEAD, Kind.UNATTRIBUTED, Kind.ELIDED)
"""Kinds that no part stands behind."""

MEDIA = (Kind.IMAGES, Kind.AUDIO, Kind.DOCUMENTS)
"""Kinds that may stand inside parts of others: a picture in the result of a tool."""


class Leaf(NamedTuple):
    """Tokens of one part, or of something that the provider added, in the provider's order.

    A named tuple, since a long prompt makes a thousand of them and a frozen dataclass takes five times as long.
    """

    kind: Kind
    tokens: int
    source: Source
    name: str = ""
    part: int | None = None
    """Index into `Prompt.parts` (or `Answer.parts`); `None` for synthetic leaves."""
    inner: tuple[int, ...] = ()
    """Which inner part of it, where inner parts are leaves of their own."""
    scalable: bool = True
    """Whether reconciliation may scale it up (estimated text); media and framing stay pinned."""
    guessed: bool = False
    """Its size is not known at all (an image behind a URL): reconciliation takes it for what is missing or too much."""
    read: int = 0
    write: int = 0
    fresh: int = 0
    cost: int | None = None
    """Pico-dollars."""


_leaf: Callable[[tuple[Any, ...]], Leaf] = partial(tuple.__new__, Leaf)


def leaves_of(*columns: Sequence[Any]) -> tuple[Leaf, ...]:
    """Leaves from all their fields, column by column: takes a third of the time of making one after the other."""
    return tuple(map(_leaf, zip(*columns, strict=True)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A node of the tree; its numbers are the sums of its children's."""

    kind: Kind
    name: str
    tokens: int
    token_source: Source
    cost: int | None = None
    """Pico-dollars; `None` = unpriced."""
    read_tokens: int = 0
    write_tokens: int = 0
    fresh_tokens: int = 0
    path: str | None = None
    """JSON path in the request body of what stands behind it."""
    children: tuple["Component", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KindTotal:
    """One kind's share of a call, as it is stored on the call."""

    kind: Kind
    tokens: int
    read: int = 0
    write: int = 0
    fresh: int = 0
    cost: int | None = None
    source: Source
