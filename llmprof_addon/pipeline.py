"""The whole flow in one place: an exchange -> a stored call, and a stored call -> the tree that a person looks at.

Both lay out leaves by the same pure functions over the same raw counts, so that the tree shown later has the very sums
that were stored. Only parts that no earlier call brought are tokenised.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from types import MappingProxyType

from llmprof_addon.attribution.effective import effective_usage
from llmprof_addon.attribution.positions import positions
from llmprof_addon.attribution.tree import components, totals
from llmprof_addon.cachedoctor.examine import examine
from llmprof_addon.cachedoctor.expected import falls_short
from llmprof_addon.cachedoctor.view import prompt_steps, view_of
from llmprof_addon.counting.estimate import answer_leaves, framing_of, prompt_leaves
from llmprof_addon.counting.families import family_of
from llmprof_addon.counting.modalities import pinned
from llmprof_addon.counting.raw import count_part
from llmprof_addon.counting.reconcile import reconcile
from llmprof_addon.grouping.opening import label
from llmprof_addon.grouping.runs import choose
from llmprof_addon.grouping.said import answer_digest
from llmprof_addon.model.call import SECTIONS, Answer, Call, Identity, Prompt
from llmprof_addon.model.component import Component, Leaf
from llmprof_addon.model.cost import Cost
from llmprof_addon.model.count import Framing, RawCount
from llmprof_addon.model.exchange import Client, Exchange, Headers
from llmprof_addon.model.part import Json, Part, PartKind
from llmprof_addon.model.record import CallRecord, LateRecord, WarmupRecord
from llmprof_addon.model.secrets import redact_json, redact_text
from llmprof_addon.model.tree import Chains, Link, StoredPart, assemble, chains
from llmprof_addon.model.usage import Usage
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.pricing.cost import cost
from llmprof_addon.pricing.spread import spread, spread_answer
from llmprof_addon.providers import dialects
from llmprof_addon.providers.carving import text_of
from llmprof_addon.providers.dialects import Dialect
from llmprof_addon.providers.reader import read_call, settled
from llmprof_addon.store import cached, late, regroup
from llmprof_addon.store.before import Before
from llmprof_addon.store.detail import StoredCall, StoredNode, detail
from llmprof_addon.store.open import Store
from llmprof_addon.store.rows import CallRow
from llmprof_addon.wire.encodings import decode


@dataclass(slots=True)
class Effort:
    """What processing has cost so far; grows with every call."""

    calls: int = 0
    tokenised_bytes: int = 0


def process(
    exchange: Exchange,
    store: Store,
    book: PriceBook,
    *,
    extra_hosts: Mapping[str, str] = MappingProxyType({}),
    effort: Effort | None = None,
) -> CallRecord | None:
    """Analyse an exchange and store it; `None` if it is no LLM call. Storing it twice changes nothing.

    A prompt that is only laid into the provider's cache is none either; it is stored for the calls that continue it.
    """
    request = decode(exchange.request_body, exchange.header("content-encoding"))
    response = decode(exchange.response_body, exchange.response_header("content-encoding"))
    exchange = settled(exchange, response.data)
    call = read_call(exchange, request.data, response.data, extra=extra_hosts)
    if call.api == "unknown" or (exchange.method.upper() != "POST" and exchange.transport != "websocket"):
        return None
    answer, secrets = _redacted(call.answer)
    call = replace(call, answer=answer, warnings=(*request.warnings, *response.warnings, *call.warnings))
    exchange = replace(exchange, redactions=exchange.redactions + secrets)

    family = family_of(call)
    before = Before.of(call, store, family.encoding)
    context = before.around(call)
    call = replace(call, prompt=context.own)
    paths = chains(context.laid, answer.parts, base=before.base)
    counts = _counts(paths, family.encoding, store, effort or Effort())
    if call.prompt.warmup:
        if answer.response_id is not None:
            store.write_warmup(
                WarmupRecord(
                    exchange=exchange,
                    response_id=answer.response_id,
                    chains=paths,
                    encoding=family.encoding,
                    counts=counts,
                    elided=before.elided,
                )
            )
            _put_late_behind(answer.response_id, store)
        return None
    whole = replace(call, prompt=context.whole)
    raws = Raws.of(whole, paths, counts, before.counts(context, family.encoding))

    estimated = prompt_leaves(whole, raws.prompt, raws.framing)
    answered = answer_leaves(whole, raws.answer, raws.framing)
    failed = exchange.status is None or exchange.status >= 400 or answer.error is not None
    cut = exchange.outcome != "complete"
    usage = effective_usage(answer.usage, estimated, answered, failed=failed, cut=cut)
    rates = book.rates(call, usage, exchange.started_ns)
    paid = cost(usage, rates, status=exchange.status, cache_ttl=call.cache_ttl)
    leaves = lay_out(whole, raws, estimated, usage, paid)

    run = choose(exchange, call, paths, store.history(call, paths, exchange, family.encoding))
    view = view_of(exchange, whole, usage, paid, rates.read_rate if rates else None)
    earlier = cached.before(store, run, call, paths, view, family.encoding)
    if earlier is not None and falls_short(view, earlier):
        view = replace(view, steps=prompt_steps(whole.prompt, whole.section_order, raws.prompt))
        earlier = cached.with_steps(store, earlier)
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
        inherited=context.inherited,
        cache_view=view,
        cache=examine(view, earlier),
        framing=raws.framing,
    )
    if store.write(record):
        if answer.response_id is not None:
            _put_late_behind(answer.response_id, store)
        _group_again(regroup.affected(store, record), store)
    return record


def _put_late_behind(response_id: str, store: Store) -> None:
    """Put calls that were stored before the call that they continue behind it, and those that continue them in turn."""
    waiting, seen = [response_id], {response_id}
    while waiting:
        for row in late.misplaced(store, waiting.pop()):
            late.put(store, _laid_out_again(row, store))
            if row.response_id is not None and row.response_id not in seen:
                seen.add(row.response_id)
                waiting.append(row.response_id)


def _group_again(rows: Sequence[CallRow], store: Store) -> None:
    """Choose run and lane of stored calls again, by all that is stored by now."""
    for row in rows:
        stored = detail(store, row)
        call = _stored_call(stored, stored.body)
        before = Before.of(call, store, row.encoding)
        context = before.around(call)
        call = replace(call, prompt=context.own, identity=_identity(row))
        paths = chains(context.laid, call.answer.parts, base=before.base)
        exchange = _as_asked(row)
        regroup.put(store, row, choose(exchange, call, paths, store.history(call, paths, exchange, row.encoding)))


def _identity(row: CallRow) -> Identity:
    known = {each.name for each in fields(Identity)}
    said = {name: value for name, value in row.identity.items() if name in known}
    if durations := said.get("tool_durations_ms"):
        said["tool_durations_ms"] = tuple((name, milliseconds) for name, milliseconds in durations)
    return Identity(**(said | {"app": row.app, "weak_session": row.weak_session}))


def _as_asked(row: CallRow) -> Exchange:
    """As much of a stored call's exchange as its grouping needs."""
    return Exchange(
        id=row.id,
        started_ns=row.started_ns,
        ended_ns=row.ended_ns,
        mode="import",  # no matter
        status=row.status,
        method=row.method,
        url=row.url,
        client=Client(app=row.app, user_agent=row.user_agent, peer=row.peer),
        session=row.forced_session,
    )


def _laid_out_again(row: CallRow, store: Store) -> LateRecord:
    """A stored call behind what is stored by now of the calls that it continues; usage and cost stay."""
    stored = detail(store, row)
    call = _stored_call(stored, stored.body)
    before = Before.of(call, store, row.encoding)
    context = before.around(call)
    call = replace(call, prompt=context.own)
    paths = chains(context.laid, call.answer.parts, base=before.base)
    counts = _counts(paths, row.encoding, store, Effort())
    whole = replace(call, prompt=context.whole)
    raws = Raws.of(whole, paths, counts, before.counts(context, row.encoding))
    estimated = prompt_leaves(whole, raws.prompt, raws.framing)
    leaves = lay_out(whole, raws, estimated, row.usage, row.cost)
    return LateRecord(
        call_id=row.id,
        call=call,
        chains=paths,
        encoding=row.encoding,
        counts=counts,
        estimated_input_tokens=sum(leaf.tokens for leaf in estimated) if whole.prompt.parts else None,
        composition=totals(leaves.prompt),
        output_composition=totals(leaves.answer),
        inherited=context.inherited,
        framing=raws.framing,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A stored call with the trees of its prompt and its answer."""

    row: CallRow
    call: Call
    """As far as it is stored: prompt and answer with all their parts."""
    whole: Call
    """The call with the messages before its own that it continues by id; leaves point at the parts of this one."""
    body: Json
    """The request body."""
    leaves: "Leaves"
    components: tuple[Component, ...]
    output_components: tuple[Component, ...]
    request_headers: Headers
    response_headers: Headers
    rest: Json
    """The response body without what the answer's parts carry."""
    usage_raw: Json
    """The usage as it stood on the wire."""

    @property
    def positions(self) -> tuple[Component, ...]:
        """The prompt's tree in the order in which the provider reads it."""
        return positions(self.whole, self.leaves.prompt)


def explain(store: Store, row: CallRow) -> Explanation:
    """Derive the trees of a stored call again, from its texts, counts, usage and cost as they are stored."""
    stored = detail(store, row)
    body = stored.body
    call = _stored_call(stored, body)
    before = Before.stored(stored, store)
    context = before.around(call)
    call = replace(call, prompt=context.own)
    whole = replace(call, prompt=context.whole)
    raws = Raws.stored(whole, stored, context.laid, before.counts(context, row.encoding))
    leaves = lay_out(whole, raws, prompt_leaves(whole, raws.prompt, raws.framing), row.usage, row.cost)
    return Explanation(
        row=row,
        call=call,
        whole=whole,
        body=body,
        leaves=leaves,
        components=components(whole, leaves.prompt),
        output_components=components(whole, leaves.answer, answer=True),
        request_headers=stored.request_headers,
        response_headers=stored.response_headers,
        rest=stored.rest,
        usage_raw=stored.usage_raw,
    )


def _stored_call(stored: StoredCall, body: Json) -> Call:
    """A stored call, as far as its leaves need it; `body` is its request's."""
    row = stored.row
    dialect = dialects.by_api(row.api)
    return Call(
        provider=row.provider,
        api=row.api,
        request_model=row.request_model,
        stream=row.stream,
        prompt=_read_again(dialect, stored.parts, body),
        answer=Answer(
            parts=_read_again(dialect, stored.answer_parts, assemble({}, stored.answer_parts)).parts,
            response_model=row.response_model,
        ),
        section_order=dialect.section_order if dialect else SECTIONS,
    )


def _read_again(dialect: Dialect | None, parts: Sequence[StoredPart], body: Json) -> Prompt:
    """The parts of a stored body. One that was kept as a whole has no place, and is one part again."""
    if dialect is not None and all(part.place for part in parts):
        return dialect.read_request(body)
    return Prompt(messages=(Part(kind=PartKind.GENERIC, text=text_of(body), value=body, form="whole"),))


@dataclass(frozen=True, slots=True)
class Raws:
    """Raw counts parallel to the parts of a prompt and of its answer; volatile parts count nothing."""

    prompt: tuple[RawCount, ...]
    answer: tuple[RawCount, ...]
    framing: Framing | None

    @classmethod
    def of(cls, call: Call, paths: Chains, counts: Mapping[bytes, RawCount], before: Sequence[RawCount]) -> "Raws":
        """Pick a call's counts by the keys of its chains; `before` are those of the messages that it continues."""
        prompt = call.prompt
        own = (
            *_along(prompt.tools, paths.tools, counts),
            *_along(prompt.system, paths.system, counts),
            *before,
            *_along(prompt.messages[len(before) :], paths.messages, counts),
        )
        return cls(own, tuple(_along(call.answer.parts, paths.answer, counts)), framing_of(call, own))

    @classmethod
    def stored(cls, call: Call, kept: StoredCall, laid: Prompt, before: Sequence[RawCount]) -> "Raws":
        """Those of a stored call that was read again, `laid` along its chains."""
        sections, encoding = kept.sections, kept.row.encoding
        own = (
            *_as_stored(laid.tools, sections["tools"], encoding),
            *_as_stored(laid.system, sections["system"], encoding),
            *before,
            *_as_stored(laid.messages, sections["messages"], encoding),
        )
        answer = tuple(_as_stored(call.answer.parts, sections["answer"], encoding))
        return cls(own, answer, framing_of(call, own, kept.framing))


@dataclass(frozen=True, slots=True)
class Leaves:
    """A call, laid out: reconciled, with its cache split and cost."""

    prompt: tuple[Leaf, ...]
    answer: tuple[Leaf, ...]


def lay_out(call: Call, raws: Raws, estimated: Sequence[Leaf], usage: Usage, paid: Cost | None) -> Leaves:
    """Leaves that sum to the usage and the cost exactly. Pure: nothing is tokenised, looked up or priced."""
    slack = family_of(call).slack
    answered = answer_leaves(replace(call, answer=replace(call.answer, usage=usage)), raws.answer, raws.framing)
    if usage.output_tokens == 0:  # an empty answer has no frame either
        answered = ()
    return Leaves(
        spread(reconcile(pinned(estimated, usage, "input"), usage.input_tokens, slack), usage, paid),
        spread_answer(reconcile(pinned(answered, usage, "output"), usage.output_tokens, slack), usage, paid),
    )


def _counts(paths: Chains, encoding: str, store: Store, effort: Effort) -> dict[bytes, RawCount]:
    """Raw counts of all nodes: those of stored ones as they are stored, the others tokenised."""
    links = (*paths.tools, *paths.system, *paths.messages, *paths.answer)
    counts = store.known([link.key for link in links], encoding)
    for link in links:
        if link.key not in counts:
            counts[link.key] = count_part(link.part, encoding)
            effort.tokenised_bytes += _text_bytes(link.part)
    effort.calls += 1
    return counts


def _along(parts: Sequence[Part], links: Sequence[Link], counts: Mapping[bytes, RawCount]) -> list[RawCount]:
    keys = iter(links)
    return [RawCount() if part.volatile else counts[next(keys).key] for part in parts]


def _as_stored(parts: Sequence[Part], nodes: Sequence[StoredNode], encoding: str) -> Iterator[RawCount]:
    """The counts of nodes, parallel to the parts that were read from them again."""
    left = iter(nodes)
    for part in parts:
        if part.volatile:
            yield RawCount()
        elif (node := next(left, None)) is not None and node.raw is not None and _is_of(node, part):
            yield node.raw
        else:  # read otherwise by an earlier version
            yield count_part(part, encoding)


def _is_of(node: StoredNode, part: Part) -> bool:
    kept = node.part
    same = part.place == kept.place and part.wrapper == kept.wrapper and part.value == kept.value
    return same and node.raw is not None and _is_shaped(node.raw, part)


def _is_shaped(raw: RawCount, part: Part) -> bool:
    return len(raw.inner) == len(part.inner) and all(map(_is_shaped, raw.inner, part.inner))


def _text_bytes(part: Part) -> int:
    own = len((part.text or "").encode("utf-8", "surrogatepass"))
    return own + sum(map(_text_bytes, part.inner))


def _redacted(answer: Answer) -> tuple[Answer, int]:
    """The answer without secrets that only show once an encoded or streamed body is put together, and their number.

    Capture has overwritten all that stood in a body as it was on the wire.
    """
    held = [answer.rest, answer.error, answer.usage.raw if answer.usage else None]
    found = sum(redact_json(value)[1] for value in held) + sum(_redacted_part(part)[1] for part in answer.parts)
    if not found:
        return answer, 0
    usage = answer.usage and replace(answer.usage, raw=redact_json(answer.usage.raw)[0])
    return (
        replace(
            answer,
            parts=tuple(_redacted_part(part)[0] for part in answer.parts),
            rest=redact_json(answer.rest)[0],
            error=redact_json(answer.error)[0],
            usage=usage,
        ),
        found,
    )


def _redacted_part(part: Part) -> tuple[Part, int]:
    # Text and inner parts are taken from the value, and have no secret that it has not.
    value, in_value = redact_json(part.value)
    wrapper, in_wrapper = redact_json(part.wrapper)
    if not in_value and not in_wrapper:
        return part, 0
    text = part.text and redact_text(part.text)[0]
    inner = tuple(_redacted_part(each)[0] for each in part.inner)
    return replace(part, value=value, wrapper=wrapper, text=text, inner=inner), in_value + in_wrapper
