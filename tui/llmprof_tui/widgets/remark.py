"""One line below a search: what is wrong with what is typed, else what was left out of what was found."""

from collections.abc import Sequence

from rich.text import Text
from textual.widget import Widget


class Remark(Widget):
    """Hidden while there is nothing to say."""

    DEFAULT_CSS = """
    Remark {
        height: 1; padding: 0 1; background: $panel; display: none; text-wrap: nowrap; text-overflow: ellipsis;
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._complaint, self._notes = "", ""

    def complain(self, complaint: str | None) -> None:
        """Say what is wrong; `None` takes it back."""
        self._complaint = complaint or ""
        self._show()

    def note(self, notes: Sequence[str]) -> None:
        """Say what was left out; nothing takes it back."""
        self._notes = " · ".join(notes)
        self._show()

    def _show(self) -> None:
        said = self._complaint or self._notes
        self.display = bool(said)
        self.tooltip = Text(said) if said else None
        self.refresh()

    def render(self) -> Text:
        """The line."""
        colour = self.app.theme_variables["error" if self._complaint else "warning"]
        mark = "✗ " if self._complaint else "! "
        return Text(mark + (self._complaint or self._notes), style=colour)
