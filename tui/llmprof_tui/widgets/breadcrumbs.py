"""The way from the root to a node on one line; every step can be clicked. The middle gives way where it is too long."""

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

SEPARATOR = " › "
LEAST = 8
"""A step is cut to no fewer cells while others can be left out."""


def fitting(names: Sequence[str], width: int) -> list[tuple[int, str]]:
    """(index, text) of the steps that fit, the first and the last ones first; index -1 stands for those left out."""
    if not names:
        return []
    shown = [_cut(name, max(LEAST, width // 2)) for name in names]
    sizes = [cell_len(name) for name in shown]
    gap = len(SEPARATOR)
    if sum(sizes) + gap * (len(names) - 1) <= width:
        return list(enumerate(shown))
    # The last step says where one is, the first one in what; then what is next to the last.
    room = width - sizes[-1]
    tail = [len(names) - 1]
    first = len(names) > 1 and sizes[0] + gap <= room
    room -= (sizes[0] + gap if first else 0) + 1 + gap
    for index in range(len(names) - 2, 0 if first else -1, -1):
        if sizes[index] + gap > room:
            break
        room -= sizes[index] + gap
        tail.append(index)
    tail.reverse()
    head: list[tuple[int, str]] = [(0, shown[0])] if first else []
    left_out = [(-1, "…")] if room >= 0 and tail[0] > len(head) else []
    return [*head, *left_out, *((index, shown[index]) for index in tail)]


def _cut(text: str, cells: int) -> str:
    return text if cell_len(text) <= cells else set_cell_size(text, cells - 1).rstrip() + "…"


class Breadcrumbs(Widget):
    """`show` gives it the steps."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"breadcrumbs--step", "breadcrumbs--last", "breadcrumbs--separator"}
    DEFAULT_CSS = """
    Breadcrumbs { height: 1; background: $panel; }
    Breadcrumbs > .breadcrumbs--step { color: $text-primary; background: $panel; }
    Breadcrumbs > .breadcrumbs--last { color: $foreground; background: $panel; text-style: bold; }
    Breadcrumbs > .breadcrumbs--separator { color: $text-muted; background: $panel; }
    """

    class Chosen(Message):
        """A step was clicked."""

        def __init__(self, breadcrumbs: "Breadcrumbs", index: int) -> None:
            super().__init__()
            self.breadcrumbs = breadcrumbs
            self.index = index
            """Of the step, from the root."""

        @property
        def control(self) -> "Breadcrumbs":
            """The sender, for `@on` selectors."""
            return self.breadcrumbs

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._names: tuple[str, ...] = ()

    def show(self, names: Sequence[str]) -> None:
        """The steps from the root, safe to show."""
        self._names = tuple(names)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """The steps."""
        width = self.size.width
        last = len(self._names) - 1
        separator = self.get_component_rich_style("breadcrumbs--separator")
        segments = [Segment(" ", separator)]
        for place, (index, text) in enumerate(fitting(self._names, width - 2)):
            if place:
                segments.append(Segment(SEPARATOR, separator))
            look = "separator" if index < 0 else "last" if index == last else "step"
            segments.append(Segment(text, self.get_component_rich_style(f"breadcrumbs--{look}")))
        return Strip(segments).crop_extend(0, width, separator)

    def on_click(self, event: events.Click) -> None:
        """Tell which step was clicked."""
        x = 1
        for place, (index, text) in enumerate(fitting(self._names, self.size.width - 2)):
            x += len(SEPARATOR) if place else 0
            if index >= 0 and x <= event.x < x + cell_len(text):
                self.post_message(self.Chosen(self, index))
                return
            x += cell_len(text)
