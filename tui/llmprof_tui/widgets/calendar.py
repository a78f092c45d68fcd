"""A heatmap of days, weekdays by weeks: how dark a day is says how much it has of the measure."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from llmprof_addon.store.trends import TrendSums
from llmprof_tui.widgets.bars_layout import named
from llmprof_tui.widgets.calendar_layout import LEVELS, bounds, level, monday, months, weeks_of
from llmprof_tui.widgets.looks import Looks
from llmprof_tui.widgets.measures import CALL_MEASURES, Measure, said

NAMES = 5
"""Cells of the weekdays' names."""
PITCH = 2
"""Cells of a week."""
LINES = 10
"""Title, months, seven days, legend."""
FEWEST = 14
"""Weeks that are shown even if there was nothing in the first of them."""
_WEEKDAYS = ("Mon", "", "Wed", "", "Fri", "", "Sun")
_SHADES = ("· ", "░░", "▒▒", "▓▓", "██")
"""What levels look like where colours cannot tell them apart."""
_BLOCK = "■ "


class Calendar(Widget, can_focus=True):
    """`show` gives it days."""

    HELP_TITLE = "In the calendar"
    DEFAULT_CSS = """
    Calendar {
        height: 10;
        background: $surface;
        color: $foreground;
        & > .calendar--title { color: $foreground 70%; text-style: bold; }
        & > .calendar--name { color: $foreground 50%; }
        & > .calendar--none { color: $foreground 25%; }
        & > .calendar--cursor { color: $foreground; text-style: bold; }
        &:focus > .calendar--title { color: $primary; }
        &:focus > .calendar--cursor { color: $accent; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"calendar--{name}" for name in ("title", "name", "none", "cursor")}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Day before", show=False, id="calendar.up", tooltip="The day before"),
        Binding("down,j", "move(1)", "Next day", show=False, id="calendar.down", tooltip="The next day"),
        Binding("left,h", "move(-7)", "Week before", show=False, id="calendar.left", tooltip="A week back"),
        Binding("right,l", "move(7)", "Next week", show=False, id="calendar.right", tooltip="A week on"),
        Binding("enter", "choose", "Runs", id="calendar.open", tooltip="The runs of the selected day"),
    ]

    class Chosen(Message):
        """A person asks for the runs of this day."""

        def __init__(self, day: date) -> None:
            super().__init__()
            self.day = day

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._looks = Looks(self, "calendar")
        self._days: Mapping[date, TrendSums] = {}
        self._measure = CALL_MEASURES[0]
        self._limits: tuple[float, ...] = ()
        self._first = self._last = date(1970, 1, 1)
        """The first day with calls, and the last that is shown."""
        self._cursor: date | None = None
        self._hovered: date | None = None

    def show(self, days: Mapping[date, TrendSums], last: date, measure: Measure) -> None:
        """Show the weeks up to this day."""
        moved = self._cursor is None or self._cursor == self._last or not self._first <= self._cursor <= last
        self._days, self._measure = days, measure
        self._first, self._last = min(days, default=last), last
        self._limits = bounds((measure.of(sums) for sums in days.values()), measure.whole)
        if moved:
            self._cursor = last
        self.refresh()

    def cells(self, room: int) -> int:
        """How wide it wants to be, of so much room."""
        weeks = max(FEWEST, weeks_of(self._first, self._last))
        return NAMES + PITCH * max(1, min(weeks, (room - NAMES - 1) // PITCH)) + 1

    @property
    def selected(self) -> date | None:
        """The selected day."""
        return self._cursor

    # keys and mouse

    def action_move(self, by: int) -> None:
        """Select another day."""
        if self._cursor is not None:
            self._select(self._cursor + timedelta(days=by))

    def action_choose(self) -> None:
        """Ask for the runs of the selected day."""
        if self._cursor is not None:
            self.post_message(self.Chosen(self._cursor))

    def _select(self, day: date) -> None:
        self._cursor = max(min(self._first, self._start), min(self._last, day))
        self.refresh()

    def _at(self, event: events.MouseEvent) -> date | None:
        at = event.get_content_offset(self)
        if at is None or not 2 <= at.y <= 8 or at.x < NAMES:
            return None
        week = (at.x - NAMES) // PITCH
        day = self._start + timedelta(days=7 * week + at.y - 2)
        return day if week < self._weeks and day <= self._last else None

    def on_click(self, event: events.Click) -> None:
        """Select a day; the second click opens it."""
        if (day := self._at(event)) is not None:
            self._select(day)
            if event.chain == 2:
                self.action_choose()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Say the day under the mouse."""
        self._hover(self._at(event))

    def on_leave(self, event: events.Leave) -> None:
        """The selected one is said again."""
        self._hover(None)

    def _hover(self, day: date | None) -> None:
        if day != self._hovered:
            self._hovered = day
            self.refresh()

    def notify_style_update(self) -> None:
        """Colours changed."""
        super().notify_style_update()
        self._looks.forget()
        self.refresh()

    # drawing

    @property
    def _weeks(self) -> int:
        return max(1, (self.size.width - NAMES) // PITCH)

    @property
    def _start(self) -> date:
        """The Monday of the leftmost week: the last weeks are shown, or those around a selected day before them."""
        end = monday(self._last)
        start = end - timedelta(days=7 * (self._weeks - 1))
        return min(start, monday(self._cursor)) if self._cursor is not None else start

    def render_line(self, y: int) -> Strip:
        """Title, months, days, legend."""
        base, width = self.rich_style, self.size.width
        if y == 0:
            day = self._hovered or self._cursor
            what = ""
            if day is not None:
                name = named(day, "day")
                what = f"{name}  {said(self._days.get(day, TrendSums()), self._measure, width - len(name) - 2)}"
            segments = [Segment(what, base + self._looks("title"))]
        elif y == 1:
            segments = [Segment(self._months(), base + self._looks("name"))]
        elif y < 9:
            segments = self._row(y - 2)
        elif y == 9:
            segments = self._legend()
        else:
            segments = []
        return Strip(segments).adjust_cell_length(width, base)

    def _months(self) -> str:
        line = " " * NAMES
        for x, name in months(self._start, self._weeks, PITCH):
            line = line.ljust(NAMES + x) + name
        return line

    def _row(self, weekday: int) -> list[Segment]:
        base = self.rich_style
        segments = [Segment(_WEEKDAYS[weekday].ljust(NAMES), base + self._looks("name"))]
        for week in range(self._weeks):
            day = self._start + timedelta(days=7 * week + weekday)
            if day > self._last:
                segments.append(Segment(" " * PITCH, base))
            elif day in (self._cursor, self._hovered):
                segments.append(Segment(self._face(self._level(day), on=True), base + self._looks("cursor")))
            else:
                found = self._level(day)
                segments.append(Segment(self._face(found), base + self._ink(found)))
        return segments

    def _level(self, day: date) -> int:
        sums = self._days.get(day)
        return 0 if sums is None else level(self._measure.of(sums), self._limits)

    def _face(self, found: int, *, on: bool = False) -> str:
        if self.app.monochrome:  # type: ignore[attr-defined]  # the application is always ours
            return "[]" if on else _SHADES[found]
        return ("◆ " if found else "◇ ") if on else _BLOCK if found else "· "

    def _ink(self, found: int) -> Style:
        if not found:
            return self._looks("none")
        theme = self.app.theme_variables
        colour = Color.parse(theme["surface"]).blend(Color.parse(theme["success"]), (0.3, 0.52, 0.76, 1.0)[found - 1])
        return Style(color=colour.rich_color)

    def _legend(self) -> list[Segment]:
        base, name = self.rich_style, self.rich_style + self._looks("name")
        shades = [Segment(self._face(each), base + self._ink(each)) for each in range(LEVELS + 1)]
        return [Segment(" " * NAMES + "less ", name), *shades, Segment(" more", name)]
