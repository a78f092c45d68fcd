"""What is drawn of a run: its calls in one light row each, and their sums by kind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import peewee as pw

from llmprof_addon.model.cache import CacheStatus
from llmprof_addon.model.component import Kind, KindTotal
from llmprof_addon.model.usage import Source
from llmprof_addon.store.counts import unpack_composition
from llmprof_addon.store.database import errors_of
from llmprof_addon.store.open import Store
from llmprof_addon.store.rollup import is_error
from llmprof_addon.store.schema import Call, Lane, Run


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineCall:
    """What a timeline draws of a call."""

    number: int
    id: str
    started_ns: int
    first_chunk_ns: int | None
    ended_ns: int
    model: str | None
    input_tokens: int | None
    output_tokens: int | None
    estimated: bool
    context_window: int | None
    cost: int | None
    """Pico-dollars of the whole call."""
    composition: tuple[KindTotal, ...]
    failed: bool
    cache_status: CacheStatus | None = None
    """What became of its cached prefix; `None` where that is not known."""
    lane: str = "main"
    """Key of its lane in the run."""
    request_class: str | None = None
    """What it is for, where its client says it: `main`, `subagent`, `workflow`, `compaction`, `auxiliary`."""
    link: str | None = None
    """How it goes on from the call before: `turn`, `branch`, `retry`, `compacted`."""


def timeline(store: Store, run: str, *, after: int = 0) -> tuple[TimelineCall, ...]:
    """What to draw of a run's calls with numbers above `after`, by start."""
    query = Call.select(*_DRAWN).join(Run, on=(Call.run == Run.id))
    query = query.join_from(Call, Lane, pw.JOIN.LEFT_OUTER, on=(Call.lane == Lane.id))
    query = query.where((Run.uid == run) & (Call.id > after))
    with errors_of(store.url):
        ordered = query.order_by(Call.started_ns, Call.id).dicts()
        return tuple(map(_timeline_call, ordered.iterator(store.db)))  # without thousands of rows beside them


def composition(store: Store, run: str) -> tuple[KindTotal, ...]:
    """Sums of a run's calls by kind, in the order of legends; a cost is `None` if any of its parts is unpriced.

    Calls that failed without usage are left out: what was estimated of their prompts is not in the run's input.
    """
    query = Call.select(Call.composition).join(Run, on=(Call.run == Run.id))
    query = query.where((Run.uid == run) & Call.input_tokens.is_null(False))
    with errors_of(store.url):
        blobs = [bytes(row[0]) for row in store.db.execute(query).fetchall()]
    found: dict[Kind, list[KindTotal]] = {}
    for blob in blobs:
        for total in unpack_composition(blob)[0]:
            found.setdefault(total.kind, []).append(total)
    return tuple(_sum_of(found[kind]) for kind in Kind if kind in found)


_COSTS = ("input_cost", "cache_read_cost", "cache_write_cost", "output_cost", "other_cost")

_DRAWN = (
    *(Call.id, Call.uid, Call.started_ns, Call.first_chunk_ns, Call.ended_ns, Call.request_model, Call.response_model),
    *(Call.input_tokens, Call.output_tokens, Call.usage_source, Call.context_window, Call.composition),
    *(getattr(Call, name) for name in _COSTS),
    *(Call.error, Call.outcome, Call.status, Call.cache_status, Call.request_class, Call.link),
    Lane.key.alias("lane_key"),
)


def _timeline_call(row: Mapping[str, Any]) -> TimelineCall:
    return TimelineCall(
        number=row["id"],
        id=row["uid"],
        started_ns=row["started_ns"],
        first_chunk_ns=row["first_chunk_ns"],
        ended_ns=row["ended_ns"],
        model=row["response_model"] or row["request_model"],
        input_tokens=row["input_tokens"],
        output_tokens=row["output_tokens"],
        estimated=row["usage_source"] != Source.REPORTED,
        context_window=row["context_window"],
        cost=None if row["input_cost"] is None else sum(row[name] for name in _COSTS),
        composition=unpack_composition(bytes(row["composition"]))[0],
        failed=is_error(row),
        cache_status=CacheStatus(row["cache_status"]) if row["cache_status"] else None,
        lane=row["lane_key"] or "main",
        request_class=row["request_class"],
        link=row["link"],
    )


def _sum_of(totals: Sequence[KindTotal]) -> KindTotal:
    costs = [total.cost for total in totals if total.cost is not None]
    estimated = any(total.source is Source.ESTIMATED for total in totals)
    return KindTotal(
        kind=totals[0].kind,
        tokens=sum(total.tokens for total in totals),
        read=sum(total.read for total in totals),
        write=sum(total.write for total in totals),
        fresh=sum(total.fresh for total in totals),
        cost=sum(costs) if len(costs) == len(totals) else None,
        source=Source.ESTIMATED if estimated else totals[0].source,
    )
