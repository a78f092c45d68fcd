"""The filters that hold, as chips on one line; a click on one takes it away."""

from rich.text import Text
from textual import events
from textual.message import Message
from textual.widget import Widget

GAP = 1


class Chips(Widget):
    """Chips by key; hidden while there are none."""

    DEFAULT_CSS = """
    Chips { height: 1; padding: 0 1; background: $surface; display: none; }
    """

    class Removed(Message):
        """A person takes the filter of this key away."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._chips: dict[str, str] = {}

    def show(self, chips: dict[str, str]) -> None:
        """Show these: text by key."""
        self._chips = chips
        self.display = bool(chips)
        self.tooltip = "a click takes a filter away, escape all of them" if chips else None
        self.refresh()

    def render(self) -> Text:
        """The chips, side by side."""
        theme = self.app.theme_variables
        line = Text(no_wrap=True, overflow="ellipsis", end="")
        for said in map(_face, self._chips.values()):
            line.append(said, style=f"{theme['foreground']} on {theme['panel-lighten-2']}")
            line.append(" " * GAP)
        return line

    def on_click(self, event: events.Click) -> None:
        """Take the chip under the mouse away."""
        at, x = event.get_content_offset(self), 0
        for key, said in self._chips.items():
            width = Text(_face(said)).cell_len
            if at is not None and x <= at.x < x + width:
                self.post_message(self.Removed(key))
                return
            x += width + GAP


def _face(said: str) -> str:
    return f" {said} × "
