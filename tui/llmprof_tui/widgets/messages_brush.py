"""One row of a page of messages as segments: heads with their numbers, texts with their margin, marks of a search."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from llmprof_addon.export import text as wording
from llmprof_addon.model.component import Kind
from llmprof_tui.widgets.entry import HEAD, Entry, Hit, Level
from llmprof_tui.widgets.messages_layout import Outline, Span
from llmprof_tui.widgets.search import found_in
from llmprof_tui.widgets.text_layout import Row, fitted

_SPACE = Segment(" ")


@dataclass(slots=True)
class Brush:
    """What rows are drawn from, and with."""

    outline: Outline
    look: Callable[[str], Style]
    """The style of some names, as pieces have them."""
    colour: Callable[[Kind | None], Style]
    total: int = 0
    """Tokens that shares are of; 0 shows none."""
    cached: bool = False
    """Whether the call read or wrote a cache."""
    word: str = ""
    hits: dict[int, list[Hit]] = field(default_factory=dict)
    """Where the word stands, by entry."""
    here: Hit | None = None
    """The hit that a person looks at."""

    def segments(self, span: Span, index: int, width: int) -> list[Segment]:
        """The row of this index of a span, at most so many cells."""
        match span.what:
            case "gap":
                return []
            case "head":
                return self._head(span.entry, width)
            case "edge":
                return self._edge(span, width)
            case "hidden":
                return self._hidden(span, width)
            case "body":
                rows = self.outline.body(span)
                return self._body(span, rows[index]) if index < len(rows) else []

    def _head(self, index: int, width: int) -> list[Segment]:
        entry = self.outline.entries[index]
        colour = self.colour(entry.kind)
        full = self.outline.level(index) is Level.FULL
        fold = " " if not entry.text else "▾" if full else "▸"
        named = self.word and any(hit.start < 0 for hit in self.hits.get(index, ()))
        title = [Segment("▎", colour), Segment(f"{fold} ", self.look("dim"))]
        title += self._named(entry.title, colour + Style(bold=True), bool(named), index)
        if entry.name:
            title += [Segment(" "), *self._named(entry.name, Style(bold=True), bool(named), index)]
        title += [Segment(f" ⚑{mark}", self.look("flag")) for mark in entry.marks]
        title += [Segment(f" {note}", self.look("write")) for note in entry.notes]
        right = self._numbers(entry, width)
        room = width - sum(segment.cell_length for segment in (*title, *right)) - 2
        preview = entry.preview if not full or not entry.text else ""
        if not preview and full and width >= 100:
            preview = entry.path
        shown = fitted(preview, room) if room > 3 else ""
        fill = width - sum(segment.cell_length for segment in (*title, *right)) - cell_len(shown) - bool(shown)
        title += [Segment(" "), Segment(shown, self.look("dim"))] if shown else []
        if fill < 0:  # a long name
            strip = Strip(title).crop(0, max(width - sum(each.cell_length for each in right) - 1, 8))
            title, fill = list(strip), width - strip.cell_length - sum(each.cell_length for each in right)
        return [*title, Segment(" " * max(fill, 0)), *right]

    def _named(self, text: str, style: Style, marked: bool, index: int) -> list[Segment]:
        if not marked:
            return [Segment(text, style)]
        hit = self.look("here" if self.here and self.here[:2] == (index, HEAD) else "hit")
        out, done = [], 0
        for start, end in found_in(text, self.word):
            out += [Segment(text[done:start], style), Segment(text[start:end], style + hit)]
            done = end
        return [*out, Segment(text[done:], style)]

    def _numbers(self, entry: Entry, width: int) -> list[Segment]:
        """Tokens, share and cache at the right end of a head."""
        if entry.tokens is None or width < 40:
            return []
        out = [Segment(f"{wording.tokens(entry.tokens, estimated=entry.estimated):>7}", Style())]
        if self.total and width >= 50:
            out.append(Segment(f"{wording.share(entry.tokens, self.total):>5}", self.look("dim")))
        if self.cached and width >= 60:
            state, look = _cache_state(entry)
            out += [Segment("  "), Segment(f"{state:<5}", self.look(look))]
        return [*out, _SPACE]

    def _edge(self, span: Span, width: int) -> list[Segment]:
        look = self.look("write" if "written" in span.text else "read")
        label = fitted(f"── {span.text} ", width)
        return [Segment(label + "─" * (width - cell_len(label)), look)]

    def _hidden(self, span: Span, width: int) -> list[Segment]:
        entries = self.outline.entries[span.entry : span.last + 1]
        kind = entries[0].kind
        named = wording.KIND_NAMES[kind] if kind and len(entries) > 1 else entries[0].title
        what = f"{len(entries):,} {named}"
        known = [entry.tokens for entry in entries if entry.tokens is not None]
        estimated = any(entry.estimated for entry in entries)
        total = Entry(
            title="",
            tokens=sum(known) if known else None,
            estimated=estimated,
            read=sum(entry.read for entry in entries),
            write=sum(entry.write for entry in entries),
        )
        right = self._numbers(total, width)
        colour = self.colour(kind)
        left = [Segment("▎", colour), Segment("⋯ ", self.look("dim")), Segment(what, colour)]
        left.append(Segment(" hidden", self.look("dim")))
        fill = width - sum(segment.cell_length for segment in (*left, *right))
        return [*left, Segment(" " * max(fill, 1)), *right]

    def _body(self, span: Span, row: Row) -> list[Segment]:
        assert span.chunk is not None
        out = self._margin(span, row)
        hits = self.hits.get(span.entry, ())
        for text, names, start in row:
            style = self.look(names) if names else Style()
            done = 0
            if hits and start >= 0:
                at = max(bisect_right(hits, start, key=lambda hit: hit.end), 0)
                while at < len(hits) and hits[at].start < start + len(text):
                    hit = hits[at]
                    at += 1
                    low, high = max(hit.start - start, done), min(hit.end - start, len(text))
                    if hit.start < 0 or low >= high:
                        continue
                    out.append(Segment(text[done:low], style))
                    out.append(Segment(text[low:high], style + self.look("here" if hit == self.here else "hit")))
                    done = high
            out.append(Segment(text[done:], style))
        return out

    def _margin(self, span: Span, row: Row) -> list[Segment]:
        """What stands left of a text: the colour of its kind, or the numbers of its lines."""
        assert span.chunk is not None
        kind = self.colour(self.outline.entries[span.entry].kind)
        if not self.outline.numbered:
            return [Segment("▎", kind), Segment("  ")]
        start = next((piece.start for piece in row if piece.start >= 0), -1)
        text = self.outline.text(span.entry)[0]
        number = ""
        if start == 0 or (start > 0 and text[start - 1] == "\n"):
            number = str(span.chunk.line + text.count("\n", span.chunk.start, start) + 1)
        return [Segment("▎", kind), Segment(f"{number:>6} ", self.look("bar"))]


def _cache_state(entry: Entry) -> tuple[str, str]:
    """How an entry came to the model, in a word, and the look of it."""
    if not entry.tokens:
        return "", "dim"
    if entry.read == entry.tokens:
        return "read", "read"
    if entry.write == entry.tokens:
        return "write", "write"
    return ("mixed", "flag") if entry.read or entry.write else ("fresh", "dim")
