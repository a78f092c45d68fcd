"""Trends -> the rows of their table: one for each model, app, tool, …, or for each period; and the cells of a row."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from rich.text import Text

from llmprof_addon.export import text
from llmprof_addon.store.trends import By, TrendRow, Trends, TrendSums, period_of
from llmprof_tui.widgets.bars_layout import named
from llmprof_tui.widgets.columns import Column
from llmprof_tui.widgets.measures import Measure
from llmprof_tui.widgets.run_cells import spark

SPARK = 14
"""Periods of a sparkline: the last ones."""

UNNAMED: dict[By, str] = {"template": "(no system prompt)"}
"""What rows without a name are; others are not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendLine:
    """What the table shows of a row."""

    key: tuple[str, str]
    """By which the row is known again."""
    name: str
    sums: TrendSums
    points: tuple[TrendSums, ...] = ()
    """One for each period; none for a period itself."""
    whole: TrendSums
    """Of which its share is said."""
    before: TrendSums | None = None
    after: TrendSums | None = None
    """Two periods in a row, between which the change is; `None` where there are no two."""
    change_of: tuple[str, str] = ("", "")
    """These two in words."""
    start: date | None = None
    """Of a period: its first day."""
    row: TrendRow | None = None
    """`None` of a period, and of all calls."""


def columns(found: Trends) -> tuple[Column, ...]:
    """The columns of the table."""
    first = Column(key="name", title=_TITLES[found.by], width=28, least=16, grow=1, left=True)
    trend = Column(key="trend", title="trend", width=SPARK, left=True, leaves=1)
    share, change = Column(key="share", title="share", width=5, leaves=3), Column(key="change", title="change", width=6)
    if found.by in ("tool", "server"):
        return (
            first,
            trend,
            Column(key="uses", title="uses", width=7),
            share,
            change,
            Column(key="calls", title="calls", width=7, leaves=2),
            Column(key="asked", title="asked", width=7, leaves=4),
            Column(key="results", title="results", width=8),
        )
    return (
        first,
        *(() if found.by == "all" else (trend,)),
        Column(key="cost", title="cost", width=9),
        share,
        change,
        Column(key="calls", title="calls", width=7),
        Column(key="failed", title="failed", width=6, leaves=6),
        Column(key="input", title="in", width=6, leaves=2),
        Column(key="hits", title="cache", width=5),
        Column(key="output", title="out", width=6, leaves=5),
        Column(key="wasted", title="wasted", width=8, leaves=4),
    )


_TITLES: dict[By, str] = {
    **{"all": "period", "model": "model", "app": "app", "provider": "provider"},
    **{"tool": "tool", "server": "MCP server", "template": "template"},
}


def lines(found: Trends, today: date) -> list[TrendLine]:
    """The rows, all calls first where that can be summed; or the periods, the newest first."""
    if found.by == "all":
        return list(_periods(found, period_of(today, found.period)))
    pair = last_pair(found, today)
    by_uses = found.by in ("tool", "server")
    whole = _of_tools(found.rows) if by_uses else found.whole.total
    rows = [_line(found, row, whole, pair) for row in found.rows]
    if by_uses or len(rows) < 2:
        return rows
    return [_line(found, found.whole, whole, pair, all_calls=True), *rows]


def last_pair(found: Trends, today: date) -> tuple[int, int] | None:
    """The last two periods that are over, which can be compared: what goes on grows yet."""
    current = period_of(today, found.period)
    over = [index for index, start in enumerate(found.starts) if start < current]
    return (over[-2], over[-1]) if len(over) > 1 else None


def _periods(found: Trends, current: date) -> Iterator[TrendLine]:
    points, period = found.whole.points, found.period
    for index in reversed(range(len(points))):
        over = index > 0 and found.starts[index] < current
        said = (named(found.starts[index - 1], period), named(found.starts[index], period)) if index else ("", "")
        yield TrendLine(
            key=("", found.starts[index].isoformat()),
            name=named(found.starts[index], period),
            sums=points[index],
            whole=found.whole.total,
            before=points[index - 1] if over else None,
            after=points[index] if over else None,
            change_of=said,
            start=found.starts[index],
        )


def _line(
    found: Trends, row: TrendRow, whole: TrendSums, pair: tuple[int, int] | None, *, all_calls: bool = False
) -> TrendLine:
    name = "all" if all_calls else text.plain(row.name or UNNAMED.get(found.by, "") or text.UNKNOWN)
    server = f"{text.plain(row.server)} › " if row.server and found.by == "tool" else ""
    return TrendLine(
        key=("all", "") if all_calls else (row.server or "", f"={row.name}"),
        name=server + name,
        sums=row.total,
        points=row.points,
        whole=whole,
        before=row.points[pair[0]] if pair else None,
        after=row.points[pair[1]] if pair else None,
        change_of=tuple(named(found.starts[at], found.period) for at in pair) if pair else ("", ""),  # type: ignore[arg-type]
        row=None if all_calls else row,
    )


def _of_tools(rows: Sequence[TrendRow]) -> TrendSums:
    return TrendSums(
        uses=sum(row.total.uses or 0 for row in rows), result_tokens=sum(row.total.result_tokens or 0 for row in rows)
    )


def change(before: float | None, after: float | None, *, ratio: bool = False) -> str:
    """How much more or less: in per cent, of ratios in points; `new` after nothing; a dash where either is unknown."""
    if before is None and after is None:
        return text.UNKNOWN
    if ratio:
        return text.UNKNOWN if before is None or after is None else text.signed(round(100 * (after - before)), str)
    if not before:
        return "new" if after else text.UNKNOWN
    percent = round(100 * ((after or 0) - before) / before)
    return text.signed(percent, lambda amount: f"{amount}%") if percent < 1000 else f"×{(after or 0) / before:.0f}"


def cells(line: TrendLine, found: Trends, measure: Measure, colours: Mapping[str, str]) -> tuple[Text | str, ...]:
    """One cell for each of `columns`; `colours` are a theme's variables."""
    sums = line.sums
    share = text.UNKNOWN if measure.whole else _share(measure.of(sums), measure.of(line.whole))
    more = _change(line, measure, colours)
    trend = Text(trend_of(line.points, measure), style=colours["primary"])
    name = Text(line.name, style="bold")
    calls = text.UNKNOWN if sums.calls is None else f"{sums.calls:,}"
    if found.by in ("tool", "server"):
        uses = Text(f"{sums.uses or 0:,}", style="bold")
        asked, results = (text.tokens(each, estimated=True) for each in (sums.call_tokens, sums.result_tokens))
        return name, trend, uses, share, more, calls, asked, results
    estimated = bool(sums.estimated_calls)
    return (
        name,
        *(() if found.by == "all" else (trend,)),
        Text(text.dollars(sums.cost, at_least=bool(sums.unpriced_calls)) if sums.calls else "·", style="bold"),
        share,
        more,
        calls,
        Text(f"{sums.error_calls:,}", style=colours["error"]) if sums.error_calls else "·",
        text.tokens(sums.input_tokens, estimated=estimated),
        text.share(sums.cache_read_input_tokens, sums.input_tokens),
        text.tokens(sums.output_tokens, estimated=estimated),
        text.dollars(sums.wasted),
    )


def _share(part: float | None, whole: float | None) -> str:
    return text.share(None if part is None else round(part), None if whole is None else round(whole))


def _change(line: TrendLine, measure: Measure, colours: Mapping[str, str]) -> Text:
    if line.before is None or line.after is None:
        return Text(text.UNKNOWN, style="dim")
    shown = change(measure.of(line.before), measure.of(line.after), ratio=measure.whole is not None)
    better = shown.startswith("+") if measure.key == "hits" else shown.startswith("−")
    worse = shown.startswith(("+", "−", "×", "new")) and not better
    plain = measure.key in ("calls", "uses")  # more of these is neither good nor bad
    return Text(shown, style="" if plain else colours["success"] if better else colours["warning"] if worse else "dim")


def trend_of(points: Sequence[TrendSums], measure: Measure) -> str:
    """A mark for each of the last periods; a space where there is nothing."""
    shown = [measure.of(point) for point in points[-SPARK:]]
    marks = spark([round(1000 * (value or 0)) for value in shown], SPARK)
    return "".join(mark if value else " " for mark, value in zip(marks, shown, strict=True))


def exactly(line: TrendLine, key: str) -> str | None:
    """What a cell says in full, by its column's key."""
    sums = line.sums
    match key:
        case "name":
            return line.name
        case "cost" if sums.unpriced_calls:
            return f"{text.counted(sums.unpriced_calls, 'call')} without a known price"
        case "change" if line.after is not None:
            return f"from {line.change_of[0]} to {line.change_of[1]}"
        case "input":
            return f"{text.exact(sums.input_tokens, estimated=bool(sums.estimated_calls))} tokens in"
        case "hits":
            return f"{text.exact(sums.cache_read_input_tokens)} of {text.exact(sums.input_tokens)} tokens"
        case "output":
            return f"{text.exact(sums.output_tokens, estimated=bool(sums.estimated_calls))} tokens out"
        case "failed" if sums.error_calls:
            return f"{sums.error_calls:,} of {text.counted(sums.calls or 0, 'call')} failed"
        case "wasted":
            return "what cache breaks cost"
        case "asked":
            return "tokens of the calls of it, estimated"
        case "results":
            return "tokens of its results, each counted once, estimated"
    return None
