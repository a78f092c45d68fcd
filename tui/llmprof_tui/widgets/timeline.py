"""The stacked timeline of a run's calls: selection, hover, zoom and scroll by keys and mouse.

Selection is a call, not a column, and survives zoom, new calls and a change of metric.
"""

from typing import ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from llmprof_addon.export.text import plain
from llmprof_addon.model.component import Kind
from llmprof_tui.widgets import timeline_layout as layout
from llmprof_tui.widgets.timeline_layout import ZOOMS
from llmprof_tui.widgets.timeline_painter import GUTTER
from llmprof_tui.widgets.timeline_stacks import kind_of_paint
from llmprof_tui.widgets.timeline_view import TimelineView


class Timeline(TimelineView):
    """What a person does comes up as messages."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "step(-1)", "Previous call", show=False, id="timeline.left", tooltip="The call before"),
        Binding("right,l", "step(1)", "Next call", show=False, id="timeline.right", tooltip="The call after"),
        Binding("home,g", "end(0)", "First call", show=False, id="timeline.first", tooltip="The first call"),
        Binding("end,G", "end(-1)", "Last call", show=False, id="timeline.last", tooltip="The last call"),
        Binding("pageup", "page(-1)", "Back", show=False, id="timeline.back", tooltip="One window of columns back"),
        Binding("pagedown", "page(1)", "Forth", show=False, id="timeline.forth", tooltip="One window of columns on"),
        Binding("up,k", "lane(-1)", "Lane up", show=False, id="timeline.up", tooltip="To the lane above, at this time"),
        Binding("down,j", "lane(1)", "Lane down", show=False, id="timeline.down", tooltip="To the lane below"),
        Binding("enter", "open", "Open", id="timeline.open", tooltip="Look into the prompt of the selected call"),
    ]

    class About(Message):
        """Something was done with the timeline."""

        def __init__(self, timeline: "Timeline", call: int | None) -> None:
            super().__init__()
            self.timeline = timeline
            self.call = call
            """Index of a call."""

        @property
        def control(self) -> "Timeline":
            """The sender, for `@on` selectors."""
            return self.timeline

    class Selected(About):
        """Another call is selected; `None` if there is none left."""

    class Opened(About):
        """A person opens this call."""

    class Hovered(About):
        """The mouse is over another call or another part of it, or over none."""

    @property
    def hovered_kind(self) -> Kind | None:
        """What is painted under the mouse, if it is on a column."""
        if self.hovered is None or self.hovered[1] == layout.EMPTY:
            return None
        return kind_of_paint(self.hovered[1])

    # -- keys and mouse

    def watch_selected(self, selected: int | None) -> None:
        """Show the call and tell."""
        self.refresh()
        self._reveal()
        self.post_message(self.Selected(self, selected))

    def watch_hovered(self, hovered: tuple[int, int] | None) -> None:
        """Tell, and tint the column."""
        self.refresh()
        self.post_message(self.Hovered(self, None if hovered is None else hovered[0]))

    def action_step(self, by: int) -> None:
        """Select the call of the next column that way."""
        if self.selected is None:
            return
        view = self.view
        column = max(0, min(view.columns - 1, view.column(self.selected) + by))
        self._select_column(column)

    def action_page(self, by: int) -> None:
        """Go on by as many columns as are in view."""
        self.action_step(by * max(1, self._room // self.view.zoom.width - 1))

    def action_lane(self, by: int) -> None:
        """Select the call of the lane above or below that started next to the selected one."""
        if self.selected is None or not self.lane_of:
            return
        lane, selected = self.lane_of[self.selected] + by, self.selected
        calls = [call for call, of in enumerate(self.lane_of) if of == lane]
        if calls:
            self.selected = min(calls, key=lambda call: abs(call - selected))

    def choose_lane(self, key: str) -> None:
        """Unfold a lane and select its first call."""
        lane = next((at for at, lane in enumerate(self.lanes) if lane.key == key), None)
        if lane is None or not self.lane_of:
            return
        if key not in self.opened:
            self._fold(lane)
        if lane in self.lane_of:
            self.selected = self.lane_of.index(lane)
        self.call_after_refresh(self._reveal)

    def action_end(self, place: int) -> None:
        """Select the first call (0) or the last (-1)."""
        if self.calls:
            self.selected = 0 if place == 0 else len(self.calls) - 1

    def action_open(self) -> None:
        """Open the selected call."""
        if self.selected is not None:
            self.post_message(self.Opened(self, self.selected))

    def action_zoom(self, by: int) -> None:
        """Widen or narrow the columns about the selected one."""
        level = max(0, min(len(ZOOMS) - 1, self.level + by))
        # Farther away than all calls in one column there is nothing to see.
        if level != self.level and (by > 0 or self.view.columns > 1):
            self._zoom_to(level, fitted=False)

    def action_fit(self) -> None:
        """The whole run in the window, now and after a change of its size."""
        self._zoom_to(layout.fitting(len(self.calls), self._room), fitted=True)

    def _zoom_to(self, level: int, *, fitted: bool) -> None:
        before = self.view
        old = 0 if self.selected is None else before.place(before.column(self.selected)) - self._scroll
        self.level, self.fitted = level, fitted
        self._lay_out()
        self.refresh()
        if self.selected is not None:
            self.scroll_to(x=max(0, self.view.place(self.view.column(self.selected)) - old), animate=False, force=True)
            self.call_after_refresh(self._reveal)

    def action_metric(self) -> None:
        """Tokens or dollars."""
        self.metric = "dollars" if self.metric == "tokens" else "tokens"

    def action_limit(self) -> None:
        """Scale to the window or to the peak."""
        self.to_limit = not self.to_limit

    def action_fold(self) -> None:
        """Fold or unfold the lane of the selected call."""
        if self.selected is not None and self.lane_of:
            self._fold(self.lane_of[self.selected])

    def _fold(self, lane: int) -> None:
        self.opened ^= {self.lanes[lane].key}
        self._lay_out()
        self.refresh()

    def _select_column(self, column: int) -> None:
        shown = self.painter.columns.shown(self.view, column)
        self.selected = self.view.calls(column).start if shown is None else shown

    def on_click(self, event: events.Click) -> None:
        """Select a column, open it at the second click; fold a lane by its title."""
        at = event.get_content_offset(self)
        if at is None:
            return
        band, row = self._band_at(at.y)
        folds = band is not None and (row < 0 or (band.title == band.top and at.x < GUTTER))
        if band is not None and folds:
            self._fold(band.lane)
            return
        found = self.call_at(at.x, at.y)
        if found is not None and at.y > 0:
            self.selected = found[0]
            if event.chain == 2:
                self.action_open()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Point at what is under the mouse."""
        at = event.get_content_offset(self)
        self.hovered = None if at is None or at.y == 0 else self.call_at(at.x, at.y)
        meanings: Text | str | None = (
            None if at is None else self._meanings() if self._on_signs(at.y) else self._lane_at(at.x, at.y)
        )
        if self.tooltip != meanings:
            self.tooltip = meanings

    def _lane_at(self, x: int, y: int) -> Text | None:
        """What is said of the lane whose title is under the mouse."""
        band, row = self._band_at(y)
        if band is None or band.title is None or not (row < 0 or (band.title == band.top and x < GUTTER)):
            return None
        lane = self.lanes[band.lane]
        return Text("\n".join(plain(said) for said in (lane.name, lane.said, lane.note) if said))

    def _meanings(self) -> str | None:
        """What the markers of the column under the mouse say."""
        if self.hovered is None:
            return None
        column = self.view.column(self.hovered[0])
        found = dict.fromkeys(sign for call in self.view.calls(column) for sign in self.signs[call])
        said = [f"{sign.glyph} {sign.meaning}" for sign in found]
        return (
            "\n".join(said or ["– not known"] if self.painter.columns.shown(self.view, column) is None else said)
            or None
        )

    def on_leave(self, event: events.Leave) -> None:
        """Point at nothing."""
        self.hovered = None
