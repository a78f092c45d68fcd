"""Texts as words: what is indexed, what a query's words are compared with, and where they stand in a text.

A word is a run of letters and digits in any script, folded (case, accents); of Chinese and Japanese, whose words have
no spaces between them, each character is one. `_`, `-`, `/` and the like part words, so that parts of names are found.
The index holds starts of long words and of long decimal fractions, of which measured values have one each that nothing
else has; what it finds by them, the texts have to confirm.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from llmprof_addon.model.part import Json
from llmprof_addon.model.standin import is_stand_in
from llmprof_addon.model.tree import parse
from llmprof_addon.providers.texts import texts

WORD_CHARS = 64
"""Of longer words the start is indexed."""

FRACTION_DIGITS = 4
"""Of the digits behind a decimal point as many are indexed, behind a `POINT`."""

POINT = "\u00b7"
"""In no word, but left alone by the tokenizer of the index."""

SEARCHED_CHARS = 200_000
"""Of a content's texts together as many are searched, from the start."""

_HAN = "\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_MARKS = "\u0300-\u036f"
_WORD = re.compile(rf"[{_HAN}]|[^\W_{_HAN}](?:[^\W_{_HAN}]|[{_MARKS}])*")
_ASCII_WORD = re.compile(r"[a-z0-9]+")
_FRACTION = re.compile(rf"\.(?<=[0-9]\.)([0-9]{{{FRACTION_DIGITS}}})[0-9]++(?![\w{_MARKS}])")


@lru_cache(maxsize=20_000)
def _fold(word: str) -> str:
    spread = unicodedata.normalize("NFKD", word.casefold())
    return "".join(character for character in spread if character.isalnum())


def words(text: str) -> list[str]:
    """The words of a text, folded, in order."""
    if text.isascii():
        return _ASCII_WORD.findall(text.lower())
    return [folded for word in _WORD.findall(text) if (folded := _fold(word))]


def places(text: str) -> Iterator[tuple[int, int, str]]:
    """The words of a text with where they start and end."""
    for found in _WORD.finditer(text):
        folded = _fold(found.group())
        if folded:
            yield found.start(), found.end(), folded


def searched_texts(data: bytes) -> tuple[list[str], bool]:
    """The texts of a content that are searched, and whether they are cut."""
    try:
        block: Json = parse(data)
    except (ValueError, RecursionError):
        return [], False
    kept: list[str] = []
    left = SEARCHED_CHARS
    for text in texts(block):
        if left <= 0:
            return kept, True
        if is_stand_in(text):
            continue
        kept.append(text if len(text) <= left else text[:left])
        if len(text) > left:
            return kept, True
        left -= len(text)
    return kept, False


def indexed_words(data: bytes) -> list[str]:
    """The distinct words of a content as they are indexed; `terms` looks for them."""
    found: set[str] = set()
    for text in searched_texts(data)[0]:
        whole, *fractions = _FRACTION.split(text)
        if fractions:
            whole += "".join(fractions[1::2])
            found.update({POINT + digits for digits in fractions[::2]})
        found.update(words(whole))
    return sorted({word[:WORD_CHARS] for word in found})


def terms(word: str, prefix: bool) -> list[tuple[str, bool]]:
    """What the index holds of a text with this word, one of them or several; and whether only their start is given."""
    found = [(word[:WORD_CHARS], prefix)]
    if _is_digits(word) and (prefix or len(word) > FRACTION_DIGITS):
        found.append((POINT + word[:FRACTION_DIGITS], prefix))
    return found


def _is_digits(word: str) -> bool:
    return word.isascii() and word.isdigit()


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that stand one after the other; of the last one only its start, if it is a `prefix`."""

    words: tuple[str, ...]
    prefix: bool = False

    @property
    def exact(self) -> bool:
        """Whether the index alone tells what has it."""
        first, *others = self.words
        return not others and len(first) < (FRACTION_DIGITS + 1 if _is_digits(first) else WORD_CHARS)

    def spans(self, text: Sequence[tuple[int, int, str]]) -> Iterator[tuple[int, int]]:
        """Where it starts and ends in a text of these places."""
        first, size = self.words[0], len(self.words)
        last = size - 1
        for at in range(len(text) - last):
            if size > 1 and text[at][2] != first:
                continue
            said = text[at + last][2]
            if not (said.startswith(self.words[last]) if self.prefix else said == self.words[last]):
                continue
            if all(text[at + step][2] == self.words[step] for step in range(1, last)):
                yield text[at][0], text[at + last][1]

    def is_in(self, folded: str) -> bool:
        """Whether it stands in a text whose words are joined by spaces, with one at either end."""
        joined = " " + " ".join(self.words)
        return (joined if self.prefix else joined + " ") in folded


def joined(text: str) -> str:
    """A text as `Phrase.is_in` takes it."""
    return f" {' '.join(words(text))} "


def has_all(found: Iterable[str], wanted: Sequence[Phrase], unwanted: Sequence[Phrase]) -> bool:
    """Whether all of these phrases, and none of those, stand in these texts of one content."""
    folded = [joined(text) for text in found]
    return all(any(phrase.is_in(text) for text in folded) for phrase in wanted) and not any(
        phrase.is_in(text) for phrase in unwanted for text in folded
    )


@dataclass(frozen=True, slots=True)
class Snippet:
    """Some of a text around what was searched for."""

    text: str
    marks: tuple[tuple[int, int], ...] = ()
    """Starts and ends of the matches in it."""


BEFORE_CHARS = 40
SNIPPET_CHARS = 160


def snippet(found: Sequence[str], wanted: Sequence[Phrase], *, size: int = SNIPPET_CHARS) -> Snippet | None:
    """Around the earliest match in the first text with most of the phrases; `None` if no text has any.

    White space is collapsed; `…` stands where the text goes on.
    """
    best: tuple[int, str, list[tuple[int, int]]] | None = None
    for text in found:
        at = list(places(text))
        per_phrase = [list(islice(phrase.spans(at), 20)) for phrase in wanted]
        number = sum(map(bool, per_phrase))
        if number and (best is None or number > best[0]):
            best = number, text, sorted(span for spans in per_phrase for span in spans)
            if number == len(wanted):
                break
    return None if best is None else _cut(best[1], best[2], size)


def _cut(text: str, spans: Sequence[tuple[int, int]], size: int) -> Snippet:
    start = max(0, spans[0][0] - BEFORE_CHARS)
    if start and (space := text.find(" ", start, spans[0][0])) >= 0:
        start = space + 1
    end = min(len(text), start + size)
    out, marks, at = "…" if start else "", [], start
    for first, last in spans:
        if first < at or first >= end:
            continue
        out += _flat(text[at:first])
        marks.append((len(out), len(out) + len(_flat(text[first : min(last, end)]))))
        out += _flat(text[first : min(last, end)])
        at = min(last, end)
    out += _flat(text[at:end]) + ("…" if end < len(text) else "")
    return Snippet(out, tuple(marks))


def _flat(text: str) -> str:
    return re.sub(r"\s+", " ", text)
