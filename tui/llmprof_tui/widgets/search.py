"""Where a word stands in a text."""

import re
from collections.abc import Iterator

MOST_HITS = 10_000
"""So many are counted; who looks at more looks for another word."""


def first(found: Iterator[tuple[int, int]], most: int) -> Iterator[tuple[int, int]]:
    """The first of them."""
    for _, each in zip(range(most), found, strict=False):
        yield each


def found_in(text: str, query: str) -> Iterator[tuple[int, int]]:
    """Where a word stands in a text, whatever its case: start and end, in order, without overlaps."""
    if not query:
        return
    low, word = text.lower(), query.lower()
    if len(low) != len(text) or len(word) != len(query):  # a letter whose small form is two
        for match in re.finditer(re.escape(query), text, re.IGNORECASE):
            yield match.start(), match.end()
        return
    at = low.find(word)
    while at >= 0:
        yield at, at + len(word)
        at = low.find(word, at + len(word))
