"""A long text -> rows of a given width, chunk by chunk, so that ten megabytes open as fast as ten lines.

A text is cut into chunks of a few kilobytes; how high one is, is estimated until its rows are really laid out. Every
row is made of pieces that name a style and say where in the text they stand, so that hits and cursors find their place
whatever was left out, replaced or wrapped on the way. Pure: no Textual, no colours.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from rich.cells import cell_len, split_graphemes

CHUNK = 4096
"""Characters of a chunk at most: laid out in about a millisecond."""
_TAB = "    "


class Piece(NamedTuple):
    """A stretch of a row in one style."""

    text: str
    style: str = ""
    start: int = -1
    """Where it stands in the source, character for character; -1 for what the layout put in by itself."""


type Row = tuple[Piece, ...]


class Line(NamedTuple):
    """A line before it is wrapped."""

    pieces: Sequence[Piece]
    hang: int = 0
    """Cells by which the rows after its first one are indented."""


class Chunk(NamedTuple):
    """A stretch of a text that is laid out at once."""

    start: int
    end: int
    line: int
    """Line breaks before it."""
    lines: int
    """Line breaks inside it."""
    begun: bool
    """It starts in the middle of a line."""
    cut: bool
    """It ends in the middle of a line, and is wrapped at any character."""

    def estimate(self, width: int) -> int:
        """About how many rows it takes."""
        return max(1, self.lines, (self.end - self.start + width - 1) // width)


_VISIBLE = {code: 0x2400 + code for code in range(0x20) if code not in (0x09, 0x0A)}
_VISIBLE |= {0x7F: 0x2421}
_VISIBLE |= dict.fromkeys((*range(0x80, 0xA0), *range(0x2028, 0x202F), *range(0x2066, 0x206A)), 0xFFFD)
_VISIBLE |= dict.fromkeys(range(0xD800, 0xE000), 0xFFFD)


def visible(text: str) -> str:
    """The text, character for character, with a picture in place of each that would drive the terminal.

    Line feeds and tabs stay; of the ends of lines, as Windows writes them, only the line feed is a control character.
    """
    if text.isascii() and text.isprintable():
        return text
    return text.translate(_VISIBLE)


def chunks(text: str, width: int) -> list[Chunk]:
    """The chunks of a text, in order and without gaps; `width` is that of its rows.

    They end at empty lines if they can, else at line ends; a longer line is cut after whole rows.
    """
    out: list[Chunk] = []
    start = line = 0
    begun = False
    length = len(text)
    room = max(CHUNK // width, 1) * width
    while start < length:
        cut = False
        end = length
        if length - start > CHUNK:
            limit = start + CHUNK
            end = text.rfind("\n\n", start + CHUNK // 2, limit) + 2
            if end < 2:
                end = text.rfind("\n", start, limit) + 1
            if end < 1:
                end, cut = start + room, True
        lines = text.count("\n", start, end)
        out.append(Chunk(start, end, line, lines, begun, cut))
        start, line, begun = end, line + lines, cut
    return out or [Chunk(0, 0, 0, 0, False, False)]


def lines_of(text: str, start: int = 0) -> Iterator[tuple[str, int]]:
    """The lines of a visible text and where each starts; a last line feed ends a line and begins none."""
    at = 0
    for line in text.removesuffix("\n").split("\n"):
        yield line.removesuffix("␍"), start + at
        at += len(line) + 1


def plain_lines(text: str, start: int) -> Iterator[Line]:
    """The lines of a text as they are."""
    for line, at in lines_of(text, start):
        yield Line((Piece(line, "", at),))


def wrapped(lines: Iterable[Line], width: int, *, anywhere: bool = False) -> list[Row]:
    """Rows of at most `width` cells: broken between words where they can be, else between characters."""
    rows: list[Row] = []
    for pieces, hang in lines:
        pieces = _untabbed(pieces)
        joined = "".join(piece.text for piece in pieces)
        if len(joined) <= width and cell_len(joined) <= width:
            rows.append(tuple(pieces))
            continue
        hang = min(hang, width // 2)
        indent = (Piece(" " * hang),) if hang else ()
        first = True
        for start, end in breaks(joined, width, width - hang, anywhere=anywhere):
            rows.append((*(() if first else indent), *_cut(pieces, start, end)))
            first = False
    return rows


def breaks(text: str, first: int, rest: int, *, anywhere: bool = False) -> Iterator[tuple[int, int]]:
    """Stretches of a text for rows of `first`, then `rest` cells; a space that a row is broken at is in none of them.

    A character that is wider than its row has one to itself.
    """
    ends = _cells(text)
    start, room = 0, first
    while start < len(text):
        if ends is None:
            end = min(start + room, len(text))
        else:
            done = ends[start - 1] if start else 0
            end = max(bisect_right(ends, done + room), start + 1)
        if end < len(text):
            space = -1 if anywhere else text.rfind(" ", start, end + 1)
            if space > start and text[start:space].strip():
                yield start, space
                start, room = space + 1, rest
                continue
        yield start, end
        start, room = end, rest


def _cells(text: str) -> Sequence[int] | None:
    """The cell at which each character ends, what belongs together ending together; `None` if all take one cell."""
    if text.isascii():
        return None
    spans, _ = split_graphemes(text)
    ends = list(accumulate(cells for _, _, cells in spans))
    out: list[int] = []
    for (start, end, _), at in zip(spans, ends, strict=True):
        # Characters before the last of a cluster end "later", so that no row ends between them.
        out += [at] * (end - start)
    return out


def _untabbed(pieces: Sequence[Piece]) -> Sequence[Piece]:
    if not any("\t" in piece.text for piece in pieces):
        return pieces
    out: list[Piece] = []
    for text, style, start in pieces:
        at = start
        for index, stretch in enumerate(text.split("\t")):
            if index:
                out.append(Piece(_TAB, style))
                at += at >= 0
            if stretch:
                out.append(Piece(stretch, style, at))
            at += len(stretch) if at >= 0 else 0
    return out


def _cut(pieces: Sequence[Piece], start: int, end: int) -> Iterator[Piece]:
    """What stands between two places of the joined pieces."""
    at = 0
    for text, style, source in pieces:
        low, high = max(start - at, 0), min(end - at, len(text))
        if low < high:
            yield Piece(text[low:high], style, source + low if source >= 0 else -1)
        at += len(text)


def start_of(row: Row) -> int:
    """Where in the source a row starts; -1 if nothing of it stands there."""
    return next((piece.start for piece in row if piece.start >= 0), -1)


@lru_cache(maxsize=1024)
def fitted(text: str, width: int) -> str:
    """One line of at most `width` cells; `…` ends what was cut."""
    if len(text) <= width and cell_len(text) <= width:
        return text
    if width < 1:
        return ""
    end = next(breaks(text[: width * 4], width - 1, width - 1, anywhere=True), (0, 0))[1] if width > 1 else 0
    return text[:end] + "…" if cell_len(text[:end]) < width else "…"
