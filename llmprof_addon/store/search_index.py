"""The full-text index: which contents have which words. FTS5 on SQLite, a tsvector on PostgreSQL, by the same words.

It holds the distinct words of each content once, without places, under the number of its `SearchEntry`: phrases are
looked for in the texts themselves, which also hold for a candidate what the index says. Nothing is indexed while a call
is written: `catch_up` walks the nodes that came since, some at a time, whenever the worker has time for it. So a store
that was migrated, or was written while the search was off, is indexed in the same way, and a fact says how far it got.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Any

import peewee as pw

from llmprof_addon.store.compress import unpack
from llmprof_addon.store.database import errors_of
from llmprof_addon.store.open import Store
from llmprof_addon.store.schema import Content, Fact, Node, SearchEntry
from llmprof_addon.store.search_words import Phrase, indexed_words, terms
from llmprof_addon.store.transaction import transaction

INDEXED = "search"
"""Name of the `Fact` with the number of the last node whose content is indexed."""

NODES_AT_ONCE = 500
BYTES_AT_ONCE = 4 * 1024 * 1024
"""Of texts that one transaction indexes, so that writers never wait for long."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of a store is indexed, in nodes (numbers, of which some may be gone)."""

    indexed: int
    nodes: int

    @property
    def complete(self) -> bool:
        """Whether everything is."""
        return self.indexed >= self.nodes


def progress(store: Store) -> Progress:
    """How much is indexed."""
    with errors_of(store.url):
        row = store.db.execute(Fact.select(Fact.value).where(Fact.name == INDEXED)).fetchone()
        last = store.db.execute(Node.select(pw.fn.MAX(Node.id))).fetchone()[0] or 0
    return Progress(min(int(row[0]) if row else 0, last), last)


def catch_up(store: Store, *, nodes: int = NODES_AT_ONCE) -> bool:
    """Index the contents of the next nodes, in one transaction; whether there are more."""
    db = store.db
    with errors_of(store.url):
        last = _settled(db)
        return transaction(db, lambda: _catch_up(db, last, nodes))


def _catch_up(db: pw.Database, last: int, nodes: int) -> bool:
    # Also a lock: of several workers one indexes at a time.
    db.execute(Fact.insert(name=INDEXED, value="0").on_conflict_ignore().as_rowcount())
    (value,) = db.execute(Fact.update(value=Fact.value).where(Fact.name == INDEXED).returning(Fact.value)).fetchone()
    at = int(value)
    rows = db.execute(
        Node.select(Node.id, Node.content, Content.size)
        .join(Content, on=(Node.content == Content.digest))
        .where((Node.id > at) & (Node.id <= last))
        .order_by(Node.id)
        .limit(nodes)
    ).fetchall()
    if not rows:
        if last > at:
            _set(db, last)
        return False
    taken, size = 0, 0
    for _, _, content_size in rows:
        taken, size = taken + 1, size + content_size
        if size > BYTES_AT_ONCE:
            break
    _index(db, list(dict.fromkeys(bytes(content) for _, content, _ in rows[:taken])))
    _set(db, rows[taken - 1][0])
    return taken < len(rows) or len(rows) == nodes


def _settled(db: pw.Database) -> int:
    """The number of the last node below which no writer's transaction is about to put another."""
    if isinstance(db, pw.SqliteDatabase):
        return int(db.execute(Node.select(pw.fn.MAX(Node.id))).fetchone()[0] or 0)
    # Waits for those that write at this moment. Numbers are given out in order, so that later ones are higher.
    return transaction(db, lambda: int(db.execute(Node.select(pw.fn.MAX(Node.id))).fetchone()[0] or 0), alone=True)


def _set(db: pw.Database, node: int) -> None:
    db.execute(Fact.update(value=str(node)).where(Fact.name == INDEXED))


def _index(db: pw.Database, digests: Sequence[bytes]) -> None:
    for some in batched(digests, NODES_AT_ONCE):
        marks = ", ".join([f"({db.param})"] * len(some))
        insert = f"INSERT INTO search_entry (content_id) VALUES {marks} ON CONFLICT DO NOTHING RETURNING id, content_id"
        made = {bytes(content): number for number, content in db.execute_sql(insert, some).fetchall()}
        rows = [(made[digest], found) for digest, found in _words(db, made) if found]
        if isinstance(db, pw.SqliteDatabase):
            for number, found in sorted(rows):
                db.execute_sql("INSERT INTO search_index (rowid, words) VALUES (?, ?)", (number, " ".join(found)))
        else:
            for number, found in rows:
                insert = "INSERT INTO search_index (rowid, words) VALUES (%s, array_to_tsvector(%s))"
                db.execute_sql(insert, (number, found))


def _words(db: pw.Database, digests: Iterable[bytes]) -> Iterable[tuple[bytes, list[str]]]:
    query = Content.select(Content.digest, Content.data, Content.size).where(Content.digest.in_(list(digests)))
    for digest, data, size in db.execute(query).fetchall():
        yield bytes(digest), indexed_words(unpack(bytes(data), size))


def drop(db: pw.Database, digests: Sequence[bytes]) -> None:
    """Take contents out of the index that are about to be deleted."""
    entries = SearchEntry.select(SearchEntry.content, SearchEntry.id).where(SearchEntry.content.in_(digests))
    made = {bytes(content): number for content, number in db.execute(entries).fetchall()}
    if not made:
        return
    if isinstance(db, pw.SqliteDatabase):
        # An index that keeps no texts is told what to forget.
        for digest, found in _words(db, made):
            if found:
                forget = "INSERT INTO search_index (search_index, rowid, words) VALUES ('delete', ?, ?)"
                db.execute_sql(forget, (made[digest], " ".join(found)))
    else:
        db.execute_sql("DELETE FROM search_index WHERE rowid = ANY(%s)", (list(made.values()),))
    db.execute(SearchEntry.delete().where(SearchEntry.id.in_(list(made.values()))))


def again(db: pw.Database, digests: Sequence[bytes]) -> None:
    """Index contents whose texts are back; nodes that `catch_up` has passed are not walked again."""
    row = db.execute(Fact.select(Fact.value).where(Fact.name == INDEXED)).fetchone()
    if row and int(row[0]):
        _index(db, digests)


def step_back(db: pw.Database) -> None:
    """After nodes were deleted: those to come, which may get the numbers of deleted ones, are not indexed."""
    last = db.execute(Node.select(pw.fn.MAX(Node.id))).fetchone()[0] or 0
    row = db.execute(Fact.select(Fact.value).where(Fact.name == INDEXED)).fetchone()
    if row and int(row[0]) > last:
        _set(db, last)


def clear(db: pw.Database) -> None:
    """Empty the index; `catch_up` then begins anew."""
    if isinstance(db, pw.SqliteDatabase):
        db.execute_sql("INSERT INTO search_index (search_index) VALUES ('delete-all')")
    else:
        db.execute_sql("DELETE FROM search_index")
    db.execute(SearchEntry.delete())
    _set(db, 0)


def start_anew(store: Store) -> None:
    """Empty the index; `catch_up` fills it."""
    with errors_of(store.url):
        transaction(store.db, lambda: clear(store.db), alone=True)


def size(store: Store) -> int:
    """How many texts are indexed."""
    with errors_of(store.url):
        return int(store.db.execute(SearchEntry.select(pw.fn.COUNT(SearchEntry.id))).fetchone()[0])


def candidates(
    store: Store, wanted: Sequence[Phrase], unwanted: Sequence[Phrase], *, before: int | None, limit: int
) -> list[tuple[int, bytes]]:
    """Contents that have all these words (and none of those that are single words), the newest first.

    As number of the entry and digest; `before` continues below the entry of this number. Phrases are left to
    `search_words.has_all`.
    """
    db = store.db
    single = [phrase for phrase in unwanted if phrase.exact]
    bound: list[Any] = [] if before is None else [before]
    below = "" if before is None else f" AND rowid < {db.param}"
    if isinstance(db, pw.SqliteDatabase):
        match = " AND ".join(_fts(phrase) for phrase in wanted)
        if single:
            match = f"({match}) NOT ({' OR '.join(_fts(phrase) for phrase in single)})"
        where, order = f"search_index MATCH ?{below}", "rowid"
    else:
        match = " & ".join([_ts(phrase) for phrase in wanted] + [f"!({_ts(phrase)})" for phrase in single])
        where, order = f"words @@ %s::tsquery{below}", "rowid"
    query = f"SELECT rowid FROM search_index WHERE {where} ORDER BY {order} DESC LIMIT {limit:d}"
    with errors_of(store.url):
        numbers = [row[0] for row in db.execute_sql(query, [match, *bound]).fetchall()]
        found: dict[int, bytes] = {}
        for some in batched(numbers, NODES_AT_ONCE):
            entries = SearchEntry.select(SearchEntry.id, SearchEntry.content).where(SearchEntry.id.in_(some))
            found |= {number: bytes(content) for number, content in db.execute(entries).fetchall()}
    return [(number, found[number]) for number in numbers if number in found]


def _fts(phrase: Phrase) -> str:
    return _joined(phrase, " AND ", " OR ", lambda word, prefix: f'"{word}"{"*" if prefix else ""}')


def _ts(phrase: Phrase) -> str:
    return _joined(phrase, " & ", " | ", lambda word, prefix: f"'{word}'{':*' if prefix else ''}")


def _joined(phrase: Phrase, every: str, either: str, one: Callable[[str, bool], str]) -> str:
    """What a text with this phrase has in the index, in a database's language; only the last word may be a prefix."""
    last = len(phrase.words) - 1
    asked = [terms(word, phrase.prefix and at == last) for at, word in enumerate(phrase.words)]
    return every.join(f"({either.join(one(*term) for term in some)})" for some in asked)
