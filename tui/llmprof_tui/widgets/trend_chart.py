"""How an amount went, period by period: bars with a scale, of which one is selected."""

from collections.abc import Sequence
from datetime import date
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from llmprof_addon.store.trends import Period, TrendSums
from llmprof_tui.widgets.bars_layout import Bars, eighths, fit, labels, named
from llmprof_tui.widgets.looks import Looks
from llmprof_tui.widgets.measures import CALL_MEASURES, Measure, said

SCALE = 8
"""Cells of the scale on the left."""
EDGES = 2
"""Lines that hold no bars: the title, and the dates."""
_BARS = " ▁▂▃▄▅▆▇█"


class TrendChart(Widget, can_focus=True):
    """`show` gives it periods and their sums."""

    HELP_TITLE = "In the chart"
    DEFAULT_CSS = """
    TrendChart {
        width: 1fr;
        background: $surface;
        color: $foreground;
        & > .chart--title { color: $foreground 70%; text-style: bold; }
        & > .chart--said { color: $foreground; }
        & > .chart--scale { color: $foreground 50%; }
        & > .chart--grid { color: $foreground 20%; }
        & > .chart--bar { color: $primary 80%; }
        & > .chart--hovered { color: $primary; }
        & > .chart--cursor { color: $foreground 85%; }
        &:focus > .chart--title { color: $primary; }
        &:focus > .chart--cursor { color: $accent; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *("chart--title", "chart--said", "chart--scale", "chart--grid"),
        *("chart--bar", "chart--hovered", "chart--cursor"),
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "move(-1)", "Before", show=False, id="chart.before", tooltip="The period before"),
        Binding("right,l", "move(1)", "Next", show=False, id="chart.next", tooltip="The next period"),
        Binding("home,g", "edge(0)", "First", show=False, id="chart.first", tooltip="The first period"),
        Binding("end,G", "edge(-1)", "Last", show=False, id="chart.last", tooltip="The last period"),
        Binding("enter", "choose", "Runs", id="chart.open", tooltip="The runs of the selected period"),
    ]

    class Highlighted(Message):
        """A person selected this period."""

        def __init__(self, start: date) -> None:
            super().__init__()
            self.start = start

    class Chosen(Message):
        """A person asks for the runs of this period."""

        def __init__(self, start: date) -> None:
            super().__init__()
            self.start = start

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._looks = Looks(self, "chart")
        self._title, self._measure = "", CALL_MEASURES[0]
        self._period: Period = "day"
        self._starts: Sequence[date] = ()
        self._points: Sequence[TrendSums] = ()
        self._cursor = 0
        self._first: int | None = None
        self._hovered: int | None = None

    def show(
        self, title: str, period: Period, starts: Sequence[date], points: Sequence[TrendSums], measure: Measure
    ) -> None:
        """Show these; the selected period stays, if it is still there."""
        held = self._starts[self._cursor] if self._cursor < len(self._starts) else None
        at_end = self._cursor >= len(self._starts) - 1
        self._title, self._period, self._measure = title, period, measure
        self._starts, self._points = starts, points
        found = starts.index(held) if held in starts and not at_end else None
        self._cursor = max(0, len(starts) - 1) if found is None else found
        self._hovered = None
        self.refresh()

    @property
    def selected(self) -> date | None:
        """First day of the selected period."""
        return self._starts[self._cursor] if self._starts else None

    def move_to(self, start: date) -> None:
        """Select the period that starts on this day."""
        if start in self._starts:
            self._cursor = self._starts.index(start)
            self.refresh()

    # keys and mouse

    def action_move(self, by: int) -> None:
        """Select another period."""
        self._select(self._cursor + by)

    def action_edge(self, place: int) -> None:
        """Select the first or the last period."""
        self._select(0 if place == 0 else len(self._starts) - 1)

    def action_choose(self) -> None:
        """Ask for the runs of the selected period."""
        if self.selected is not None:
            self.post_message(self.Chosen(self.selected))

    def _select(self, index: int) -> None:
        index = max(0, min(len(self._starts) - 1, index))
        if self._starts and index != self._cursor:
            self._cursor = index
            self.post_message(self.Highlighted(self._starts[index]))
            self.refresh()

    def _at(self, event: events.MouseEvent) -> int | None:
        at = event.get_content_offset(self)
        return None if at is None or at.y < 1 else self._bars.at(at.x - SCALE)

    def on_click(self, event: events.Click) -> None:
        """Select a period; the second click opens it."""
        index = self._at(event)
        if index is not None:
            self._select(index)
            if event.chain == 2:
                self.action_choose()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Say the period under the mouse."""
        self._hover(self._at(event))

    def on_leave(self, event: events.Leave) -> None:
        """The selected one is said again."""
        self._hover(None)

    def _hover(self, index: int | None) -> None:
        if index != self._hovered:
            self._hovered = index
            self.refresh()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel goes back in time."""
        event.stop()
        self._select(self._cursor - 1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """And forth."""
        event.stop()
        self._select(self._cursor + 1)

    def notify_style_update(self) -> None:
        """Colours changed."""
        super().notify_style_update()
        self._looks.forget()
        self.refresh()

    # drawing

    @property
    def _bars(self) -> Bars:
        bars = fit(len(self._starts), self.size.width - SCALE - 1, self._cursor, self._first)
        if bars.count:
            self._first = None if bars.first + bars.count >= len(self._starts) else bars.first
        return bars

    @property
    def _top(self) -> float:
        if self._measure.whole is not None:
            return self._measure.whole
        return max((self._measure.of(point) or 0 for point in self._points), default=0)

    def render_line(self, y: int) -> Strip:
        """Title, bars, dates."""
        width, height = self.size.width, self.size.height
        if y == 0:
            return self._text_line(self._head(), width)
        if y >= height - 1:
            return self._text_line(self._dates(), width)
        return self._bar_line(height - EDGES - y, height - EDGES, width)

    def _text_line(self, line: Text, width: int) -> Strip:
        line.truncate(width, overflow="ellipsis")
        return (
            Strip(line.render(self.app.console))
            .adjust_cell_length(width, self.rich_style)
            .apply_style(Style(bgcolor=self.rich_style.bgcolor))
        )

    def _head(self) -> Text:
        index = self._cursor if self._hovered is None else self._hovered
        line = Text(" ", style=self.rich_style, end="")
        title, what = Text(self._title, style=self._looks("title")), ""
        room = self.size.width - 2
        if index < len(self._points):
            name = named(self._starts[index], self._period)
            most = room - len(name) - 2
            what = f"{name}  {said(self._points[index], self._measure, most - title.cell_len - 2)}"
            title.truncate(max(0, room - len(what) - 2), overflow="ellipsis")
        line.append_text(title)
        line.append(" " * (room - title.cell_len - len(what)))
        line.append(what, self._looks("said"))
        return line

    def _dates(self) -> Text:
        line, bars = Text(" " * SCALE, style=self.rich_style, end=""), self._bars
        for x, said_of in labels(self._starts, bars, self.size.width - SCALE - 1, self._period):
            line.append(" " * (SCALE + x - line.cell_len))
            line.append(said_of, self._looks("scale"))
        return line

    def _bar_line(self, row: int, rows: int, width: int) -> Strip:
        """A line of bars; `row` counts from the lowest, which is 0."""
        bars, top, base = self._bars, self._top, self.rich_style
        scale, ruled = "", row in (rows - 1, (rows - 1) // 2)
        if top and (row == rows - 1 or (ruled and rows > 3)):
            scale = self._measure.axis(top * (row + 1) / rows)
        segments = [Segment(scale.rjust(SCALE - 1)[: SCALE - 1] + " ", base + self._looks("scale"))]
        for index in range(bars.first, bars.first + bars.count):
            full = eighths(self._measure.of(self._points[index]), top, rows) - 8 * row
            mark = _BARS[max(0, min(8, full))]
            look = "cursor" if index == self._cursor else "hovered" if index == self._hovered else "bar"
            if mark == " ":
                mark, look = ("┈" if ruled else " "), "grid"
            segments.append(Segment(mark * bars.thick, base + self._looks(look)))
            if bars.pitch > bars.thick:
                segments.append(Segment("┈" if ruled else " ", base + self._looks("grid")))
        return Strip(segments).adjust_cell_length(width, base)
