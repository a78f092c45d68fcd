"""What the trends ask of the store, and which runs stand behind a row, a day or a period of them."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from llmprof_addon.store.listing import RunFilter
from llmprof_addon.store.trends import By, Period, TrendRow, Trends, TrendSums, period_of
from llmprof_tui.screens.filter_dialog import Wanted
from llmprof_tui.source import Source

SPANS: dict[str, int | None] = {"30d": 30, "90d": 90, "365d": 365, "all": None}
"""Days back, in the order in which a key goes through them."""

SAID = {"30d": "the last 30 days", "90d": "the last 90 days", "365d": "the last 365 days", "all": "all time"}

UNNAMED_TOOL = "(unnamed)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Trends by the period that is asked for, and by day."""

    trends: Trends
    days: Trends
    today: date = field(default=date.min)

    def by_day(self, row: TrendRow | None) -> dict[date, TrendSums]:
        """Days on which there was something, of a row or of all calls."""
        if row is None:
            one: TrendRow | None = self.days.whole
        else:
            one = next((each for each in self.days.rows if (each.server, each.name) == (row.server, row.name)), None)
        if one is None:
            return {}
        return {day: sums for day, sums in zip(self.days.starts, one.points, strict=True) if sums.calls or sums.uses}


def find(source: Source, by: By, period: Period, span: str, now_ns: int) -> Found:
    """Trends over a span that ends today (UTC)."""
    today = datetime.fromtimestamp(now_ns / 1e9, UTC).date()
    days = SPANS[span]
    since = None if days is None else today - timedelta(days=days - 1)
    shown = source.trends(by, period, since)
    return Found(trends=shown, days=shown if period == "day" else source.trends(by, "day", since), today=today)


def runs_of(by: By, row: TrendRow | None, start: date | None, period: Period) -> Wanted | None:
    """The runs behind a row (`None`: all calls) in a period (`None`: all of them); `None` if they cannot be named."""
    wanted = RunFilter()
    query: list[str] = []
    if row is not None:
        if by in ("model", "app", "provider"):
            if not row.name:
                return None
            named: dict[str, Any] = {by: row.name}
            wanted = replace(wanted, **named)
        elif (said := _said(by, row)) is not None:
            query.append(said)
        else:
            return None
    if start is not None:
        end = period_of(start + timedelta(days={"day": 1, "week": 7, "month": 31}[period]), period)
        query += [f"after:{start}Z", f"before:{end}Z"]  # days of UTC, as they are summed
    return Wanted(filter=replace(wanted, query=" ".join(query)))


def _said(by: By, row: TrendRow) -> str | None:
    """A tool, a server or a template in the language of searches."""
    if by == "template":
        longest = max(row.name.rstrip("…").split("#"), key=len).strip().replace('"', " ")
        if row.name.endswith("…"):  # its last word is cut
            longest = longest.rpartition(" ")[0]
        return f'"{longest}"' if any(map(str.isalnum, longest)) else None
    name = row.name.partition('"')[0].strip()
    return f'tool:"{name}"' if name and name != UNNAMED_TOOL else None
