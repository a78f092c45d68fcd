"""Amounts of periods -> bars for a width and a height: pure, in cells and eighths of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from llmprof_addon.store.trends import Period

WIDEST = 12
"""Cells of a bar with its gap."""

LABEL_GAP = 2
"""Cells between labels below bars."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """Which bars are seen, and where."""

    first: int = 0
    """Index of the leftmost."""
    count: int = 0
    pitch: int = 1
    """Cells from one to the next."""

    @property
    def thick(self) -> int:
        """Cells of a bar, without the gap behind it."""
        return max(1, self.pitch - 1)

    def at(self, x: int) -> int | None:
        """Index of the bar in this cell, or whose gap it is."""
        place = x // self.pitch
        return self.first + place if x >= 0 and place < self.count else None

    def x_of(self, index: int) -> int:
        """First cell of a bar."""
        return (index - self.first) * self.pitch


def fit(amounts: int, width: int, cursor: int, first: int | None = None) -> Bars:
    """As many bars as fit, the last ones, or from `first` on; the cursor's is always among them."""
    if amounts <= 0 or width <= 0:
        return Bars()
    pitch = max(1, min(WIDEST, width // amounts))
    count = min(amounts, width // pitch)
    start = amounts - count if first is None else min(first, amounts - count)
    start = max(0, min(max(start, cursor - count + 1), cursor))
    return Bars(first=start, count=count, pitch=pitch)


def eighths(amount: float | None, top: float, rows: int) -> int:
    """Height of a bar; whatever is more than nothing is seen."""
    if not amount or amount < 0 or top <= 0:
        return 0
    return max(1, min(8 * rows, round(8 * rows * amount / top)))


def labels(starts: Sequence[date], bars: Bars, width: int, period: Period) -> list[tuple[int, str]]:
    """First cell and text of dates below bars, from the last one back, as many as stand apart."""
    found: list[tuple[int, str]] = []
    free = width
    for index in reversed(range(bars.first, bars.first + bars.count)):
        said = label(starts[index], period)
        x = min(bars.x_of(index), width - len(said))
        if x >= 0 and x + len(said) <= free:
            found.append((x, said))
            free = x - LABEL_GAP
    return found[::-1]


def label(start: date, period: Period) -> str:
    """A period in a few cells: `11-20`, of months `2026-11`."""
    return start.strftime("%Y-%m" if period == "month" else "%m-%d")


def named(start: date, period: Period) -> str:
    """A period in words: `Fri 2026-11-20`, `week of 2026-11-16`, `November 2026`."""
    if period == "month":
        return f"{_MONTHS[start.month - 1]} {start.year}"
    return f"week of {start}" if period == "week" else f"{_DAYS[start.weekday()]} {start}"


# Not by strftime, whose names are those of the locale.
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
