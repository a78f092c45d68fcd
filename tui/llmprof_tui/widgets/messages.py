"""The parts of a prompt, an answer or a raw body as one page to read, fold and search; a page of any length at once.

A Line-API widget over `messages_layout.Outline`: nothing is laid out but the rows on the screen and their chunks.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from llmprof_addon.model.component import Kind
from llmprof_tui.widgets.entry import HEAD, Entry, Hit, Level, Place
from llmprof_tui.widgets.looks import Looks
from llmprof_tui.widgets.messages_brush import Brush
from llmprof_tui.widgets.messages_layout import Outline

_STYLES = (
    *("h1", "h2", "h3", "code", "bold", "italic", "strike", "link", "tag", "dim", "bar", "marker", "quote"),
    *("key", "string", "number", "word", "cursor", "hit", "here", "read", "write", "flag"),
)
_KEEP = 2
"""Rows that stay in sight when a page is turned."""


class MessagesView(ScrollView, can_focus=True, inherit_bindings=False):
    """A page of entries with a cursor on one of its rows."""

    DEFAULT_CSS = """
    MessagesView {
        height: 1fr;
        overflow-x: hidden;
        scrollbar-gutter: stable;
        scrollbar-size-vertical: 1;
        & > .messages--h1 { color: $primary; text-style: bold underline; }
        & > .messages--h2 { color: $primary; text-style: bold; }
        & > .messages--h3 { text-style: bold; }
        & > .messages--code { color: $accent; }
        & > .messages--bold { text-style: bold; }
        & > .messages--italic { text-style: italic; }
        & > .messages--strike { text-style: strike; }
        & > .messages--link { color: $primary; text-style: underline; }
        & > .messages--tag { color: $secondary; }
        & > .messages--dim { color: $foreground 60%; }
        & > .messages--bar { color: $foreground 35%; }
        & > .messages--marker { color: $primary; }
        & > .messages--quote { color: $foreground 75%; text-style: italic; }
        & > .messages--key { color: $primary; }
        & > .messages--string { color: $success; }
        & > .messages--number { color: $accent; }
        & > .messages--word { color: $secondary; }
        & > .messages--cursor { background: $foreground 10%; }
        & > .messages--hit { background: $warning 35%; }
        & > .messages--here { background: $warning; color: $background; text-style: bold; }
        & > .messages--read { color: $success; }
        & > .messages--write { color: $warning; }
        & > .messages--flag { color: $accent; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"messages--{name}" for name in _STYLES}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "rows(-1)", "Up", show=False, id="messages.up", tooltip="One row up"),
        Binding("down,j", "rows(1)", "Down", show=False, id="messages.down", tooltip="One row down"),
        Binding("pageup,ctrl+b", "pages(-1)", "Page up", show=False, id="messages.page-up", tooltip="One page up"),
        Binding("pagedown,ctrl+f", "pages(1)", "Page down", show=False, id="messages.page-down", tooltip="One page"),
        Binding("home,g", "top", "Top", show=False, id="messages.top", tooltip="To the first part"),
        Binding("end,G", "bottom", "End", show=False, id="messages.bottom", tooltip="To the end"),
        Binding("enter,space", "fold", "Fold", id="messages.fold", tooltip="Fold or unfold the part"),
        Binding("right,l", "show(True)", "Unfold", show=False, id="messages.unfold", tooltip="Unfold the part"),
        Binding("left,h", "show(False)", "Close", show=False, id="messages.close", tooltip="Fold the part"),
        Binding("z", "toggle_all", "Fold all", id="messages.fold-all", tooltip="Fold all parts, or unfold them"),
        Binding(
            "right_curly_bracket,ctrl+down", "part(1)", "Next part", key_display="}", id="messages.next",
            tooltip="To the next part",
        ),
        Binding(
            "left_curly_bracket,ctrl+up", "part(-1)", "Part before", key_display="{", show=False,
            id="messages.before", tooltip="To the part before",
        ),
        Binding(
            "full_stop", "part(1,True)", "Next of kind", show=False, id="messages.next-of-kind",
            tooltip="To the next part of the same kind",
        ),
        Binding(
            "comma", "part(-1,True)", "Before of kind", show=False, id="messages.before-of-kind",
            tooltip="To the part of the same kind before",
        ),
    ]  # fmt: skip

    class Highlighted(Message):
        """The cursor came to another entry."""

        def __init__(self, view: "MessagesView", entry: int) -> None:
            super().__init__()
            self.view = view
            self.entry = entry

        @property
        def control(self) -> "MessagesView":
            """The view."""
            return self.view

    def __init__(self, *, numbered: bool = False, id: str | None = None, classes: str | None = None) -> None:
        """`numbered`: line numbers stand before the text."""
        super().__init__(id=id, classes=classes)
        self._numbered = numbered
        self.outline = Outline((), {}, numbered=numbered)
        self._looks = Looks(self, "messages")
        self.brush = Brush(self.outline, self._looks, self._looks.kind)
        self.cursor = 0
        """The row of the cursor."""
        self._looking = False
        self._marked = -1

    # content

    def show_entries(
        self, entries: Sequence[Entry], levels: Mapping[Kind, Level] | None = None, *, total: int = 0,
        cached: bool = False,
    ) -> None:  # fmt: skip
        """Show a page from its top; `total` tokens are 100% of it."""
        self.outline = Outline(entries, levels or {}, numbered=self._numbered)
        self.brush = Brush(self.outline, self._looks, self._looks.kind, total=total, cached=cached)
        self.cursor, self._marked = 0, -1
        if self.size.height:
            self.outline.resize(self._width)
            self._look_at(0)
        else:
            self.virtual_size = Size(0, 0)  # laid out when there is room, at its width

    @property
    def entry(self) -> int | None:
        """The entry under the cursor."""
        return self.outline.place(self.cursor).entry if self.outline.entries else None

    def go_to(self, place: Place) -> None:
        """Bring a place into sight, a third below the top, with the cursor on it."""
        y = self.outline.y_of(place)
        rows = max(self.size.height, 1)
        if not self.scroll_offset.y <= y < self.scroll_offset.y + rows or place.offset == HEAD:
            self._look_at(y if place.offset == HEAD and self.outline.entries else y - rows // 3)
            y = self.outline.y_of(place)
        self._put(y)

    def set_level(self, kind: Kind, level: Level) -> None:
        """Show so much of each entry of a kind."""
        self._change(lambda: self.outline.set_level(kind, level))

    def reveal(self, hit: Hit) -> None:
        """Open what a hit stands in, and go there."""
        level = self.outline.level(hit.entry)
        wanted = Level.FULL if hit.start >= 0 else Level.FOLDED if level is Level.HIDDEN else level
        if level is not wanted:
            self.outline.open(hit.entry, wanted)
            self._grow()
        self.go_to(Place(hit.entry, hit.start))

    def mark_hits(self, word: str, hits: dict[int, list[Hit]], here: Hit | None) -> None:
        """Mark these places; `here` is the one that a person looks at."""
        self.brush.word, self.brush.hits, self.brush.here = word, hits, here
        self.refresh()

    # keys and mouse

    def action_rows(self, step: int) -> None:
        """Move the cursor by a row, over empty ones."""
        y = self.cursor + step
        found = self.outline.row(y)
        if found and found[0].what == "gap":
            y += step
        self._put(y)

    def action_pages(self, step: int) -> None:
        """Turn a page."""
        rows = max(self.size.height - _KEEP, 1)
        row = self.cursor - self.scroll_offset.y
        self._look_at(self.scroll_offset.y + step * rows, keep=self.scroll_offset.y)
        self._put(self.scroll_offset.y + (row if 0 <= row < self.size.height else 0))

    def action_top(self) -> None:
        """Go to the first row."""
        self._look_at(0)
        self._put(0)

    def action_bottom(self) -> None:
        """Go to the last row."""
        self._look_at(self.outline.height)
        self._put(self.outline.height - 1)

    def action_fold(self) -> None:
        """Fold or unfold the entry under the cursor, or show hidden ones."""
        found = self.outline.row(self.cursor)
        if found is None:
            return
        span, _ = found
        if span.what == "hidden":
            self._change(lambda: self.outline.open(span.entry, Level.FOLDED, span.last))
        elif self.outline.entries[span.entry].text:
            level = Level.FOLDED if self.outline.level(span.entry) is Level.FULL else Level.FULL
            self._change(lambda: self.outline.open(span.entry, level), head=True)

    def action_show(self, more: bool) -> None:
        """Unfold or fold the entry under the cursor."""
        found = self.outline.row(self.cursor)
        if found and (found[0].what == "hidden" or (self.outline.level(found[0].entry) is Level.FULL) is not more):
            self.action_fold()

    def action_toggle_all(self) -> None:
        """Fold all that is open, or unfold everything that is not hidden."""
        outline = self.outline
        is_open = any(span.what == "body" for span in outline.spans)
        self._change(lambda: outline.set_all(Level.FOLDED if is_open else Level.FULL), head=True)

    def action_part(self, step: int, of_kind: bool = False) -> None:
        """Go to the head of the next entry, or of the next of the same kind."""
        here = self.entry
        if here is None:
            return
        entries = self.outline.entries
        shown = [span.entry for span in self.outline.spans if span.what in ("head", "hidden")]
        if step < 0:
            at = bisect_left(shown, here)
            if self.cursor > self.outline.y_of(Place(here, HEAD)) and not of_kind:
                at += 1  # from inside a text first to its own head
            rest = shown[:at][::-1]
        else:
            rest = shown[bisect_right(shown, here) :]
        if of_kind:
            rest = [index for index in rest if entries[index].kind is entries[here].kind]
        if rest:
            self._put(self.outline.y_of(Place(rest[0], HEAD)))

    def toggle_rendered(self) -> None:
        """Show texts as they were sent, or drawn."""
        self._change(lambda: self.outline.render(not self.outline.rendered), head=True)

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on a row; a click on a head folds."""
        y = event.y + self.scroll_offset.y
        found = self.outline.row(y)
        if found:
            self._put(y)
            if found[0].what in ("head", "hidden"):
                self.action_fold()

    # geometry

    @property
    def _width(self) -> int:
        return max(self.scrollable_content_region.width, 1)

    def on_resize(self) -> None:
        """Lay out anew where the width changed; what stood at the top stays there."""
        if not self.virtual_size.height and not self.cursor:
            self.outline.resize(self._width)
            self._look_at(0)
        elif self.outline.width != self._width or not self.virtual_size.height:
            self._change(lambda: self.outline.resize(self._width))
        else:
            self._look_at(self.scroll_offset.y)

    def notify_style_update(self) -> None:
        """Colours changed."""
        super().notify_style_update()
        self._looks.forget()

    def scroll_to(self, x: float | None = None, y: float | None = None, **options: object) -> None:
        """Scroll at once: a page that moves by itself cannot be read."""
        super().scroll_to(x, y, **{**options, "animate": False})  # type: ignore[arg-type]  # as above

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Lay out what comes into view."""
        super().watch_scroll_y(old_value, new_value)
        if not self._looking and round(old_value) != round(new_value):
            self._look_at(round(new_value), keep=round(old_value))

    def _change(self, change: Callable[[], None], *, head: bool = False) -> None:
        """Change the layout while the cursor keeps its place, on the page and on the screen."""
        place = self.outline.place(self.cursor)
        row = self.cursor - self.scroll_offset.y
        if head:
            place = Place(place.entry, HEAD)
            row = max(min(row, self.outline.y_of(place) - self.scroll_offset.y), 0)
        change()
        y = self.outline.y_of(place)
        self._look_at(y - min(max(row, 0), max(self.size.height - 1, 0)))
        self._put(self.outline.y_of(place))

    def _look_at(self, top: int, *, keep: int | None = None) -> None:
        """Scroll there, with the estimates of all that comes into sight replaced by what is true.

        `keep` is the row that was the top: what stood there moves as far as the page does.
        """
        rows = max(self.size.height, 1)
        cursor = self.outline.place(self.cursor) if self.outline.entries else None
        height = self.outline.height
        top = self.outline.settle(top, rows, keep=keep)
        if top > self.outline.height - rows:
            top = self.outline.settle(self.outline.height - rows, rows, keep=self.outline.height)
        if cursor and height != self.outline.height:
            self.cursor = self.outline.y_of(cursor)
        self._looking = True
        try:
            self._grow()
            self.scroll_to(y=min(top, max(self.outline.height - rows, 0)), force=True)
        finally:
            self._looking = False
        self.refresh()

    def _grow(self) -> None:
        size = Size(self._width, self.outline.height)
        if size != self.virtual_size:
            self.virtual_size = size

    def _put(self, y: int) -> None:
        """Set the cursor, and scroll as little as shows it."""
        y = min(max(y, 0), max(self.outline.height - 1, 0))
        top, rows = self.scroll_offset.y, max(self.size.height, 1)
        self.cursor = y
        if y < top:
            self._look_at(y, keep=top)
        elif y >= top + rows:
            self._look_at(y - rows + 1)
        self.refresh()
        entry = self.entry
        if entry is not None and entry != self._marked:
            self._marked = entry
            self.post_message(self.Highlighted(self, entry))

    # drawing

    def render_line(self, y: int) -> Strip:
        """One row of the screen."""
        width = self._width
        at = y + self.scroll_offset.y
        base = self._looks.ground
        found = self.outline.row(at)
        if found is None:
            return Strip.blank(width, base)
        segments = self.brush.segments(*found, width)
        if at == self.cursor:
            base += self._looks("cursor") if self.has_focus else Style()
        segments = [Segment(text, base + style if style else base) for text, style, _ in segments]
        return Strip(segments).adjust_cell_length(width, base)
