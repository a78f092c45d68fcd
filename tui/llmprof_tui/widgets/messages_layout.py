"""Entries (parts of a prompt, of an answer, or of a raw body) -> the rows of one long page that folds.

The page is a list of spans: a head, the chunks of a body, a line where a cached prefix ends, a run of entries that are
hidden. Rows of chunks are laid out when they come into view; until then their number is an estimate, and `settle` keeps
still what a person looks at when it becomes known. Pure: no Textual, no colours.
"""

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import accumulate
from typing import Literal, NamedTuple

from llmprof_addon.model.component import Kind
from llmprof_tui.widgets.entry import HEAD, LEVELS, Entry, Hit, Level, Place, Syntax
from llmprof_tui.widgets.markup import fences, json_lines, markdown_lines
from llmprof_tui.widgets.pretty import pretty
from llmprof_tui.widgets.search import MOST_HITS, first, found_in
from llmprof_tui.widgets.text_layout import Chunk, Row, chunks, plain_lines, start_of, visible, wrapped

PROSE = 110
"""Cells of a line of prose at most: longer ones are hard to read."""
LEAST = 16
"""Cells of a row at least, however narrow the terminal is."""
_KEPT_CHUNKS = 256
_NEAR = 4
"""Pages within which scrolling up keeps what is on the screen in its place; farther is a jump."""


class Span(NamedTuple):
    """A stretch of the page."""

    what: Literal["gap", "head", "body", "edge", "hidden"]
    entry: int
    chunk: Chunk | None = None
    fenced: bool = False
    text: str = ""
    """Of an edge."""
    last: int = 0
    """Of a run of hidden entries: the last one."""


class Outline:
    """The page of some entries at a width."""

    def __init__(self, entries: Sequence[Entry], levels: Mapping[Kind, Level], *, numbered: bool = False) -> None:
        self.entries = entries
        self.levels = {**LEVELS, **levels}
        self.numbered = numbered
        self.rendered = True
        """Whether Markdown and JSON are drawn, or shown as they were sent."""
        self.width = 80
        self.own: dict[int, Level] = {}
        """Levels of single entries, which outdo those of their kinds."""
        self._texts: dict[int, tuple[str, Syntax]] = {}
        self._cuts: dict[int, tuple[int, list[Chunk], list[int]]] = {}
        self._rows: OrderedDict[tuple[int, int], list[Row]] = OrderedDict()
        self._known: dict[tuple[int, int], int] = {}

    # what is shown

    @cached_property
    def spans(self) -> list[Span]:
        """All of the page, from its top."""
        return list(self._spans())

    @cached_property
    def _heights(self) -> list[int]:
        return [self._height(span) for span in self.spans]

    @cached_property
    def _tops(self) -> list[int]:
        return [0, *accumulate(self._heights)]

    @property
    def height(self) -> int:
        """Rows of the page."""
        return self._tops[-1]

    def level(self, index: int) -> Level:
        """How much of an entry is shown."""
        entry = self.entries[index]
        own = self.own.get(index)
        return own or (Level.FULL if entry.kind is None else self.levels[entry.kind])

    def text(self, index: int) -> tuple[str, Syntax]:
        """The text that is shown of an entry, and what it is written in."""
        if index not in self._texts:
            entry = self.entries[index]
            text, syntax = entry.text, entry.syntax
            if not self.rendered:
                syntax = "text"
            elif syntax == "auto":
                better = pretty(text)
                text, syntax = (text, "text") if better is None else (better, "json")
            self._texts[index] = text, syntax
        return self._texts[index]

    def resize(self, width: int) -> None:
        """Lay out for another width."""
        self.width = max(width, LEAST)
        self._forget()

    def render(self, rendered: bool) -> None:
        """Draw Markdown and JSON, or show them as they were sent."""
        self.rendered = rendered
        self._texts.clear()
        self._forget()

    def set_level(self, kind: Kind, level: Level) -> None:
        """Show so much of every entry of a kind."""
        self.levels[kind] = level
        self.own = {index: own for index, own in self.own.items() if self.entries[index].kind is not kind}
        self.rebuild()

    def set_all(self, level: Level) -> None:
        """Show so much of every entry that is not hidden."""
        shown = [index for index in range(len(self.entries)) if self.level(index) is not Level.HIDDEN]
        self.own |= dict.fromkeys(shown, level)
        self.rebuild()

    def open(self, first: int, level: Level, last: int | None = None) -> None:
        """Show so much of these entries."""
        self.own |= dict.fromkeys(range(first, (first if last is None else last) + 1), level)
        self.rebuild()

    def _forget(self) -> None:
        self._cuts.clear()
        self._rows.clear()
        self._known.clear()
        self.rebuild()

    def rebuild(self) -> None:
        """The spans again, when they are asked for; what is laid out of chunks stays."""
        for made in ("spans", "_heights", "_tops"):
            self.__dict__.pop(made, None)

    def _height(self, span: Span) -> int:
        if span.chunk is None:
            return 1
        known = self._known.get((span.entry, span.chunk.start))
        return span.chunk.estimate(self.text_width(span.entry)) if known is None else known

    def _spans(self) -> Iterator[Span]:
        hidden: list[int] = []
        airy = True  # after an entry with a body, and before one, stands an empty row
        for index, entry in enumerate(self.entries):
            level = self.level(index)
            if hidden and (level is not Level.HIDDEN or entry.kind is not self.entries[hidden[-1]].kind):
                yield Span("hidden", hidden[0], last=hidden[-1])
                hidden, airy = [], False
            if level is Level.HIDDEN:
                hidden.append(index)
            else:
                body = level is Level.FULL and bool(entry.text)
                if index and (body or airy):
                    yield Span("gap", index)
                airy = body
                yield Span("head", index)
                if body:
                    yield from self._body(index)
            if entry.edges and hidden:
                yield Span("hidden", hidden[0], last=hidden[-1])
                hidden, airy = [], False
            for edge in entry.edges:
                yield Span("edge", index, text=edge)
        if hidden:
            yield Span("hidden", hidden[0], last=hidden[-1])

    def _body(self, index: int) -> Iterator[Span]:
        text, syntax = self.text(index)
        if index not in self._cuts:
            starts = fences(text) if syntax == "markdown" else []
            width = self.text_width(index)
            self._cuts[index] = width, chunks(text, width), starts
        _, cuts, starts = self._cuts[index]
        for chunk in cuts:
            yield Span("body", index, chunk, bool(bisect_left(starts, chunk.start) % 2))

    @property
    def gutter(self) -> int:
        """Cells left of a text."""
        if not self.numbered:
            return 3
        lines = max((cuts[-1].line + cuts[-1].lines + 1 for _, cuts, _ in self._cuts.values()), default=1)
        return max(len(f"{lines}"), 4) + 2

    def text_width(self, index: int) -> int:
        """Cells of a row of an entry's text."""
        room = max(self.width - (9 if self.numbered else 4), LEAST - 4)
        return min(room, PROSE) if self.text(index)[1] == "markdown" else room

    # rows

    def row(self, y: int) -> tuple[Span, int] | None:
        """The span at a row, and which row of it; `None` below the page."""
        if not 0 <= y < self.height:
            return None
        at = bisect_right(self._tops, y) - 1
        return self.spans[at], y - self._tops[at]

    def body(self, span: Span) -> list[Row]:
        """The rows of a chunk."""
        assert span.chunk is not None
        key = span.entry, span.chunk.start
        if key in self._rows:
            self._rows.move_to_end(key)
            return self._rows[key]
        chunk = span.chunk
        text, syntax = self.text(span.entry)
        shown = visible(text[chunk.start : chunk.end])
        width = self.text_width(span.entry)
        if syntax == "markdown":
            lines = markdown_lines(shown, chunk.start, width, fenced=span.fenced)
        elif syntax == "json":
            lines = json_lines(shown, chunk.start, begun=chunk.begun)
        else:
            lines = plain_lines(shown, chunk.start)
        rows = self._rows[key] = wrapped(lines, width, anywhere=chunk.cut)
        if len(self._rows) > _KEPT_CHUNKS:
            self._rows.popitem(last=False)
        return rows

    def settle(self, top: int, rows: int, *, keep: int | None = None) -> int:
        """Lay out what so many rows from the top show, and say where their top is after that.

        `keep` is a row below the top, at most the height: it stays as far below it, if it is less than a few pages.
        """
        if not self.spans:
            return 0
        top = min(max(top, 0), self.height - 1)
        if keep is not None and top < keep <= top + _NEAR * rows:
            first, within = self._above(keep, keep - top)
        else:
            first = bisect_right(self._tops, top) - 1
            self._know(first)
            within = min(top - self._tops[first], max(self._heights[first] - 1, 0))
        left = rows + within
        at = first
        while at < len(self.spans) and left > 0:
            self._know(at)
            left -= self._heights[at]
            at += 1
        self._tops = [0, *accumulate(self._heights)]
        return self._tops[first] + within

    def _above(self, y: int, rows: int) -> tuple[int, int]:
        """The span, and the row of it, so many true rows above a row."""
        at = len(self.spans) if y >= self.height else bisect_right(self._tops, y) - 1
        rows -= y - self._tops[at]
        while rows > 0 and at > 0:
            at -= 1
            self._know(at)
            rows -= self._heights[at]
        return at, max(-rows, 0)

    def _know(self, at: int) -> None:
        span = self.spans[at]
        if span.chunk is not None and (span.entry, span.chunk.start) not in self._known:
            self._heights[at] = self._known[span.entry, span.chunk.start] = len(self.body(span))

    # places

    def place(self, y: int) -> Place:
        """What stands at a row."""
        found = self.row(min(max(y, 0), self.height - 1))
        if found is None:
            return Place(0, HEAD)
        span, index = found
        if span.chunk is None:
            return Place(span.entry, HEAD)
        rows = self.body(span)
        starts = (start_of(row) for row in rows[min(index, len(rows) - 1) :: -1])
        return Place(span.entry, max(next((start for start in starts if start >= 0), 0), span.chunk.start))

    def y_of(self, place: Place) -> int:
        """The row of a place; that of the head, or of the hidden run, where its text is not shown."""
        at = self._span_of(place)
        span = self.spans[at] if at < len(self.spans) else None
        if span is None or span.chunk is None or place.offset == HEAD:
            return self._tops[min(at, len(self.spans))]
        self._know(at)
        self._tops = [0, *accumulate(self._heights)]
        starts = list(accumulate((start_of(row) for row in self.body(span)), max))
        return self._tops[at] + max(bisect_right(starts, place.offset) - 1, 0)

    def _span_of(self, place: Place) -> int:
        """Index of the span that shows a place."""
        at = bisect_left(self.spans, place.entry, key=lambda span: span.entry if span.what != "hidden" else span.last)
        for index in range(at, len(self.spans)):
            span = self.spans[index]
            if span.what in ("head", "hidden"):
                at = index
                if place.offset == HEAD or span.what == "hidden":
                    return at
            elif span.chunk is not None:
                if span.entry != place.entry:
                    break
                at = index
                if place.offset < span.chunk.end:
                    return at
            elif span.what == "edge" or span.entry != place.entry:
                break
        return at

    # search

    def hits(self, query: str) -> Iterator[list[Hit]]:
        """Where a word stands, whatever its case, entry by entry, folded and hidden ones too."""
        left = MOST_HITS
        for index, entry in enumerate(self.entries):
            named = [Hit(index, HEAD, HEAD)] if next(found_in(f"{entry.title} {entry.name}", query), None) else []
            found = [Hit(index, start, end) for start, end in first(found_in(self.text(index)[0], query), left)]
            left -= len(found)
            yield named + found
            if left <= 0:
                return
