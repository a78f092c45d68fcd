"""What became of the cached prefixes of a run's calls: one light row each, and how long a prefix had lain unused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Any

from llmprof_addon.cachedoctor.expected import idle_seconds, lifetimes
from llmprof_addon.cachedoctor.rules import rules_for
from llmprof_addon.model.cache import CacheVerdict
from llmprof_addon.store.cacherows import cache_verdict, cache_view
from llmprof_addon.store.database import errors_of
from llmprof_addon.store.open import Store
from llmprof_addon.store.schema import Call, Run

AT_ONCE = 500
"""Calls that one query names."""

_COSTS = (Call.input_cost, Call.cache_read_cost, Call.cache_write_cost, Call.output_cost, Call.other_cost)
_COLUMNS = (
    *(Call.id, Call.uid, Call.started_ns, Call.request_model, Call.response_model, Call.input_tokens),
    *(Call.cache_read_input_tokens, Call.cache_status, Call.cache_cause, Call.cache_expected, Call.cache_lost),
    *(Call.cache_wasted, Call.cache_more, *_COSTS),
)
_VIEWED = (
    *(Call.uid, Call.api, Call.request_model, Call.response_model, Call.started_ns, Call.first_chunk_ns),
    *(Call.ended_ns, Call.input_tokens, Call.cache_read_input_tokens, Call.cache_creation_input_tokens),
    *(Call.usage_source, Call.cache_keys, Call.input_cost, Call.cache_write_cost),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One call of a run, as far as the prompt cache goes."""

    number: int
    id: str
    place: int
    """Its number in the run by start, from 1."""
    started_ns: int
    model: str | None
    input_tokens: int | None
    read_tokens: int | None
    """`None` = not reported."""
    cost: int | None
    """Pico-dollars."""
    verdict: CacheVerdict | None
    """`None` where the rules of its provider are not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """How long a prefix had not been used when a call asked for it."""

    seconds: float
    may_expire_s: int
    """After so many it may be gone,"""
    expires_s: int
    """after so many it is gone."""


def judged(store: Store, run: str) -> tuple[Judged, ...]:
    """The calls of a run, by start."""
    query = Call.select(*_COLUMNS).join(Run, on=(Call.run == Run.id)).where(Run.uid == run)
    with errors_of(store.url):
        rows = list(query.order_by(Call.started_ns, Call.id).dicts().execute(store.db))
    return tuple(_judged(row, place) for place, row in enumerate(rows, 1))


def idle(store: Store, calls: Sequence[Judged]) -> dict[str, Idle]:
    """How long the prefixes had lain unused that these calls were compared with, by call; of deleted ones nothing."""
    pairs = [(call.id, call.verdict.previous) for call in calls if call.verdict and call.verdict.previous]
    views = {}
    with errors_of(store.url):
        for some in batched(dict.fromkeys(id_ for pair in pairs for id_ in pair), AT_ONCE):
            for row in Call.select(*_VIEWED).where(Call.uid.in_(some)).dicts().execute(store.db):
                views[row["uid"]] = cache_view(row)
    found = {}
    for here, there in pairs:
        if here in views and there in views and (rules := rules_for(views[there].api, views[there].model)):
            may, must = lifetimes(views[there], rules)
            found[here] = Idle(seconds=idle_seconds(views[here], views[there]), may_expire_s=may, expires_s=must)
    return found


def _judged(row: Mapping[str, Any], place: int) -> Judged:
    return Judged(
        number=row["id"],
        id=row["uid"],
        place=place,
        started_ns=row["started_ns"],
        model=row["response_model"] or row["request_model"],
        input_tokens=row["input_tokens"],
        read_tokens=row["cache_read_input_tokens"],
        cost=None if row["input_cost"] is None else sum(row[field.name] for field in _COSTS),
        verdict=cache_verdict(row),
    )
