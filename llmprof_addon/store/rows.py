"""Frozen rows, as readers get them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from llmprof_addon.model.cache import CacheVerdict
from llmprof_addon.model.component import KindTotal
from llmprof_addon.model.cost import Cost, Price
from llmprof_addon.model.usage import Source, Usage
from llmprof_addon.store.cacherows import cache_verdict
from llmprof_addon.store.counts import unpack_composition
from llmprof_addon.store.rollup import TOKENS, is_error
from llmprof_addon.store.text import loads


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRow:
    """One call, without its texts."""

    number: int = field(repr=False)
    """The store's own number of it, for paging."""
    id: str
    run_id: str
    started_ns: int
    first_chunk_ns: int | None
    ended_ns: int
    mode: str
    transport: str
    outcome: str
    status: int | None
    error: str | None
    method: str
    url: str
    provider: str
    api: str
    operation: str
    request_model: str | None
    response_model: str | None
    stream: bool
    finish_reasons: tuple[str, ...]
    service_tier: str | None
    app: str | None
    user_agent: str | None
    peer: str | None
    identity: dict[str, Any]
    """What the wire said of session, agent and lineage: fields of `model.call.Identity` that are not empty."""
    tags: dict[str, str]
    warnings: tuple[str, ...]
    response_id: str | None
    continues: str | None
    """Response id of the call that this one continues, whether that call is stored or not."""
    encoding: str
    version: str
    """Of the llmprof that analysed it, by whose rules its tokens are split."""
    usage: Usage
    """Without `raw`, which `detail` gives."""
    estimated_input_tokens: int | None
    context_window: int | None
    cost: Cost | None
    composition: tuple[KindTotal, ...]
    output_composition: tuple[KindTotal, ...]
    depth: int
    """Nodes on the path of its messages."""
    redactions: int
    request_truncated: int
    response_truncated: int
    failed: bool
    """An error status, an error said by the provider, or cut off."""
    cache: CacheVerdict | None = None
    """What became of the cached prefix; `None` where that is not known."""

    @property
    def ttft_ms(self) -> float | None:
        """Milliseconds from the request's start to the first byte of the response body."""
        return None if self.first_chunk_ns is None else (self.first_chunk_ns - self.started_ns) / 1e6

    @property
    def duration_ms(self) -> float:
        """Milliseconds from the request's start to the last byte."""
        return (self.ended_ns - self.started_ns) / 1e6

    @property
    def model(self) -> str | None:
        """The model that answered, or that was asked for."""
        return self.response_model or self.request_model


@dataclass(frozen=True, slots=True, kw_only=True)
class CostSum:
    """Pico-dollars over the priced calls of a run."""

    input: int
    cache_read: int
    cache_write: int
    output: int
    other: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.input + self.cache_read + self.cache_write + self.output + self.other


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One run with the sums of its calls."""

    number: int = field(repr=False)
    id: str
    key: str
    label: str | None
    """The name that a person gave, else the start of the first request."""
    app: str | None
    models: tuple[str, ...]
    providers: tuple[str, ...]
    tags: dict[str, str]
    started_ns: int
    ended_ns: int
    calls: int
    error_calls: int
    unpriced_calls: int
    estimated_calls: int
    """Calls whose usage the provider did not report."""
    usage: Usage
    """Sums over the calls that have a number; `source` is `estimated` if any call's is."""
    cost: CostSum | None
    peak_context_tokens: int | None
    cache_breaks: int = 0
    cache_expiries: int = 0
    cache_lost: int | None = None
    """Tokens that could have been read from the cache and were paid for anew."""
    cache_wasted: int | None = None
    """Pico-dollars that this cost."""


def call_row(row: Mapping[str, Any]) -> CallRow:
    """A row of the call table, joined with its run's `run_uid` and its price's `snapshot`."""
    composition, output_composition = unpack_composition(bytes(row["composition"]))
    copied = {name: row[name] for name in _COPIED}
    return CallRow(
        number=row["id"],
        id=row["uid"],
        run_id=row["run_uid"],
        stream=bool(row["stream"]),
        finish_reasons=tuple(loads(row["finish_reasons"])),
        identity=loads(row["identity"]) if row["identity"] else {},
        tags=loads(row["tags"]),
        warnings=tuple(loads(row["warnings"])),
        usage=_usage(row),
        cost=_cost(row),
        composition=composition,
        output_composition=output_composition,
        failed=is_error(row),
        cache=cache_verdict(row),
        **copied,
    )


_COPIED = (
    *("started_ns", "first_chunk_ns", "ended_ns", "mode", "transport", "outcome", "status", "error", "method", "url"),
    *("provider", "api", "operation", "request_model", "response_model", "service_tier", "app", "user_agent", "peer"),
    *(
        "response_id",
        "continues",
        "encoding",
        "version",
        "estimated_input_tokens",
        "context_window",
        "depth",
        "redactions",
    ),
    *("request_truncated", "response_truncated"),
)


_COPIED_OF_RUN = ("peak_context_tokens", "cache_breaks", "cache_expiries", "cache_lost", "cache_wasted")


def run_row(row: Mapping[str, Any]) -> RunRow:
    """A row of the run table."""
    costs = (row["input_cost"], row["cache_read_cost"], row["cache_write_cost"], row["output_cost"], row["other_cost"])
    source = Source.ESTIMATED if row["estimated_calls"] else Source.REPORTED
    return RunRow(
        number=row["id"],
        id=row["uid"],
        key=row["key"],
        label=row["name"] or row["label"],
        app=row["app"],
        models=tuple(loads(row["models"])),
        providers=tuple(loads(row["providers"])),
        tags=loads(row["tags"]),
        started_ns=row["started_ns"],
        ended_ns=row["ended_ns"],
        calls=row["calls"],
        error_calls=row["error_calls"],
        unpriced_calls=row["unpriced_calls"],
        estimated_calls=row["estimated_calls"],
        usage=Usage(**{name: row[name] for name in TOKENS}, source=source),
        cost=None if costs[0] is None else CostSum(**dict(zip(_COSTS, costs, strict=True))),
        **{name: row[name] for name in _COPIED_OF_RUN},
    )


_COSTS = ("input", "cache_read", "cache_write", "output", "other")


def _usage(row: Mapping[str, Any]) -> Usage:
    more = loads(row["usage_more"]) if row["usage_more"] else {}
    return Usage(
        **{name: row[name] for name in TOKENS},
        billed_input_tokens=more.get("billed_input_tokens"),
        by_modality=tuple((name, tokens) for name, tokens in more.get("by_modality", ())),
        server_tool_requests=tuple((name, requests) for name, requests in more.get("server_tool_requests", ())),
        source=Source(row["usage_source"]),
    )


def _cost(row: Mapping[str, Any]) -> Cost | None:
    if row["snapshot"] is None:
        return None
    parts = cast(dict[str, int], {name: row[f"{name}_cost"] for name in _COSTS})
    snapshot = loads(row["snapshot"])
    rates = tuple((name, rate) for name, rate in snapshot.pop("rates", ()))
    return Cost(**parts, price=Price(**snapshot, rates=rates))
