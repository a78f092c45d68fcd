"""Calls that were stored before one that they might go on from: found when it comes, and moved to where they belong.

On one machine that hardly happens, since calls are stored in the order in which they ended; then every lookup here
finds nothing. A call takes along what it has given to others: its run, and its lane.
"""

from collections.abc import Iterable, Sequence
from itertools import batched
from typing import Any

import peewee as pw

from llmprof_addon.grouping.opening import spawned_texts
from llmprof_addon.model.history import LaneChoice, RunChoice
from llmprof_addon.model.record import CallRecord
from llmprof_addon.store import lanes
from llmprof_addon.store.columns import awaited_of, inherited
from llmprof_addon.store.database import errors_of
from llmprof_addon.store.edits import announce, sum_anew
from llmprof_addon.store.open import Store
from llmprof_addon.store.queries import call_query
from llmprof_addon.store.rows import CallRow, call_row
from llmprof_addon.store.schema import Call, Lane, Node, Run
from llmprof_addon.store.statements import Statements
from llmprof_addon.store.text import clean, dumps, loads
from llmprof_addon.store.transaction import transaction
from llmprof_addon.store.verdicts import Moved
from llmprof_addon.store.writer import run_row

MOST = 64
"""Calls of one kind that are looked at again because of one that came late."""

NODES = 256
"""Steps below a late call's prompt and answer among which calls that go on from it are looked for."""

_LIMIT = pw.SQL(str(MOST))

_ended = Call.ended_ns + pw.SQL("0")
"""As no index has it: else planners walk through all calls that ended later, to find the few that are asked for."""


def is_followed(store: Store, record: CallRecord) -> bool:
    """Whether another call ended when this one, just stored, did, or later: else none can have gone on from it."""
    with errors_of(store.url):
        values = [record.exchange.ended_ns, record.exchange.id]
        return store.writer.statements.run("later", _later, values).fetchone() is not None


def affected(store: Store, record: CallRecord, *, followed: bool, itself: bool = False) -> list[CallRow]:
    """The calls for which this one, just stored, may be a better predecessor, spawner or lane; also `itself`.

    `followed` is what `is_followed` says.
    """
    statements = store.writer.statements
    with errors_of(store.url):
        own = statements.run("own", _own, [record.exchange.id]).fetchone()
        if own is None:
            return []
        number, lane, predecessor, head, answer_head = own
        identity, started = record.call.identity, record.exchange.started_ns
        found: set[int] = set()
        if predecessor is not None:
            found |= _ids(statements, "spawned late", _spawned_late, [predecessor, started])
        if identity.window or identity.compacted:
            found |= _ids(statements, "next in lane", _next_in_lane, [lane, started])
        if followed:
            found |= _going_on(statements, record, [head, answer_head or head] if head else [])
        return _rows(store, found | {number} if itself else found - {number})


def _going_on(statements: Statements, record: CallRecord, heads: Sequence[int]) -> set[int]:
    """Calls that ended later and may go on from this one."""
    ended, answer = record.exchange.ended_ns, record.call.answer
    found: set[int] = set()
    for name in {clean(answer.response_id), clean(answer.request_id)} - {None}:
        found |= _ids(statements, "naming", _naming, [name]) | _ids(statements, "continuing", _continuing, [name])
    if (awaited := awaited_of(record.chains.message_head, record.answer_digest)) is not None:
        found |= _ids(statements, "awaiting", _awaiting, [awaited, ended])
    if heads:
        found |= _ids(statements, "same head", _same_head, [heads[0], ended])
        found |= _below(statements, heads, ended)
    for text in {text for _, text in spawned_texts(answer.parts)}:
        found |= _ids(statements, "opened", _opened, [text, ended])
    return found


def _later(value: pw.SQL) -> pw.Select:
    """Whether anything has ended later: takes a time, and the public id of the call that does not count."""
    return Call.select(Call.id).where((Call.ended_ns >= value) & (Call.uid != value)).limit(pw.SQL("1"))


def _rows(store: Store, numbers: Iterable[int]) -> list[CallRow]:
    rows = [
        call_row(row)
        for some in batched(sorted(numbers), 500)
        for row in call_query().where(Call.id.in_(some)).dicts().execute(store.db)
    ]
    return sorted(rows, key=lambda row: (row.started_ns, row.id))


def _ids(statements: Statements, shape: str, build: Any, values: Sequence[object]) -> set[int]:
    return {row[0] for row in statements.run(shape, build, values).fetchall()}


def _own(value: pw.SQL) -> pw.Select:
    columns = (Call.id, Call.lane, Call.predecessor, Call.message_head, Call.answer_head)
    return Call.select(*columns).where(Call.uid == value)


def _naming(value: pw.SQL) -> pw.Select:
    return Call.select(Call.id).where(Call.previous == value).limit(_LIMIT)


def _continuing(value: pw.SQL) -> pw.Select:
    return Call.select(Call.id).where(Call.continues == value).limit(_LIMIT)


def _awaiting(value: pw.SQL) -> pw.Select:
    query = Call.select(Call.id).where((Call.awaits == value) & (_ended >= value))
    return query.order_by(_ended).limit(_LIMIT)


def _same_head(value: pw.SQL) -> pw.Select:
    query = Call.select(Call.id).where((Call.message_head == value) & (Call.ended_ns >= value))
    return query.order_by(Call.ended_ns).limit(_LIMIT)


def _opened(value: pw.SQL) -> pw.Select:
    query = Call.select(Call.id).where((Call.opening == value) & (Call.predecessor + pw.SQL("0")).is_null())
    return query.where(_ended >= value).order_by(_ended).limit(_LIMIT)


def _spawned_late(value: pw.SQL) -> pw.Select:
    """First calls of the lanes that a call (its number) spawned, which started after this time."""
    spawner = Call.alias("spawner")
    query = (
        Call.select(Call.id).join(Lane, on=(Call.lane == Lane.id)).join(spawner, on=(spawner.uid == Lane.spawned_by))
    )
    return query.where((spawner.id == value) & (Call.started_ns > value) & (Call.turn == pw.SQL("1"))).limit(_LIMIT)


def _next_in_lane(value: pw.SQL) -> pw.Select:
    query = Call.select(Call.id).where((Call.lane == value) & (Call.started_ns >= value))
    return query.order_by(Call.started_ns, Call.uid).limit(pw.SQL("2"))


def _below(statements: Statements, heads: Sequence[int], ended: int) -> set[int]:
    """Calls whose prompts run on from one of these nodes, as far as they are near."""
    found: set[int] = set()
    level: set[int] = set(heads)
    seen = set(level)
    while level and len(seen) < NODES:
        nodes = sorted(level)[:MOST]
        shape = ("children", len(nodes))
        level = {row[0] for row in statements.run(shape, _children(len(nodes)), nodes).fetchall()} - seen
        seen |= level
        ends = sorted(level)[:MOST]
        if ends:
            shape = ("ending", len(ends))
            found |= {row[0] for row in statements.run(shape, _ending(len(ends)), [*ends, ended]).fetchall()}
    return found


def _children(number: int) -> Any:
    return lambda value: Node.select(Node.id).where(Node.parent.in_([value] * number)).limit(pw.SQL(str(NODES)))


def _ending(number: int) -> Any:
    def build(value: pw.SQL) -> pw.Select:
        here = Call.message_head.in_([value] * number) & (Call.ended_ns >= value)
        return Call.select(Call.id).where(here).order_by(Call.ended_ns).limit(_LIMIT)

    return build


def put(store: Store, row: CallRow, choice: RunChoice) -> list[Moved]:
    """Move a stored call, with all that has its run or lane from it. One transaction.

    Returns what left a run or came to one, and the call itself if anything of it is another; nothing if it is there.
    """
    with errors_of(store.url):
        return transaction(store.db, lambda: _put(store, row, choice), alone=True, undo=store.writer.forget)


def _put(store: Store, row: CallRow, choice: RunChoice) -> list[Moved]:
    db = store.db
    old = next(iter(Call.select().where(Call.uid == row.id).dicts().execute(db)), None)
    if old is None:
        return []
    there = db.execute(Run.select(Run.id).where(Run.uid == choice.run_id)).fetchone() if choice.run_id else None
    run = there[0] if there else run_row(db, choice.key, old["started_ns"], old["ended_ns"])
    before = _number(db, choice.predecessor)
    lane = _lane(store, run, choice.lane, old)
    how = {"run": run, "lane": lane, "predecessor": before, "inherits": inherited(choice)}
    link = choice.link if choice.link != "turn" or old["link"] not in ("branch", "retry") else old["link"]
    settled = all(old[name] == value for name, value in how.items()) and old["link"] == link
    if settled and old["turn"] != 1:
        return []
    spawned = lanes.attributes(choice.lane)
    if old["turn"] == 1 and lane == old["lane"]:
        known = next(iter(Lane.select().where(Lane.id == lane).dicts().execute(db)))
        if settled and all(known[name] == value for name, value in spawned.items()):
            return []
        db.execute(Lane.update(**spawned).where(Lane.id == lane))
    db.execute(Call.update(**how, link=choice.link).where(Call.id == old["id"]))
    runs, in_lanes = {old["run"], run}, {old["lane"], lane}
    moved = [Moved(old["id"], one, old["started_ns"], old["ended_ns"]) for one in sorted(runs)]
    moved += _take_along(store, [(old["id"], old["uid"], run, lane)], runs, in_lanes)
    _tag(db, old["run"], run)
    for one in sorted(in_lanes - {None}):
        lanes.sum_lane(db, one)
    for one in sorted(runs):
        sum_anew(db, one)
    for one in {before, old["predecessor"]} - {None}:
        lanes.link(store.writer.statements, db, one)
    announce(db)
    return moved


def _take_along(
    store: Store, moved: list[tuple[int, str, int, int]], runs: set[int], in_lanes: set[int]
) -> list[Moved]:
    """Move what has its run or lane from these calls (number, id, run, lane), and what has it from that."""
    db, seen = store.db, {number for number, *_ in moved}
    taken: list[Moved] = []
    while moved:
        following: list[tuple[int, str, int, int]] = []
        for number, uid, run, lane in moved:
            rows = Call.select().where((Call.predecessor == number) & Call.inherits.is_null(False)).dicts().execute(db)
            rows = [(call, call["inherits"].split(",")) for call in rows]
            started = Call.select(Call).join(Lane, on=(Call.lane == Lane.id)).where(Lane.spawned_by == uid)
            started = started.where(Call.inherits.is_null(False) & Call.predecessor.is_null())
            rows += [(call, call["inherits"].split(",")) for call in started.dicts().execute(db)]
            for call, has in rows:
                if call["id"] in seen or call["id"] == number:
                    continue
                seen.add(call["id"])
                new_run = run if "run" in has or "spawner" in has else call["run"]
                new_lane = lane if "lane" in has else _same_lane(store, new_run, call)
                if (new_run, new_lane) == (call["run"], call["lane"]):
                    continue
                db.execute(Call.update(run=new_run, lane=new_lane).where(Call.id == call["id"]))
                taken += [
                    Moved(call["id"], one, call["started_ns"], call["ended_ns"]) for one in {call["run"], new_run}
                ]
                runs |= {call["run"], new_run}
                in_lanes |= {call["lane"], new_lane}
                following.append((call["id"], call["uid"], new_run, new_lane))
        moved = following
    return taken


def _same_lane(store: Store, run: int, call: dict[str, Any]) -> int:
    """The lane of a call, in another run."""
    lane = next(iter(Lane.select().where(Lane.id == call["lane"]).dicts().execute(store.db)))
    if lane["run"] == run:
        return int(lane["id"])
    names = ("key", "kind", "agent_type", "parent", "spawned_by", "tool_call_id")
    return _lane(store, run, LaneChoice(**{name: lane[name] for name in names}), call)


def _lane(store: Store, run: int, choice: LaneChoice, call: dict[str, Any]) -> int:
    row = lanes.lane_row(store.writer.statements, run, choice, call["started_ns"], call["ended_ns"])
    return int(row["id"])


def _number(db: pw.Database, uid: str | None) -> int | None:
    row = db.execute(Call.select(Call.id).where(Call.uid == uid)).fetchone() if uid else None
    return None if row is None else int(row[0])


def _tag(db: pw.Database, old: int, new: int) -> None:
    """Give a run the tags of the one that is moved into it."""
    if old != new:
        before, now = (db.execute(Run.select(Run.tags).where(Run.id == run)).fetchone()[0] for run in (old, new))
        db.execute(Run.update(tags=dumps(loads(before) | loads(now))).where(Run.id == new))
