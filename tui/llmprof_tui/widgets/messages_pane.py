"""A page of messages with what goes around it: the levels of its kinds above, the search below."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from time import perf_counter
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.timer import Timer

from llmprof_addon.model.component import Kind
from llmprof_tui.timers import Punctual
from llmprof_tui.widgets.entry import HEAD, LEVELS, Entry, Hit, Level, Place
from llmprof_tui.widgets.find_bar import FindBar
from llmprof_tui.widgets.level_bar import LETTERS, NEXT, LevelBar
from llmprof_tui.widgets.messages import MessagesView
from llmprof_tui.widgets.search import MOST_HITS

SLICE_SECONDS = 0.01
"""How long a search may hold up keys; it goes on between them."""
PAUSE_SECONDS = 0.1
"""How long typing has to rest before a word is looked for."""


class MessagesPane(Punctual, Vertical):
    """`show` gives it entries."""

    DEFAULT_CSS = "MessagesPane { height: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "find", "Find", key_display="/", id="messages.find", tooltip="Find in names and texts"),
        Binding("n", "next_hit(1)", "Next hit", show=False, id="messages.next-hit", tooltip="To the next hit"),
        Binding("N", "next_hit(-1)", "Hit before", show=False, id="messages.hit-before", tooltip="To the hit before"),
        Binding("escape", "end_find", "End search", show=False, id="messages.end-find", tooltip="Forget the hits"),
        Binding(
            "m", "render", "As sent", id="messages.as-sent",
            tooltip="Show Markdown and JSON as they were sent, or drawn",
        ),
        *(
            Binding(
                letter, f"level('{kind.value}')", f"{kind.value}", show=False, id=f"messages.level-{kind.value}",
                tooltip=f"Show {kind.value.replace('_', ' ')} in full, folded or hidden",
            )
            for kind, letter in LETTERS.items()
        ),
    ]  # fmt: skip

    class LevelsChanged(Message):
        """A person chose how much of a kind is shown."""

        def __init__(self, levels: Mapping[Kind, Level]) -> None:
            super().__init__()
            self.levels = levels

    def __init__(self, *, levels: bool = True, numbered: bool = False, id: str | None = None) -> None:
        """`levels`: kinds can be folded and hidden; `numbered`: lines have numbers."""
        super().__init__(id=id)
        self._with_levels = levels
        self._numbered = numbered
        self._hits: dict[int, list[Hit]] = {}
        self._order: list[Hit] = []
        self._here: int | None = None
        self._rest: Iterator[list[Hit]] | None = None
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Levels, page, search."""
        if self._with_levels:
            yield LevelBar()
        yield MessagesView(numbered=self._numbered)
        yield FindBar()

    @property
    def view(self) -> MessagesView:
        """The page."""
        return self.query_one(MessagesView)

    @property
    def bar(self) -> FindBar:
        """The line to search with."""
        return self.query_one(FindBar)

    def show(
        self, entries: Sequence[Entry], levels: Mapping[Kind, Level] | None = None, *, total: int = 0,
        cached: bool = False,
    ) -> None:  # fmt: skip
        """Show a page from its top; a search goes on in it."""
        self.view.show_entries(entries, levels, total=total, cached=cached)
        self._show_levels()
        self._search(self.bar.word if self.bar.has_class("-open") else "", go=False)

    def selected(self) -> Entry | None:
        """The entry under the cursor."""
        at = self.view.entry
        return None if at is None else self.view.outline.entries[at]

    # levels

    def action_level(self, kind: str) -> None:
        """Take the next level of a kind."""
        chosen = Kind(kind)
        if self._with_levels and any(entry.kind is chosen for entry in self.view.outline.entries):
            self.view.set_level(chosen, NEXT[self.view.outline.levels[chosen]])
            self._show_levels()
            levels = self.view.outline.levels
            self.post_message(
                self.LevelsChanged({kind: level for kind, level in levels.items() if LEVELS[kind] != level})
            )

    def on_level_bar_clicked(self, message: LevelBar.Clicked) -> None:
        """The same with the mouse."""
        message.stop()
        self.action_level(message.kind.value)

    def _show_levels(self) -> None:
        if self._with_levels:
            outline = self.view.outline
            present = {entry.kind for entry in outline.entries}
            self.query_one(LevelBar).show([kind for kind in Kind if kind in present], outline.levels)

    def action_render(self) -> None:
        """Show texts as they were sent, or drawn."""
        self.view.toggle_rendered()
        self._search(self.bar.word if self.bar.has_class("-open") else "", go=False)

    # search

    def look_for(self, word: str, entry: int) -> None:
        """Go to where a word stands in this entry, or else behind it, with all its places marked."""
        self.bar.fill(word)
        self.view.go_to(Place(entry, HEAD))
        self._search(word)

    def action_find(self) -> None:
        """Ask for a word."""
        self.bar.open()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Escape leaves the screen where there is no search to end."""
        return self.bar.has_class("-open") if action == "end_find" else True

    def action_end_find(self) -> None:
        """Close the search."""
        self.bar.action_close()

    def on_find_bar_changed(self, message: FindBar.Changed) -> None:
        """Look for it once typing rests."""
        message.stop()
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(PAUSE_SECONDS, lambda: self._search(message.word))

    def on_find_bar_left(self, message: FindBar.Left) -> None:
        """Back to the page."""
        message.stop()
        self.view.focus()
        if not message.kept:
            self._search("")
        elif self._timer is not None:
            self._timer.stop()
            self._search(self.bar.word)

    def action_next_hit(self, step: int) -> None:
        """Go to the next hit, or the one before; after the last comes the first."""
        if not self._order:
            return
        if self._here is None:
            self._go(self._after_cursor())
        else:
            at = self._here + step
            self._go(at % len(self._order), wrapped=not 0 <= at < len(self._order))

    def _search(self, word: str, *, go: bool = True) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self._hits, self._order, self._here = {}, [], None
        self._rest = self.view.outline.hits(word) if word else None
        self.view.mark_hits(word, self._hits, None)
        self._say()
        if self._rest is not None:
            self._go_on(go)

    def _go_on(self, go: bool) -> None:
        """Search for a while, then let others in."""
        rest = self._rest
        if rest is None:
            return
        end = perf_counter() + SLICE_SECONDS
        while perf_counter() < end:
            found = next(rest, None)
            if found is None:
                self._rest = None
                break
            if found:
                self._order += found
                self._hits[found[0].entry] = found
        here = self.view.outline.place(self.view.cursor)
        if go and self._here is None and self._order and (self._rest is None or self._order[-1][:2] >= here):
            self._go(self._after_cursor())
        self._say()
        self.view.refresh()
        if self._rest is not None:
            self.set_timer(0.001, lambda: self._go_on(go) if self._rest is rest else None)

    def _after_cursor(self) -> int:
        """The first hit at or after the cursor; the very first where there is none."""
        here = self.view.outline.place(self.view.cursor)
        at = bisect_left(self._order, (here.entry, here.offset), key=lambda hit: hit[:2])
        return at if at < len(self._order) else 0

    def _go(self, at: int, *, wrapped: bool = False) -> None:
        self._here = at
        hit = self._order[at]
        self.view.reveal(hit)
        self.view.mark_hits(self.view.brush.word, self._hits, hit)
        self._say(wrapped)

    def _say(self, wrapped: bool = False) -> None:
        if not self.view.brush.word:
            self.bar.say("")
        elif not self._order:
            self.bar.say("searching" if self._rest is not None else "not found")
        else:
            more = "+" if self._rest is not None or len(self._order) >= MOST_HITS else ""
            where = f"{self._here + 1:,} of " if self._here is not None else ""
            self.bar.say(f"{'↺ ' if wrapped else ''}{where}{len(self._order):,}{more}")
