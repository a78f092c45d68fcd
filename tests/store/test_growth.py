"""A conversation of 100 turns that grows by 8 KB a turn to 800 KB: what it costs on disk, and in rows."""

import random
from pathlib import Path

from llmprof_addon.store.open import Store, open_store
from tests.store.building import ENCODING, conversation, exchange, money, record, schema, text

WORDS = [
    "".join(random.Random(seed).choices("etaoinshrdlucmfwypvbgk", k=2 + seed % 9)) for seed in range(2000)
]  # A vocabulary as large as that of a long report; such text packs about 1 : 2.7.


def prose(turn: int) -> str:
    """8 KB of text, different in each turn, with the frequencies of words in real text."""
    source = random.Random(turn)
    weights = [1 / (rank + 1) for rank in range(len(WORDS))]
    return " ".join(source.choices(WORDS, weights, k=2400))[:8192]


def disk(url: str) -> int:
    with open_store(url) as store:
        store.db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return Path(url.removeprefix("sqlite:///")).stat().st_size


def test_disk_and_rows(sqlite_store: Store, tmp_path: Path) -> None:
    store = sqlite_store
    empty = f"sqlite:///{tmp_path}/empty.db"
    tools, system = [schema(f"tool_{n}", 900) for n in range(12)], [text("system", prose(-1))]
    headers = tuple((f"x-header-{n}", f"value {n}") for n in range(12))
    rows: list[int] = []
    stored: list[int] = []
    for turn, (messages, answer) in enumerate(conversation(100, words=prose)):
        before = (store.counters.rows_written, store.counters.bytes_stored)
        made = exchange(f"{turn:032x}", at=turn, request_headers=headers, response_headers=headers)
        store.write(record(store, made, messages, answer, tools=tools, system=system, cost=money()))
        rows.append(store.counters.rows_written - before[0])
        stored.append(store.counters.bytes_stored - before[1])
    assert rows[99] == rows[9]
    assert abs(stored[99] - stored[9]) <= 0.1 * stored[9]
    unique, text_bytes = store.db.execute_sql("SELECT SUM(LENGTH(data)), SUM(size) FROM content").fetchone()
    assert text_bytes > 800_000
    assert disk(store.url) - disk(empty) <= 2 * unique


def test_a_turn_asks_for_its_new_keys_only(store: Store) -> None:
    for turn, (messages, answer) in enumerate(conversation(30)):
        made = record(store, exchange(f"{turn:032x}", at=turn), messages, answer)
        assert len(made.counts) == (2 if turn else 1) + (0 if turn else 1)
        store.write(made)
    keys = [link.key for link in (*made.chains.messages, *made.chains.answer)]
    asked: list[object] = []
    store.db.execute_sql = lambda *args: asked.append(args)  # type: ignore[method-assign, assignment, misc]
    assert len(store._nodes.load(keys, ENCODING)) == len(keys)
    assert asked == []
