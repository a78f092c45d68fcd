"""A run as the sum of its calls: one call added to a run's columns. Pure, so that a run can be summed anew."""

from collections.abc import Iterable, Mapping
from typing import Any

from llmprof_addon.model.cache import CacheStatus
from llmprof_addon.store.cacherows import LOSSES
from llmprof_addon.store.text import dumps, loads

TOKENS = (
    "input_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "cache_creation_5m_input_tokens",
    "cache_creation_1h_input_tokens",
    "output_tokens",
    "reasoning_output_tokens",
)
"""Columns of a usage."""

COSTS = ("input_cost", "cache_read_cost", "cache_write_cost", "output_cost", "other_cost")

SUMS = (*TOKENS, *COSTS, "cache_lost", "cache_wasted")
"""Columns that a run sums over its calls. A sum is `None` until a call has a number."""

type Columns = Mapping[str, Any]
"""Column values by name."""

EMPTY: Columns = {
    "label": None,
    "app": None,
    "models": "[]",
    "providers": "[]",
    "started_ns": None,
    "ended_ns": None,
    "calls": 0,
    "error_calls": 0,
    "unpriced_calls": 0,
    "estimated_calls": 0,
    "peak_context_tokens": None,
    "cache_breaks": 0,
    "cache_expiries": 0,
    **dict.fromkeys(SUMS),
}


def is_error(call: Columns) -> bool:
    """Whether a call failed or was cut off."""
    return bool(call["error"]) or call["outcome"] != "complete" or (call["status"] or 0) >= 400


def add(run: Columns, call: Columns, label: str | None = None) -> dict[str, Any]:
    """The run's columns with this call; `label` is what the call says that the run is about."""
    out = {name: run[name] for name in EMPTY}
    if label and (out["label"] is None or call["started_ns"] < out["started_ns"]):
        out["label"] = label
    out["app"] = out["app"] or call["app"]
    out["models"] = _with(out["models"], call["response_model"] or call["request_model"])
    out["providers"] = _with(out["providers"], call["provider"])
    out["started_ns"] = _least(out["started_ns"], call["started_ns"])
    out["ended_ns"] = _most(out["ended_ns"], call["ended_ns"])
    out["calls"] += 1
    out["error_calls"] += is_error(call)
    out["unpriced_calls"] += call["input_cost"] is None
    out["estimated_calls"] += call["usage_source"] != "reported"
    out["peak_context_tokens"] = _most(out["peak_context_tokens"], call["input_tokens"])
    out["cache_breaks"] += call["cache_status"] in LOSSES
    out["cache_expiries"] += call["cache_status"] == CacheStatus.EXPIRED
    for name in SUMS:
        if call[name] is not None:
            out[name] = (out[name] or 0) + call[name]
    return out


def total(calls: Iterable[Columns]) -> dict[str, Any]:
    """The columns of a run that has these calls."""
    run: dict[str, Any] = dict(EMPTY)
    for call in calls:
        run = add(run, call)
    return run


def _with(names: str, name: str | None) -> str:
    """A JSON list of names with this one in it."""
    known = loads(names)
    return dumps([*known, name]) if name and name not in known else names


def _least(old: int | None, new: int | None) -> int | None:
    return new if old is None else old if new is None else min(old, new)


def _most(old: int | None, new: int | None) -> int | None:
    return new if old is None else old if new is None else max(old, new)
