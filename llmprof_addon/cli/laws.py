"""The laws of the numbers, checked on what is stored: each check gives a line for every breach and nothing else."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from llmprof_addon.attribution.tree import totals
from llmprof_addon.model.component import KindTotal
from llmprof_addon.model.exchange import Exchange
from llmprof_addon.model.secrets import redact_json
from llmprof_addon.model.tree import chains
from llmprof_addon.model.usage import Source
from llmprof_addon.pipeline import Explanation, explain
from llmprof_addon.store import queries
from llmprof_addon.store.detail import detail
from llmprof_addon.store.open import Store
from llmprof_addon.store.rows import TOKENS, CallRow, RunRow


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
        if usage.source is Source.REPORTED and reported and counted != reported:
            yield f"{whose}: components of the {side} sum to {counted}, reported are {reported}"
        yield from (f"{whose}: {total.kind} has {total.tokens} tokens" for total in kinds if total.tokens < 0)
    for total in row.composition:
        if total.read + total.write + total.fresh != total.tokens:
            yield f"{whose}: cache split of {total.kind} is not its {total.tokens} tokens"
    if usage.cache_read_input_tokens is not None and usage.input_tokens:
        read = sum(total.read for total in row.composition)
        if read != usage.cache_read_input_tokens:
            yield f"{whose}: components read {read} tokens from cache, reported are {usage.cache_read_input_tokens}"
    if row.cost is not None:
        spread = sum(total.cost or 0 for total in (*row.composition, *row.output_composition)) + row.cost.other
        if spread != row.cost.total:
            yield f"{whose}: components cost {spread} pico-dollars, the call {row.cost.total}"
        if row.status is not None and row.status >= 400 and not usage.input_tokens and row.cost.total:
            yield f"{whose}: failed without usage and costs {row.cost.total} pico-dollars"


def _derived(store: Store, explained: Explanation) -> Iterator[str]:
    row, whose = explained.row, f"call {explained.row.id}"
    for side, leaves, kept in (
        ("prompt", explained.leaves.prompt, row.composition),
        ("answer", explained.leaves.answer, row.output_composition),
    ):
        if _by_kind(totals(leaves)) != _by_kind(kept):
            yield f"{whose}: the {side} derived again does not have the stored composition"
    stored = detail(store, row)
    paths = chains(explained.call.prompt, explained.call.answer.parts, base=stored.base)
    for section in ("tools", "system", "messages", "answer"):
        if [link.key for link in getattr(paths, section)] != [node.key for node in stored.sections[section]]:
            yield f"{whose}: keys of the {section} chain are not those of its contents"
    if redact_json(explained.body)[1]:
        yield f"{whose}: the stored request holds what looks like a credential"


def _by_kind(kinds: tuple[KindTotal, ...]) -> dict[str, KindTotal]:
    return {total.kind.value: total for total in kinds if total.tokens}


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
