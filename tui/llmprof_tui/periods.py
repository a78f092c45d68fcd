"""Periods that lists can be narrowed to, as times since the epoch."""

from datetime import date, datetime, timedelta

NAMES = ("all", "today", "24h", "7d", "30d")
"""In the order in which a key goes through them. Other periods are `FIRST..LAST`, two ISO dates, either left out."""

_SAID = {"all": "all time", "today": "today", "24h": "last 24 hours", "7d": "last 7 days", "30d": "last 30 days"}
_SPANS = {"24h": timedelta(hours=24), "7d": timedelta(days=7), "30d": timedelta(days=30)}
_NS = 1_000_000_000


def bounds(period: str, now_ns: int) -> tuple[int | None, int | None]:
    """From when, and until before when (ns since the epoch, local days); `None` where it is open.

    Raises `ValueError` for what is no period.
    """
    if period == "all":
        return None, None
    if period == "today":
        return _start_of(datetime.fromtimestamp(now_ns / 1e9).date()), None
    if span := _SPANS.get(period):
        return now_ns - int(span.total_seconds()) * _NS, None
    first, between, last = period.partition("..")
    if not between:
        raise ValueError(f"no period: {period!r}")
    since = _start_of(_day(first)) if first else None
    until = _start_of(_day(last) + timedelta(days=1)) if last else None
    if since is not None and until is not None and until <= since:
        raise ValueError("the first day is behind the last")
    return since, until


def said(period: str) -> str:
    """A period in words."""
    if period in _SAID:
        return _SAID[period]
    first, _, last = period.partition("..")
    return f"{first} to {last}" if first and last else f"from {first}" if first else f"until {last}"


def following(period: str) -> str:
    """The next of the named periods."""
    return NAMES[(NAMES.index(period) + 1) % len(NAMES)] if period in NAMES else NAMES[0]


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"no date like 2026-11-30: {text.strip()!r}") from None


def _start_of(day: date) -> int:
    return int(datetime(day.year, day.month, day.day).timestamp()) * _NS
