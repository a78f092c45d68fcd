"""Frozen rows, as readers get them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, cast

from llmprof_addon.model.cache import CacheVerdict
from llmprof_addon.model.component import KindTotal
from llmprof_addon.model.cost import Cost, Price
from llmprof_addon.model.usage import Source, Usage
from llmprof_addon.store.cacherows import cache_verdict
from llmprof_addon.store.counts import unpack_composition
from llmprof_addon.store.rollup import TIMES, TOKENS, is_error
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
    lane: str = "main"
    """Key of its lane in its run."""
    turn: int | None = None
    """Its place in its lane, from 1."""
    request_class: str | None = None
    """What it is for: `main`, `subagent`, `workflow`, `compaction`, `auxiliary`; `None` if its client does not say."""
    predecessor: str | None = None
    """Id of the call of its lane that it goes on from."""
    link: str | None = None
    """How: `turn`, `branch` (another call went on from that one before), `retry` (the same prompt), `compacted`."""
    weak_session: str | None = None
    forced_session: str | None = None
    """The session that its client forced."""
    tool_ns: int | None = None
    """Between the call before in its lane and this one: time of tools."""
    idle_ns: int | None = None
    """The rest of that time: a person's, mostly."""
    bodies: str | None = None
    """`off`: stored without its texts; `dropped`: they were dropped for their age; `None`: they are kept."""

    @property
    def output_tokens_per_second(self) -> float | None:
        """From the first to the last byte of a streamed answer."""
        return _per_second(self.usage.output_tokens, self.ended_ns, self.first_chunk_ns) if self.stream else None

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
class Times:
    """Where the time of a run's or lane's calls went, in ns; lanes that run side by side are added up."""

    model_ns: int | None = None
    """From requests to the ends of their answers."""
    tool_ns: int | None = None
    """Between an answer that asks for tools and the next call of its lane: as the client says, else all of it."""
    idle_ns: int | None = None
    """The rest of the time between calls of one lane."""
    streamed_ns: int | None = None
    streamed_tokens: int | None = None

    @property
    def output_tokens_per_second(self) -> float | None:
        """Of streamed answers, from their first bytes to their last."""
        return _per_second(self.streamed_tokens, self.streamed_ns, 0)


def _per_second(tokens: int | None, end_ns: int | None, start_ns: int | None) -> float | None:
    if not tokens or end_ns is None or start_ns is None or end_ns <= start_ns:
        return None
    return tokens * 1e9 / (end_ns - start_ns)


def waste_of(cache_wasted: int | None, reclaimable: int | None) -> int | None:
    """The larger of both: findings count what the cache has lost, but neither little of it nor what a pause has cost.

    `None` = unknown.
    """
    return max((amount for amount in (cache_wasted, reclaimable) if amount is not None), default=None)


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
    times: Times = Times()
    findings: int | None = None
    """How many there are; `None` until they were looked for."""
    reclaimable_tokens: int | None = None
    """What all findings together could save."""
    reclaimable_cost: int | None = None
    """Pico-dollars; `None` also where no call is priced."""

    @property
    def waste(self) -> int | None:
        """Pico-dollars that need not have been paid, as far as is known."""
        return waste_of(self.cache_wasted, self.reclaimable_cost)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneRow:
    """One lane of a run with the sums of its calls."""

    number: int = field(repr=False)
    run_id: str
    id: str
    """Its key, unique in its run."""
    kind: str
    agent_type: str | None
    parent: str | None
    """Key of the lane that it works for, which need not have calls."""
    spawned_by: str | None
    """Id of the call whose answer asked for it."""
    tool_call_id: str | None
    label: str | None
    started_ns: int
    ended_ns: int
    calls: int
    error_calls: int
    unpriced_calls: int
    estimated_calls: int
    usage: Usage
    cost: CostSum | None
    peak_context_tokens: int | None
    cache_breaks: int
    cache_expiries: int
    cache_lost: int | None
    cache_wasted: int | None
    times: Times


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
        usage=usage_of(row),
        cost=cost_of(row),
        composition=composition,
        output_composition=output_composition,
        failed=is_error(row),
        cache=cache_verdict(row),
        lane=row["lane_key"] or "main",
        forced_session=_forced(row),
        predecessor=row["predecessor_uid"],
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
    *("turn", "request_class", "link", "weak_session", "tool_ns", "idle_ns", "bodies"),
)


def _forced(row: Mapping[str, Any]) -> str | None:
    """The session of the run's key, if the call has the run by itself."""
    if not row["run_key"].startswith("header:") or row["inherits"] not in (None, "lane"):
        return None
    session: str = row["run_key"].removeprefix("header:")
    return session


def run_row(row: Mapping[str, Any]) -> RunRow:
    """A row of the run table."""
    return RunRow(
        number=row["id"],
        id=row["uid"],
        key=row["key"],
        label=row["name"] or row["label"],
        app=row["app"],
        models=tuple(loads(row["models"])),
        providers=tuple(loads(row["providers"])),
        tags=loads(row["tags"]),
        findings=row["findings"],
        reclaimable_tokens=row["reclaimable_tokens"],
        reclaimable_cost=row["reclaimable_cost"],
        **_sums(row),
    )


def lane_row(row: Mapping[str, Any]) -> LaneRow:
    """A row of the lane table, joined with its run's `run_uid`."""
    copied = {name: row[name] for name in ("kind", "agent_type", "parent", "spawned_by", "tool_call_id", "label")}
    return LaneRow(number=row["id"], run_id=row["run_uid"], id=row["key"], **copied, **_sums(row))


def _sums(row: Mapping[str, Any]) -> dict[str, Any]:
    """What runs and lanes have in common."""
    costs = [row[f"{name}_cost"] for name in _COSTS]
    source = Source.ESTIMATED if row["estimated_calls"] else Source.REPORTED
    return {
        **{name: row[name] for name in _SUMMED},
        "usage": Usage(**{name: row[name] for name in TOKENS}, source=source),
        "cost": None if costs[0] is None else CostSum(**dict(zip(_COSTS, costs, strict=True))),
        "times": Times(**{name: row[name] for name in TIMES}),
    }


_SUMMED = (
    *("started_ns", "ended_ns", "calls", "error_calls", "unpriced_calls", "estimated_calls", "peak_context_tokens"),
    *("cache_breaks", "cache_expiries", "cache_lost", "cache_wasted"),
)
_COSTS = ("input", "cache_read", "cache_write", "output", "other")


def usage_of(row: Mapping[str, Any]) -> Usage:
    """The usage in a call's columns, without `raw`."""
    more = loads(row["usage_more"]) if row["usage_more"] else {}
    return Usage(
        **{name: row[name] for name in TOKENS},
        billed_input_tokens=more.get("billed_input_tokens"),
        by_modality=tuple((name, tokens) for name, tokens in more.get("by_modality", ())),
        server_tool_requests=tuple((name, requests) for name, requests in more.get("server_tool_requests", ())),
        source=Source(row["usage_source"]),
    )


def cost_of(row: Mapping[str, Any]) -> Cost | None:
    """The cost in a call's columns and the `snapshot` of its price."""
    if row["snapshot"] is None:
        return None
    parts = cast(dict[str, int], {name: row[f"{name}_cost"] for name in _COSTS})
    return Cost(**parts, price=_price(row["snapshot"]))


@lru_cache(maxsize=100)
def _price(snapshot: str) -> Price:
    said = loads(snapshot)
    rates = tuple((name, rate) for name, rate in said.pop("rates", ()))
    return Price(**said, rates=rates)
