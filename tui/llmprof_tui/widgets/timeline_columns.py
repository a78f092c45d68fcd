"""The columns of a timeline: calls -> cells -> the lines of a lane's band, without what stands beside them.

A band is drawn once for a viewport, without a cursor; where the cursor or the mouse is, one column is put in its place.
Only columns that hold something are looked at: a lane of a few calls among thousands costs what those few do.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from rich.segment import Segment
from textual.strip import Strip

from llmprof_tui.widgets import timeline_layout as layout
from llmprof_tui.widgets.timeline_ink import Inks, Piece
from llmprof_tui.widgets.timeline_layout import BLANK, Band, Cell, View, Zoom
from llmprof_tui.widgets.timeline_scene import Frame, Scene
from llmprof_tui.widgets.timeline_stacks import stack_of


@dataclass(slots=True, eq=False)
class Columns:
    """The columns of one scene in one look."""

    scene: Scene
    inks: Inks
    limit: int | None = None
    """The largest context window, where tokens are drawn."""
    top: int = 1
    _cells: dict[tuple[int, int, int, int], list[Cell]] = field(default_factory=dict)
    _stacks: dict[tuple[int, Zoom, int, int, str], list[Piece]] = field(default_factory=dict)
    _ruled: dict[int, dict[int, tuple[str, int]]] = field(default_factory=dict)
    _blanks: dict[tuple[int, int, str], list[Piece]] = field(default_factory=dict)
    _peaks: dict[tuple[int, int], int | None] = field(default_factory=dict)
    _highest: dict[int, list[dict[int, int]]] = field(default_factory=dict)
    """By calls in a column, of each lane: the highest call by column, from left to right."""
    _viewport: tuple[Zoom, int, int] | None = None
    """For which bands and gaps are known."""
    _bands: dict[tuple[int, int], list[Strip]] = field(default_factory=dict)
    """By lane and rows."""
    _gaps: dict[int, tuple[int, int]] = field(default_factory=dict)
    """By lane."""

    def __post_init__(self) -> None:
        scene = self.scene
        peak = max([total for total in scene.totals if total is not None], default=0)
        if scene.metric == "tokens":
            self.limit = max([call.context_window or 0 for call in scene.calls], default=0) or None
        self.top = layout.scale_top(peak, self.limit, to_limit=scene.to_limit)

    # -- what stands where

    def shown(self, view: View, column: int) -> int | None:
        """The call that a column shows; `None` where all of its calls are of unknown height."""
        key = column, view.zoom.calls
        if key not in self._peaks:
            self._peaks[key] = layout.highest(self.scene.totals, view.calls(column))
        return self._peaks[key]

    def shown_in(self, view: View, column: int, lane: int) -> int | None:
        """The call that a column shows in a lane's band; `None` if none of its calls of known height is of the lane."""
        return self._of_lane(view, lane).get(column) if self.scene.lane_of else self.shown(view, column)

    def filled(self, view: View, lane: int, first: int, last: int) -> Sequence[int]:
        """The columns of a stretch that hold something of a lane, from left to right."""
        if not self.scene.lane_of:
            return [column for column in range(first, last) if self.shown(view, column) is not None]
        columns = list(self._of_lane(view, lane))
        return columns[bisect_left(columns, first) : bisect_left(columns, last)]

    def _of_lane(self, view: View, lane: int) -> Mapping[int, int]:
        found = self._highest.get(view.zoom.calls)
        if found is None:
            found = self._highest[view.zoom.calls] = [{} for _ in self.scene.lanes]
            for call, (of, total) in enumerate(zip(self.scene.lane_of, self.scene.totals, strict=True)):
                if total is None:
                    continue
                column, highest = call // view.zoom.calls, found[of]
                best = highest.get(column)
                if best is None or total > (self.scene.totals[best] or 0):
                    highest[column] = call
        return found[lane]

    def cells(self, view: View, column: int, lane: int, rows: int) -> list[Cell]:
        """Cells of a column in a lane's band, from the bottom up."""
        key = column, view.zoom.calls, lane, rows
        found = self._cells.get(key)
        if found is None:
            call = self.shown_in(view, column, lane)
            stack = () if call is None else stack_of(self.scene.calls[call], self.scene.metric)
            found = self._cells[key] = layout.cells(stack, self.top, rows)
        return found

    def rules(self, rows: int) -> dict[int, tuple[str, int]]:
        """Rows with a line through them: what line, and which amount it stands at."""
        found = self._ruled.get(rows)
        if found is None:
            found = {row: ("grid", value) for row, value in layout.ticks(self.top, rows, apart=max(3, rows // 7))}
            if self.limit is not None and self.limit <= self.top:
                at = layout.row_of(self.limit, self.top, rows)
                found = {row: rule for row, rule in found.items() if abs(row - at) > 1} | {at: ("limit", self.limit)}
            self._ruled[rows] = found
        return found

    # -- lines

    def band(self, frame: Frame, band: Band) -> list[Strip]:
        """The lines of a band, from the bottom up."""
        self._look_through(frame)
        key = band.lane, band.rows
        lines = self._bands.get(key)
        if lines is None:
            lines = self._bands[key] = self._drawn(frame, band)
        for column, state in ((frame.hovered, "hovered"), (frame.selected, "selected")):
            if column is not None:
                lines = self._with(lines, frame, band, column, state)
        return lines

    def widest_gap(self, frame: Frame, lane: int) -> tuple[int, int]:
        """Start and length of the widest stretch in view without columns of a lane."""
        self._look_through(frame)
        found = self._gaps.get(lane)
        if found is None:
            taken = [False] * frame.width
            width = frame.view.zoom.width
            for column in self.filled(frame.view, lane, *_in_view(frame)):
                start = column * width - frame.scroll
                for at in range(max(0, start), min(start + width, frame.width)):
                    taken[at] = True
            found = self._gaps[lane] = layout.widest_gap(taken)
        return found

    def _look_through(self, frame: Frame) -> None:
        """Forget what was drawn for another viewport."""
        viewport = frame.view.zoom, frame.scroll, frame.width
        if viewport != self._viewport:
            self._viewport = viewport
            self._bands.clear()
            self._gaps.clear()

    def _drawn(self, frame: Frame, band: Band) -> list[Strip]:
        """The lines of a band without a cursor."""
        rows, view = band.rows, frame.view
        width, bar = view.zoom.width, view.zoom.bar
        first, last = _in_view(frame)
        gap = self._above(rows, width - bar, "") if bar < width else None
        stacks: list[list[Piece]] = []
        at = first
        for column in self.filled(view, band.lane, first, last):
            if column > at:
                stacks.append(self._above(rows, (column - at) * width, ""))
            stacks.append(self._stack(view, column, band, ""))
            if gap is not None:
                stacks.append(gap)
            at = column + 1
        if last > at:
            stacks.append(self._above(rows, (last - at) * width, ""))
        left = frame.scroll - first * width
        free = max(0, frame.width + left - (last - first) * width)
        stacks.append([self.inks.blank("", "", free)] * rows)
        lines = [_joined(pieces) for pieces in zip(*stacks, strict=True)]
        return [line.crop(left, left + frame.width) for line in lines]

    def _with(self, lines: list[Strip], frame: Frame, band: Band, column: int, state: str) -> list[Strip]:
        """The lines with another look of one column."""
        zoom = frame.view.zoom
        start = column * zoom.width - frame.scroll
        end = min(start + zoom.bar, frame.width)
        seen = max(start, 0)
        if seen >= end:
            return lines
        out = []
        for line, piece in zip(lines, self._stack(frame.view, column, band, state), strict=True):
            own = Strip([Segment(piece[0][seen - start : end - start], piece[1])], end - seen)
            out.append(Strip.join([line.crop(0, seen), own, line.crop(end, frame.width)]))
        return out

    def _stack(self, view: View, column: int, band: Band, state: str) -> list[Piece]:
        """A column as it is drawn, from the bottom up."""
        key = column, view.zoom, band.lane, band.rows, state
        found = self._stacks.get(key)
        if found is None:
            cells = self.cells(view, column, band.lane, band.rows)
            high = cells.index(BLANK) if cells and cells[-1] == BLANK else len(cells)
            above = self._above(band.rows, view.zoom.bar, state)
            piece, bar = self.inks.piece, view.zoom.bar
            found = [piece(cell, state, bar) for cell in cells[:high]] + above[high:]
            self._stacks[key] = found
        return found

    def _above(self, rows: int, width: int, state: str) -> list[Piece]:
        """Columns that hold nothing, from the bottom up."""
        key = rows, width, state
        found = self._blanks.get(key)
        if found is None:
            rules = self.rules(rows)
            found = [self.inks.blank(rules[row][0] if row in rules else "", state, width) for row in range(rows)]
            self._blanks[key] = found
        return found


def _in_view(frame: Frame) -> tuple[int, int]:
    """The first column in view, and the one behind the last."""
    width = frame.view.zoom.width
    return frame.scroll // width, min(frame.view.columns, -(-(frame.scroll + frame.width) // width))


def _joined(pieces: Iterable[Piece]) -> Strip:
    """Pieces side by side; neighbours of one style are one segment."""
    segments: list[Segment] = []
    said, drawn = "", None
    for more, style in pieces:
        if style is drawn:
            said += more
        else:
            if drawn is not None:
                segments.append(Segment(said, drawn))
            said, drawn = more, style
    segments.append(Segment(said, drawn))
    return Strip(segments)
