"""The picture of a run's calls as a widget that scrolls; `timeline_painter` draws it.

It is made once per viewport, selection, metric and theme, and handed out line by line. What a person does with it is
the business of `Timeline`.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from textual import events
from textual.color import Color
from textual.geometry import Size
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip

from llmprof_addon.store.timeline import TimelineCall
from llmprof_tui.widgets import timeline_layout as layout
from llmprof_tui.widgets.lane_title import ALONE, LaneTitle
from llmprof_tui.widgets.timeline_ink import Inks, Look
from llmprof_tui.widgets.timeline_layout import ZOOMS, Band, View
from llmprof_tui.widgets.timeline_painter import GUTTER, Painter
from llmprof_tui.widgets.timeline_scene import Frame, Scene
from llmprof_tui.widgets.timeline_signs import Sign, signs_of
from llmprof_tui.widgets.timeline_stacks import Metric

ABOVE = 1
"""Lines above the chart: its caption."""


class TimelineView(ScrollView, can_focus=True):
    """Columns of calls. `show` gives it the calls."""

    DEFAULT_CSS = """
    TimelineView {
        height: 1fr;
        overflow-x: auto;
        overflow-y: auto;
        background: $surface;
        color: $foreground;
        scrollbar-size-horizontal: 1;
        & > .timeline--text { color: $foreground; }
        & > .timeline--caption { color: $text-muted; }
        & > .timeline--grid { color: $foreground 12%; }
        & > .timeline--limit { color: $warning; }
        & > .timeline--selected { background: $foreground 18%; }
        & > .timeline--hovered { background: $foreground 8%; }
        & > .timeline--error { color: $error; }
        & > .timeline--warning { color: $warning; }
        & > .timeline--accent { color: $accent; }
        & > .timeline--primary { color: $primary; }
        &:focus > .timeline--selected { background: $primary 35%; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(
            "timeline--text",
            "timeline--caption",
            "timeline--grid",
            "timeline--limit",
            "timeline--selected",
            "timeline--hovered",
        ),
        *("timeline--error", "timeline--warning", "timeline--accent", "timeline--primary"),
    }
    selected: var[int | None] = var(None, init=False)
    """Index of the selected call."""
    hovered: var[tuple[int, int] | None] = var(None, init=False)
    """Index of the call under the mouse and what is painted there (`EMPTY` above its column)."""
    metric: var[Metric] = var("tokens", init=False)
    to_limit: var[bool] = var(False, init=False)

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.calls: Sequence[TimelineCall] = ()
        self.signs: Sequence[Sequence[Sign]] = ()
        self.lanes: Sequence[LaneTitle] = ALONE
        self.lane_of: Sequence[int] = ()
        """Index of each call's lane; empty where there is but one."""
        self.opened: frozenset[str] = frozenset({ALONE[0].key})
        """Keys of the lanes that are not folded."""
        self.level = 0
        """Index of the zoom."""
        self.fitted = True
        """Whether the zoom follows the window; it does until a person chooses one."""
        self._scene: Scene | None = None
        self._painter: Painter | None = None
        self._inks: Inks | None = None
        self._laid: tuple[object, tuple[Band, ...]] = None, ()
        """The lanes, rows and open lanes for which bands were laid out, and those."""
        self._picture: tuple[tuple[Any, ...], int, list[Strip], Strip, Strip] | None = None

    # -- what the owner does

    def show(
        self,
        calls: Sequence[TimelineCall],
        *,
        signs: Sequence[Sequence[Sign]] | None = None,
        lanes: Sequence[LaneTitle] = ALONE,
        lane_of: Sequence[int] = (),
    ) -> None:
        """Show these calls, in the order in which they started.

        The selection stays on its call and the columns stay where they are, unless the last one was selected and in
        view: then the new last one is. Without `signs` calls are marked for what befell them. Of several lanes all but
        the first one are folded until a person opens them.
        """
        first = not self.calls
        old = None if self.selected is None or first else self.calls[self.selected].number
        follows = not first and self.selected == len(self.calls) - 1 and self._in_view(self.selected)
        self.calls = calls
        self.signs = [signs_of(call) for call in calls] if signs is None else signs
        if len(self.lanes) == 1:
            self.opened = frozenset({lanes[0].key})
        self.lanes, self.lane_of = lanes, lane_of
        self._forget()
        if first and self.fitted:
            self._fit()
        self._lay_out()
        self.set_reactive(TimelineView.hovered, None)
        place = next((at for at in range(len(calls) - 1, -1, -1) if calls[at].number == old), None)
        quiet = place is not None and not follows
        self.set_reactive(TimelineView.selected, place if quiet else None)
        if not quiet:
            self.selected = len(calls) - 1 if calls else None
        self.refresh()

    @property
    def folded(self) -> frozenset[int]:
        """Indexes of the folded lanes."""
        return frozenset(at for at, lane in enumerate(self.lanes) if lane.key not in self.opened)

    @property
    def view(self) -> View:
        """The columns as they are zoomed."""
        return View(len(self.calls), ZOOMS[self.level])

    @property
    def painter(self) -> Painter:
        """Paints what is shown in the colours of the theme."""
        if self._scene is None:
            self._scene = Scene(
                calls=self.calls,
                metric=self.metric,
                to_limit=self.to_limit,
                signs=self.signs,
                lanes=self.lanes,
                lane_of=self.lane_of,
            )
        if self._painter is None:
            if self._inks is None:
                self._inks = Inks(self._look())
            self._painter = Painter(self._scene, self._inks)
        return self._painter

    def call_at(self, x: int, y: int) -> tuple[int, int] | None:
        """The call drawn at a point of the widget and its paint there; the inverse of drawing."""
        view, columns, (band, row) = self.view, self.painter.columns, self._band_at(y)
        column = view.column_at(x - GUTTER + self._scroll) if GUTTER <= x < self._room + GUTTER else None
        if column is None or not self.calls:
            return None
        in_band = band is not None and 0 <= row < band.rows
        call = columns.shown_in(view, column, band.lane) if in_band and band is not None else None
        call = columns.shown(view, column) if call is None else call
        call = view.calls(column).start if call is None else call
        if band is None or not in_band:
            return call, layout.EMPTY
        cells = columns.cells(view, column, band.lane, band.rows)
        return call, layout.paint_at(cells, band.rows - 1 - row)

    # -- drawing

    def render_line(self, y: int) -> Strip:
        """The caption, a line of the chart, markers or numbers."""
        width, height = self.scrollable_content_region.size
        if not self.calls or height < ABOVE + self._below + 1:
            return Strip.blank(width, self.rich_style)
        if y == 0:
            return self._caption(width)
        _, top, chart, signs, numbers = self._drawn()
        if y == height - 1:
            return numbers
        if self._on_signs(y):
            return signs
        row = y - ABOVE + round(self.scroll_y) - top
        return chart[row] if 0 <= row < len(chart) else Strip.blank(width, self.rich_style)

    def _drawn(self) -> tuple[tuple[Any, ...], int, list[Strip], Strip, Strip]:
        """What is in view: the row of the chart with which it begins, lines of the chart, markers, numbers."""
        view, down = self.view, round(self.scroll_y)
        hovered = None if self.hovered is None else view.column(self.hovered[0])
        selected = None if self.selected is None else view.column(self.selected)
        key = (self._scroll, down, self._room, self._rows, self.level, selected, hovered, self.opened, self.painter)
        if self._picture is None or self._picture[0] != key:
            frame = Frame(
                view=view, scroll=self._scroll, width=self._room, rows=self._rows, selected=selected, hovered=hovered
            )
            painter = self.painter
            seen = [band for band in self._bands() if band.end > down and band.start < down + self._rows]
            chart = painter.chart(frame, seen)
            top = seen[0].start if seen else 0
            self._picture = (key, top, chart, painter.signs(frame), painter.numbers(frame))
        return self._picture

    def _caption(self, width: int) -> Strip:
        return self.painter.caption(self.view, width)

    def _look(self) -> Look:
        names = ("text", "caption", "grid", "limit", "error", "warning", "accent", "primary")
        inks = {name: self.get_component_rich_style(f"timeline--{name}").color for name in names}
        grounds = {name: self.get_component_rich_style(f"timeline--{name}").bgcolor for name in ("selected", "hovered")}
        colours = {name: Color.from_rich_color(colour) for name, colour in (inks | grounds).items()}
        return Look(
            theme=self.app.theme,
            background=self.background_colors[1],
            colours=colours,
            monochrome=bool(getattr(self.app, "monochrome", False)),
        )

    # -- where things are

    @property
    def _room(self) -> int:
        """Cells of the chart's width."""
        return max(1, self.scrollable_content_region.width - GUTTER)

    @property
    def _below(self) -> int:
        """Lines below the chart: call numbers, and markers if there are any."""
        return 1 + self.painter.has_signs

    @property
    def _rows(self) -> int:
        """Lines for the chart."""
        return max(1, self.scrollable_content_region.height - ABOVE - self._below)

    @property
    def _scroll(self) -> int:
        return round(self.scroll_x)

    def _bands(self) -> tuple[Band, ...]:
        key = self.lanes, self._rows, self.opened
        if self._laid[0] != key:
            folded = self.folded if len(self.lanes) > 1 else frozenset[int]()
            self._laid = key, layout.bands(len(self.lanes), self._rows, folded)
        return self._laid[1]

    def _band_at(self, y: int) -> tuple[Band | None, int]:
        """The band at a line of the widget, and which of its rows from the top."""
        row = y - ABOVE + round(self.scroll_y)
        if y < ABOVE or y >= ABOVE + self._rows:
            return None, 0
        band = layout.band_at(self._bands(), row)
        return band, row - band.top if band else 0

    def _on_signs(self, y: int) -> bool:
        """Whether a line of the widget is that of the markers."""
        return self._below == 2 and y == self.scrollable_content_region.height - 2

    def _in_view(self, call: int) -> bool:
        place = self.view.place(self.view.column(call))
        return self._scroll <= place < self._scroll + self._room

    def _lay_out(self) -> None:
        """Make room for all columns and lanes."""
        bands = self._bands()
        # A line more than the window would bring a scrollbar, which takes a line, and so on.
        tall = bands[-1].end if bands and bands[-1].end > self._rows else 0
        self.virtual_size = Size(GUTTER + self.view.width, tall + ABOVE + self._below if tall else 0)

    def _fit(self) -> None:
        self.level = layout.fitting(len(self.calls), self._room)

    def _forget(self) -> None:
        self._scene = None
        self._forget_look()

    def _forget_look(self) -> None:
        self._painter = self._picture = None

    def _reveal(self) -> None:
        if self.selected is not None:
            scroll = self.view.scrolled_to(self.selected, self._scroll, self._room)
            band = self._bands()[self.lane_of[self.selected] if self.lane_of else 0]
            down = max(min(round(self.scroll_y), band.start), band.end - self._rows)
            if (scroll, down) != (self._scroll, round(self.scroll_y)):
                self.scroll_to(x=scroll, y=down, animate=False, force=True)

    def on_resize(self, event: events.Resize) -> None:
        """Fit the run into the window again, unless a person chose the zoom."""
        if self.fitted:
            self._fit()
        self._forget_look()
        self._lay_out()
        self.call_after_refresh(self._reveal)

    def notify_style_update(self) -> None:
        """Paint anew after a change of theme or focus."""
        super().notify_style_update()
        self._inks = None
        self._forget_look()
        self.refresh()

    def watch_metric(self) -> None:
        """Other heights."""
        self._forget()
        self.refresh()

    def watch_to_limit(self) -> None:
        """Another scale."""
        self._forget()
        self.refresh()
