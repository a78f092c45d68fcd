"""An analysed call -> the columns of its row, and the envelopes that lie beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from llmprof_addon import __version__
from llmprof_addon.grouping.classes import request_class
from llmprof_addon.grouping.opening import opening
from llmprof_addon.grouping.said import answer_digest, is_said, open_calls, said_after
from llmprof_addon.model.call import SECTIONS, Identity, Prompt
from llmprof_addon.model.history import RunChoice
from llmprof_addon.model.part import Form
from llmprof_addon.model.record import CallRecord, LateRecord
from llmprof_addon.model.tree import Chains, Envelope, Link, digest, envelope
from llmprof_addon.model.usage import Usage
from llmprof_addon.store import cacherows
from llmprof_addon.store.counts import pack_composition
from llmprof_addon.store.nodes import Stored
from llmprof_addon.store.text import clean, dumps


def sections_of(chains: Chains) -> dict[str, tuple[Link, ...]]:
    """The paths of a call by section, its answer's among them."""
    return {"tools": chains.tools, "system": chains.system, "messages": chains.messages, "answer": chains.answer}


def heads(chains: Chains, known: Mapping[bytes, Stored]) -> dict[str, Any]:
    """The columns by which a call points at its paths, whose nodes are stored."""

    def head(links: Sequence[Link], otherwise: int | None = None) -> int | None:
        return known[links[-1].key].id if links else otherwise

    base = known.get(chains.base)
    base_id = base.id if base else None
    message_head = head(chains.messages, base_id)
    last = known[chains.messages[-1].key] if chains.messages else base
    return {
        "tools_head": head(chains.tools),
        "system_head": head(chains.system),
        "message_head": message_head,
        "answer_head": head(chains.answer, message_head),
        "base": base_id,
        "depth": last.depth if last else 0,
    }


def envelopes(
    record: CallRecord | LateRecord, sections: Mapping[str, tuple[Link, ...]], known: Mapping[bytes, Stored]
) -> tuple[Envelope, Envelope]:
    """Of a call's prompt and of its answer."""
    forms: dict[str, list[Form]] = {
        section: [known[link.key].form for link in links] for section, links in sections.items()
    }
    start, number = record.inherited
    del forms["system"][start : start + number]
    prompt = envelope(record.call.prompt, {section: forms[section] for section in SECTIONS})
    answer = envelope(Prompt(messages=record.call.answer.parts), {"messages": forms["answer"]})
    return prompt, answer


def columns(record: CallRecord, known: Mapping[bytes, Stored], params: bytes) -> dict[str, Any]:
    """The call's row, by column."""
    exchange, call = record.exchange, record.call
    answer, cost = call.answer, record.cost
    return {
        "uid": exchange.id,
        "started_ns": exchange.started_ns,
        "first_chunk_ns": exchange.first_chunk_ns,
        "ended_ns": exchange.ended_ns,
        "mode": exchange.mode,
        "transport": exchange.transport,
        "outcome": exchange.outcome,
        "status": exchange.status,
        "error": clean(answer.error or call.error or exchange.error),
        "method": clean(exchange.method),
        "url": clean(exchange.url),
        "provider": clean(call.provider),
        "api": call.api,
        "operation": call.operation,
        "request_model": clean(call.request_model),
        "response_model": clean(answer.response_model),
        "stream": call.stream,
        "finish_reasons": dumps(answer.finish_reasons),
        "service_tier": clean(answer.service_tier or call.service_tier),
        "app": clean(call.identity.app or exchange.client.app),
        "user_agent": clean(exchange.client.user_agent),
        "peer": clean(exchange.client.peer),
        "weak_session": clean(call.identity.weak_session),
        "identity": _identity(call.identity),
        "tags": dumps(dict(exchange.tags)),
        "warnings": dumps(call.warnings),
        "response_id": clean(answer.response_id),
        "continues": clean(call.prompt.continues),
        "encoding": record.encoding,
        "version": __version__,
        **_usage(record.usage),
        "estimated_input_tokens": record.estimated_input_tokens,
        "context_window": record.context_window,
        "input_cost": cost.input if cost else None,
        "cache_read_cost": cost.cache_read if cost else None,
        "cache_write_cost": cost.cache_write if cost else None,
        "output_cost": cost.output if cost else None,
        "other_cost": cost.other if cost else None,
        "composition": pack_composition(record.composition, record.output_composition),
        **heads(record.chains, known),
        "answer_digest": record.answer_digest,
        **lineage_columns(record),
        "params": params,
        "redactions": exchange.redactions,
        "request_truncated": exchange.request_truncated,
        "response_truncated": exchange.response_truncated,
        **cacherows.columns(record.cache_view, record.cache),
        "bodies": record.bodies,
    }


def lineage_columns(record: CallRecord) -> dict[str, Any]:
    """By what a call and those that go on from it find each other. Lane, turn and predecessor are the writer's."""
    call, answer = record.call, record.call.answer
    return {
        "request_class": request_class(call.identity),
        "link": record.run.link,
        "inherits": inherited(record.run),
        "label": clean(record.label),
        "opening": opening(call.prompt),
        "awaits": awaited(record.chains),
        "previous": clean(call.identity.previous_message or call.identity.previous_request),
        "request_id": clean(answer.request_id),
        "tool_calls": open_calls(answer.parts),
        "tool_call_id": clean(next((part.call_id for part in answer.parts if part.call_id), None)),
    }


def inherited(choice: RunChoice) -> str | None:
    """What a call has from others, as one text."""
    return ",".join(sorted(choice.inherits)) or None


def awaited(chains: Chains) -> bytes | None:
    """Digest over where the last answer in a prompt begins and what it says: what a call has that was answered so."""
    parts = [link.part for link in chains.messages]
    index = next((index for index in range(len(parts) - 1, -1, -1) if is_said(parts[index])), 0)
    while index > 0 and is_said(parts[index - 1]):
        index -= 1
    return awaited_of(chains.messages[index - 1].key, answer_digest(said_after(parts, index))) if index else None


def awaited_of(head: bytes, answer: bytes | None) -> bytes | None:
    """The same, of a call by its message head and its answer's digest."""
    return None if answer is None else digest(head + answer)


_COLUMNS_OF_IDENTITY = ("app", "weak_session")


def _identity(identity: Identity) -> str | None:
    """What columns do not hold of it, as JSON without what is empty."""
    said = {name: value for name, value in asdict(identity).items() if value and name not in _COLUMNS_OF_IDENTITY}
    return dumps(said) if said else None


def _usage(usage: Usage) -> dict[str, Any]:
    more = {
        "by_modality": usage.by_modality,
        "server_tool_requests": usage.server_tool_requests,
        "billed_input_tokens": usage.billed_input_tokens,
    }
    return {
        "input_tokens": usage.input_tokens,
        "cache_read_input_tokens": usage.cache_read_input_tokens,
        "cache_creation_input_tokens": usage.cache_creation_input_tokens,
        "cache_creation_5m_input_tokens": usage.cache_creation_5m_input_tokens,
        "cache_creation_1h_input_tokens": usage.cache_creation_1h_input_tokens,
        "output_tokens": usage.output_tokens,
        "reasoning_output_tokens": usage.reasoning_output_tokens,
        "usage_more": dumps(more) if any(value not in ((), None) for value in more.values()) else None,
        "usage_source": usage.source.value,
    }
