"""The picture of a timeline: data, a viewport and a look -> lines of segments. No widget, no state but caches.

Columns are painted once per scale and look; a frame puts those in view side by side and joins equal neighbours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from llmprof_addon.export import text
from llmprof_addon.model.component import Kind
from llmprof_addon.store.timeline import TimelineCall
from llmprof_tui.themes import KIND_MARKS
from llmprof_tui.widgets import timeline_layout as layout
from llmprof_tui.widgets.lane_title import ALONE, LaneTitle
from llmprof_tui.widgets.timeline_ink import Inks, Piece
from llmprof_tui.widgets.timeline_layout import BLANK, Band, Cell, View, Zoom
from llmprof_tui.widgets.timeline_signs import GRAVE, Sign
from llmprof_tui.widgets.timeline_stacks import Metric, kind_of_paint, paint, stack_of, total_of

GUTTER = 8
"""Cells of the amounts beside the chart, with the axis."""
MOST_NAME = 14
"""Cells below which nothing is said of a lane."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What is drawn, but for the viewport."""

    calls: Sequence[TimelineCall]
    metric: Metric
    to_limit: bool
    signs: Sequence[Sequence[Sign]]
    """Of each call, the most important first."""
    lanes: Sequence[LaneTitle] = ALONE
    lane_of: Sequence[int] = ()
    """Lane of each call; empty where there is but one."""
    folded: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A viewport: how far it is scrolled, how large it is, and what is pointed at in it."""

    view: View
    scroll: int
    width: int
    """Cells of the chart, without the gutter."""
    rows: int
    """Of the chart."""
    selected: int | None
    """Columns."""
    hovered: int | None


@dataclass(slots=True, eq=False)
class Painter:
    """Paints one scene with one look."""

    scene: Scene
    inks: Inks
    totals: list[int | None] = field(default_factory=list)
    limit: int | None = None
    """The largest context window, where tokens are drawn."""
    top: int = 1
    _columns: dict[tuple[int, int, int, int], list[Cell]] = field(default_factory=dict)
    _stacks: dict[tuple[int, Zoom, int, int, str], list[Piece]] = field(default_factory=dict)
    _ruled: dict[int, dict[int, tuple[str, int]]] = field(default_factory=dict)
    _blanks: dict[tuple[int, int, str], list[Piece]] = field(default_factory=dict)
    _peaks: dict[tuple[int, int], int | None] = field(default_factory=dict)
    _highest: dict[int, dict[tuple[int, int], int]] = field(default_factory=dict)
    """By calls in a column: the highest call of each column and lane."""

    def __post_init__(self) -> None:
        scene = self.scene
        self.totals = [total_of(call, scene.metric) for call in scene.calls]
        peak = max((total for total in self.totals if total is not None), default=0)
        if scene.metric == "tokens":
            self.limit = max((call.context_window or 0 for call in scene.calls), default=0) or None
        self.top = layout.scale_top(peak, self.limit, to_limit=scene.to_limit)

    # -- what stands where

    def shown(self, view: View, column: int) -> int | None:
        """The call that a column shows; `None` where all of its calls are of unknown height."""
        key = column, view.zoom.calls
        if key not in self._peaks:
            self._peaks[key] = layout.highest(self.totals, view.calls(column))
        return self._peaks[key]

    def shown_in(self, view: View, column: int, lane: int) -> int | None:
        """The call that a column shows in a lane's band; `None` if none of its calls of known height is of the lane."""
        if not self.scene.lane_of:
            return self.shown(view, column)
        found = self._highest.get(view.zoom.calls)
        if found is None:
            found = self._highest[view.zoom.calls] = {}
            for call, (of, total) in enumerate(zip(self.scene.lane_of, self.totals, strict=True)):
                best = found.get((view.column(call), of))
                if total is not None and (best is None or total > (self.totals[best] or 0)):
                    found[view.column(call), of] = call
        return found.get((column, lane))

    def cells(self, view: View, column: int, lane: int, rows: int) -> list[Cell]:
        """Cells of a column in a lane's band, from the bottom up."""
        key = column, view.zoom.calls, lane, rows
        found = self._columns.get(key)
        if found is None:
            call = self.shown_in(view, column, lane)
            stack = () if call is None else stack_of(self.scene.calls[call], self.scene.metric)
            found = self._columns[key] = layout.cells(stack, self.top, rows)
        return found

    # -- lines

    def caption(self, view: View, width: int) -> Strip:
        """The line above the chart: what heights and colours mean, and what a column is."""
        caption, scene = self.inks.look.style("caption"), self.scene
        calls = view.zoom.calls
        notes = [f"column = {calls} calls, its highest shown"] if calls > 1 else []
        if self.limit is not None:
            notes.append(f"window {self.amount(self.limit)}" + (" ╌╌" if self.limit <= self.top else ""))
        pieces = [Segment(f"{scene.metric:>{GUTTER - 1}} ", caption)]
        room = width - GUTTER - len("   ".join(notes)) - 2
        pieces += self._legend(room)
        left = sum(piece.cell_length for piece in pieces)
        pieces.append(Segment(f"{'   '.join(notes):>{max(0, width - left)}}", caption))
        return Strip(pieces).adjust_cell_length(width, caption)

    def _legend(self, room: int) -> list[Segment]:
        """The kinds of the highest call, the largest first, as many as fit, and how those from the cache look."""
        look, pieces = self.inks.look, list[Segment]()
        cached = "small letters: cached" if look.monochrome else "faded: cached"
        if self.scene.metric == "dollars" or not any(
            total.read for call in self.scene.calls for total in call.composition
        ):
            cached = ""
        room -= len(cached)
        for kind in self._kinds():
            name = f" {text.KIND_NAMES[kind]}  "
            if 1 + len(name) > room:
                continue
            room -= 1 + len(name)
            colour = look.colours["text"] if look.monochrome else self.inks.colour(paint(kind))
            style = Style(color=colour.rich_color, bgcolor=look.background.rich_color, reverse=look.monochrome)
            pieces += [Segment(KIND_MARKS[kind].upper() if look.monochrome else "■", style)]
            pieces += [Segment(name, look.style("caption"))]
        return [*pieces, Segment(cached, look.style("caption"))]

    def _kinds(self) -> list[Kind]:
        highest = layout.highest(self.totals, range(len(self.totals)))
        amounts: dict[Kind, int] = {}
        for number, amount in () if highest is None else stack_of(self.scene.calls[highest], self.scene.metric):
            amounts[kind_of_paint(number)] = amounts.get(kind_of_paint(number), 0) + amount
        return sorted(amounts, key=lambda kind: -amounts[kind])

    @property
    def has_signs(self) -> bool:
        """Whether there is anything to say below the columns."""
        return any(self.scene.signs) or None in self.totals

    def chart(self, frame: Frame, bands: Sequence[Band]) -> list[Strip]:
        """The lines of these bands, from the top."""
        lines: list[Strip] = []
        for band in bands:
            if band.title == band.top:
                lines.append(self._folded(frame, band))
                continue
            if band.title is not None:
                lines.append(self._title(band, frame.width))
            rules = self._rules(band.rows)
            drawn = enumerate(self._band(frame, band))
            lines += [Strip([*self._gutter(row, rules), *strip], GUTTER + frame.width) for row, strip in drawn][::-1]
        return lines

    def _band(self, frame: Frame, band: Band) -> list[Strip]:
        """The lines of a band without the gutter, from the bottom up."""
        rows, view = band.rows, frame.view
        width, bar = view.zoom.width, view.zoom.bar
        gap = self._above(rows, width - bar, "")
        first = frame.scroll // width
        last = min(view.columns, -(-(frame.scroll + frame.width) // width))
        stacks: list[list[Piece]] = []
        for column in range(first, last):
            state = "selected" if column == frame.selected else "hovered" if column == frame.hovered else ""
            stacks.append(self._stack(view, column, band, state))
            if bar < width:
                stacks.append(gap)
        left = frame.scroll - first * width
        free = max(0, frame.width + left - (last - first) * width)
        stacks.append([self.inks.blank("", "", free)] * rows)
        lines: list[Strip] = []
        for pieces in zip(*stacks, strict=True):
            segments: list[Segment] = []
            said, drawn = pieces[0]
            for more, style in pieces[1:]:
                if style is drawn:
                    said += more
                else:
                    segments.append(Segment(said, drawn))
                    said, drawn = more, style
            segments.append(Segment(said, drawn))
            chart = Strip(segments, left + frame.width) if not free else Strip(segments)
            if left or chart.cell_length != frame.width:
                chart = chart.crop(left, left + frame.width)
            lines.append(chart)
        return lines

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
        """A column that holds nothing, from the bottom up."""
        key = rows, width, state
        found = self._blanks.get(key)
        if found is None:
            rules = self._rules(rows)
            found = [self.inks.blank(rules[row][0] if row in rules else "", state, width) for row in range(rows)]
            self._blanks[key] = found
        return found

    def _rules(self, rows: int) -> dict[int, tuple[str, int]]:
        """Rows with a line through them: what line, and which amount it stands at."""
        found = self._ruled.get(rows)
        if found is None:
            found = {row: ("grid", value) for row, value in layout.ticks(self.top, rows, apart=max(3, rows // 7))}
            if self.limit is not None and self.limit <= self.top:
                at = layout.row_of(self.limit, self.top, rows)
                found = {row: rule for row, rule in found.items() if abs(row - at) > 1} | {at: ("limit", self.limit)}
            self._ruled[rows] = found
        return found

    def _gutter(self, row: int, rules: Mapping[int, tuple[str, int]]) -> list[Segment]:
        axis = self.inks.look.style("grid")
        if row not in rules:
            return [Segment(" " * (GUTTER - 1) + "│", axis)]
        rule, value = rules[row]
        ink = self.inks.look.style("limit" if rule == "limit" else "caption")
        return [Segment(f"{self.amount(value):>{GUTTER - 1}}", ink), Segment("┤", axis)]

    def _title(self, band: Band, width: int) -> Strip:
        """The line above an open lane."""
        look, lane = self.inks.look, self.scene.lanes[band.lane]
        strong, caption = look.style("text", bold=True), look.style("caption")
        note = f"  {lane.note}" if lane.note else ""
        room = GUTTER + width - cell_len(note)
        if room < GUTTER + MOST_NAME:
            note, room = "", GUTTER + width
        name = _cut(f"▾ {text.plain(lane.name)}", room)
        said = _cut(f"  {text.plain(lane.said)}", room - cell_len(name))
        gap = " " * (room - cell_len(name) - cell_len(said))
        return Strip([Segment(name, strong), Segment(said, look.style("text")), Segment(f"{gap}{note}", caption)])

    def _folded(self, frame: Frame, band: Band) -> Strip:
        """A folded lane: its name, its columns in one row, and what it was asked to do where no column stands."""
        look, lane, view = self.inks.look, self.scene.lanes[band.lane], frame.view
        caption = look.style("caption")
        name = set_cell_size(_cut(f"▸ {text.plain(lane.name)}", GUTTER - 1), GUTTER)
        gutter = Strip([Segment(name, look.style("text"))])
        chart = self._band(frame, band)[0]
        first, width = frame.scroll // view.zoom.width, view.zoom.width
        columns = range(first, min(view.columns, -(-(frame.scroll + frame.width) // width)))
        full = [self.shown_in(view, column, band.lane) is not None for column in columns for _ in range(width)]
        left = frame.scroll - first * width
        taken = [*full, *([False] * frame.width)][left : left + frame.width]
        start, room = layout.widest_gap(taken)
        if room < MOST_NAME:
            return Strip.join([gutter, chart])
        said = "  ".join(filter(None, (text.plain(lane.name), text.plain(lane.said), lane.note)))
        label = Strip([Segment(_cut(f" {said}", room - 1), caption)])
        end = start + label.cell_length
        return Strip.join([gutter, chart.crop(0, start), label, chart.crop(end, frame.width)])

    def signs(self, frame: Frame) -> Strip:
        """The line of markers: of each column the most important one of all its calls."""
        view, strip = frame.view, [(" " * GUTTER, self.inks.look.style("caption"))]
        width = view.zoom.width
        first = frame.scroll // width
        for column in range(first, min(view.columns, -(-(frame.scroll + frame.width) // width))):
            found = [sign for call in view.calls(column) for sign in self.scene.signs[call][:1]]
            best = min(found, key=self._rank, default=None)
            unknown = self.shown(view, column) is None
            glyph = best.glyph if best else "–" if unknown else " "
            style = self.inks.look.style(best.colour, bold=True) if best else self.inks.look.style("caption")
            strip.append((glyph.center(view.zoom.bar) + " " * (width - view.zoom.bar), style))
        return self._line(strip, frame)

    def _rank(self, sign: Sign) -> int:
        return GRAVE.index(sign.glyph) if sign.glyph in GRAVE else len(GRAVE)

    def numbers(self, frame: Frame) -> Strip:
        """The line of call numbers, with the selected one among them."""
        caption, view, width = self.inks.look.style("caption"), frame.view, frame.width
        said = [" "] * width
        for place, call in layout.numbers(view, frame.scroll, width):
            number = str(call + 1)
            first = place - frame.scroll + max(0, view.zoom.bar - len(number)) // 2
            for at, digit in enumerate(number, first):
                if 0 <= at < width:
                    said[at] = digit
        corner = [Segment(" " * (GUTTER - 1), caption), Segment("└", self.inks.look.style("grid"))]
        start = None if frame.selected is None else view.place(frame.selected) - frame.scroll
        if frame.selected is None or start is None or not 0 <= start < width:
            return Strip([*corner, Segment("".join(said), caption)])
        calls = view.calls(frame.selected)
        number = str(calls.start + 1) if len(calls) == 1 else f"{calls.start + 1}–{calls.stop}"
        left = max(0, min(start + (view.zoom.bar - len(number)) // 2, width - len(number)))
        right = left + len(number)
        # Digits of labels that it would cut in two go.
        for step, at in ((-1, left - 1), (1, right)):
            while 0 <= at < width and said[at] != " ":
                said[at] = " "
                at += step
        shown = Segment(number, self.inks.look.style("text", bold=True, reverse=True))
        before, behind = "".join(said[:left]), "".join(said[right:])
        return Strip([*corner, Segment(before, caption), shown, Segment(behind, caption)])

    def amount(self, value: int) -> str:
        """A height in few characters, without zeros that say nothing."""
        said = text.tokens(value) if self.scene.metric == "tokens" else text.dollars(value)
        unit = said[-1:] if said[-1:].isalpha() else ""
        bare = said.removesuffix(unit)
        return (bare.rstrip("0").rstrip(".") if "." in bare else bare) + unit

    def _line(self, pieces: list[Piece], frame: Frame) -> Strip:
        gutter, *rest = pieces
        left = frame.scroll % frame.view.zoom.width
        strip = Strip([Segment(said, style) for said, style in rest])
        strip = strip.crop_extend(left, left + frame.width, self.inks.look.style("caption"))
        return Strip.join([Strip([Segment(*gutter)]), strip])


def _cut(said: str, room: int) -> str:
    """As much of it as fits into so many cells, and a sign if that is not all."""
    return said if cell_len(said) <= room else f"{set_cell_size(said, max(0, room - 1)).rstrip()}…" if room > 0 else ""
