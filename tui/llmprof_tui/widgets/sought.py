"""A hit of a search -> the entry of a call's pages that it stands in, and the word to look for there."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from llmprof_addon.store.search import Hit
from llmprof_addon.store.search_words import SEARCHED_CHARS
from llmprof_tui.widgets.entry import Entry
from llmprof_tui.widgets.search import found_in


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What a person wants to see in a call."""

    near: str
    """Some of the text around it, white space collapsed."""
    words: tuple[str, ...]
    """What was matched, as it was written: all of it, else each of its words."""
    kind: str | None = None
    """The component kind of the text."""


class Spot(NamedTuple):
    """Where it stands."""

    answer: bool
    """In the answer, not in the prompt."""
    entry: int
    word: str
    """What to look for there."""


def sought_of(hit: Hit) -> Sought | None:
    """What to look for of a hit; `None` for a call alone."""
    found = hit.snippet
    if found is None or not found.marks:
        return None
    start, end = found.marks[0]
    said = found.text[start:end]
    parts = tuple(word for word in re.split(r"\W+", said) if word)
    return Sought(near=found.text.strip("…"), words=tuple(dict.fromkeys((said, *parts))), kind=hit.kind)


def spot_of(sought: Sought, prompt: Sequence[Entry], answer: Sequence[Entry]) -> Spot | None:
    """The entry that holds the text around; else the first of its kind with the word; else the first with it."""
    tries: tuple[Callable[[Entry], bool], ...] = (
        lambda entry: sought.near in " ".join(_searched(entry).split()),
        lambda entry: entry.kind is not None and entry.kind.value == sought.kind and _word(sought, entry) is not None,
        lambda entry: _word(sought, entry) is not None,
    )
    for fits in tries:
        for entries in (prompt, answer):
            for at, entry in enumerate(entries):
                if fits(entry):
                    word = _word(sought, entry) or sought.words[-1]
                    return Spot(answer=entries is answer, entry=at, word=word)
    return None


def _searched(entry: Entry) -> str:
    return entry.text[:SEARCHED_CHARS]


def _word(sought: Sought, entry: Entry) -> str | None:
    for word in sought.words:
        if next(found_in(_searched(entry), word), None) or next(found_in(entry.name, word), None):
            return word
    return None
