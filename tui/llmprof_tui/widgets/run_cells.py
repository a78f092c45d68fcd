"""A run as the cells of a table row, and its exact numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from rich.text import Text

from llmprof_addon.export import text
from llmprof_addon.model.cost import usd
from llmprof_addon.store.listing import RunOrder
from llmprof_addon.store.rows import RunRow
from llmprof_tui.widgets.columns import Column

SPARK = 8
"""Cells of a sparkline."""

LIVE_NS = 60 * 1_000_000_000
"""A run counts as going on for so long after its newest call."""

_BARS = "▁▂▃▄▅▆▇█"

COLUMNS = (
    Column(key="started", title="when", width=11, left=True),
    Column(key="app", title="app", width=14, least=11, left=True, leaves=3),
    Column(key="label", title="  what", width=34, least=24, grow=3, left=True),
    Column(key="model", title="model", width=18, least=12, grow=1, left=True, leaves=2),
    Column(key="calls", title="turns", width=5),
    Column(key="peak", title="context", width=SPARK, left=True),
    Column(key="input", title="in", width=6),
    Column(key="cached", title="cache", width=5),
    Column(key="duration", title="took", width=7, leaves=4),
    Column(key="cost", title="cost", width=9),
    Column(key="waste", title="waste", width=9, leaves=1),
)
"""Keys are orders of the store."""

ORDERS: dict[str, str] = {
    **{column.key: column.title.strip() for column in COLUMNS},
    "started": "start",
    "peak": "largest context",
    "input": "input tokens",
    "cached": "cache share",
    "duration": "duration",
}
"""Orders in words."""

assert set(ORDERS) == set(get_args(RunOrder.__value__))


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLine:
    """What the table shows of a run."""

    row: RunRow
    growth: tuple[int, ...] = ()
    """Prompt tokens, call by call or stretch by stretch."""


def spark(values: Sequence[int], cells: int = SPARK) -> str:
    """Bars of the largest value in each stretch, the largest of all full; as many as values, at most `cells`."""
    if len(values) > cells:
        edges = [place * len(values) // cells for place in range(cells + 1)]
        values = [max(values[edges[place] : edges[place + 1]]) for place in range(cells)]
    most = max(values, default=0)
    return "".join(_BARS[(len(_BARS) - 1) * value // most if most else 0] for value in values)


def moment(nanoseconds: int, now_ns: int) -> str:
    """Local time in at most eleven cells: `14:02` today, `11-20 14:02` this year, else the date."""
    then, now = (datetime.fromtimestamp(at / 1e9) for at in (nanoseconds, now_ns))
    if then.date() == now.date():
        return then.strftime("%H:%M")
    return then.strftime("%m-%d %H:%M" if then.year == now.year else "%Y-%m-%d")


def is_live(row: RunRow, now_ns: int) -> bool:
    """Whether the run had a call a short while ago."""
    return 0 <= now_ns - row.ended_ns < LIVE_NS


def cells(line: RunLine, now_ns: int, colours: Mapping[str, str]) -> tuple[Text | str, ...]:
    """One cell for each of `COLUMNS`; `colours` are a theme's variables."""
    row, usage = line.row, line.row.usage
    estimated = row.estimated_calls > 0
    took = row.ended_ns - row.started_ns
    return (
        Text(moment(row.started_ns, now_ns), style="dim"),
        text.plain(row.app or text.UNKNOWN),
        _what(row, now_ns, colours),
        Text(text.plain(", ".join(row.models) or text.UNKNOWN), style="dim"),
        f"{row.calls:,}",
        Text(spark(line.growth) or text.UNKNOWN, style=colours["primary"]),
        text.tokens(usage.input_tokens, estimated=estimated),
        text.share(usage.cache_read_input_tokens, usage.input_tokens),
        Text(text.duration(took) if took >= 0 else text.UNKNOWN, style="dim"),
        Text(text.dollars(cost_of(row), at_least=row.unpriced_calls > 0), style="bold"),
        _waste(row, colours),
    )


def _waste(row: RunRow, colours: Mapping[str, str]) -> Text:
    """What need not have been paid; of a run that was not looked at, what its cache has lost at least."""
    at_least = row.findings is None or row.unpriced_calls > 0
    return Text(text.dollars(row.waste, at_least=at_least), style=colours["warning"] if row.waste else "dim")


def _what(row: RunRow, now_ns: int, colours: Mapping[str, str]) -> Text:
    live = is_live(row, now_ns)
    mark = "●" if live else "✗" if row.error_calls else " "
    colour = colours["error" if row.error_calls else "success"]
    return Text.assemble((f"{mark} ", colour), (text.plain(row.label or text.UNKNOWN), "bold"))


def cost_of(row: RunRow) -> int | None:
    """Pico-dollars of the calls that have a price; `None` if none has."""
    return None if row.cost is None else row.cost.total


def exactly(line: RunLine, key: str) -> str | None:
    """What a cell says in full, by its column's key."""
    row, usage = line.row, line.row.usage
    estimated = row.estimated_calls > 0
    match key:
        case "started":
            return _full(row.started_ns)
        case "calls" if row.error_calls:
            return f"{row.error_calls:,} of {text.counted(row.calls, 'call')} failed"
        case "app":
            return text.plain(row.app or "the application is not known")
        case "label":
            return text.plain(row.label) if row.label else None
        case "model":
            return text.plain(", ".join(row.models)) or None
        case "peak":
            return f"largest prompt: {text.exact(row.peak_context_tokens, estimated=estimated)} tokens"
        case "input":
            read, written = usage.cache_read_input_tokens, usage.cache_creation_input_tokens
            said = f"{text.exact(usage.input_tokens, estimated=estimated)} tokens in; "
            return f"{said}{text.exact(read)} read from cache, {text.exact(written)} written"
        case "cached":
            return f"{text.exact(usage.cache_read_input_tokens)} of {text.exact(usage.input_tokens)} tokens"
        case "duration":
            return f"{_full(row.started_ns)} to {_full(row.ended_ns)}"
        case "cost":
            return _exact_cost(row)
        case "waste":
            return _exact_waste(row)
    return None


def _exact_waste(row: RunRow) -> str:
    """What the findings could save, and what of it the cache has lost."""
    saved = f"{_amount(row.reclaimable_cost)} could be saved, ≈{row.reclaimable_tokens or 0:,} tokens less"
    if row.findings is None:
        saved = "not looked at for findings yet"
    elif not row.findings:
        saved = "nothing found that would be worth changing"
    lost = f"{text.counted(row.cache_breaks + row.cache_expiries, 'lost prefix', 'lost prefixes')} of the cache"
    return f"{saved}\n{_amount(row.cache_wasted)} for {lost}, {text.exact(row.cache_lost)} tokens paid for anew"


def _amount(pico: int | None) -> str:
    amount = usd(pico)
    return text.UNKNOWN if amount is None else f"${amount}"


def _exact_cost(row: RunRow) -> str:
    amount = usd(cost_of(row))
    if amount is None:
        return "no call has a known price"
    missing = f"; {text.counted(row.unpriced_calls, 'call')} without a known price" if row.unpriced_calls else ""
    return f"${amount}{missing}"


def _full(nanoseconds: int) -> str:
    return datetime.fromtimestamp(nanoseconds / 1e9).strftime("%Y-%m-%d %H:%M:%S")
