"""The columns of calls and runs that are about prompt caches: views and verdicts as rows, and rows as both again."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from llmprof_addon.model.cache import CacheCause, CacheStatus, CacheVerdict, CacheView, Difference, Mark
from llmprof_addon.providers import dialects
from llmprof_addon.store.text import dumps, loads

LOSSES = (CacheStatus.BREAK, CacheStatus.PARTIAL)
"""What counts as a break of a run's cache; expiries are counted apart."""


def columns(view: CacheView | None, verdict: CacheVerdict | None) -> dict[str, Any]:
    """The columns of a call that are about its cache."""
    return {"cache_keys": _keys(view), **verdict_columns(verdict)}


def _keys(view: CacheView | None) -> str | None:
    keys: dict[str, Any] = {}
    if view is not None:
        said = {"marks": view.marks, "params": view.params, "read_rate": view.read_rate, "reason": view.provider_reason}
        said["is_summed"] = view.is_summed or None
        keys = {name: value for name, value in said.items() if value not in (None, (), {})}
    return dumps(keys) if keys else None


def with_marks(keys: str | None, marks: Sequence[Mark]) -> str | None:
    """The column of a view whose breakpoints stand elsewhere."""
    said = (loads(keys) if keys else {}) | {"marks": marks}
    kept = {name: value for name, value in said.items() if value}
    return dumps(kept) if kept else None


def verdict_columns(verdict: CacheVerdict | None) -> dict[str, Any]:
    """Those that say what became of it."""
    more: dict[str, Any] = {}
    if verdict is not None:
        diff = asdict(verdict.first_diff) if verdict.first_diff else None
        said = {"previous": verdict.previous, "first_diff": diff, "estimated": verdict.estimated or None}
        said["reason"] = verdict.provider_reason
        more = {name: value for name, value in said.items() if value is not None}
    return {
        "cache_status": verdict.status.value if verdict else None,
        "cache_cause": verdict.cause.value if verdict and verdict.cause else None,
        "cache_expected": verdict.expected if verdict else None,
        "cache_lost": verdict.lost if verdict else None,
        "cache_wasted": verdict.wasted if verdict else None,
        "cache_more": dumps(more) if more else None,
    }


def cache_verdict(row: Mapping[str, Any]) -> CacheVerdict | None:
    """The verdict of a call's row; `None` where there is none."""
    if row["cache_status"] is None:
        return None
    more = loads(row["cache_more"]) if row["cache_more"] else {}
    return CacheVerdict(
        status=CacheStatus(row["cache_status"]),
        cause=CacheCause(row["cache_cause"]) if row["cache_cause"] else None,
        expected=row["cache_expected"] or 0,
        read=row["cache_read_input_tokens"] or 0,
        lost=row["cache_lost"] or 0,
        wasted=row["cache_wasted"],
        estimated=more.get("estimated", False),
        first_diff=Difference(**more["first_diff"]) if more.get("first_diff") else None,
        provider_reason=more.get("reason"),
        previous=more.get("previous"),
    )


def cache_view(row: Mapping[str, Any]) -> CacheView:
    """The view of a stored call from its columns, without its steps."""
    keys = loads(row["cache_keys"]) if row["cache_keys"] else {}
    dialect = dialects.by_api(row["api"])
    reported = row["usage_source"] == "reported"
    return CacheView(
        call_id=row["uid"],
        api=row["api"],
        model=row["request_model"],
        served_model=row["response_model"],
        section_order=dialect.section_order if dialect else (),
        started_ns=row["started_ns"],
        first_chunk_ns=row["first_chunk_ns"],
        ended_ns=row["ended_ns"],
        input=row["input_tokens"] if reported else None,
        read=row["cache_read_input_tokens"] if reported else None,
        write=row["cache_creation_input_tokens"] if reported else None,
        is_summed=keys.get("is_summed", False),
        marks=tuple(Mark(end, ttl) for end, ttl in keys.get("marks", ())),
        params=keys.get("params", {}),
        write_cost=row["cache_write_cost"],
        fresh_cost=row["input_cost"],
        read_rate=keys.get("read_rate"),
        provider_reason=keys.get("reason"),
    )
