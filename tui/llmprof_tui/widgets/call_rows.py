"""Calls of a run -> cells and orders of their table."""

from collections.abc import Callable, Sequence
from datetime import datetime

from rich.text import Text

from llmprof_addon.export.text import UNKNOWN, dollars, duration, plain, share, tokens
from llmprof_addon.model.usage import Source
from llmprof_addon.store.rows import CallRow
from llmprof_addon.store.timeline import TimelineCall
from llmprof_tui.widgets.columns import Column

COLUMNS = (
    Column(key="number", title="#", width=5),
    Column(key="started", title="time", width=12, least=8, left=True, leaves=3),
    Column(key="model", title="model", width=24, least=8, grow=1, left=True, leaves=5),
    Column(key="in", title="in", width=7),
    Column(key="cached", title="cached", width=6),
    Column(key="out", title="out", width=7),
    Column(key="cost", title="cost", width=8),
    Column(key="first", title="1st byte", width=8, leaves=4),
    Column(key="duration", title="total", width=7, leaves=2),
    Column(key="end", title="ended with", width=18, least=8, left=True, leaves=1, sorts=False),
)


def _first_byte(call: TimelineCall) -> int | None:
    return None if call.first_chunk_ns is None else call.first_chunk_ns - call.started_ns


def _cached(call: TimelineCall) -> float | None:
    read = sum(total.read for total in call.composition)
    whole = sum(total.tokens for total in call.composition)
    return read / whole if whole else None


_KEYS: dict[str, Callable[[TimelineCall], float | str | None]] = {
    "started": lambda call: call.started_ns,
    "model": lambda call: call.model,
    "in": lambda call: call.input_tokens,
    "cached": _cached,
    "out": lambda call: call.output_tokens,
    "cost": lambda call: call.cost,
    "first": _first_byte,
    "duration": lambda call: call.ended_ns - call.started_ns,
}


def ordered(calls: Sequence[TimelineCall], key: str, *, descending: bool) -> list[int]:
    """Numbers of the calls in the order of a column; unknown values come last, ties stay as they started."""
    if key == "number":
        numbers = [call.number for call in calls]
        return numbers[::-1] if descending else numbers
    of = _KEYS[key]
    known = [(value, call) for call in calls if (value := of(call)) is not None]
    known.sort(key=lambda pair: pair[0], reverse=descending)
    return [call.number for _, call in known] + [call.number for call in calls if of(call) is None]


def clock(nanoseconds: int, since: int) -> str:
    """Local time of day, with the days since the run began."""
    moment, start = (datetime.fromtimestamp(each / 1e9).astimezone() for each in (nanoseconds, since))
    days = (moment.date() - start.date()).days
    return moment.strftime("%H:%M:%S") + (f" +{days}d" if days else "")


def call_cells(row: CallRow, place: int | None, since: int) -> tuple[Text | str, ...]:
    """The cells of a call, in the order of `COLUMNS`; `place` is its number in the run, from 1, and
    `since` is when the run began."""
    usage = row.usage
    estimated = usage.source is not Source.REPORTED
    return (
        UNKNOWN if place is None else f"{place:,}",
        clock(row.started_ns, since),
        plain(row.model or UNKNOWN),
        tokens(usage.input_tokens, estimated=estimated),
        share(usage.cache_read_input_tokens, usage.input_tokens),
        tokens(usage.output_tokens, estimated=estimated),
        dollars(None if row.cost is None else row.cost.total),
        duration(None if row.first_chunk_ns is None else row.first_chunk_ns - row.started_ns),
        duration(row.ended_ns - row.started_ns),
        ending(row),
    )


def ending(row: CallRow) -> Text:
    """How a call ended: why it stopped, or what went wrong."""
    if not row.failed:
        return Text(plain(", ".join(row.finish_reasons)) or UNKNOWN)
    status = f"{row.status}" if row.status and row.status >= 400 else row.outcome if row.outcome != "complete" else ""
    said = " ".join(filter(None, [status, plain((row.error or "").partition("\n")[0])]))
    return Text.assemble(("✗ ", "bold red"), said or "failed")


def call_exact(row: CallRow, key: str) -> str | None:
    """A number of a call with all its digits, by its column's key."""
    usage = row.usage
    match key:
        case "in" if usage.input_tokens is not None:
            window = f" of a window of {row.context_window:,}" if row.context_window else ""
            return f"{usage.input_tokens:,} tokens{window}"
        case "cached" if usage.cache_read_input_tokens is not None:
            written = usage.cache_creation_input_tokens
            return f"{usage.cache_read_input_tokens:,} read" + ("" if written is None else f", {written:,} written")
        case "out" if usage.output_tokens is not None:
            reasoning = usage.reasoning_output_tokens
            return f"{usage.output_tokens:,} tokens" + (f", {reasoning:,} of it reasoning" if reasoning else "")
        case "cost" if row.cost is None:
            return "no price is known for this model"
        case "end" if row.error:
            return plain(row.error)
    return None
