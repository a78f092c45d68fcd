"""Runs have lanes, calls a turn and a predecessor; agents are found by what started them; people start runs."""

import json
from typing import Any

import peewee as pw

_SUMS = (
    *("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "cache_creation_5m_input_tokens"),
    *("cache_creation_1h_input_tokens", "output_tokens", "reasoning_output_tokens"),
    *("input_cost", "cache_read_cost", "cache_write_cost", "output_cost", "other_cost", "cache_lost", "cache_wasted"),
    *("model_ns", "streamed_ns", "streamed_tokens"),
)
_COUNTED = ("calls", "error_calls", "unpriced_calls", "estimated_calls", "cache_breaks", "cache_expiries")
_READ = (
    *("id", "run_id", "started_ns", "first_chunk_ns", "ended_ns", "stream", "identity", "error", "outcome", "status"),
    *("usage_source", "cache_status", *_SUMS[:14]),
)
_COLUMNS = (
    *("lane_id INTEGER REFERENCES lane (id)", "turn INTEGER", "request_class TEXT", "predecessor INTEGER"),
    *("link TEXT", "inherits TEXT", "label TEXT", "opening {blob}", "awaits {blob}", "previous TEXT"),
    *("request_id TEXT", "tool_calls INTEGER", "tool_call_id TEXT", "tool_ns BIGINT", "idle_ns BIGINT"),
)


def up(migrator: Any, db: pw.Database) -> None:
    """Add tables and columns. A run's calls go into the lanes of their agents, or its main one, by start."""

    class Table(pw.Model):
        class Meta:
            legacy_table_names = False

    class Run(Table):
        id = pw.AutoField()

    class Call(Table):
        id = pw.AutoField()

    class Lane(Table):
        id = pw.AutoField()
        run = pw.ForeignKeyField(Run, index=False)
        key = pw.TextField()
        kind = pw.TextField()
        agent_type = pw.TextField(null=True)
        parent = pw.TextField(null=True)
        spawned_by = pw.TextField(null=True, index=True)
        tool_call_id = pw.TextField(null=True)
        label = pw.TextField(null=True)
        labelled_ns = pw.BigIntegerField(null=True)
        started_ns = pw.BigIntegerField()
        ended_ns = pw.BigIntegerField()
        calls = pw.IntegerField()
        error_calls = pw.IntegerField()
        unpriced_calls = pw.IntegerField()
        estimated_calls = pw.IntegerField()
        input_tokens = pw.BigIntegerField(null=True)
        cache_read_input_tokens = pw.BigIntegerField(null=True)
        cache_creation_input_tokens = pw.BigIntegerField(null=True)
        cache_creation_5m_input_tokens = pw.BigIntegerField(null=True)
        cache_creation_1h_input_tokens = pw.BigIntegerField(null=True)
        output_tokens = pw.BigIntegerField(null=True)
        reasoning_output_tokens = pw.BigIntegerField(null=True)
        peak_context_tokens = pw.BigIntegerField(null=True)
        input_cost = pw.TextField(null=True)
        cache_read_cost = pw.TextField(null=True)
        cache_write_cost = pw.TextField(null=True)
        output_cost = pw.TextField(null=True)
        other_cost = pw.TextField(null=True)
        cache_breaks = pw.IntegerField()
        cache_expiries = pw.IntegerField()
        cache_lost = pw.BigIntegerField(null=True)
        cache_wasted = pw.TextField(null=True)
        model_ns = pw.BigIntegerField(null=True)
        tool_ns = pw.BigIntegerField(null=True)
        idle_ns = pw.BigIntegerField(null=True)
        streamed_ns = pw.BigIntegerField(null=True)
        streamed_tokens = pw.BigIntegerField(null=True)

        class Meta:
            indexes = ((("run", "key"), True),)

    class Spawn(Table):
        digest = pw.BlobField(index=True)
        call = pw.ForeignKeyField(Call, index=False)
        tool_call_id = pw.TextField()

        class Meta:
            primary_key = pw.CompositeKey("call", "tool_call_id", "digest")

    class Manual(Table):
        id = pw.AutoField()
        key = pw.TextField(unique=True)
        name = pw.TextField()
        note = pw.TextField(null=True)
        tags = pw.TextField()
        ended = pw.BooleanField()

    class Interval(Table):
        started_ns = pw.BigIntegerField(primary_key=True)
        ended_ns = pw.BigIntegerField(null=True)
        manual = pw.ForeignKeyField(Manual)

    new = [Lane, Spawn, Manual, Interval]
    db.bind([Run, Call, *new])
    db.create_tables(new)
    blob = "BLOB" if isinstance(db, pw.SqliteDatabase) else "BYTEA"
    for column in _COLUMNS:
        db.execute_sql(f"ALTER TABLE call ADD COLUMN {column.format(blob=blob)}")
    for name in ("model_ns", "tool_ns", "idle_ns", "streamed_ns", "streamed_tokens"):
        db.execute_sql(f"ALTER TABLE run ADD COLUMN {name} BIGINT")
    db.execute_sql("ALTER TABLE run ADD COLUMN label_rank INTEGER")
    db.execute_sql("ALTER TABLE run ADD COLUMN labelled_ns BIGINT")
    db.execute_sql("UPDATE run SET label_rank = 0, labelled_ns = started_ns WHERE label IS NOT NULL")
    _fill(db)
    db.execute_sql("CREATE INDEX call_lane_id_started_ns_uid ON call (lane_id, started_ns, uid)")
    for name in ("ended_ns", "predecessor", "opening", "awaits", "previous", "request_id"):
        db.execute_sql(f"CREATE INDEX call_{name} ON call ({name})")


def _fill(db: pw.Database) -> None:
    runs = db.execute_sql("SELECT id, label FROM run ORDER BY id").fetchall()
    marks = ", ".join
    for run, label in runs:
        lanes: dict[str, dict[str, Any]] = {}
        query = f"SELECT {', '.join(_READ)} FROM call WHERE run_id = {db.param} ORDER BY started_ns, uid"
        turns: dict[int, tuple[str, int]] = {}
        for values in db.execute_sql(query, (run,)).fetchall():
            call = dict(zip(_READ, values, strict=True))
            identity = json.loads(call["identity"]) if call["identity"] else {}
            agent = identity.get("agent")
            key = "main" if agent in (None, identity.get("session")) else agent
            lane = lanes.setdefault(key, _lane(run, key, identity, call))
            _add(lane, call)
            turns[call["id"]] = key, lane["calls"]
        for key, lane in lanes.items():
            if key == "main":
                lane |= {"label": label, "labelled_ns": lane["started_ns"] if label else None}
            insert = f"INSERT INTO lane ({', '.join(lane)}) VALUES ({marks([db.param] * len(lane))}) RETURNING id"
            lanes[key]["id"] = db.execute_sql(insert, tuple(lane.values())).fetchone()[0]
        for number, (key, turn) in turns.items():
            update = f"UPDATE call SET lane_id = {db.param}, turn = {db.param} WHERE id = {db.param}"
            db.execute_sql(update, (lanes[key]["id"], turn, number))
        for name in ("model_ns", "streamed_ns", "streamed_tokens"):
            numbers = [lane[name] for lane in lanes.values() if lane[name] is not None]
            update = f"UPDATE run SET {name} = {db.param} WHERE id = {db.param}"
            db.execute_sql(update, (sum(numbers) if numbers else None, run))


def _lane(run: int, key: str, identity: dict[str, Any], call: dict[str, Any]) -> dict[str, Any]:
    parent = identity.get("parent_agent")
    return {
        "run_id": run,
        "key": key,
        "kind": "main" if key == "main" else "subagent",
        "agent_type": identity.get("agent_type") if key != "main" else None,
        "parent": None if key == "main" else "main" if parent in (None, identity.get("session")) else parent,
        "started_ns": call["started_ns"],
        "ended_ns": call["ended_ns"],
        **dict.fromkeys(_COUNTED, 0),
        "peak_context_tokens": None,
        **dict.fromkeys(_SUMS),
    }


def _add(lane: dict[str, Any], call: dict[str, Any]) -> None:
    call = call | {"model_ns": max(0, call["ended_ns"] - call["started_ns"])}
    streamed = call["stream"] and call["first_chunk_ns"] is not None and call["output_tokens"]
    call["streamed_ns"] = max(0, call["ended_ns"] - call["first_chunk_ns"]) if streamed else None
    call["streamed_tokens"] = call["output_tokens"] if streamed else None
    lane["ended_ns"] = max(lane["ended_ns"], call["ended_ns"])
    lane["calls"] += 1
    lane["error_calls"] += bool(call["error"]) or call["outcome"] != "complete" or (call["status"] or 0) >= 400
    lane["unpriced_calls"] += call["input_cost"] is None
    lane["estimated_calls"] += call["usage_source"] != "reported"
    lane["cache_breaks"] += call["cache_status"] in ("break", "partial")
    lane["cache_expiries"] += call["cache_status"] == "expired"
    if call["input_tokens"] is not None:
        lane["peak_context_tokens"] = max(lane["peak_context_tokens"] or 0, call["input_tokens"])
    for name in _SUMS:
        if call[name] is not None:
            number = int(lane[name] or 0) + call[name]
            lane[name] = str(number) if name.endswith("_cost") or name == "cache_wasted" else number
