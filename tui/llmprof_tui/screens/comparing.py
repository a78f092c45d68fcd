"""What the comparisons of calls and of runs have in common: two ids, totals on top, and every state in between."""

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import ContentSwitcher, Static

from llmprof_addon.errors import LlmprofError
from llmprof_addon.export.diff_tree import Delta
from llmprof_tui.screens.loading import LoadingScreen
from llmprof_tui.source import GoneError, Source
from llmprof_tui.widgets.comparison import delta_lines
from llmprof_tui.widgets.diff_flame import DiffFlame
from llmprof_tui.widgets.key_bar import KeyBar
from llmprof_tui.widgets.notice import Notice


class ComparingScreen[C](LoadingScreen):
    """Reads a `C` for two ids and shows it."""

    DEFAULT_CSS = """
    ComparingScreen {
        #header { height: auto; max-height: 8; padding: 0 1; background: $panel; }
        ContentSwitcher { height: 1fr; }
        #detail { height: 2; padding: 0 1; background: $panel; }
        DiffFlame { height: 4fr; min-height: 4; max-height: 16; }
        WindowTable { height: 3fr; min-height: 4; }
    }
    """
    AUTO_FOCUS = ""  # what has the focus answers keys, and there is nothing yet that could
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "swap", "Swap", id="compare.swap", show=False, tooltip="The later one as the earlier one"),
        Binding("escape", "app.pop_screen", "Back", id="compare.back", tooltip="Leave the comparison"),
    ]

    def __init__(self, before_id: str, after_id: str) -> None:
        super().__init__()
        self.ids = before_id, after_id
        self.compared: C | None = None
        self._state = ""

    # -- what subclasses say

    def read(self, source: Source, before_id: str, after_id: str) -> C:
        """Both of them, compared; in a thread."""
        raise NotImplementedError

    def check(self, source: Source, before_id: str, after_id: str) -> None:
        """Raise `GoneError` if one of them is gone; in a thread."""
        raise NotImplementedError

    def body(self) -> ComposeResult:
        """What stands below the flame."""
        raise NotImplementedError

    def summary(self, compared: C, width: int) -> Sequence[Text]:
        """The lines on top."""
        raise NotImplementedError

    def show(self, compared: C) -> None:
        """Fill the widgets."""
        raise NotImplementedError

    # -- states

    def compose(self) -> ComposeResult:
        """Totals, flame, its numbers, the rest."""
        yield Static("", id="header", markup=False)
        with ContentSwitcher(initial="state"):
            yield Notice(id="state")
            with Vertical(id="compared"):
                yield DiffFlame()
                yield Static("", id="detail", markup=False)
                yield from self.body()
        yield KeyBar()

    def on_mount(self) -> None:
        """Ask for both."""
        self._ask()

    def _ask(self) -> None:
        before, after = self.ids
        if self.compared is None:
            self.query_one(Notice).say("Reading both …")
        self.load("compare", lambda source: self.read(source, before, after), self._show)

    def _show(self, compared: C) -> None:
        self.compared = compared
        self.query_one(ContentSwitcher).current = "compared"
        self._head()
        self.show(compared)

    def store_changed(self) -> None:
        """What is compared does not change, but it may be gone."""
        before, after = self.ids
        if self.compared is None:
            self._ask()
        else:
            self.load("there", lambda source: self.check(source, before, after), lambda _: None)

    def failed(self, group: str, error: LlmprofError) -> None:
        """Say it where the comparison would be; one that is shown stays readable."""
        if self.compared is None:
            self.query_one(Notice).say(f"✗ {error.message}", f"{error.hint}\n\nesc goes back".lstrip(), colour="error")
        elif isinstance(error, GoneError):
            self._state = "✗ deleted from the store; what is shown is what was read before"
            self._head()
        elif group != "there":
            super().failed(group, error)

    def on_resize(self) -> None:
        """Columns come and go with the width."""
        self._head()

    def _head(self) -> None:
        if self.compared is not None:
            lines = list(self.summary(self.compared, max(20, self.size.width - 2)))
            lines += [Text(self._state, "bold")] if self._state else []
            self.query_one("#header", Static).update(Text("\n").join(lines))

    def action_swap(self) -> None:
        self.ids = self.ids[::-1]
        self._ask()

    # -- flame

    @on(DiffFlame.NodeSelected)
    @on(DiffFlame.NodeHovered)
    def _tell(self, message: DiffFlame.NodeSelected | DiffFlame.NodeHovered) -> None:
        graph = self.query_one(DiffFlame)
        trail: Sequence[Delta] = message.trail or (graph.trail(graph.cursor) if graph.cursor else ())
        lines = delta_lines(trail) if trail else []
        for line in lines:
            line.truncate(max(1, self.size.width - 2), overflow="ellipsis")
        self.query_one("#detail", Static).update(Text("\n").join(lines))
