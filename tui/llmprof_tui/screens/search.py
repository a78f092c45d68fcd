"""In which prompt, answer or tool does this stand? The hits of a search, as it is typed."""

from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input, Static

from llmprof_addon import clock
from llmprof_addon.errors import LlmprofError
from llmprof_addon.export import text
from llmprof_addon.store.rows import RunRow
from llmprof_addon.store.search import Hit, Hits
from llmprof_tui.screens.loading import LoadingScreen
from llmprof_tui.source import EmptyError
from llmprof_tui.widgets import hit_cells
from llmprof_tui.widgets.asked import ASKS, LANGUAGE, complaint_of
from llmprof_tui.widgets.find_bar import FindBar
from llmprof_tui.widgets.hit_cells import HitLine
from llmprof_tui.widgets.key_bar import KeyBar
from llmprof_tui.widgets.notice import Notice
from llmprof_tui.widgets.remark import Remark
from llmprof_tui.widgets.sought import sought_of
from llmprof_tui.widgets.window_table import WindowTable

PAGE = 50
AHEAD = 10
"""Rows before the end at which the next page is read."""

type Answer = tuple[Hits, dict[str, RunRow]]


class SearchScreen(LoadingScreen):
    """Hits, the newest first, each at the call where its text first appeared."""

    TITLE = "Search"
    AUTO_FOCUS = ""
    VERTICAL_BREAKPOINTS = [(0, "-low"), (16, "-high")]  # noqa: RUF012  # declared as an instance's in the base
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "ask", "Search", key_display="/", id="search.ask", tooltip="Change what is searched for"),
        Binding("n", "hit(1)", "Next hit", show=False, id="search.next", tooltip="To the next hit"),
        Binding("N", "hit(-1)", "Hit before", show=False, id="search.before", tooltip="To the hit before"),
        Binding("down,tab", "list", "Hits", show=False, id="search.list", tooltip="From the line to the hits"),
        Binding("escape", "back", "Back", id="search.back", tooltip="Back to where the search was opened"),
    ]

    def __init__(self, query: str = "") -> None:
        """`query`: what to search for first."""
        super().__init__()
        self._query = query
        self._shown = ""
        """The query whose hits are listed."""
        self._lines: dict[int, HitLine] = {}
        self._numbers: dict[str, int] = {}
        """Of each hit, by its content or call: the cursor stays on it."""
        self._more: tuple[int, int] | None = None
        self._reading = False
        """Whether a further page is under way."""

    def compose(self) -> ComposeResult:
        """What is asked, what is wrong with it, hits, the selected one in full."""
        yield FindBar(ASKS)
        yield Remark()
        yield WindowTable[HitLine](hit_cells.COLUMNS, self._cells, exact=hit_cells.exactly, id="hits")
        yield Notice()
        yield Static(id="hit", markup=False)
        yield KeyBar()

    def on_mount(self) -> None:
        """Search for what was given, or ask."""
        bar = self.query_one(FindBar)
        bar.fill(self._query)
        bar.open()
        self._explain()
        self._search(self._query)

    @property
    def table(self) -> WindowTable[HitLine]:
        """The hits."""
        return self.query_one("#hits", WindowTable)

    @property
    def selected(self) -> HitLine | None:
        """The hit under the cursor."""
        return self.table.row(self.table.cursor)

    # data

    @on(FindBar.Changed)
    def _typed(self, message: FindBar.Changed) -> None:
        message.stop()
        self._query = message.word
        self.later("typed", lambda: self._search(message.word))

    def _search(self, query: str) -> None:
        complaint = complaint_of(query)
        self.query_one(Remark).complain(complaint)
        if complaint is not None and self._lines:
            return  # the hits of what could be understood stay
        if complaint is not None or not query.strip():
            self.workers.cancel_group(self, "search")
            self._shown = ""
            self.query_one(Remark).note(())
            self._explain()
            return
        self.query_one(FindBar).say("searching")
        least = len(self._lines) if query == self._shown else 0
        self._reading = False
        self.load("search", lambda source: source.search(query, max(PAGE, least)), lambda it: self._show(query, it))

    def store_changed(self) -> None:
        """Texts came or went."""
        if self._shown:
            self._search(self._shown)

    def _show(self, query: str, answer: Answer) -> None:
        found, runs = answer
        if query != self._shown:
            self._numbers.clear()
            self.table.action_edge(0)
        self._shown, self._more, self._lines = query, found.more, {}
        self._take(found, runs)
        self.query_one(Remark).note(found.notes)
        if not self._lines:
            more = "Words are whole words: upload* finds all that start so." if "*" not in query else ""
            self._say("Nothing found.", more)

    def _take(self, found: Hits, runs: dict[str, RunRow]) -> None:
        for hit in found.hits:
            number = self._numbers.setdefault(hit.content or hit.call.id, len(self._numbers))
            self._lines[number] = HitLine(hit=hit, run=runs.get(hit.call.run_id))
        numbers, table = list(self._lines), self.table
        table.fill(numbers, self._lines)
        table.show(numbers)
        table.border_title = "Calls" if numbers and self._lines[numbers[0]].hit.kind is None else "Texts"
        count = f"{len(numbers):,}{'+' if self._more else ''}"
        table.border_subtitle = "newest first"
        self.query_one(FindBar).say(f"{count} {'hit' if count == '1' else 'hits'}")
        self.set_class(bool(numbers), "-listing")
        self._show_selected()

    @on(WindowTable.Wanted, "#hits")
    def _fill(self, message: WindowTable.Wanted) -> None:
        self.table.fill(message.numbers, self._lines)

    @on(WindowTable.Highlighted, "#hits")
    def _show_selected(self) -> None:
        line = self.selected
        if line is not None:
            self.query_one("#hit", Static).update(hit_cells.detail(line, self.app.theme, self.app.theme_variables))
        at = list(self._lines).index(self.table.cursor) if self.table.cursor in self._lines else 0
        if self._more is not None and not self._reading and at >= len(self._lines) - AHEAD:
            self._read_on(self._shown, self._more)

    def _read_on(self, query: str, before: tuple[int, int]) -> None:
        self._reading = True

        def show(answer: Answer) -> None:
            self._reading = False
            if query == self._shown and before == self._more:
                self._more = answer[0].more
                self._take(*answer)

        self.load("more", lambda source: source.search(query, PAGE, before), show)

    def failed(self, group: str, error: LlmprofError) -> None:
        """Say it in the list's place."""
        self._reading = False
        self.query_one(FindBar).say("")
        if isinstance(error, EmptyError):
            self._say("Nothing is recorded yet.", text.plain(error.hint))
        elif self._lines:
            super().failed(group, error)
        else:
            self._say(text.plain(error.message), text.plain(error.hint), colour="error")

    # what is seen

    def _cells(self, line: HitLine) -> tuple[Text | str, ...]:
        return hit_cells.cells(line, clock.now_ns(), self.app.theme, self.app.theme_variables)

    def notify_style_update(self) -> None:
        """The selected hit in the colours of another theme."""
        super().notify_style_update()
        if self.is_mounted and self._lines:
            self._show_selected()

    def _explain(self) -> None:
        self._lines = {}
        self.query_one(FindBar).say("")
        examples = "\n".join(f"  {line}" for line in LANGUAGE.splitlines())
        self._say("Search prompts, answers and tools.", f"\n{examples}")

    def _say(self, title: str, lines: str, *, colour: str = "foreground") -> None:
        self.query_one(Notice).say(title, lines, colour=colour)
        self.remove_class("-listing")
        if not self.query_one(Input).has_focus:
            self.action_ask()

    # actions

    @on(FindBar.Left)
    def _left(self, message: FindBar.Left) -> None:
        message.stop()
        if not message.kept:
            self.action_back()
            return
        if self._query != self._shown:  # enter does not wait until typing rests
            self._search(self._query)
        self.action_list()

    def action_ask(self) -> None:
        """Change the query."""
        self.query_one(FindBar).open()

    def action_list(self) -> None:
        """Go to the hits."""
        if self._lines:
            self.table.focus()

    def action_hit(self, step: int) -> None:
        """Go to the next hit, or the one before."""
        self.table.action_move(step)

    @on(WindowTable.Chosen, "#hits")
    def _open(self) -> None:
        if (line := self.selected) is not None:
            hit: Hit = line.hit
            self.app.open_call(hit.call.id, sought=sought_of(hit))  # type: ignore[attr-defined]  # always ours

    def action_back(self) -> None:
        """Leave the search."""
        self.dismiss()
