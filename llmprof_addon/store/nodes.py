"""The prompt tree in the database: which steps of a path are stored, what they count, and new ones written.

A bounded cache holds the latest nodes, so that a turn of a long conversation asks the database for its few new keys
only. Ids in the cache die when anyone deletes from the store (`Fact` `deletions`); keys and counts never change.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import batched

import peewee as pw

from llmprof_addon.errors import StoreError
from llmprof_addon.model.count import RawCount
from llmprof_addon.model.kinds import kind_of
from llmprof_addon.model.part import Form, PartKind
from llmprof_addon.model.recent import Recent
from llmprof_addon.model.tree import Link
from llmprof_addon.store.counts import add, pack_raw, pack_totals, unpack_raw, unpack_totals
from llmprof_addon.store.schema import Content, Fact, Node, NodeCount
from llmprof_addon.store.statements import Statements
from llmprof_addon.store.text import clean

BATCH = 500
"""Rows or keys of one statement, within every engine's limit of parameters."""

DELETIONS = "deletions"
"""Name of the `Fact` that counts them."""

_SECTION = {"answer": "messages"}
"""In the totals an answer counts as what it will be in the next prompt."""


@dataclass(slots=True)
class Stored:
    """What is known of a stored node without asking again."""

    id: int
    depth: int
    form: Form
    encoding: str = ""
    """Of the counts; empty until there are any."""
    raw: RawCount | None = None
    totals: bytes = b""
    dropped: bool = False
    """Whether its text may be dropped."""


class Nodes:
    """Stored nodes by key, each with its counts in the encoding that was last asked for."""

    def __init__(self, db: pw.Database) -> None:
        self._db = db
        self.statements = Statements(db)
        self._deletions: str | None = None
        self._cache: Recent[bytes, Stored] = Recent(10_000)
        marks = ", ".join([db.param] * 10)
        self._insert = (
            "INSERT INTO node (key, parent_id, content_id, wrapper_id, depth, place, form, kind, role, name) "
            f"VALUES ({marks}) ON CONFLICT (key) DO NOTHING RETURNING id"
        )

    def forget(self) -> None:
        """Drop all that is cached: ids may be gone, or were given out in a transaction that failed."""
        self._cache.clear()

    def heed_deletions(self) -> bool:
        """Forget everything if anyone has deleted from the store since the last time; whether that was so."""
        row = self.statements.run(
            "fact", lambda value: Fact.select(Fact.value).where(Fact.name == value), [DELETIONS]
        ).fetchone()
        deletions = row[0] if row else "0"
        if deletions == self._deletions:
            return False
        self.forget()
        self._deletions = deletions
        return True

    def load(self, keys: Sequence[bytes], encoding: str) -> dict[bytes, Stored]:
        """Those of the keys that are stored, with their counts in this encoding if they have any."""
        found: dict[bytes, Stored] = {}
        missing: list[bytes] = []
        for key, known in zip(keys, self._cache.get_all(keys), strict=True):
            if known is None or known.encoding != encoding:
                missing.append(key)
            else:
                found[key] = known
        for some in batched(missing, BATCH):
            shape = ("nodes", len(some))
            rows = self.statements.run(shape, partial(_by_keys, len(some)), [encoding, *some])
            for key, id_, depth, form, dropped, raw, totals in rows.fetchall():
                node = Stored(id_, depth, form, dropped=bool(dropped))
                if raw is not None:
                    node.encoding, node.raw, node.totals = encoding, unpack_raw(bytes(raw)), bytes(totals)
                found[bytes(key)] = node
                self._cache.add(bytes(key), node)
        return found

    def write(self, links: Iterable[Link], known: dict[bytes, Stored]) -> int:
        """Insert those links that `known` lacks, parents first, and add them to it. Contents must be there already.

        Returns how many rows were inserted.
        """
        rows = 0
        for link in links:
            if link.key in known:
                continue
            parent = known.get(link.parent)
            part = link.part
            depth = parent.depth + 1 if parent else 1
            values = (
                link.key,
                parent.id if parent else None,
                link.digest,
                link.wrapper_digest,
                depth,
                part.place,
                part.form,
                part.kind.value,
                clean(part.role),
                clean(part.name),
            )
            made = self._db.execute_sql(self._insert, values).fetchone()
            if made is None:  # another writer was faster
                known |= self.load([link.key], "")
                continue
            rows += 1
            known[link.key] = Stored(made[0], depth, part.form)
            self._cache.add(link.key, known[link.key])
        return rows

    def write_counts(
        self,
        section: str,
        links: Sequence[Link],
        encoding: str,
        counts: dict[bytes, RawCount],
        known: dict[bytes, Stored],
    ) -> Iterator[tuple[int, str, bytes, bytes]]:
        """Rows of the counts that the links of a section lack in this encoding; `known` has all these links."""
        for link in links:
            node = known[link.key]
            if node.encoding == encoding:
                continue
            raw = counts.get(link.key)
            if raw is None:
                raise StoreError(f"no token count for the part at {link.part.path or section}", hint="process it again")
            parent = known.get(link.parent)
            totals = pack_totals(
                add(
                    unpack_totals(parent.totals) if parent and parent.encoding == encoding else {},
                    kind_of(link.part, _SECTION.get(section, section)),
                    raw,
                    message=link.wrapper is not None,
                    tool_call=link.part.kind is PartKind.TOOL_CALL,
                )
            )
            node.encoding, node.raw, node.totals = encoding, raw, totals
            yield node.id, encoding, pack_raw(raw), totals


def _by_keys(number: int, value: pw.SQL) -> pw.Select:
    """Takes an encoding and so many keys."""
    count = (NodeCount.node == Node.id) & (NodeCount.encoding == value)
    return (
        Node.select(Node.key, Node.id, Node.depth, Node.form, Node.dropped, NodeCount.own, NodeCount.totals)
        .join(NodeCount, pw.JOIN.LEFT_OUTER, on=count)
        .where(Node.key.in_([value] * number))
    )


def absent_contents(statements: Statements, digests: Sequence[bytes]) -> set[bytes]:
    """Those of the digests under which no content is stored as a whole."""
    absent = set(digests)
    for some in batched(digests, BATCH):
        rows = statements.run(("contents", len(some)), partial(_by_digest, len(some)), some).fetchall()
        absent -= {bytes(row[0]) for row in rows}
    return absent


def _by_digest(number: int, value: pw.SQL) -> pw.Select:
    """Takes so many digests."""
    return Content.select(Content.digest).where(Content.digest.in_([value] * number) & Content.dropped.is_null())
