"""Sums by day -> trends: a row for each model, app, provider, template, tool or MCP server, with a point per period.

Days, weeks (from Monday) and months are those of UTC: the store keeps sums of UTC days, of which no local day can be
made exactly.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

from llmprof_addon.store import trend_fill
from llmprof_addon.store.database import errors_of
from llmprof_addon.store.open import Store
from llmprof_addon.store.schema import ToolDay, TrendDay
from llmprof_addon.store.trend_rows import COUNTS, NUMBERS

type By = Literal["all", "model", "app", "provider", "tool", "server", "template"]
type Period = Literal["day", "week", "month"]

LEAST_CALLS, LEAST_DAYS = 50, 2
"""With fewer there is no projection."""

PROJECTED_DAYS = 30

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendSums:
    """Sums over calls; `None` where none of them has the number, or where it is not known by tool."""

    calls: int | None = None
    """LLM calls; of a tool those that use it, of an MCP server unknown, since one may use several of its tools."""
    error_calls: int | None = None
    estimated_calls: int | None = None
    """Calls whose usage the provider did not report."""
    unpriced_calls: int | None = None
    input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_output_tokens: int | None = None
    cost: int | None = None
    """Pico-dollars, over the priced calls."""
    wasted: int | None = None
    """Pico-dollars that cache breaks cost."""
    uses: int | None = None
    """How often a tool was called."""
    call_tokens: int | None = None
    """Of these calls, in the answers that made them: estimated."""
    result_tokens: int | None = None
    """Of their results, each counted in the call that brought it first: estimated."""

    @property
    def hit_ratio(self) -> float | None:
        """Share of the input that was read from a cache."""
        read, whole = self.cache_read_input_tokens, self.input_tokens
        return None if read is None or not whole else read / whole


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendRow:
    """One model, app, … over all periods."""

    name: str
    """As it was sent; empty where it is not known, or for calls without a system prompt."""
    server: str | None = None
    """MCP server or namespace of a tool."""
    total: TrendSums
    points: tuple[TrendSums, ...]
    """One for each of `Trends.starts`; nothing but `None` and 0 where nothing happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """What the next 30 days cost at the pace of the days shown."""

    cost: int
    """Pico-dollars."""
    at_least: bool
    """Whether calls without a known price are missing from it."""
    days: int
    """From the first to the last day with calls, over which the pace is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trends:
    """Rows, those that cost most first (of tools: that were called most)."""

    by: By
    period: Period
    starts: tuple[date, ...] = ()
    """First days of the periods, without gaps."""
    rows: tuple[TrendRow, ...] = ()
    whole: TrendRow
    """Over all calls."""
    projection: Projection | None = None
    no_projection: str = ""
    """Why there is none."""
    uncounted_calls: int = 0
    """At most so many calls of an older llmprof are not in the sums yet."""


type _Days = dict[tuple[str, str], list[tuple[int, Mapping[str, int]]]]
"""Days with their sums, by server (or nothing) and name."""


def trends(store: Store, by: By = "all", period: Period = "day", *, since: date | None = None) -> Trends:
    """Trends since this day (UTC)."""
    first = (since - _EPOCH).days if since else None
    with errors_of(store.url), store.snapshot():
        everything = _calls(store, "provider", first)  # every call has one provider
        rows = _tools(store, first) if by in ("tool", "server") else _calls(store, by, first)
        uncounted = trend_fill.waiting(store)
    whole = [day for days in everything.values() for day in days]
    if by == "all":
        rows = {("", ""): whole} if whole else {}
    elif by == "server":
        rows = _by_server(rows)
    numbers = sorted({day for day, _ in whole} | {day for days in rows.values() for day, _ in days})
    starts = _periods(numbers, period)
    add = _sum_tools if by in ("tool", "server") else _sum_calls

    def row(name: str, server: str, days: Sequence[tuple[int, Mapping[str, int]]], add: _Adder) -> TrendRow:
        held: dict[date, list[Mapping[str, int]]] = {start: [] for start in starts}
        for day, sums in days:
            held[period_of(_day(day), period)].append(sums)
        nothing = add(())
        points = tuple(add(found) if found else nothing for found in held.values())
        return TrendRow(name=name, server=server or None, total=add([sums for _, sums in days]), points=points)

    made = [row(name, server, days, add) for (server, name), days in rows.items()]
    if by == "server":  # one call may use several tools of a server
        made = [_without_calls(one) for one in made]
    projection, no_projection = _projection(whole)
    return Trends(
        by=by,
        period=period,
        starts=tuple(starts),
        rows=tuple(sorted(made, key=_weight)),
        whole=row("", "", whole, _sum_calls),
        projection=projection,
        no_projection=no_projection,
        uncounted_calls=uncounted,
    )


def period_of(day: date, period: Period) -> date:
    """The first day of the period that a day is in."""
    if period == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if period == "month" else day


def _day(number: int) -> date:
    return _EPOCH + timedelta(days=number)


def _calls(store: Store, dimension: str, first: int | None) -> _Days:
    found: defaultdict[tuple[str, str], list[tuple[int, Mapping[str, int]]]] = defaultdict(list)
    query = TrendDay.select().where((TrendDay.dimension == dimension) & (TrendDay.day >= (first or _FIRST)))
    for row in query.dicts().execute(store.db):
        found["", row["name"]].append((row["day"], row))
    return found


def _tools(store: Store, first: int | None) -> _Days:
    found: defaultdict[tuple[str, str], list[tuple[int, Mapping[str, int]]]] = defaultdict(list)
    for row in ToolDay.select().where(ToolDay.day >= (first or _FIRST)).dicts().execute(store.db):
        found[row["server"], row["name"]].append((row["day"], row))
    return found


_FIRST = -(2**31)


def _by_server(rows: _Days) -> _Days:
    """Days of each MCP server, of all its tools."""
    found: defaultdict[tuple[str, str], list[tuple[int, Mapping[str, int]]]] = defaultdict(list)
    for (server, _), days in rows.items():
        if server:
            found[server, server] += days
    return found


def _without_calls(row: TrendRow) -> TrendRow:
    points = tuple(replace(point, calls=None) for point in row.points)
    return replace(row, total=replace(row.total, calls=None), points=points)


def _periods(days: Sequence[int], period: Period) -> list[date]:
    """The periods from the first to the last of these days."""
    if not days:
        return []
    at, last = (period_of(_day(day), period) for day in (days[0], days[-1]))
    starts = [at]
    while at < last:
        at = period_of(at + timedelta(days={"day": 1, "week": 7, "month": 31}[period]), period)
        starts.append(at)
    return starts


type _Adder = Callable[[Sequence[Mapping[str, int]]], TrendSums]


def _sum_calls(rows: Sequence[Mapping[str, int]]) -> TrendSums:
    counts = {name: sum(row[name] for row in rows) for name in COUNTS}
    known = {name: sum(row[name] for row in rows) if counts[f"{name}_calls"] else None for name in NUMBERS}
    return TrendSums(
        calls=counts["calls"],
        error_calls=counts["error_calls"],
        estimated_calls=counts["estimated_calls"],
        unpriced_calls=counts["calls"] - counts["cost_calls"],
        **known,
    )


def _sum_tools(rows: Sequence[Mapping[str, int]]) -> TrendSums:
    return TrendSums(
        **{name: sum(row[name] for row in rows) for name in ("calls", "uses", "call_tokens", "result_tokens")}
    )


def _weight(row: TrendRow) -> tuple[int, ...]:
    sums = row.total
    return (-(sums.cost or 0), -(sums.uses or 0), -(sums.input_tokens or 0), -(sums.calls or 0))


def _projection(days: Sequence[tuple[int, Mapping[str, int]]]) -> tuple[Projection | None, str]:
    """The next 30 days at the pace of these, or why that cannot be said."""
    sums, different = _sum_calls([row for _, row in days]), {day for day, _ in days}
    calls = sums.calls or 0
    if calls < LEAST_CALLS or len(different) < LEAST_DAYS:
        return None, f"no projection from fewer than {LEAST_CALLS} calls on {LEAST_DAYS} days"
    if sums.cost is None:
        return None, "no projection, since no call has a known price"
    span = max(different) - min(different) + 1
    cost = sums.cost * PROJECTED_DAYS // span
    return Projection(cost=cost, at_least=bool(sums.unpriced_calls), days=span), ""
