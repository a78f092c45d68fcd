"""An analysed call -> what bears on its provider's prompt cache, and its parts as steps of a comparison."""

from collections.abc import Iterable, Sequence

from llmprof_addon.cachedoctor.rules import RETENTION, rules_for
from llmprof_addon.model.cache import CacheView, Mark, Step
from llmprof_addon.model.call import Call, Prompt
from llmprof_addon.model.cost import Cost
from llmprof_addon.model.count import RawCount
from llmprof_addon.model.exchange import Exchange
from llmprof_addon.model.part import Json, Part
from llmprof_addon.model.tree import canonical, digest
from llmprof_addon.model.usage import Source, Usage

SHORT = 80
"""A field's value of more bytes than this stands as its digest."""


def view_of(exchange: Exchange, call: Call, usage: Usage, cost: Cost | None, read_rate: int | None) -> CacheView:
    """The view of a call whose prompt is whole, without its steps."""
    reported = usage.source is Source.REPORTED
    return CacheView(
        call_id=exchange.id,
        api=call.api,
        model=call.request_model,
        served_model=call.answer.response_model,
        section_order=call.section_order,
        started_ns=exchange.started_ns,
        first_chunk_ns=exchange.first_chunk_ns,
        ended_ns=exchange.ended_ns,
        input=usage.input_tokens if reported else None,
        read=usage.cache_read_input_tokens if reported else None,
        write=usage.cache_creation_input_tokens if reported else None,
        is_summed=any(requests for name, requests in usage.server_tool_requests if name != "request"),
        marks=marks_of(call),
        params=_params(exchange, call),
        write_cost=cost.cache_write if cost else None,
        fresh_cost=cost.input if cost else None,
        read_rate=read_rate,
        provider_reason=call.answer.cache_reason,
    )


def prompt_steps(prompt: Prompt, section_order: Sequence[str], counts: Sequence[RawCount]) -> tuple[Step, ...]:
    """The steps of a prompt in cache order; `counts` are parallel to its parts. What is stripped is no step."""
    at = {}
    start = 0
    for section in ("tools", "system", "messages"):
        parts: tuple[Part, ...] = getattr(prompt, section)
        at[section] = [
            _step(section, part, count)
            for part, count in zip(parts, counts[start : start + len(parts)], strict=True)
            if not part.volatile
        ]
        start += len(parts)
    return tuple(step for section in section_order for step in at[section])


FRAME = 4
"""About so many tokens stand around a part's text."""


def weight(count: RawCount) -> int:
    """Raw tokens of a part with all that is in it."""
    return FRAME + count.text + count.label + sum(map(weight, count.inner))


def _step(section: str, part: Part, count: RawCount) -> Step:
    return Step(
        section=section,
        content=digest(canonical(part.value)),
        wrapper=None if part.wrapper is None else digest(canonical(part.wrapper)),
        kind=part.kind.value,
        role=part.role,
        name=part.name or "",
        tokens=weight(count),
        path=part.path,
        deferred=part.deferred,
    )


def marks_of(call: Call) -> tuple[Mark, ...]:
    """The breakpoints of a call whose prompt is whole."""
    marks: list[Mark] = []
    end = 0
    for part in _in_order(call):
        end += not (part.volatile or part.deferred)
        marks += [Mark(end, marker.ttl) for marker in part.markers if marker.value and end]
    params = call.prompt.params
    automatic = params.get("cache_control") if isinstance(params, dict) else None
    if isinstance(automatic, dict) and end:
        ttl = automatic.get("ttl")
        marks.append(Mark(end, ttl if isinstance(ttl, str) else None))
    return tuple(marks)


def _in_order(call: Call) -> Iterable[Part]:
    return (part for section in call.section_order for part in getattr(call.prompt, section))


def _params(exchange: Exchange, call: Call) -> dict[str, str]:
    rules = rules_for(call.api, call.request_model)
    params = call.prompt.params
    if rules is None or not isinstance(params, dict):
        return {}
    found = {
        name: _short(params[name])
        for name in (*rules.params, RETENTION, rules.explicit)
        if name is not None and params.get(name) not in (None, {}, [])
    }
    return found | {name: value for name in rules.headers if (value := exchange.header(name))}


def _short(value: Json) -> str:
    text = canonical(value)
    return text.decode("utf-8", "replace") if len(text) <= SHORT else digest(text).hex()
