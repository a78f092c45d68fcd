"""The whole flow in one place: an exchange -> a stored call, and a stored call -> the tree that a person looks at.

Both lay out leaves by the same pure functions over the same raw counts, so that the tree shown later has the very sums
that were stored. Only parts that no earlier call brought are tokenised.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from llmprof_addon.attribution.effective import effective_usage
from llmprof_addon.attribution.tree import totals
from llmprof_addon.cachedoctor.examine import examine
from llmprof_addon.cachedoctor.expected import falls_short
from llmprof_addon.cachedoctor.view import prompt_steps, view_of
from llmprof_addon.counting.estimate import answer_leaves, prompt_leaves
from llmprof_addon.counting.families import family_of
from llmprof_addon.grouping.opening import label
from llmprof_addon.grouping.runs import choose
from llmprof_addon.grouping.said import answer_digest
from llmprof_addon.model.exchange import Exchange
from llmprof_addon.model.record import CallRecord, WarmupRecord
from llmprof_addon.pipeline.again import put_late_behind, settle
from llmprof_addon.pipeline.explained import Explanation, explain
from llmprof_addon.pipeline.layout import Effort, Placed, lay_out
from llmprof_addon.pipeline.redacted import redacted
from llmprof_addon.pipeline.unkept import Reduced
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.pricing.cost import cost
from llmprof_addon.providers.reader import read_call, settled
from llmprof_addon.store import cached, forerunner
from llmprof_addon.store.open import Store
from llmprof_addon.wire.encodings import decode

__all__ = ["Effort", "Explanation", "explain", "process"]


def process(
    exchange: Exchange,
    store: Store,
    book: PriceBook,
    *,
    extra_hosts: Mapping[str, str] = MappingProxyType({}),
    effort: Effort | None = None,
    keep: Reduced | None = None,
) -> CallRecord | None:
    """Analyse an exchange and store it; `None` if it is no LLM call. Storing it twice changes nothing.

    `keep` decides what is kept of its texts, all by default.

    A prompt that is only laid into the provider's cache is none either; it is stored for the calls that continue it.
    """
    since = store.moment()
    request = decode(exchange.request_body, exchange.header("content-encoding"))
    response = decode(exchange.response_body, exchange.response_header("content-encoding"))
    exchange = settled(exchange, response.data)
    call = read_call(exchange, request.data, response.data, extra=extra_hosts)
    if call.api == "unknown" or (exchange.method.upper() != "POST" and exchange.transport != "websocket"):
        return None
    answer, secrets = redacted(call.answer, cut=exchange.outcome != "complete")
    call = replace(call, answer=answer, warnings=(*request.warnings, *response.warnings, *call.warnings))
    exchange = replace(exchange, redactions=exchange.redactions + secrets)

    if keep is not None:
        call, exchange = keep(call, exchange)
        answer = call.answer
    family = family_of(call)
    placed = Placed.of(call, store, family.encoding)
    call, whole, paths = placed.call, placed.whole, placed.paths
    counts = placed.counts(store, effort or Effort())
    if call.prompt.warmup:
        if answer.response_id is not None:
            store.write_warmup(
                WarmupRecord(
                    exchange=exchange,
                    response_id=answer.response_id,
                    chains=paths,
                    encoding=family.encoding,
                    counts=counts,
                    elided=placed.before.elided,
                )
            )
            put_late_behind(answer.response_id, store)
        return None
    raws = placed.raws(counts)
    estimated = prompt_leaves(whole, raws.prompt, raws.framing)
    answered = answer_leaves(whole, raws.answer, raws.framing)
    failed = exchange.status is None or exchange.status >= 400 or answer.error is not None
    cut = exchange.outcome != "complete"
    usage = effective_usage(answer.usage, estimated, answered, failed=failed, cut=cut)
    rates = book.rates(call, usage, exchange.started_ns)
    paid = cost(usage, rates, status=exchange.status, cache_ttl=call.cache_ttl)
    leaves = lay_out(whole, raws, estimated, usage, paid)

    with store.reading():
        run = choose(exchange, call, paths, store.history(call, paths, exchange, family.encoding))
        view = view_of(exchange, whole, usage, paid, rates.read_rate if rates else None)
        earlier = forerunner.of(store, run, call, paths, view, family.encoding)
        if earlier is not None and falls_short(view, earlier):
            view = replace(view, steps=prompt_steps(whole.prompt, whole.section_order, raws.prompt))
            earlier = cached.with_steps(store, earlier, view)
    record = CallRecord(
        exchange=exchange,
        call=call,
        chains=paths,
        encoding=family.encoding,
        counts=counts,
        usage=usage,
        estimated_input_tokens=sum(leaf.tokens for leaf in estimated) if whole.prompt.parts else None,
        composition=totals(leaves.prompt),
        output_composition=totals(leaves.answer),
        cost=paid,
        context_window=book.context_window(call),
        label=label(call.prompt),
        answer_digest=answer_digest(answer.parts),
        run=run,
        inherited=placed.context.inherited,
        cache_view=view,
        cache=examine(view, earlier),
        framing=raws.framing,
        bodies=keep.mode if keep is not None else None,
    )
    if store.write(record):
        settle(record, store, since)
    return record
