"""The picture of a timeline: data, a viewport and a look -> lines of segments. No widget, no state but caches.

`timeline_columns` paints the columns; here they get what stands around them: caption, titles, gutter, markers, numbers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from llmprof_addon.export import text
from llmprof_addon.model.component import Kind
from llmprof_tui.themes import KIND_MARKS
from llmprof_tui.widgets import timeline_layout as layout
from llmprof_tui.widgets.timeline_columns import Columns
from llmprof_tui.widgets.timeline_ink import Inks, Piece
from llmprof_tui.widgets.timeline_layout import Band, View
from llmprof_tui.widgets.timeline_scene import Frame, Scene
from llmprof_tui.widgets.timeline_signs import GRAVE, Sign
from llmprof_tui.widgets.timeline_stacks import kind_of_paint, paint, stack_of

GUTTER = 8
"""Cells of the amounts beside the chart, with the axis."""
MOST_NAME = 14
"""Cells below which nothing is said of a lane."""


@dataclass(slots=True, eq=False)
class Painter:
    """Paints one scene with one look."""

    scene: Scene
    inks: Inks
    columns: Columns = field(init=False)
    has_signs: bool = field(init=False)
    """Whether there is anything to say below the columns."""

    def __post_init__(self) -> None:
        self.columns = Columns(self.scene, self.inks)
        self.has_signs = any(self.scene.signs) or None in self.scene.totals

    # -- lines

    def caption(self, view: View, width: int) -> Strip:
        """The line above the chart: what heights and colours mean, and what a column is."""
        caption, scene = self.inks.look.style("caption"), self.scene
        calls = view.zoom.calls
        notes = [f"column = {calls} calls, its highest shown"] if calls > 1 else []
        if self.columns.limit is not None:
            notes.append(
                f"window {self.amount(self.columns.limit)}" + (" ╌╌" if self.columns.limit <= self.columns.top else "")
            )
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
        highest = layout.highest(self.scene.totals, range(len(self.scene.totals)))
        amounts: dict[Kind, int] = {}
        for number, amount in () if highest is None else stack_of(self.scene.calls[highest], self.scene.metric):
            amounts[kind_of_paint(number)] = amounts.get(kind_of_paint(number), 0) + amount
        return sorted(amounts, key=lambda kind: -amounts[kind])

    def chart(self, frame: Frame, bands: Sequence[Band]) -> list[Strip]:
        """The lines of these bands, from the top."""
        lines: list[Strip] = []
        for band in bands:
            if band.title == band.top:
                lines.append(self._folded(frame, band))
                continue
            if band.title is not None:
                lines.append(self._title(band, frame.width))
            rules = self.columns.rules(band.rows)
            drawn = enumerate(self.columns.band(frame, band))
            lines += [Strip([*self._gutter(row, rules), *strip], GUTTER + frame.width) for row, strip in drawn][::-1]
        return lines

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
        look, lane = self.inks.look, self.scene.lanes[band.lane]
        caption = look.style("caption")
        name = set_cell_size(_cut(f"▸ {text.plain(lane.name)}", GUTTER - 1), GUTTER)
        gutter = Strip([Segment(name, look.style("text"))])
        chart = self.columns.band(frame, band)[0]
        start, room = self.columns.widest_gap(frame, band.lane)
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
            unknown = self.columns.shown(view, column) is None
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
