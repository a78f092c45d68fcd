"""Lanes of a run -> lines of a table, those of helpers below the agent that started them; and titles for the chart."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from llmprof_addon.export.text import UNKNOWN, counted, dollars, duration, plain, share, tokens
from llmprof_addon.model.usage import Source
from llmprof_addon.store.rows import LaneRow
from llmprof_tui.widgets.columns import Column
from llmprof_tui.widgets.lane_title import ALONE, LaneTitle
from llmprof_tui.widgets.lane_tree import LaneNode, lane_name, lane_tree, walk

COLUMNS = (
    Column(key="started", title="agent", width=46, least=22, grow=1, left=True),
    Column(key="from", title="from", width=8, least=8, left=True, leaves=4, sorts=False),
    Column(key="calls", title="calls", width=5),
    Column(key="peak", title="peak", width=6),
    Column(key="in", title="in", width=6),
    Column(key="cached", title="cached", width=6, leaves=1),
    Column(key="out", title="out", width=6, leaves=5),
    Column(key="cost", title="cost", width=8),
    Column(key="share", title="share", width=5, sorts=False),
    Column(key="model", title="model", width=7, leaves=2),
    Column(key="tools", title="tools", width=7, leaves=3),
    Column(key="idle", title="idle", width=7, leaves=6),
    Column(key="speed", title="tok/s", width=5, leaves=7),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneLine:
    """One line: a lane; a folded one with the sums of all that are below it."""

    lane: LaneRow
    depth: int
    below: int
    """How many lanes are below it."""
    folded: bool
    spawned: int | None
    """Number of the call in the run whose answer started it, from 1."""
    calls: int
    failed: int
    peak: int | None
    input: int | None
    read: int | None
    output: int | None
    estimated: bool
    cost: int | None
    unpriced: int
    of_run: int | None
    """Pico-dollars of the run."""
    model_ns: int | None
    tool_ns: int | None
    idle_ns: int | None
    speed: float | None


_KEYS: dict[str, Callable[[LaneLine], Any]] = {
    "calls": lambda line: line.calls,
    "peak": lambda line: line.peak or 0,
    "in": lambda line: line.input or 0,
    "cached": lambda line: (line.read or 0) / (line.input or 1),
    "out": lambda line: line.output or 0,
    "cost": lambda line: (line.cost is not None, line.cost or 0),
    "model": lambda line: line.model_ns or 0,
    "tools": lambda line: line.tool_ns or 0,
    "idle": lambda line: line.idle_ns or 0,
    "speed": lambda line: line.speed or 0,
}


def lane_lines(
    lanes: Sequence[LaneRow],
    key: str,
    *,
    descending: bool,
    folded: Iterable[str] = (),
    places: Mapping[str, int] | None = None,
    cost: int | None = None,
) -> tuple[LaneLine, ...]:
    """Lines in the order of a column, among those that stand below the same one; by `started` in the tree's own order.

    Args:
        lanes: Of one run.
        key: Of a column.
        descending: The largest first.
        folded: Keys of the lanes whose helpers are not shown.
        places: Number in the run of each call by id, from 1.
        cost: Pico-dollars of the run.
    """
    closed, known = set(folded), places or {}
    shown: list[LaneLine] = []

    def line(node: LaneNode) -> LaneLine:
        fold = node.lane.id in closed and bool(node.below)
        return _line(node, fold, known.get(node.lane.spawned_by or ""), cost)

    def add(nodes: Sequence[LaneNode]) -> None:
        pairs = [(line(node), node) for node in nodes]
        if key == "started":
            pairs = pairs[::-1] if descending else pairs
        else:
            pairs.sort(key=lambda pair: _KEYS[key](pair[0]), reverse=descending)
        for one, node in pairs:
            shown.append(one)
            if not one.folded:
                add(node.below)

    add(lane_tree(lanes))
    return tuple(shown)


def lane_titles(lanes: Sequence[LaneRow]) -> tuple[LaneTitle, ...]:
    """What the chart says of lanes, in the order of their tree; one that is alone needs no title."""
    if len(lanes) < 2:
        return ALONE
    return tuple(_title(node.lane) for node in walk(lane_tree(lanes)))


def _title(lane: LaneRow) -> LaneTitle:
    cost = dollars(lane.cost.total if lane.cost else None, at_least=lane.unpriced_calls > 0)
    note = f"{counted(lane.calls, 'call')}  {tokens(lane.usage.input_tokens)} in  {cost}"
    return LaneTitle(key=lane.id, name=lane_name(lane), said=lane.label or "", note=note)


def _line(node: LaneNode, folded: bool, spawned: int | None, cost: int | None) -> LaneLine:
    rows = node.subtree if folded else (node.lane,)
    costs = [row.cost.total for row in rows if row.cost is not None]
    streamed = _sum(row.times.streamed_tokens for row in rows), _sum(row.times.streamed_ns for row in rows)
    return LaneLine(
        lane=node.lane,
        depth=node.depth,
        below=len(node.subtree) - 1,
        folded=folded,
        spawned=spawned,
        calls=sum(row.calls for row in rows),
        failed=sum(row.error_calls for row in rows),
        peak=max((row.peak_context_tokens for row in rows if row.peak_context_tokens is not None), default=None),
        input=_sum(row.usage.input_tokens for row in rows),
        read=_sum(row.usage.cache_read_input_tokens for row in rows),
        output=_sum(row.usage.output_tokens for row in rows),
        estimated=any(row.usage.source is not Source.REPORTED for row in rows),
        cost=sum(costs) if costs else None,
        unpriced=sum(row.unpriced_calls for row in rows),
        of_run=cost,
        model_ns=_sum(row.times.model_ns for row in rows),
        tool_ns=_sum(row.times.tool_ns for row in rows),
        idle_ns=_sum(row.times.idle_ns for row in rows),
        speed=streamed[0] * 1e9 / streamed[1] if streamed[0] and streamed[1] else None,
    )


def _sum(numbers: Iterable[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None


def lane_cells(line: LaneLine) -> tuple[Text | str, ...]:
    """The cells of a line, in the order of `COLUMNS`."""
    return (
        _agent(line),
        UNKNOWN if line.spawned is None else f"call {line.spawned:,}",
        Text.assemble((f"{line.calls:,}", "bold red" if line.failed else "")),
        tokens(line.peak),
        tokens(line.input, estimated=line.estimated),
        share(line.read, line.input),
        tokens(line.output, estimated=line.estimated),
        dollars(line.cost, at_least=line.unpriced > 0),
        share(line.cost, line.of_run),
        _time(line.model_ns),
        _time(line.tool_ns),
        _time(line.idle_ns),
        Text(UNKNOWN, style="dim") if line.speed is None else f"{line.speed:.0f}",
    )


def lane_exact(line: LaneLine, key: str) -> str | None:
    """What a cell says under the mouse, by its column's key."""
    match key:
        case "started":
            return plain(line.lane.label or line.lane.id)
        case "from" if line.spawned is not None:
            return (
                f"the answer of call {line.spawned:,} started it: tool call {plain(line.lane.tool_call_id or UNKNOWN)}"
            )
        case "calls" if line.failed:
            return f"{line.failed:,} of {counted(line.calls, 'call')} failed"
        case "in" if line.input is not None:
            return f"{'≈' if line.estimated else ''}{line.input:,} tokens"
        case "cached" if line.read is not None:
            return f"{line.read:,} read"
        case "out" if line.output is not None:
            return f"{'≈' if line.estimated else ''}{line.output:,} tokens"
        case "cost" if line.unpriced:
            return f"no price is known for {counted(line.unpriced, 'call')}"
        case "model":
            return "from requests to the ends of their answers"
        case "tools":
            return "between an answer that asks for tools and the next call"
        case "idle":
            return "the rest of the time between calls: mostly a person's"
        case "speed":
            return "tokens per second of streamed answers, from first byte to last"
    return None


def _time(nanoseconds: int | None) -> Text | str:
    return Text(UNKNOWN, style="dim") if nanoseconds is None else duration(nanoseconds)


def _agent(line: LaneLine) -> Text:
    sign = "  " if not line.below else "▸ " if line.folded else "▾ "
    more = f" +{line.below}" if line.folded else ""
    said = Text.assemble("  " * line.depth, sign, (plain(lane_name(line.lane)), "bold"), (more, "bold"))
    if line.lane.label:
        said.append(f"  {plain(line.lane.label)}", "dim")
    return said
