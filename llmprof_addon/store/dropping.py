"""Texts of calls in the store, taken out where no call needs them that keeps its texts; all inside a transaction.

A node is marked (`dropped`) once no such call runs through it, and what it refers to loses its texts once all nodes
that refer to it are marked. The writer takes marks off, and puts texts back, when they are sent again.
"""

from collections.abc import Iterable, Sequence
from itertools import batched
from secrets import token_hex
from typing import Any

import peewee as pw

from llmprof_addon.model.standin import DROPPED, KEY_BYTES, Key
from llmprof_addon.model.tree import canonical, parse
from llmprof_addon.providers.unsaid import Unsaid
from llmprof_addon.store import search_index
from llmprof_addon.store.compress import pack, squeeze, unpack, unsqueeze
from llmprof_addon.store.schema import Attachment, Call, Content, Envelope, Fact, Node, Warmup

SECRET = "secret"
"""Name of the `Fact` with the key of the store's stand-ins."""

HEADS = (Call.tools_head, Call.system_head, Call.message_head, Call.answer_head, Call.base)
_WARM_HEADS = (Warmup.system_head, Warmup.message_head)

_ABOVE = """
WITH RECURSIVE path (id, parent_id) AS (
    SELECT id, parent_id FROM node WHERE id IN ({marks})
    UNION
    SELECT node.id, node.parent_id FROM node JOIN path ON node.id = path.parent_id
)
SELECT node.id, node.content_id, node.wrapper_id FROM path JOIN node ON node.id = path.id
WHERE node.dropped IS NULL ORDER BY node.depth DESC
"""


def secret(db: pw.Database) -> bytes:
    """The key of the store's stand-ins, made the first time; the same for all that write to it."""
    db.execute(Fact.insert(name=SECRET, value=token_hex(KEY_BYTES)).on_conflict_ignore().as_rowcount())
    return bytes.fromhex(db.execute(Fact.select(Fact.value).where(Fact.name == SECRET)).fetchone()[0])


def drop_left(db: pw.Database, heads: Sequence[int]) -> None:
    """After calls were deleted whose paths end here now: drop what only calls need that keep no texts."""
    if db.execute(Fact.select(Fact.name).where(Fact.name == SECRET)).fetchone() is not None:
        drop_contents(db, cool(db, heads, 0), set())


def cool(db: pw.Database, heads: Sequence[int], before_ns: int) -> set[bytes]:
    """Mark the nodes above these that no call with texts runs through; the contents that they refer to."""
    rows: list[tuple[int, bytes, bytes | None]] = []
    if heads:
        rows = db.execute_sql(_ABOVE.format(marks=", ".join([db.param] * len(heads))), heads).fetchall()
    candidates = [row[0] for row in rows]
    alive: set[int] = set()
    children: dict[int, set[int]] = {}
    for some in batched(candidates, 500):
        for head in HEADS:
            alive |= column(db, Call.select(head).where(head.in_(some) & Call.bodies.is_null()).distinct())
        for head in _WARM_HEADS:
            alive |= column(db, Warmup.select(head).where(head.in_(some) & (Warmup.started_ns >= before_ns)))
        warm = Node.select(Node.id, Node.parent).where(Node.parent.in_(some) & Node.dropped.is_null())
        for child, parent in db.execute(warm).fetchall():
            children.setdefault(parent, set()).add(child)
    cold: dict[int, None] = {}
    contents: set[bytes] = set()
    for id_, content, wrapper in rows:
        if id_ not in alive and children.get(id_, set()) <= cold.keys():
            cold[id_] = None
            contents |= {bytes(one) for one in (content, wrapper) if one is not None}
    for some in batched(cold, 500):
        db.execute(Node.update(dropped=True).where(Node.id.in_(some)))
    return contents


def held(db: pw.Database, contents: Iterable[bytes]) -> set[bytes]:
    """Those of the contents that a call needs whose texts are kept."""
    found: set[bytes] = set()
    for some in batched(sorted(contents), 500):
        attached = Attachment.select(Attachment.content).join(Call, on=(Attachment.call == Call.id))
        for query in (
            Node.select(Node.content).where(Node.content.in_(some) & Node.dropped.is_null()),
            Node.select(Node.wrapper).where(Node.wrapper.in_(some) & Node.dropped.is_null()),
            Call.select(Call.params).where(Call.params.in_(some) & Call.bodies.is_null()),
            attached.where(Attachment.content.in_(some) & Call.bodies.is_null()),
        ):
            found |= {bytes(one) for one in column(db, query.distinct())}
    return found


def column(db: pw.Database, query: pw.Query) -> set[Any]:
    """The values of a query's only column."""
    return {row[0] for row in db.execute(query).fetchall()}


def drop_contents(db: pw.Database, contents: Iterable[bytes], params: set[bytes]) -> tuple[int, int]:
    """Put stand-ins in the place of texts that no call needs; of how many contents, and how large these were stored.

    `params` are those that hold the fields of requests.
    """
    values = Unsaid(Key(secret(db)), DROPPED)
    wanted = set(contents)
    number = stored = 0
    for some in batched(sorted(wanted - held(db, wanted)), 500):
        changed = reduced(db, some, params, values)
        search_index.drop(db, list(changed))
        for digest, (data, size, before) in sorted(changed.items()):
            new = {Content.data: pack(data), Content.size: len(data), Content.dropped: size}
            db.execute(Content.update(new).where(Content.digest == digest))
            number, stored = number + 1, stored + before
    return number, stored


def reduced(
    db: pw.Database, digests: Sequence[bytes], params: set[bytes], values: Unsaid
) -> dict[bytes, tuple[bytes, int, int]]:
    """Those of the contents that hold a text: without it, their size, and how large they are as they are stored."""
    query = Content.select(Content.digest, Content.data, Content.size)
    query = query.where(Content.digest.in_(digests) & Content.dropped.is_null())
    found: dict[bytes, tuple[bytes, int, int]] = {}
    for digest, data, size in db.execute(query).fetchall():
        whole = unpack(bytes(data), size)
        value = parse(whole)
        left = canonical(values.fields(value) if bytes(digest) in params else values.value(value))
        if left != whole:
            found[bytes(digest)] = left, size, len(data)
    return found


def drop_from_envelopes(db: pw.Database, calls: Sequence[int]) -> None:
    """Take texts out of what stands beside the chains of these calls; headers and numbers stay."""
    values = Unsaid(Key(secret(db)), DROPPED)
    kept = Envelope.select(Envelope.call, Envelope.data).where(Envelope.call.in_(calls))
    for call, data in db.execute(kept).fetchall():
        document = unsqueeze(bytes(data))
        for name, reduce in (("rest", values.fields), ("usage_raw", values.value)):
            if name in document:
                document[name] = reduce(document[name])
        db.execute(Envelope.update(data=squeeze(document)).where(Envelope.call == call))
