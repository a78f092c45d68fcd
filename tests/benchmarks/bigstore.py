"""A store of 1,000,000 calls in 20,000 runs, for what has to stay quick however much was recorded.

Forty conversations go through the real pipeline; their rows are then copied through the schema, with new ids and times,
onto the same prompt tree, each with an answer of its own, in words as frequent as those of a language. One run has
5,000 calls, one call 5,000 parts. It is built once and kept in the user's cache folder, by the name of the schema.
"""

import os
import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from llmprof_addon.model.exchange import Exchange
from llmprof_addon.model.part import Json
from llmprof_addon.model.tree import canonical, digest
from llmprof_addon.pipeline import process
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.store import migrate
from llmprof_addon.store.compress import pack
from llmprof_addon.store.open import open_store
from llmprof_addon.store.trend_rows import DAY_NS, DIMENSIONS, NUMBERS, TOKENS
from llmprof_addon.store.upkeep import upkeep
from tests.factories import STARTED_NS, make_exchange
from tests.tui.recording import SECOND, agent

CALLS = 1_000_000
RUNS = 20_000
LONGEST_RUN = 5_000
PARTS = 5_000
TEMPLATES = 40

BETWEEN_RUNS_NS = 900 * SECOND
LAST_NS = STARTED_NS + 10**9 * SECOND


def big_store() -> str:
    """URL of the store, built where it is not there yet."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "llmprof" / "benchmarks"
    schema = max(migrate.DIRECTORY.glob("[0-9]*.py")).stem
    path = folder / f"{schema}-{CALLS}" / "llmprof.db"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_name("half.db")
        for old in path.parent.glob("half.db*"):
            old.unlink()
        began = time.monotonic()
        build(half)
        half.rename(path)
        print(f"built {path} ({path.stat().st_size / 2**20:.0f} MB) in {time.monotonic() - began:.0f} s", flush=True)
    return f"sqlite:///{path}"


def build(path: Path) -> None:
    book = PriceBook()
    with open_store(f"sqlite:///{path}") as store:
        for exchange in _templates():
            process(exchange, store, book)
        process(_wide(), store, book)
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA synchronous = OFF")
        _copy(db)
        _answer(db)
        _sum_days(db)
    with open_store(f"sqlite:///{path}") as store:
        while upkeep(store):
            pass
    with closing(sqlite3.connect(path)) as db:
        # Without ANALYZE, as all stores are: its numbers lead to other plans.
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _templates() -> Iterator[Exchange]:
    """Conversations of 11 to 89 turns, 50 in the mean."""
    for number in range(TEMPLATES):
        for exchange in agent(turns=11 + 2 * number, started_ns=STARTED_NS + number * SECOND, run=number):
            tagged = exchange.request_body.replace(b"flaky upload test", b"flaky test of part %d" % number)
            yield replace(exchange, request_body=tagged)


def _wide() -> Exchange:
    """The newest call: a prompt of 5,000 messages."""
    messages: list[Json] = [
        {
            "role": "assistant" if number % 2 else "user",
            "content": f"Message {number}. " + "More of it. " * (number % 40),
        }
        for number in range(PARTS - 1)
    ]
    request = {"model": "claude-sonnet-4-5", "max_tokens": 99, "system": "You sum up.", "messages": messages}
    usage = {"input_tokens": 90_000, "cache_read_input_tokens": 200_000, "output_tokens": 9}
    reply = {"id": "msg_wide", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5"}
    reply |= {"content": [{"type": "text", "text": "Summed up."}], "stop_reason": "end_turn", "usage": usage}
    at = {"started_ns": LAST_NS, "first_chunk_ns": LAST_NS + SECOND, "ended_ns": LAST_NS + 2 * SECOND}
    return replace(make_exchange(request, reply), id="f" * 32, **at)


def _copy(db: sqlite3.Connection) -> None:
    """Copies of the templates in turn, until there are enough; the longest run is made of many of them."""
    (first_run,) = db.execute("SELECT MAX(id) + 1 FROM run").fetchone()
    (first_call,) = db.execute("SELECT MAX(id) + 1 FROM call").fetchone()
    db.executescript(
        """
        CREATE TEMP TABLE mould AS
            SELECT call.id AS call_id, run_id AS template,
                   ROW_NUMBER() OVER (PARTITION BY run_id ORDER BY call.id) - 1 AS rank
            FROM call WHERE run_id IN (SELECT id FROM run WHERE calls > 1);
        CREATE INDEX temp.mould_template ON mould (template);
        CREATE TEMP TABLE clone (template INTEGER, run_id INTEGER, first_call INTEGER, later INTEGER, own INTEGER);
        """
    )
    sizes = db.execute("SELECT template, COUNT(*) FROM mould GROUP BY template ORDER BY template").fetchall()
    call, run, long_calls, clones = first_call, first_run + 1, 0, []
    for number in range(10 * RUNS):
        if call >= CALLS or run >= RUNS:
            break
        template, size = sizes[number % len(sizes)]
        into_long = long_calls + size <= LONGEST_RUN and number % 4 == 0
        long_calls += size if into_long else 0
        clones.append((template, first_run if into_long else run, call, (number + 1) * BETWEEN_RUNS_NS, not into_long))
        run += not into_long
        call += size
    db.executemany("INSERT INTO clone VALUES (?, ?, ?, ?, ?)", clones)
    runs = _columns(
        db, "run", id="clone.run_id", uid="printf('%032x', clone.run_id)", key="printf('copy:%d', clone.run_id)"
    )
    times = {name: f"{name} + clone.later" for name in ("started_ns", "ended_ns")}
    db.execute(_insert("run", runs | times, "clone JOIN run ON run.id = clone.template WHERE clone.own"))
    long = db.execute("SELECT template, COUNT(*) FROM clone WHERE NOT own GROUP BY template").fetchall()
    _long_run(db, first_run, dict(long))
    calls = _columns(db, "call", id="clone.first_call + rank", run_id="clone.run_id")
    calls |= {"uid": "printf('%032x', clone.first_call + rank)", "first_chunk_ns": "first_chunk_ns + clone.later"}
    origin = "clone JOIN mould ON mould.template = clone.template JOIN {0} ON {0}.{1} = mould.call_id"
    origin += " ORDER BY clone.first_call, rank"
    db.execute(_insert("call", calls | times, origin.format("call", "id")))
    envelopes = _columns(db, "envelope", call_id="clone.first_call + rank")
    db.execute(_insert("envelope", envelopes, origin.format("envelope", "call_id")))
    db.commit()


def _long_run(db: sqlite3.Connection, run: int, copies: dict[int, int]) -> None:
    """The run that takes up several copies: their sums."""
    added = {"calls", "error_calls", "unpriced_calls", "estimated_calls"}
    marks = " UNION ALL ".join(f"SELECT {template} AS template, {times} AS times" for template, times in copies.items())
    taken = _columns(db, "run", id=str(run), uid=f"printf('%032x', {run})", key="'copy:long'", name="'the longest run'")
    for name in taken:
        if name in added or (name.endswith("_tokens") and name != "peak_context_tokens"):
            taken[name] = f"SUM({name} * times)"
        elif name.endswith("_cost"):
            taken[name] = f"CAST(SUM({name} * times) AS TEXT)"
    taken["started_ns"] = f"MIN(started_ns) + {BETWEEN_RUNS_NS}"
    taken["ended_ns"] = "MAX(ended_ns) + (SELECT MAX(later) FROM clone WHERE NOT own)"
    taken["peak_context_tokens"] = "MAX(peak_context_tokens)"
    db.execute(_insert("run", taken, f"({marks}) AS copies JOIN run ON run.id = copies.template"))


VOCABULARY = 50_000
ANSWER_WORDS = 40
RARE_EVERY = 100_000
"""Calls from one answer with the word `rarity` to the next."""


def _answer(db: sqlite3.Connection) -> None:
    """Give each copy an answer of its own: a content, a node with the mould's count, and the call pointing at it."""
    chance = random.Random(7)
    sounds = ["ba", "ce", "di", "fo", "gu", "ka", "le", "mi", "no", "ru", "sa", "te", "vi", "zo"]
    words = list(dict.fromkeys("".join(chance.choices(sounds, k=chance.randint(2, 5))) for _ in range(VOCABULARY)))
    weights, total = [], 0.0
    for rank in range(len(words)):
        total += 1 / (rank + 1)
        weights.append(total)
    node_row = db.execute("SELECT * FROM node WHERE kind = 'text' AND role = 'assistant' LIMIT 1")
    names = [column[0] for column in node_row.description]
    mould = dict(zip(names, node_row.fetchone(), strict=True))
    counted = "INSERT INTO node_count SELECT ?, encoding, own, totals FROM node_count WHERE node_id = ?"
    (node,) = db.execute("SELECT MAX(id) FROM node").fetchone()
    (first,) = db.execute("SELECT MAX(call_id) + 1 FROM mould").fetchone()
    calls = db.execute("SELECT id, message_head_id, depth FROM call WHERE id > ? ORDER BY id", (first,))
    insert = f"INSERT INTO node ({', '.join(names)}) VALUES ({', '.join(['?'] * len(names))})"
    while some := calls.fetchmany(10_000):
        contents, nodes, heads = [], [], []
        for call, head, depth in some:
            said = chance.choices(words, cum_weights=weights, k=ANSWER_WORDS)
            rare = "rarity " if call % RARE_EVERY == 0 else ""
            data = canonical({"type": "text", "text": f"{rare}{' '.join(said)} {call}"})
            node += 1
            contents.append((digest(data), len(data), pack(data)))
            at = {"id": node, "key": digest(b"%d" % node), "parent_id": head, "content_id": digest(data)}
            nodes.append(tuple((mould | at | {"depth": depth + 1}).values()))
            heads.append((node, call))
        db.executemany("INSERT INTO content (digest, size, data) VALUES (?, ?, ?)", contents)
        db.executemany(insert, nodes)
        db.executemany(counted, [(number, mould["id"]) for number, _ in heads])
        db.executemany("UPDATE call SET answer_head_id = ? WHERE id = ?", heads)
    db.commit()


def _sum_days(db: sqlite3.Connection) -> None:
    """The sums by day, of the copies as well."""
    uses = _columns(db, "tool_use", call_id="clone.first_call + rank")
    db.execute(
        _insert("tool_use", uses, "clone JOIN mould USING (template) JOIN tool_use ON tool_use.call_id = mould.call_id")
    )
    db.executescript("DELETE FROM trend_day; DELETE FROM tool_day;")
    costs = "input_cost + cache_read_cost + cache_write_cost + output_cost + other_cost"
    numbers = {name: name for name in TOKENS} | {"cost": costs, "wasted": "cache_wasted"}
    sums = [f"CAST(COALESCE(SUM({numbers[name]}), 0) AS TEXT), COUNT({numbers[name]})" for name in NUMBERS]
    of = {"model": "COALESCE(response_model, request_model)", "app": "app", "provider": "provider"}
    of["template"] = "template.name"
    for dimension in DIMENSIONS:
        name = f"COALESCE({of[dimension]}, '')"
        counts = "COUNT(*), SUM(facets & 1), SUM(usage_source <> 'reported')"
        db.execute(
            f"INSERT INTO trend_day SELECT started_ns / {DAY_NS}, '{dimension}', {name}, {counts}, {', '.join(sums)} "
            f"FROM call JOIN template ON template.id = template_id GROUP BY started_ns / {DAY_NS}, {name}"
        )
    day = f"started_ns / {DAY_NS}"
    db.execute(
        f"INSERT INTO tool_day SELECT {day}, server, name, COUNT(*), SUM(uses), SUM(call_tokens), SUM(result_tokens) "
        f"FROM tool_use JOIN call ON call.id = call_id GROUP BY {day}, server, name"
    )
    db.commit()


def _columns(db: sqlite3.Connection, table: str, **given: str) -> dict[str, str]:
    """Every column of a table and what is selected for it: itself, but for those given."""
    names = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
    return {name: given.get(name, f"{table}.{name}") for name in names}


def _insert(table: str, columns: dict[str, str], origin: str) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(columns.values())} FROM {origin}"
