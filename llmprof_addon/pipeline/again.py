"""What is stored already, brought in line with a call that comes late: behind it, in its run, with other verdicts."""

from collections.abc import Collection, Sequence
from dataclasses import fields, replace

from llmprof_addon.attribution.tree import totals
from llmprof_addon.cachedoctor.examine import examine
from llmprof_addon.cachedoctor.expected import falls_short
from llmprof_addon.cachedoctor.view import marks_of, prompt_steps
from llmprof_addon.counting.estimate import prompt_leaves
from llmprof_addon.grouping.runs import choose
from llmprof_addon.model.cache import CacheVerdict
from llmprof_addon.model.call import Identity
from llmprof_addon.model.exchange import Client, Exchange
from llmprof_addon.model.record import CallRecord, LateRecord
from llmprof_addon.pipeline.explained import stored_call
from llmprof_addon.pipeline.layout import Effort, Placed, lay_out
from llmprof_addon.store import cached, forerunner, late, queries, regroup, verdicts
from llmprof_addon.store.detail import detail
from llmprof_addon.store.open import Store
from llmprof_addon.store.rows import CallRow
from llmprof_addon.store.verdicts import Moved
from llmprof_addon.store.writer import run_uid


def settle(record: CallRecord, store: Store, since: str) -> None:
    """Bring what is stored in line with a call that has just been stored, and whose analysis began at this moment.

    Who stores a call looks afterwards for what it concerns. So of two calls that were stored at the same time by two
    workers one at least finds the other, whether that one comes before it or after.
    """
    with store.reading():
        alone = store.undisturbed(since, transactions=1)
        disturbs = _concerns_others(record, store) or not (alone or _is_right(record, store))
    if disturbs:
        with store.alone():
            _settle(record, store, itself=not alone)


def _concerns_others(record: CallRecord, store: Store) -> bool:
    response = record.call.answer.response_id
    followed = regroup.is_followed(store, record)
    return bool(
        (response is not None and late.misplaced(store, response))
        or regroup.affected(store, record, followed=followed)
        or (followed and verdicts.stale(store, verdicts.arrived(store, record.exchange.id)))
    )


def _is_right(record: CallRecord, store: Store) -> bool:
    """Whether a stored call has the place and the verdict that it would be given once more."""
    call, paths, view = record.call, record.chains, record.cache_view
    if (before := call.prompt.continues) is not None and late.misplaced(store, before):
        return False
    run = choose(record.exchange, call, paths, store.history(call, paths, record.exchange, record.encoding))
    earlier = forerunner.of(store, run, call, paths, view, record.encoding) if view is not None else None
    same_run = run_uid(record.run.key) if record.run.run_id is None else record.run.run_id
    same_call = record.cache.previous if record.cache is not None else None
    return (run.run_id or run_uid(run.key), run.lane, run.predecessor, earlier.call_id if earlier else None) == (
        same_run,
        record.run.lane,
        record.run.predecessor,
        same_call,
    )


def _settle(record: CallRecord, store: Store, *, itself: bool) -> None:
    moved = own = verdicts.arrived(store, record.exchange.id)
    for response in (record.call.answer.response_id, record.call.prompt.continues if itself else None):
        if response is not None:
            moved = moved + put_late_behind(response, store)
    followed = regroup.is_followed(store, record)
    regrouped = _group_again(regroup.affected(store, record, followed=followed, itself=itself), store)
    changed = {one.number for one in (*moved[len(own) :], *regrouped, *(own if itself else ()))}
    _judge_again(changed.union(verdicts.stale(store, moved + regrouped)), store)


def put_late_behind(response_id: str, store: Store) -> list[Moved]:
    """Put calls that were stored before the call that they continue behind it, and those that continue them in turn."""
    moved: list[Moved] = []
    waiting, seen = [response_id], {response_id}
    while waiting:
        for row in late.misplaced(store, waiting.pop()):
            if row.bodies == "dropped":
                continue
            moved += late.put(store, _laid_out_again(row, store))
            if row.response_id is not None and row.response_id not in seen:
                seen.add(row.response_id)
                waiting.append(row.response_id)
    return moved


def _group_again(rows: Sequence[CallRow], store: Store) -> list[Moved]:
    """Choose run and lane of stored calls again, by all that is stored by now."""
    moved: list[Moved] = []
    for row in rows:
        if row.bodies == "dropped":  # its texts are gone, by which it would be found
            continue
        stored = detail(store, row)
        placed = Placed.of(stored_call(stored, stored.body), store, row.encoding)
        call, paths, exchange = replace(placed.call, identity=_identity(row)), placed.paths, _as_asked(row)
        choice = choose(exchange, call, paths, store.history(call, paths, exchange, row.encoding))
        moved += regroup.put(store, row, choice)
    return moved


def _judge_again(numbers: Collection[int], store: Store) -> None:
    """Give stored calls the verdicts that they have among all that is stored by now."""
    given: dict[int, CacheVerdict | None] = {}
    for number in sorted(numbers):
        found = forerunner.stored_seeker(store, number)
        if found is None:
            continue
        seeker, view = found
        earlier = forerunner.before(store, seeker, view)
        row = queries.call(store, seeker.uid)
        if row is not None and row.bodies == "dropped":
            continue
        if row is not None and earlier is not None and falls_short(view, earlier):
            stored = detail(store, row)
            placed = Placed.of(stored_call(stored, stored.body), store, row.encoding)
            raws = placed.raws(placed.counts(store, Effort()))
            view = replace(view, steps=prompt_steps(placed.whole.prompt, placed.whole.section_order, raws.prompt))
            earlier = cached.with_steps(store, earlier, view)
        given[number] = examine(view, earlier)
    verdicts.put(store, given)


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
    placed = Placed.of(stored_call(stored, stored.body), store, row.encoding)
    whole, counts = placed.whole, placed.counts(store, Effort(), stored.known if row.bodies else {})
    raws = placed.raws(counts, stored.framing if row.bodies else None)
    estimated = prompt_leaves(whole, raws.prompt, raws.framing)
    leaves = lay_out(whole, raws, estimated, row.usage, row.cost)
    return LateRecord(
        call_id=row.id,
        call=placed.call,
        chains=placed.paths,
        encoding=row.encoding,
        counts=counts,
        estimated_input_tokens=sum(leaf.tokens for leaf in estimated) if whole.prompt.parts else None,
        composition=totals(leaves.prompt),
        output_composition=totals(leaves.answer),
        inherited=placed.context.inherited,
        marks=marks_of(whole),
        framing=raws.framing,
    )
