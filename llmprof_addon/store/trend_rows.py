"""Sums by day: calls added to them, and taken out again, exactly. A sum is known as far as calls have its number.

Days are those of UTC, by a call's start. What changes a stored call's model, app, provider, template, usage, cost or
verdict does so inside `changing`; its run and lane do not matter.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import batched
from typing import Any

import peewee as pw

from llmprof_addon.store.facets import facets_again
from llmprof_addon.store.rollup import COSTS, is_error
from llmprof_addon.store.schema import Call, Template, ToolDay, ToolUse, TrendDay

DAY_NS = 86_400 * 10**9

TOKENS = (
    *("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"),
    *("output_tokens", "reasoning_output_tokens"),
)
NUMBERS = (*TOKENS, "cost", "wasted")
"""What is summed, each with the number of calls that have it."""

COUNTS = ("calls", "error_calls", "estimated_calls", *(f"{name}_calls" for name in NUMBERS))

DIMENSIONS = ("model", "app", "provider", "template")

type Key = tuple[int, str, str]
"""Day, dimension, name."""

type Uses = Mapping[tuple[str, str], tuple[int, int, int]]
"""By server and name: times called, tokens of those calls, tokens of the results that came in."""

_TABLE = tuple(field.column_name for field in TrendDay._meta.sorted_fields)
_SUMS = _TABLE[3:]
_AT_ONCE = 20


def add(db: pw.Database, call: Mapping[str, Any], template: str, uses: Uses) -> None:
    """Count a call that is stored in this transaction."""
    _apply(db, [(call, template)], 1)
    _apply_tools(db, [(call["started_ns"] // DAY_NS, uses)], 1)


def add_all(db: pw.Database, calls: Sequence[tuple[Mapping[str, Any], str, Uses]]) -> None:
    """Count calls."""
    _apply(db, [(call, template) for call, template, _ in calls], 1)
    _apply_tools(db, [(call["started_ns"] // DAY_NS, uses) for call, _, uses in calls], 1)


def take_out(db: pw.Database, calls: Sequence[int]) -> None:
    """Take calls (their numbers) out that are about to be deleted, with their tools, and templates of no other call."""
    counted = _counted(db, calls)
    _apply(db, [(call, name) for call, name in counted], -1)
    uses: defaultdict[int, dict[tuple[str, str], tuple[int, int, int]]] = defaultdict(dict)
    for use in ToolUse.select().where(ToolUse.call.in_(calls)).dicts().execute(db):
        uses[use["call"]][use["server"], use["name"]] = use["uses"], use["call_tokens"], use["result_tokens"]
    _apply_tools(db, [(call["started_ns"] // DAY_NS, uses[call["id"]]) for call, _ in counted], -1)
    db.execute(ToolUse.delete().where(ToolUse.call.in_(calls)))
    for name in {name for _, name in counted}:
        used = TrendDay.select(TrendDay.day).where((TrendDay.dimension == "template") & (TrendDay.name == name))
        if db.execute(used.limit(1)).fetchone() is None:
            db.execute(Call.update(template=None).where(Call.id.in_(calls)))
            db.execute(Template.delete().where(Template.name == name))


@contextmanager
def changing(db: pw.Database, calls: Sequence[int]) -> Iterator[None]:
    """Keep sums and facets right while columns of these calls (their numbers) are changed; inside one transaction."""
    before = _counted(db, calls)
    yield
    after = _counted(db, calls)
    for call, _ in after:
        facets = facets_again(call)
        if facets != call["facets"]:
            db.execute(Call.update(facets=facets).where(Call.id == call["id"]))
    _apply(db, before, -1)
    _apply(db, after, 1)


def _counted(db: pw.Database, calls: Sequence[int]) -> list[tuple[Mapping[str, Any], str]]:
    """Those of the calls that are in the sums, with their templates."""
    query = Call.select(Call, Template.name.alias("template_name")).join(Template, on=(Call.template == Template.id))
    rows = query.where(Call.id.in_(calls)).dicts().execute(db)
    return [(row, row["template_name"]) for row in rows]


def numbers_of(call: Mapping[str, Any]) -> dict[str, int | None]:
    """The numbers of a call that are summed."""
    costs = [call[name] for name in COSTS]
    known = {name: call[name] for name in TOKENS}
    return known | {
        "cost": None if costs[0] is None else sum(cost or 0 for cost in costs),
        "wasted": call["cache_wasted"],
    }


def keys_of(call: Mapping[str, Any], template: str) -> list[Key]:
    """The rows that a call belongs to. What is not known has no name."""
    day = call["started_ns"] // DAY_NS
    model = call["response_model"] or call["request_model"]
    return [
        (day, dimension, name or "")
        for dimension, name in zip(DIMENSIONS, (model, call["app"], call["provider"], template), strict=True)
    ]


def _apply(db: pw.Database, calls: Iterable[tuple[Mapping[str, Any], str]], sign: int) -> None:
    gained: defaultdict[Key, dict[str, int]] = defaultdict(lambda: dict.fromkeys(_SUMS, 0))
    for call, template in calls:
        numbers = numbers_of(call)
        for key in keys_of(call, template):
            row = gained[key]
            row["calls"] += sign
            row["error_calls"] += sign * is_error(call)
            row["estimated_calls"] += sign * (call["usage_source"] != "reported")
            for name, number in numbers.items():
                if number is not None:
                    row[name] += sign * number
                    row[f"{name}_calls"] += sign
    # In order, so that writers wait for each other and never stand in each other's way.
    for some in batched(sorted(gained), _AT_ONCE):
        _change(db, {key: gained[key] for key in some})


def _change(db: pw.Database, gained: Mapping[Key, Mapping[str, int]]) -> None:
    sqlite = isinstance(db, pw.SqliteDatabase)
    keys = list(gained)
    if not sqlite:  # rows that can be locked, whoever else makes them
        _write(db, [[*key, *(0 for _ in _SUMS)] for key in keys], "NOTHING")
    mark = db.param
    where = " OR ".join([f"(day = {mark} AND dimension = {mark} AND name = {mark})"] * len(keys))
    query = f"SELECT {', '.join(_TABLE)} FROM trend_day WHERE {where}"
    rows = db.execute_sql(query if sqlite else f"{query} ORDER BY day, dimension, name FOR UPDATE", sum(keys, ()))
    known = {tuple(row[:3]): [int(number) for number in row[3:]] for row in rows.fetchall()}
    kept, gone = [], []
    for key, sums in gained.items():
        new = [old + sums[name] for name, old in zip(_SUMS, known.get(key, [0] * len(_SUMS)), strict=True)]
        if new[0] > 0:
            kept.append([*key, *new])
        else:
            gone.append(key)
    _write(db, kept, f"UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _SUMS)}")
    for key in gone:
        db.execute_sql(f"DELETE FROM trend_day WHERE day = {mark} AND dimension = {mark} AND name = {mark}", key)


def _write(db: pw.Database, rows: Sequence[Sequence[Any]], then: str) -> None:
    if not rows:
        return
    marks = ", ".join([f"({', '.join([db.param] * len(_TABLE))})"] * len(rows))
    insert = f"INSERT INTO trend_day ({', '.join(_TABLE)}) VALUES {marks} ON CONFLICT (day, dimension, name) DO {then}"
    db.execute_sql(insert, [_stored(value, name) for row in rows for value, name in zip(row, _TABLE, strict=True)])


def _stored(value: Any, name: str) -> Any:
    return str(value) if name in NUMBERS else value


_TOOLS = ("calls", "uses", "call_tokens", "result_tokens")


def _apply_tools(db: pw.Database, days: Iterable[tuple[int, Uses]], sign: int) -> None:
    gained: defaultdict[tuple[int, str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for day, uses in days:
        for (server, name), numbers in uses.items():
            row = gained[day, server, name]
            for place, number in enumerate((1, *numbers)):
                row[place] += sign * number
    if not gained:
        return
    columns = ("day", "server", "name", *_TOOLS)
    sums = ", ".join(f"{name} = tool_day.{name} + excluded.{name}" for name in _TOOLS)
    for some in batched(sorted(gained), _AT_ONCE):
        marks = ", ".join([f"({', '.join([db.param] * len(columns))})"] * len(some))
        db.execute_sql(
            f"INSERT INTO tool_day ({', '.join(columns)}) VALUES {marks} "
            f"ON CONFLICT (day, server, name) DO UPDATE SET {sums}",
            [value for key in some for value in (*key, *gained[key])],
        )
    if sign < 0:
        db.execute(ToolDay.delete().where((ToolDay.calls <= 0) & ToolDay.day.in_({day for day, *_ in gained})))
