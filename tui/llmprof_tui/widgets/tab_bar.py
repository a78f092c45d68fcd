"""Names of pages on one line, one of them open; a digit or a click opens another."""

from collections.abc import Sequence

from rich.style import Style
from rich.text import Text
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from llmprof_tui.widgets.looks import blended


class TabBar(Widget):
    """Says which page is wanted; who holds it opens that page and sets `active`."""

    DEFAULT_CSS = """
    TabBar {
        height: 1;
        padding: 0 1;
        background: $panel;
        & > .tabs--active { background: $primary; color: $background; text-style: bold; }
        & > .tabs--other { color: $foreground 75%; }
    }
    """
    COMPONENT_CLASSES = {"tabs--active", "tabs--other"}  # noqa: RUF012  # as Textual declares it
    active = reactive(0)

    class Chosen(Message):
        """A page is wanted."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self._names = names
        self._ends: list[int] = []
        self._signs: dict[int, str] = {}

    def sign(self, index: int, sign: str) -> None:
        """Put a sign behind a name, or take it away."""
        if self._signs.get(index, "") != sign:
            self._signs[index] = sign
            self.refresh()

    def render(self) -> Text:
        """The names with their digits."""
        line = Text(no_wrap=True, overflow="ellipsis")
        self._ends = []
        for index, name in enumerate(self._names):
            which = "active" if index == self.active else "other"
            style: Style = blended(self, f"tabs--{which}")
            sign = self._signs.get(index, "")
            line.append(f" {index + 1} {name} {sign and f'{sign} '}", style)
            line.append(" ")
            self._ends.append(line.cell_len)
        return line

    def on_click(self, event: events.Click) -> None:
        """Ask for the page."""
        at = event.get_content_offset(self)
        index = next((index for index, end in enumerate(self._ends) if at is not None and at.x < end), None)
        if index is not None:
            self.post_message(self.Chosen(index))
