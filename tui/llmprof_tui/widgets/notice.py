"""What stands in the place of a list that there is none of: why, and what to do."""

from rich.align import Align
from rich.text import Text
from textual.widget import Widget


class Notice(Widget):
    """A title and lines below it, in the middle.

    One widget that draws itself: a text within a layout of its own keeps the size that it had when it was first
    measured, if it changes before it is mounted.
    """

    DEFAULT_CSS = "Notice { height: 1fr; background: $surface; color: $foreground; padding: 0 1; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._said = "", "", "foreground"

    def say(self, title: str, lines: str = "", *, colour: str = "foreground") -> None:
        """Show a title in a theme's colour, and lines below it; those that are indented are commands."""
        if self._said != (title, lines, colour):
            self._said = title, lines, colour
            self.refresh()

    @property
    def text(self) -> Text:
        """Title and lines."""
        title, lines, colour = self._said
        theme = self.app.theme_variables
        shown = Text.assemble((title, f"bold {theme[colour]}"))
        for line in lines.splitlines():
            shown.append("\n")
            shown.append(line, style=theme["primary"] if line.startswith("  ") else "")
        return shown

    def render(self) -> Align:
        """The text as a block."""
        return Align.center(self.text, vertical="middle")
