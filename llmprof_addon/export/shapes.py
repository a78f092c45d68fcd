"""Stored rows -> the JSON that other programs rely on: stable, documented in the README, additions only.

`null` means unknown; money is a decimal string in US dollars.
"""

from collections.abc import Sequence
from dataclasses import asdict

from llmprof_addon.model.cache import CacheVerdict
from llmprof_addon.model.call import SECTIONS, Call
from llmprof_addon.model.component import Component, KindTotal
from llmprof_addon.model.cost import Cost, usd
from llmprof_addon.model.part import Json
from llmprof_addon.model.usage import Usage
from llmprof_addon.store.rows import CallRow, CostSum, LaneRow, RunRow, Times


def call_json(row: CallRow) -> dict[str, Json]:
    """One call, without its texts."""
    return {
        "id": row.id,
        "run_id": row.run_id,
        "lane": row.lane,
        "turn": row.turn,
        "predecessor": row.predecessor,
        "link": row.link,
        "started_ns": row.started_ns,
        "ttft_ms": _milliseconds(row.ttft_ms),
        "duration_ms": _milliseconds(row.duration_ms),
        "tool_ms": _from_ns(row.tool_ns),
        "idle_ms": _from_ns(row.idle_ns),
        "output_tokens_per_second": _milliseconds(row.output_tokens_per_second),
        "mode": row.mode,
        "transport": row.transport,
        "outcome": row.outcome,
        "status": row.status,
        "error": row.error,
        "provider": row.provider,
        "api": row.api,
        "operation": row.operation,
        "request_model": row.request_model,
        "response_model": row.response_model,
        "stream": row.stream,
        "finish_reasons": list(row.finish_reasons),
        "app": row.app,
        "tags": dict(row.tags),
        "request_class": row.request_class,
        "identity": dict(row.identity),
        "usage": usage_json(row.usage),
        "estimated_input_tokens": row.estimated_input_tokens,
        "context_window": row.context_window,
        "cost": cost_json(row.cost),
        "composition": composition_json(row.composition),
        "cache": cache_json(row.cache),
        "bodies": row.bodies,
    }


def run_json(row: RunRow, lanes: Sequence[LaneRow]) -> dict[str, Json]:
    """One run with the sums of its calls, and its lanes."""
    return {
        "id": row.id,
        "key": row.key,
        "label": row.label,
        "app": row.app,
        "models": list(row.models),
        "started_ns": row.started_ns,
        "ended_ns": row.ended_ns,
        "calls": row.calls,
        "lanes": [lane_json(lane) for lane in lanes],
        **times_json(row.times),
        "usage": usage_json(row.usage),
        "cost": _amounts(row.cost) if row.cost else None,
        "peak_context_tokens": row.peak_context_tokens,
        "cache_hit_ratio": cache_hit_ratio(row.usage),
        "cache_breaks": row.cache_breaks,
        "cache_expiries": row.cache_expiries,
        "wasted_usd": usd(row.cache_wasted),
        "reclaimable_tokens": row.reclaimable_tokens,
        "reclaimable_usd": usd(row.reclaimable_cost),
        "findings": row.findings,
    }


def lane_json(row: LaneRow) -> dict[str, Json]:
    """One lane of a run with the sums of its calls."""
    return {
        "id": row.id,
        "kind": row.kind,
        "agent_type": row.agent_type,
        "parent": row.parent,
        "calls": row.calls,
        "label": row.label,
        "spawned_by": row.spawned_by,
        "tool_call_id": row.tool_call_id,
        "started_ns": row.started_ns,
        "ended_ns": row.ended_ns,
        "input_tokens": row.usage.input_tokens,
        "output_tokens": row.usage.output_tokens,
        "peak_context_tokens": row.peak_context_tokens,
        "total_usd": usd(row.cost.total) if row.cost else None,
    }


def times_json(times: Times) -> dict[str, Json]:
    """Where the time of a run's calls went, and how fast streamed answers came."""
    return {
        "model_ms": _from_ns(times.model_ns),
        "tool_ms": _from_ns(times.tool_ns),
        "idle_ms": _from_ns(times.idle_ns),
        "output_tokens_per_second": _milliseconds(times.output_tokens_per_second),
    }


def component_json(component: Component) -> dict[str, Json]:
    """A component with everything below it."""
    return {
        "kind": component.kind.value,
        "name": component.name,
        "tokens": component.tokens,
        "token_source": component.token_source.value,
        "cost_usd": usd(component.cost),
        "read_tokens": component.read_tokens,
        "write_tokens": component.write_tokens,
        "fresh_tokens": component.fresh_tokens,
        "path": component.path,
        "children": [component_json(child) for child in component.children],
    }


def messages_json(call: Call) -> list[dict[str, Json]]:
    """The parts of a call's prompt, then of its answer (section `answer`), in the order of the wire."""
    sections = [(section, getattr(call.prompt, section)) for section in SECTIONS] + [("answer", call.answer.parts)]
    return [
        {
            "section": section,
            "path": part.path,
            "role": part.role,
            "kind": part.kind.value,
            "name": part.name,
            "call_id": part.call_id,
            "text": part.text,
        }
        for section, parts in sections
        for part in parts
    ]


def usage_json(usage: Usage) -> dict[str, Json]:
    """Tokens of a call or of a run."""
    return {
        "input_tokens": usage.input_tokens,
        "cache_read_input_tokens": usage.cache_read_input_tokens,
        "cache_creation_input_tokens": usage.cache_creation_input_tokens,
        "cache_creation_5m_input_tokens": usage.cache_creation_5m_input_tokens,
        "cache_creation_1h_input_tokens": usage.cache_creation_1h_input_tokens,
        "output_tokens": usage.output_tokens,
        "reasoning_output_tokens": usage.reasoning_output_tokens,
        "source": usage.source.value,
    }


def cost_json(cost: Cost | None) -> dict[str, Json] | None:
    """What a call cost and by which price; `None` if it is unpriced."""
    if cost is None:
        return None
    price = {"source": cost.price.source, "model": cost.price.model, "as_of": cost.price.as_of, "tier": cost.price.tier}
    return {**_amounts(cost), "price": price}


def cache_json(verdict: CacheVerdict | None) -> dict[str, Json] | None:
    """What became of a call's cached prefix; `None` where that is not known."""
    if verdict is None:
        return None
    return {
        "verdict": verdict.status.value,
        "cause": verdict.cause.value if verdict.cause else None,
        "first_diff": asdict(verdict.first_diff) if verdict.first_diff else None,
        "expected_tokens": verdict.expected,
        "lost_tokens": verdict.lost,
        "estimated": verdict.estimated,
        "wasted_usd": usd(verdict.wasted),
        "provider_reason": verdict.provider_reason,
        "previous": verdict.previous,
    }


def composition_json(totals: Sequence[KindTotal]) -> dict[str, int]:
    """Tokens by component kind."""
    return {total.kind.value: total.tokens for total in totals}


def cache_hit_ratio(usage: Usage) -> float | None:
    """Which part of the input was read from a cache; `None` if either number is unknown or there was no input."""
    if not usage.input_tokens or usage.cache_read_input_tokens is None:
        return None
    return round(usage.cache_read_input_tokens / usage.input_tokens, 6)


def _amounts(cost: Cost | CostSum) -> dict[str, Json]:
    return {
        "total_usd": usd(cost.total),
        "input_usd": usd(cost.input),
        "cache_read_usd": usd(cost.cache_read),
        "cache_write_usd": usd(cost.cache_write),
        "output_usd": usd(cost.output),
        "other_usd": usd(cost.other),
    }


def _from_ns(value: int | None) -> float | None:
    return None if value is None else round(value / 1e6, 3)


def _milliseconds(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
