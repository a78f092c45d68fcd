"""Amounts of days -> a calendar of weekdays by weeks, each day with a level; pure."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

LEVELS = 4
"""Levels of days that have an amount; 0 is for those that have none."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def monday(day: date) -> date:
    """The first day of its week."""
    return day - timedelta(days=day.weekday())


def weeks_of(first: date, last: date) -> int:
    """How many weeks these days touch."""
    return (monday(last) - monday(first)).days // 7 + 1


def bounds(amounts: Iterable[float | None], whole: float | None = None) -> tuple[float, ...]:
    """The largest amount of each level but the last: equally many days in each, or equal parts of a whole.

    Parts of the largest day would make all others alike where one stands out.
    """
    if whole is not None:
        return tuple(whole * level / LEVELS for level in range(1, LEVELS))
    some = sorted(amount for amount in amounts if amount)
    if not some:
        return ()
    return tuple(some[(len(some) * level - 1) // LEVELS] for level in range(1, LEVELS))


def level(amount: float | None, limits: Sequence[float]) -> int:
    """0 for nothing, else 1 to `LEVELS`."""
    return 0 if not amount or amount < 0 else 1 + bisect_left(limits, amount)


def months(first: date, weeks: int, pitch: int) -> list[tuple[int, str]]:
    """First cell and name of each month above the week that holds its first day; names that would touch leave."""
    found: list[tuple[int, str]] = []
    for week in range(weeks):
        start = first + timedelta(days=7 * week)
        begins = next((day for day in (start + timedelta(days=n) for n in range(7)) if day.day == 1), None)
        x = week * pitch
        name = _MONTHS[(begins or start).month - 1]
        opens = begins is not None or week == 0
        if opens and (not found or x > found[-1][0] + len(found[-1][1])):
            if week == 0 and begins is None and _next_month_near(start, pitch):
                continue
            found.append((x, name))
    return [(x, name) for x, name in found if x + len(name) <= weeks * pitch]


def _next_month_near(start: date, pitch: int) -> bool:
    """Whether the next month's name would stand too near to that of the first week."""
    near = -(-4 // pitch)
    return any((start + timedelta(days=7 * week + day)).day == 1 for week in range(1, near + 1) for day in range(7))
