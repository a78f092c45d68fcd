"""Runs and lanes as the sums of their calls: one call added to their columns. Pure, so that they can be summed anew."""

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

TIMES = ("model_ns", "tool_ns", "idle_ns", "streamed_ns", "streamed_tokens")
"""How long calls took, what went by between those of one lane, and the answers whose speed is known."""

SUMS = (*TOKENS, *COSTS, "cache_lost", "cache_wasted", *TIMES)
"""Columns that are summed over calls. A sum is `None` until a call has a number."""

type Columns = Mapping[str, Any]
"""Column values by name."""

EMPTY_LANE: Columns = {
    "label": None,
    "labelled_ns": None,
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

EMPTY: Columns = {"app": None, "models": "[]", "providers": "[]", "findings_due": 0} | {
    name: value for name, value in EMPTY_LANE.items() if name not in ("label", "labelled_ns")
}


def is_error(call: Columns) -> bool:
    """Whether a call failed or was cut off."""
    return bool(call["error"]) or call["outcome"] != "complete" or (call["status"] or 0) >= 400


def add(run: Columns, call: Columns) -> dict[str, Any]:
    """The run's columns with this call. Its label is that of one of its lanes."""
    out = _add(run, call, EMPTY)
    out["app"] = out["app"] or call["app"]
    out["models"] = _with(out["models"], call["response_model"] or call["request_model"])
    out["providers"] = _with(out["providers"], call["provider"])
    out["findings_due"] += 1
    return out


def add_to_lane(lane: Columns, call: Columns) -> dict[str, Any]:
    """The lane's columns with this call; what the earliest call says that it is about is its label."""
    out = _add(lane, call, EMPTY_LANE)
    if call["label"] and (out["labelled_ns"] is None or call["started_ns"] < out["labelled_ns"]):
        out |= {"label": call["label"], "labelled_ns": call["started_ns"]}
    return out


def _add(sums: Columns, call: Columns, names: Iterable[str]) -> dict[str, Any]:
    out = {name: sums[name] for name in names}
    out["started_ns"] = _least(out["started_ns"], call["started_ns"])
    out["ended_ns"] = _most(out["ended_ns"], call["ended_ns"])
    out["calls"] += 1
    out["error_calls"] += is_error(call)
    out["unpriced_calls"] += call["input_cost"] is None
    out["estimated_calls"] += call["usage_source"] != "reported"
    out["peak_context_tokens"] = _most(out["peak_context_tokens"], call["input_tokens"])
    numbers = times(call)
    out["cache_breaks"] += call["cache_status"] in LOSSES
    out["cache_expiries"] += call["cache_status"] == CacheStatus.EXPIRED
    for name in SUMS:
        number = numbers[name] if name in numbers else call[name]
        if number is not None:
            out[name] = (out[name] or 0) + number
    return out


def times(call: Columns) -> dict[str, int | None]:
    """How long a call took, and of a streamed one for how long it spoke and what."""
    first, ended, said = call["first_chunk_ns"], call["ended_ns"], call["output_tokens"]
    spoke = max(0, ended - first) if call["stream"] and first is not None and said else None
    return {
        "model_ns": max(0, ended - call["started_ns"]),
        "streamed_ns": spoke,
        "streamed_tokens": None if spoke is None else said,
    }


def total(calls: Iterable[Columns]) -> dict[str, Any]:
    """The columns of a run that has these calls."""
    run: dict[str, Any] = dict(EMPTY)
    for call in calls:
        run = add(run, call)
    return run


def total_of_lane(calls: Iterable[Columns]) -> dict[str, Any]:
    """The columns of a lane that has these calls."""
    lane: dict[str, Any] = dict(EMPTY_LANE)
    for call in calls:
        lane = add_to_lane(lane, call)
    return lane


def _with(names: str, name: str | None) -> str:
    """A JSON list of names with this one in it."""
    known = loads(names)
    return dumps([*known, name]) if name and name not in known else names


def _least(old: int | None, new: int | None) -> int | None:
    return new if old is None else old if new is None else min(old, new)


def _most(old: int | None, new: int | None) -> int | None:
    return new if old is None else old if new is None else max(old, new)
