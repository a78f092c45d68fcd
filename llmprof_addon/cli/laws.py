"""The laws of the numbers, checked on what is stored: each check gives a line for every breach and nothing else."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace

from llmprof_addon import __version__
from llmprof_addon.attribution.tree import totals
from llmprof_addon.errors import WireError
from llmprof_addon.model.component import Component, KindTotal
from llmprof_addon.model.exchange import Exchange
from llmprof_addon.model.secrets import redact_json
from llmprof_addon.model.tree import chains
from llmprof_addon.pipeline import Explanation, explain
from llmprof_addon.store import queries
from llmprof_addon.store.detail import detail
from llmprof_addon.store.open import Store
from llmprof_addon.store.rollup import TOKENS
from llmprof_addon.store.rows import CallRow, LaneRow, RunRow


def check_call(store: Store, row: CallRow) -> Iterator[str]:
    """Breaches in one call, of its numbers and of what is derived from its texts."""
    yield from _sums(row)
    try:
        explained = explain(store, row)
    except Exception as error:  # a breach of its own: what is stored must always be shown
        yield f"call {row.id}: cannot be derived again: {type(error).__name__}: {error}"
        return
    yield from _derived(store, explained)


def _sums(row: CallRow) -> Iterator[str]:
    usage, whose = row.usage, f"call {row.id}"
    for side, kinds, reported in (
        ("input", row.composition, usage.input_tokens),
        ("output", row.output_composition, usage.output_tokens),
    ):
        counted = sum(total.tokens for total in kinds)
        if reported is not None and counted != reported:
            yield f"{whose}: components of the {side} sum to {counted} tokens, the call has {reported}"
        yield from (f"{whose}: {total.kind} has {total.tokens} tokens" for total in kinds if total.tokens < 0)
    for total in row.composition:
        if total.read + total.write + total.fresh != total.tokens:
            yield f"{whose}: cache split of {total.kind} is not its {total.tokens} tokens"
    for what, spread, reported in (
        ("read from cache", sum(total.read for total in row.composition), usage.cache_read_input_tokens),
        ("written to cache", sum(total.write for total in row.composition), usage.cache_creation_input_tokens),
    ):
        if usage.input_tokens and spread != (reported or 0):
            yield f"{whose}: components have {spread} tokens {what}, the call {reported or 0}"
    costs = [total.cost for total in (*row.composition, *row.output_composition)]
    if row.cost is None:
        if any(cost is not None for cost in costs):
            yield f"{whose}: has no price, and components that cost something"
    else:
        spread = sum(cost or 0 for cost in costs)
        if spread != row.cost.total:
            yield f"{whose}: components cost {spread} pico-dollars, the call {row.cost.total}"
        if row.status is not None and row.status >= 400 and not usage.input_tokens and row.cost.total:
            yield f"{whose}: failed without usage and costs {row.cost.total} pico-dollars"


def _derived(store: Store, explained: Explanation) -> Iterator[str]:
    row, whose = explained.row, f"call {explained.row.id}"
    for side, leaves, kept, reported in (
        ("prompt", explained.leaves.prompt, row.composition, row.usage.input_tokens),
        ("answer", explained.leaves.answer, row.output_composition, row.usage.output_tokens),
    ):
        derived = totals(leaves)
        counted = sum(total.tokens for total in derived)
        if reported is not None and counted != reported:
            yield f"{whose}: the {side} derived again sums to {counted} tokens, the call has {reported}"
        # Another version may have split the same sum by other rules.
        elif row.version == __version__ and _by_kind(derived) != _by_kind(kept):
            yield f"{whose}: the {side} derived again does not have the stored composition"
    for component in (*explained.components, *explained.output_components):
        yield from (f"{whose}: {breach}" for breach in _below(component))
    stored = detail(store, row)
    prompt = replace(explained.call.prompt, system=explained.whole.prompt.system)
    paths = chains(prompt, explained.call.answer.parts, base=stored.base)
    for section in ("tools", "system", "messages", "answer") if row.bodies != "dropped" else ():
        if [link.key for link in getattr(paths, section)] != [node.key for node in stored.sections[section]]:
            yield f"{whose}: keys of the {section} chain are not those of its contents"
    if redact_json(explained.body)[1]:
        yield f"{whose}: the stored request holds what looks like a credential"


def _below(component: Component) -> Iterator[str]:
    """Levels of a tree that do not sum to the one above."""
    waiting = [component]
    while waiting:
        parent = waiting.pop()
        waiting += parent.children
        if parent.read_tokens + parent.write_tokens + parent.fresh_tokens != parent.tokens:
            yield f"cache split of {parent.name!r} is not its {parent.tokens} tokens"
        for name in ("tokens", "read_tokens", "write_tokens", "fresh_tokens", "cost"):
            own, parts = getattr(parent, name), [getattr(child, name) for child in parent.children]
            if parts and own is not None and own != sum(part or 0 for part in parts):
                yield f"{name} of {parent.name!r} is {own}, its children sum to {sum(part or 0 for part in parts)}"


def _by_kind(kinds: tuple[KindTotal, ...]) -> dict[str, KindTotal]:
    return {total.kind.value: total for total in kinds if total.tokens}


def check_request(store: Store, row: CallRow, exchange: Exchange) -> Iterator[str]:
    """Whether the request that was received comes out of the store again (law 10).

    One that is no JSON, was not captured as a whole, or was kept without its texts, is left out.
    """
    if row.bodies is not None or exchange.request_truncated:
        return
    from llmprof_addon.wire.encodings import decode
    from llmprof_addon.wire.jsontext import loads

    try:
        sent = loads(decode(exchange.request_body, exchange.header("content-encoding")).data)
    except WireError:
        return
    restored = detail(store, row).body
    # NaN, which some clients send, equals nothing; its text does.
    if restored != sent and json.dumps(restored, sort_keys=True) != json.dumps(sent, sort_keys=True):
        yield f"call {row.id}: the request put together again is not the one received"


def check_days(store: Store) -> Iterator[str]:
    """Breaches of the sums by day over the calls that are in them."""
    from llmprof_addon.store import trend_check

    stored, calls = trend_check.stored(store), trend_check.recomputed(store)
    for key in sorted(stored.keys() | calls.keys(), key=str):
        if stored.get(key) != calls.get(key):
            yield f"day {key[1]} of {key[2] or 'tools'} {key[3]!r}: its sums are not those of its calls"


def check_run(store: Store, row: RunRow) -> Iterator[str]:
    """Breaches of a run's sums over its calls."""
    calls = list(queries.calls(store, run=row.id))
    if len(calls) != row.calls:
        yield f"run {row.id}: says {row.calls} calls, has {len(calls)}"
    for name in TOKENS:
        numbers = [number for call in calls if (number := getattr(call.usage, name)) is not None]
        if (sum(numbers) if numbers else None) != getattr(row.usage, name):
            yield f"run {row.id}: {name} is {getattr(row.usage, name)}, its calls sum to {sum(numbers)}"
    costs = [call.cost.total for call in calls if call.cost is not None]
    if (sum(costs) if costs else None) != (row.cost.total if row.cost else None):
        yield f"run {row.id}: its cost is not the {sum(costs)} pico-dollars of its calls"
    if (row.reclaimable_cost or 0) > sum(costs):
        yield f"run {row.id}: says {row.reclaimable_cost} pico-dollars could be saved, its calls cost {sum(costs)}"
    lanes = queries.lanes(store, [row.id])[row.id]
    for lane in lanes:
        yield from _check_lane(row, lane, [call for call in calls if call.lane == lane.id])
    if sum(lane.calls for lane in lanes) != row.calls:
        yield f"run {row.id}: says {row.calls} calls, its lanes have {sum(lane.calls for lane in lanes)}"
    for name in TOKENS:
        numbers = [number for lane in lanes if (number := getattr(lane.usage, name)) is not None]
        if (sum(numbers) if numbers else None) != getattr(row.usage, name):
            yield f"run {row.id}: {name} is {getattr(row.usage, name)}, its lanes sum to {sum(numbers)}"
    costs = [lane.cost.total for lane in lanes if lane.cost is not None]
    if (sum(costs) if costs else None) != (row.cost.total if row.cost else None):
        yield f"run {row.id}: its cost is not the {sum(costs)} pico-dollars of its lanes"


def _check_lane(row: RunRow, lane: LaneRow, calls: list[CallRow]) -> Iterator[str]:
    """Breaches of a lane's sums over its calls, and of their turns."""
    whose = f"lane {lane.id} of run {row.id}"
    turns = [call.turn for call in sorted(calls, key=lambda call: (call.started_ns, call.id))]
    if turns != list(range(1, lane.calls + 1)):
        yield f"{whose}: says {lane.calls} calls, has the turns {turns[:20]}"
    for name in TOKENS:
        numbers = [number for call in calls if (number := getattr(call.usage, name)) is not None]
        if (sum(numbers) if numbers else None) != getattr(lane.usage, name):
            yield f"{whose}: {name} is {getattr(lane.usage, name)}, its calls sum to {sum(numbers)}"
    costs = [call.cost.total for call in calls if call.cost is not None]
    if (sum(costs) if costs else None) != (lane.cost.total if lane.cost else None):
        yield f"{whose}: its cost is not the {sum(costs)} pico-dollars of its calls"


def variants(exchange: Exchange) -> Iterator[tuple[str, Exchange]]:
    """The same exchange as other wires would have carried it; each has to give the same rows (law 4)."""
    import gzip

    from llmprof_addon.wire.encodings import decode

    response = decode(exchange.response_body, exchange.response_header("content-encoding"))
    kept = tuple(pair for pair in exchange.response_headers if pair[0].lower() != "content-encoding")
    plain = replace(exchange, response_body=response.data, response_headers=kept)
    encoders: tuple[tuple[str, Callable[[bytes], bytes]], ...] = (
        ("gzip", gzip.compress),
        ("br", _brotli),
        ("zstd", _zstd),
    )
    yield "plain", plain
    if not exchange.response_truncated and response.complete:
        for name, encode in encoders:
            headers = (*kept, ("content-encoding", name))
            yield name, replace(plain, response_body=encode(response.data), response_headers=headers)
        if b"data:" in response.data[:4096] and b"\r" not in response.data:
            yield "CRLF", replace(plain, response_body=response.data.replace(b"\n", b"\r\n"))
            yield "no final blank line", replace(plain, response_body=response.data.rstrip(b"\n") + b"\n")


def _brotli(data: bytes) -> bytes:
    import brotli  # type: ignore[import-untyped]  # the package has no annotations

    return bytes(brotli.compress(data, quality=4))


def _zstd(data: bytes) -> bytes:
    import zstandard

    return zstandard.compress(data)
