"""What stands in the place of a list that there is none of: why, and what to do."""

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Center, Middle
from textual.widgets import Static


class Notice(Middle):
    """A title and lines below it, in the middle."""

    DEFAULT_CSS = """
    Notice {
        height: 1fr; background: $surface;
        & Center { height: auto; }
        & Static { width: auto; max-width: 100%; height: auto; padding: 0 1; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._said = "", "", "foreground"

    def compose(self) -> ComposeResult:
        """One text."""
        with Center():
            yield Static(markup=False)

    def say(self, title: str, lines: str = "", *, colour: str = "foreground") -> None:
        """Show a title in a theme's colour, and lines below it; those that are indented are commands."""
        self._said = title, lines, colour
        self._draw()

    def notify_style_update(self) -> None:
        """Another theme has other colours."""
        super().notify_style_update()
        if self.is_mounted:
            self._draw()

    def _draw(self) -> None:
        title, lines, colour = self._said
        theme = self.app.theme_variables
        shown = Text.assemble((title, f"bold {theme[colour]}"))
        for line in lines.splitlines():
            shown.append("\n")
            shown.append(line, style=theme["primary"] if line.startswith("  ") else "")
        self.query_one(Static).update(shown)
