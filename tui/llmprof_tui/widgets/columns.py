"""Columns laid out for a width, without looking at the rows: texts give way, then columns leave, then texts again."""

from collections.abc import Sequence
from dataclasses import dataclass

from llmprof_addon.model.apportion import apportion

GAP = 2
"""Cells between columns."""

SHORTEST = 6
"""Cells that are left of a text where nothing else can give way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a table."""

    key: str
    """What the table calls it in messages and sorts by."""
    title: str
    width: int
    """Cells that it takes where there is room."""
    least: int | None = None
    """Cells to which it is cut before columns leave; `None` for a number, which is never cut."""
    grow: int = 0
    """Its weight where cells are left over; 0 stays at `width`."""
    left: bool = False
    """Stands to the left; texts always do, numbers do not."""
    leaves: int = 0
    """Where it is too narrow for all, the column with the highest number leaves first; 0 stays."""
    sorts: bool = True
    """Whether a click on its title asks for that order."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a column stands: `index` into the columns, first cell, cells."""

    index: int
    x: int
    width: int


def fit(columns: Sequence[Column], width: int) -> tuple[Slot, ...]:
    """Slots of the columns that stay, from left to right. Wider than `width` only if numbers that never leave are."""
    shown = list(range(len(columns)))
    least = [column.width if column.least is None else min(column.least, column.width) for column in columns]

    def spare() -> int:
        return width - sum(least[index] for index in shown) - GAP * (len(shown) - 1)

    while spare() < 0 and (able := [index for index in shown if columns[index].leaves]):
        shown.remove(max(able, key=lambda index: columns[index].leaves))
    for index in sorted(shown, key=lambda index: -least[index]):
        if spare() < 0 and columns[index].least is not None:
            least[index] = max(min(least[index], SHORTEST), least[index] + spare())
    left = max(0, spare())
    sizes = list(least)
    # The columns that lack least are filled first, so that what they do not need goes to the others.
    lacking = sorted(shown, key=lambda index: columns[index].width - least[index])
    for position, index in enumerate(lacking):
        more = min(columns[index].width - least[index], left // (len(lacking) - position))
        sizes[index] += more
        left -= more
    growing = [index for index in shown if columns[index].grow]
    if growing:
        for index, more in zip(growing, apportion(left, [columns[index].grow for index in growing]), strict=True):
            sizes[index] += more
    slots, x = [], 0
    for index in shown:
        slots.append(Slot(index, x, sizes[index]))
        x += sizes[index] + GAP
    return tuple(slots)


def slot_at(slots: Sequence[Slot], x: int) -> Slot | None:
    """The slot that holds this cell, or whose gap to the right does."""
    return next((slot for slot in slots if slot.x <= x < slot.x + slot.width + GAP), None)
