"""Rows of lanes: made with the first call that names them, its turn given to every call, and summed.

A turn is a call's place in its lane by start, then by id. What goes by between two turns is the tools' time, if the
first one asked for tools: what the client says that they took, else the whole gap. The rest is idle.
"""

from collections.abc import Mapping
from typing import Any

import peewee as pw

from llmprof_addon.grouping.classes import APART
from llmprof_addon.model.history import LaneChoice
from llmprof_addon.store import rollup
from llmprof_addon.store.schema import Call, Lane, Run
from llmprof_addon.store.statements import Statements
from llmprof_addon.store.text import clean, loads

RANKS = {"main": 0, "subagent": 1, "workflow": 1, "compaction": 2, "auxiliary": 3}
"""Whose label a run bears: that of the lane of the lowest rank, the earliest among equals."""

_SUMMED = tuple(field for field in Lane._meta.sorted_fields if field.name in rollup.EMPTY_LANE)
_OWN = (Lane.id, Lane.key, Lane.kind, *_SUMMED)
_NEXT = (Call.id, Call.started_ns, Call.identity, Call.tool_ns, Call.idle_ns)


def lane_row(statements: Statements, run: int, choice: LaneChoice, started_ns: int, ended_ns: int) -> dict[str, Any]:
    """The lane of this key in the run, made if it is not there."""
    found = statements.run("lane", _by_key, [run, clean(choice.key)]).fetchone()
    if found is None:
        values: dict[str, Any] = {
            **rollup.EMPTY_LANE,
            **attributes(choice),
            "run": run,
            "key": clean(choice.key),
            "started_ns": started_ns,
            "ended_ns": ended_ns,
        }
        fields = _made()
        statements.run("make lane", _make, [field.db_value(values.get(field.name)) for field in fields])
        found = statements.run("lane", _by_key, [run, clean(choice.key)]).fetchone()
    return {field.name: field.python_value(value) for field, value in zip(_OWN, found, strict=True)}


def attributes(choice: LaneChoice) -> dict[str, Any]:
    """What a lane's first call says of it."""
    return {
        "kind": choice.kind,
        "agent_type": clean(choice.agent_type),
        "parent": clean(choice.parent),
        "spawned_by": choice.spawned_by,
        "tool_call_id": clean(choice.tool_call_id),
    }


def gap(
    kind: str, before: tuple[int, int | None] | None, started_ns: int, identity: Mapping[str, Any]
) -> tuple[int | None, int | None]:
    """Time of tools and idle time between a call and the one before it: (its end, its open tool calls).

    `None` for a lane's first call, where it is not known whether tools were asked for, and where calls stand alone.
    """
    if before is None or before[1] is None or kind in APART:
        return None, None
    whole = max(0, started_ns - before[0])
    said = sum(milliseconds for _, milliseconds in identity.get("tool_durations_ms", ())) * 1_000_000
    tools = min(whole, said) if said else whole if before[1] else 0
    return tools, whole - tools


def place(statements: Statements, lane: Mapping[str, Any], call: dict[str, Any]) -> dict[str, int]:
    """Give a call that is not stored yet its turn and gap. Returns what the calls after it gain in their gaps.

    Those that are stored and started later move on by one turn: on one machine that are calls made side by side.
    """
    at = [lane["id"], call["started_ns"], call["started_ns"], call["uid"]]
    before = statements.run("turn before", _before, at).fetchone()
    call["lane"], call["turn"] = lane["id"], before[0] + 1 if before else 1
    identity = loads(call["identity"]) if call["identity"] else {}
    call["tool_ns"], call["idle_ns"] = gap(lane["kind"], before and before[1:], call["started_ns"], identity)
    after = statements.run("turn after", _after, at).fetchone()
    if after is None:
        return {}
    statements.run("move turns", _move, at)
    number, started_ns, said, *old = after
    new = gap(lane["kind"], (call["ended_ns"], call["tool_calls"]), started_ns, loads(said) if said else {})
    statements.run("gap", _set_gap, [*new, number])
    gains = zip(("tool_ns", "idle_ns"), new, old, strict=True)
    return {name: now - (then or 0) for name, now, then in gains if now is not None}


def add(statements: Statements, lane: Mapping[str, Any], call: Mapping[str, Any], gained: Mapping[str, int]) -> bool:
    """Add a call, and what others gained, to its lane. Whether its label is another one then."""
    sums = with_gains(rollup.add_to_lane(lane, call), gained)
    statements.run("add to lane", _update, [*(field.db_value(sums[field.name]) for field in _SUMMED), lane["id"]])
    return bool(sums["labelled_ns"] != lane["labelled_ns"])


def with_gains(sums: dict[str, Any], gained: Mapping[str, int]) -> dict[str, Any]:
    """The sums with what calls gained that are in them already."""
    return sums | {name: (sums[name] or 0) + number for name, number in gained.items()}


def link(statements: Statements, db: pw.Database, predecessor: int) -> None:
    """Mark what goes on from this call: the first by start as its next turn, others as branches or as retries."""
    rows = statements.run("going on", _going_on, [predecessor]).fetchall()
    heads: set[int | None] = set()
    for number, how, head in rows:
        is_ = "turn" if not heads else "retry" if head in heads else "branch"
        heads.add(head)
        if how != is_:
            db.execute(Call.update(link=is_).where(Call.id == number))


def sum_lane(db: pw.Database, lane: int) -> None:
    """Turns, gaps and sums of a lane from all of its calls; it goes if it has none."""
    row = next(iter(Lane.select(Lane.kind).where(Lane.id == lane).dicts().execute(db)), None)
    if row is None:
        return
    calls = list(Call.select().where(Call.lane == lane).order_by(Call.started_ns, Call.uid).dicts().execute(db))
    if not calls:
        db.execute(Lane.delete().where(Lane.id == lane))
        return
    before: tuple[int, int | None] | None = None
    for turn, call in enumerate(calls, 1):
        identity = loads(call["identity"]) if call["identity"] else {}
        new = (turn, *gap(row["kind"], before, call["started_ns"], identity))
        if new != (call["turn"], call["tool_ns"], call["idle_ns"]):
            call |= dict(zip(("turn", "tool_ns", "idle_ns"), new, strict=True))
            changed = {"turn": call["turn"], "tool_ns": call["tool_ns"], "idle_ns": call["idle_ns"]}
            db.execute(Call.update(**changed).where(Call.id == call["id"]))
        before = call["ended_ns"], call["tool_calls"]
    sums = rollup.total_of_lane(calls)
    if sums["label"] is None:  # of calls that an earlier version stored, only the lane knows it
        del sums["label"], sums["labelled_ns"]
    db.execute(Lane.update(**sums).where(Lane.id == lane))


def label_run(db: pw.Database, run: int) -> None:
    """Give a run the label of its most telling lane; without any it keeps its own."""
    query = Lane.select(Lane.kind, Lane.labelled_ns, Lane.key, Lane.label)
    rows = db.execute(query.where((Lane.run == run) & Lane.label.is_null(False))).fetchall()
    if rows:
        rank, labelled_ns, _, label = min((RANKS[kind], at, key, label) for kind, at, key, label in rows)
        db.execute(Run.update(label=label, label_rank=rank, labelled_ns=labelled_ns).where(Run.id == run))


def _made() -> tuple[pw.Field, ...]:
    return tuple(field for field in Lane._meta.sorted_fields if field is not Lane.id)


def _make(value: pw.SQL) -> pw.Insert:
    """Takes the values of all fields of a lane."""
    return Lane.insert(dict.fromkeys(_made(), value)).on_conflict_ignore()


def _by_key(value: pw.SQL) -> pw.Select:
    """Takes a run's number and a key."""
    return Lane.select(*_OWN).where((Lane.run == value) & (Lane.key == value))


def _earlier(value: pw.SQL) -> pw.Expression:
    """Takes a lane, twice a start, and an id."""
    earlier: pw.Expression = (
        (Call.lane == value) & (Call.started_ns <= value) & ((Call.started_ns < value) | (Call.uid < value))
    )
    return earlier


def _later(value: pw.SQL) -> pw.Expression:
    later: pw.Expression = (
        (Call.lane == value) & (Call.started_ns >= value) & ((Call.started_ns > value) | (Call.uid > value))
    )
    return later


def _before(value: pw.SQL) -> pw.Select:
    query = Call.select(Call.turn, Call.ended_ns, Call.tool_calls).where(_earlier(value))
    return query.order_by(Call.started_ns.desc(), Call.uid.desc()).limit(pw.SQL("1"))


def _after(value: pw.SQL) -> pw.Select:
    return Call.select(*_NEXT).where(_later(value)).order_by(Call.started_ns, Call.uid).limit(pw.SQL("1"))


def _move(value: pw.SQL) -> pw.Update:
    return Call.update({Call.turn: Call.turn + pw.SQL("1")}).where(_later(value))


def _set_gap(value: pw.SQL) -> pw.Update:
    """Takes both times, and a call's number."""
    return Call.update({Call.tool_ns: value, Call.idle_ns: value}).where(Call.id == value)


def _update(value: pw.SQL) -> pw.Update:
    """Takes the values of all summed fields of a lane, then its number."""
    return Lane.update(dict.fromkeys(_SUMMED, value)).where(Lane.id == value)


def _going_on(value: pw.SQL) -> pw.Select:
    """Takes a call's number."""
    turns = pw.SQL("('turn', 'branch', 'retry')")
    after = Call.alias("before")
    query = Call.select(Call.id, Call.link, Call.message_head).join(after, on=(after.id == Call.predecessor))
    # Its own retries have its head.
    other = Call.message_head.is_null() | after.message_head.is_null() | (Call.message_head != after.message_head)
    return query.where((Call.predecessor == value) & other & Call.link.in_(turns)).order_by(Call.started_ns, Call.uid)
