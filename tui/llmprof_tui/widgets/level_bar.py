"""One line that says how much of each kind a page shows; a letter or a click takes the next level."""

from collections.abc import Mapping, Sequence

from rich.style import Style
from rich.text import Text
from textual import events
from textual.message import Message
from textual.widget import Widget

from llmprof_addon.export.text import KIND_NAMES
from llmprof_addon.model.component import Kind
from llmprof_tui.themes import KIND_MARKS, kind_colour
from llmprof_tui.widgets.entry import Level

_WITHOUT_TEXT = {Kind.IMAGES, Kind.AUDIO, Kind.PROVIDER_OVERHEAD, Kind.UNATTRIBUTED, Kind.ELIDED}
LETTERS = {kind: mark.upper() for kind, mark in KIND_MARKS.items() if kind not in _WITHOUT_TEXT}
"""Upper-case keys of the kinds that have texts to fold."""
LETTERS[Kind.GENERIC] = "E"  # G goes to the end
MARKS = {Level.FULL: "▾", Level.FOLDED: "▸", Level.HIDDEN: "⋯"}
NEXT = {Level.FULL: Level.FOLDED, Level.FOLDED: Level.HIDDEN, Level.HIDDEN: Level.FULL}


class LevelBar(Widget):
    """Chips of the kinds that a page has."""

    DEFAULT_CSS = "LevelBar { height: 1; padding: 0 1; background: $surface; }"

    class Clicked(Message):
        """The next level of a kind is wanted."""

        def __init__(self, kind: Kind) -> None:
            super().__init__()
            self.kind = kind

    def __init__(self) -> None:
        super().__init__()
        self._levels: dict[Kind, Level] = {}
        self._ends: list[tuple[int, Kind]] = []

    def show(self, kinds: Sequence[Kind], levels: Mapping[Kind, Level]) -> None:
        """The kinds to name, in order, and how much is shown of each."""
        self._levels = {kind: levels[kind] for kind in kinds if kind in LETTERS}
        self.display = bool(self._levels)
        self.refresh()

    def render(self) -> Text:
        """The chips; only their letters where they do not fit."""
        for names in (dict(KIND_NAMES), dict.fromkeys(Kind, "")):
            line = Text(no_wrap=True, overflow="ellipsis")
            self._ends = []
            for kind, level in self._levels.items():
                colour = kind_colour(kind, self.app.theme)
                faded = level is Level.HIDDEN
                line.append(LETTERS[kind], Style(color=colour, bold=True, dim=faded))
                line.append(f" {names[kind]}" if names[kind] else "", Style(dim=faded))
                line.append(f" {MARKS[level]}   ", "dim")
                self._ends.append((line.cell_len, kind))
            if line.cell_len <= self.size.width + 3:
                break
        return line

    def on_click(self, event: events.Click) -> None:
        """Ask for the next level of the chip."""
        at = event.get_content_offset(self)
        kind = next((kind for end, kind in self._ends if at is not None and at.x < end), None)
        if kind is not None:
            self.post_message(self.Clicked(kind))
