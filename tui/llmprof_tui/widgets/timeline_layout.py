"""Geometry of the stacked timeline: calls -> columns -> cells, and a point back to what was drawn there.

A column is a stack of amounts; running sums are rounded to eighths of a cell, never the amounts, so that stacks have
their exact heights and equal prefixes of neighbours end at equal heights. A cell shows two paints at most. Paints are
numbers: what they look like is the widget's.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from llmprof_addon.model.apportion import apportion

EIGHTHS = 8
EMPTY = -1
"""The paint of what no amount reaches."""


class Cell(NamedTuple):
    """`level` eighths of the `lower` paint, the rest of the `upper` one; a cell of one paint has all eight."""

    level: int
    lower: int
    upper: int


BLANK = Cell(EIGHTHS, EMPTY, EMPTY)


def edges(amounts: Sequence[int], top: int, rows: int) -> list[int]:
    """Upper edges of stacked amounts in eighths of a cell, where `top` is as high as `rows` cells.

    Edges never fall. What is above the top is cut off; the smallest amount at the bottom is still an eighth high.
    """
    whole, half = rows * EIGHTHS, top // 2
    found = [(total * whole + half) // top for total in accumulate(amounts)]
    if found and found[-1] > whole:
        found = [min(edge, whole) for edge in found]
    if found and found[-1] == 0 and any(amounts):
        first = next(at for at, amount in enumerate(amounts) if amount)
        found[first:] = [1] * (len(found) - first)
    return found


def cells(stack: Sequence[tuple[int, int]], top: int, rows: int) -> list[Cell]:
    """Cells of a column from the bottom up; `stack` is (paint, amount), the lowest first."""
    ends = edges([amount for _, amount in stack], top, rows)
    out: list[Cell] = []
    at, count = 0, len(ends)
    while len(out) < rows:
        low = len(out) * EIGHTHS
        while at < count and ends[at] <= low:
            at += 1
        if at == count:
            out += [BLANK] * (rows - len(out))
        elif whole := ends[at] // EIGHTHS - len(out):
            out += [Cell(EIGHTHS, stack[at][0], stack[at][0])] * whole
        else:
            out.append(_meet(_shares(stack, ends, at, low)))
    return out


def _shares(stack: Sequence[tuple[int, int]], ends: Sequence[int], at: int, low: int) -> list[tuple[int, int]]:
    """(eighths, paint) of all that meets in the cell above `low`, from the bottom up."""
    high = low + EIGHTHS
    shares: list[tuple[int, int]] = []
    while at < len(ends) and low < high:
        end = min(ends[at], high)
        if end > low:
            shares.append((end - low, stack[at][0]))
            low = end
        at += 1
    return [*shares, (high - low, EMPTY)] if low < high else shares


def _meet(shares: list[tuple[int, int]]) -> Cell:
    """A cell that several paints share, from the bottom up: the two largest; where a stack ends, its end."""
    if len(shares) > 2:
        if shares[-1][1] == EMPTY:
            shares = [(EIGHTHS - shares[-1][0], max(shares[:-1])[1]), shares[-1]]
        else:
            first, second = sorted(sorted(range(len(shares)), key=lambda at: -shares[at][0])[:2])
            low, high = shares[first], shares[second]
            level = max(1, min(EIGHTHS - 1, round(EIGHTHS * low[0] / (low[0] + high[0]))))
            shares = [(level, low[1]), (EIGHTHS - level, high[1])]
    if len(shares) == 1 or shares[0][1] == shares[1][1]:
        return Cell(EIGHTHS, shares[0][1], shares[0][1])
    return Cell(shares[0][0], shares[0][1], shares[1][1])


@dataclass(frozen=True, slots=True)
class Zoom:
    """Either several cells for a call, or several calls in a column of one cell."""

    width: int = 1
    calls: int = 1

    @property
    def bar(self) -> int:
        """Cells of a column that are painted; wide columns keep a gap."""
        return self.width - 1 if self.width > 2 else self.width


ZOOMS = (*(Zoom(calls=1 << power) for power in range(12, 0, -1)), *(Zoom(width=width) for width in (1, 2, 3, 4, 6, 8)))
"""From far to near."""


def fitting(count: int, room: int, *, widest: int = 8) -> int:
    """Index of the nearest zoom at which so many calls fit into `room` cells."""
    fits = [at for at, zoom in enumerate(ZOOMS) if zoom.width <= widest and View(count, zoom).width <= room]
    return fits[-1] if fits else 0


@dataclass(frozen=True, slots=True)
class View:
    """Columns of so many calls at a zoom. Places are cells from the left end of the first column."""

    count: int
    zoom: Zoom

    @property
    def columns(self) -> int:
        """How many columns there are."""
        return -(-self.count // self.zoom.calls)

    @property
    def width(self) -> int:
        """Cells of all columns."""
        return self.columns * self.zoom.width

    def column(self, call: int) -> int:
        """The column that a call stands in."""
        return call // self.zoom.calls

    def calls(self, column: int) -> range:
        """The calls of a column."""
        start = column * self.zoom.calls
        return range(start, min(start + self.zoom.calls, self.count))

    def place(self, column: int) -> int:
        """Where a column begins."""
        return column * self.zoom.width

    def column_at(self, place: int) -> int | None:
        """The column at a place, its gap included."""
        column = place // self.zoom.width
        return column if 0 <= column < self.columns else None

    def scrolled_to(self, call: int, scroll: int, room: int, *, margin: int = 2) -> int:
        """The scroll that shows a call with a few columns beside it, as near as possible to the present one."""
        around = margin * self.zoom.width if room > 2 * (margin + 1) * self.zoom.width else 0
        start = self.place(self.column(call))
        least, most = start + self.zoom.width + around - room, start - around
        return max(0, min(max(min(scroll, most), least), self.width - room))


def highest(totals: Sequence[int | None], calls: range) -> int | None:
    """The call that stands for a column: the one with the largest total, the first among equals."""
    known = [(total, -call) for call in calls if (total := totals[call]) is not None]
    return -max(known)[1] if known else None


def paint_at(column: Sequence[Cell], row: int) -> int:
    """What a cell shows most of; where a stack ends, that stack."""
    cell = column[row]
    if cell.upper == EMPTY:
        return cell.lower
    return cell.lower if cell.level >= EIGHTHS / 2 else cell.upper


def scale_top(peak: int, limit: int | None, *, to_limit: bool) -> int:
    """The amount at the top of the chart: a little above the peak, or the limit where it is in reach or asked for."""
    top = max(1, peak + peak // 16)
    if limit is not None and (to_limit or peak >= limit * 3 // 5):
        return max(top, limit + limit // 32)
    return top


def row_of(value: int, top: int, rows: int) -> int:
    """The row (from the bottom) whose cell the upper edge of an amount falls into."""
    edge = (value * rows * EIGHTHS + top // 2) // top
    return max(0, min(rows - 1, (edge - 1) // EIGHTHS))


def nice_step(least: float) -> int:
    """The smallest of 1, 2, 5, 10, 20, … that is not below `least`."""
    power = 1
    while True:
        for digit in (1, 2, 5):
            if digit * power >= least:
                return digit * power
        power *= 10


def ticks(top: int, rows: int, *, apart: int = 3) -> list[tuple[int, int]]:
    """(row, amount) of the labels beside the chart: round amounts, at least `apart` rows from each other."""
    step = nice_step(top * apart / max(rows, 1))
    return [(row_of(value, top, rows), value) for value in range(step, top + 1, step)] if rows > 1 else []


def numbers(view: View, scroll: int, room: int, *, apart: int = 3) -> list[tuple[int, int]]:
    """(place, call) of the labels below the chart that are in view: round call numbers, with room for their digits."""
    digits = len(str(view.count)) + apart
    step = nice_step(max(1, digits * view.zoom.calls / view.zoom.width))
    first = view.calls(view.column_at(scroll) or 0).start if view.count else 0
    found = []
    for number in range(first // step * step, view.count + 1, step):
        call = max(number, 1) - 1
        place = view.place(view.column(call))
        if call >= view.count or place >= scroll + room:
            break
        if place >= scroll:
            found.append((place, call))
    if len(found) > 1 and found[1][0] - found[0][0] < digits:  # the first call's, too near to the next
        del found[1]
    return found


@dataclass(frozen=True, slots=True)
class Band:
    """Rows of one lane, counted from the top of the chart. A folded lane has one, in which its title stands too."""

    lane: int
    title: int | None
    """Row of its title; a lane that is alone has none. That of a folded one is its only row."""
    top: int
    rows: int

    @property
    def start(self) -> int:
        """Its first row: of its title, if it has one."""
        return self.top if self.title is None else self.title

    @property
    def end(self) -> int:
        """The row below it."""
        return self.top + self.rows


def bands(lanes: int, rows: int, folded: frozenset[int] = frozenset(), *, least: int = 3) -> tuple[Band, ...]:
    """Divide the chart among its lanes; higher than `rows` where each would get less than `least`."""
    if lanes == 1:
        return (Band(0, None, 0, rows),)
    opened = [lane for lane in range(lanes) if lane not in folded]
    heights = apportion(max(rows - lanes, least * len(opened)), [1] * len(opened)) if opened else []
    by_lane = dict(zip(opened, heights, strict=True))
    found: list[Band] = []
    top = 0
    for lane in range(lanes):
        found.append(Band(lane, top, top + 1, by_lane[lane]) if lane in by_lane else Band(lane, top, top, 1))
        top = found[-1].end
    return tuple(found)


def widest_gap(taken: Sequence[bool]) -> tuple[int, int]:
    """Start and length of the longest run of free cells, the first among equals."""
    best, start = (0, 0), 0
    for at, full in enumerate((*taken, True)):
        if full:
            best = max(best, (start, at - start), key=lambda gap: gap[1])
            start = at + 1
    return best


def band_at(found: Sequence[Band], row: int) -> Band | None:
    """The band that a row of the chart is in, its title included."""
    at = bisect_right([band.start for band in found], row) - 1
    return found[at] if at >= 0 and row < found[at].end else None
