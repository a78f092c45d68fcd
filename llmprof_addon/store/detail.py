"""One call with its texts: the chains restored, so that its request can be put together as it was received."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llmprof_addon.errors import StoreError
from llmprof_addon.model.count import Framing, RawCount
from llmprof_addon.model.part import Json
from llmprof_addon.model.tree import StoredPart, assemble, canonical, digest, parse, restore, root
from llmprof_addon.store.compress import unpack, unsqueeze
from llmprof_addon.store.counts import unpack_raw
from llmprof_addon.store.database import errors_of
from llmprof_addon.store.documents import put_back, to_envelope, to_framing
from llmprof_addon.store.open import Store
from llmprof_addon.store.rows import CallRow
from llmprof_addon.store.schema import Attachment, Call, Content, Node
from llmprof_addon.store.schema import Envelope as EnvelopeRow

_PATH = """
WITH RECURSIVE path (id, parent_id) AS (
    SELECT id, parent_id FROM node WHERE id = {0}
    UNION ALL
    SELECT node.id, node.parent_id FROM node JOIN path ON node.id = path.parent_id WHERE node.id <> {0}
)
SELECT node.key, node.place, node.form, node.kind, node.role, node.name,
       content.data, content.size, wrapper.data, wrapper.size, node_count.own
FROM path
JOIN node ON node.id = path.id
JOIN content ON content.digest = node.content_id
LEFT JOIN content AS wrapper ON wrapper.digest = node.wrapper_id
LEFT JOIN node_count ON node_count.node_id = node.id AND node_count.encoding = {0}
ORDER BY node.depth
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredNode:
    """A node of a call's path."""

    key: bytes
    kind: str
    role: str
    name: str | None
    part: StoredPart
    raw: RawCount | None
    """Its count in the call's encoding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCall:
    """All that is stored of a call."""

    row: CallRow
    params: Json
    sections: Mapping[str, tuple[StoredNode, ...]]
    """Nodes by section, `answer` beside those of the prompt; volatile parts are none."""
    parts: tuple[StoredPart, ...]
    """The prompt's parts with all that the envelope kept, in the order of sections."""
    answer_parts: tuple[StoredPart, ...]
    rest: Json
    """The response body without what its parts carry."""
    usage_raw: Json
    request_headers: tuple[tuple[str, str], ...]
    response_headers: tuple[tuple[str, str], ...]
    base: bytes
    """Key of the node that its messages start below."""
    answer_digest: bytes | None
    framing: Framing | None = None
    """What was counted around its parts."""
    inherited: tuple[StoredNode, ...] = ()
    """Those of the system nodes that the call did not send, but continues."""

    @property
    def body(self) -> Json:
        """The request body, JSON-equal to the one received."""
        return assemble(self.params, self.parts)

    @property
    def known(self) -> dict[tuple[bytes, bytes | None], RawCount]:
        """Raw counts of its parts by the digests of their values and of the messages that they open."""
        nodes = (node for section in self.sections.values() for node in section)
        return {_identity(node.part): node.raw for node in nodes if node.raw is not None}

    @property
    def counts(self) -> dict[bytes, RawCount]:
        """Raw counts by node key."""
        nodes = (node for section in self.sections.values() for node in section)
        return {node.key: node.raw for node in nodes if node.raw is not None}


def _identity(part: StoredPart) -> tuple[bytes, bytes | None]:
    wrapper = None if part.wrapper is None else digest(canonical(part.wrapper))
    return digest(canonical(part.value)), wrapper


def detail(store: Store, row: CallRow) -> StoredCall:
    """The call behind a row. Raises `StoreError` if it was deleted in between."""
    with errors_of(store.url), store.snapshot():
        heads = next(iter(Call.select().where(Call.uid == row.id).dicts().execute(store.db)), None)
        if heads is None:
            raise StoreError(f"call {row.id} is no longer in the store", hint="list the calls again")
        document = _document(store, heads["id"])
        contents = _contents(store, heads["id"])
        params = unpack(*_content(store, bytes(heads["params"])))
        sections = {
            "tools": _path(store, heads["tools_head"], None, row.encoding),
            "system": _path(store, heads["system_head"], None, row.encoding),
            "messages": _path(store, heads["message_head"], heads["base"], row.encoding),
            "answer": _path(store, heads["answer_head"], heads["message_head"], row.encoding),
        }
        base = root("messages")
        if heads["base"] is not None:
            base = bytes(store.db.execute(Node.select(Node.key).where(Node.id == heads["base"])).fetchone()[0])
    stored: dict[str, Sequence[StoredPart]] = {name: [node.part for node in nodes] for name, nodes in sections.items()}
    start, number = document.get("inherited", (0, 0))
    stored["system"] = [*stored["system"][:start], *stored["system"][start + number :]]
    digest = heads["answer_digest"]
    return StoredCall(
        row=row,
        params=put_back(parse(params), contents),
        sections=sections,
        parts=tuple(restore(stored, to_envelope(document))),
        answer_parts=tuple(restore({"messages": stored["answer"]}, to_envelope(document.get("answer", {})))),
        rest=put_back(document["rest"], contents) if "rest" in document else None,
        usage_raw=document.get("usage_raw"),
        request_headers=_headers(document.get("request_headers", ())),
        response_headers=_headers(document.get("response_headers", ())),
        base=base,
        answer_digest=None if digest is None else bytes(digest),
        framing=to_framing(document),
        inherited=sections["system"][start : start + number],
    )


def path_to(store: Store, key: bytes, encoding: str) -> tuple[StoredNode, ...]:
    """The nodes from the root of its section down to the one of this key, with their counts in this encoding."""
    with errors_of(store.url):
        row = store.db.execute(Node.select(Node.id).where(Node.key == key)).fetchone()
        return _path(store, row[0], None, encoding) if row else ()


def _path(store: Store, head: int | None, end: int | None, encoding: str) -> tuple[StoredNode, ...]:
    """The nodes from below `end` down to `head`."""
    if head is None or head == end:
        return ()
    query = _PATH.format(store.db.param)
    rows = store.db.execute_sql(query, (head, end or 0, encoding))
    wrappers: dict[bytes, Json] = {}
    return tuple(_node(row, wrappers) for row in rows)


def _node(row: tuple[Any, ...], wrappers: dict[bytes, Json]) -> StoredNode:
    """`wrappers`: those read so far, by what is stored of them; the messages of a call have few."""
    key, place, form, kind, role, name, data, size, stored, stored_size, own = row
    wrapper = None
    if stored is not None:
        stored = bytes(stored)
        wrapper = wrappers.get(stored)
        if wrapper is None:
            wrapper = wrappers[stored] = parse(unpack(stored, stored_size))
    part = StoredPart(place=place, form=form, wrapper=wrapper, value=parse(unpack(bytes(data), size)))
    raw = None if own is None else unpack_raw(bytes(own))
    return StoredNode(key=bytes(key), kind=kind, role=role, name=name, part=part, raw=raw)


def _content(store: Store, digest: bytes) -> tuple[bytes, int]:
    query = Content.select(Content.data, Content.size).where(Content.digest == digest)
    data, size = store.db.execute(query).fetchone()
    return bytes(data), size


def _contents(store: Store, call: int) -> dict[bytes, bytes]:
    query = (
        Content.select(Content.digest, Content.data, Content.size)
        .join(Attachment, on=(Attachment.content == Content.digest))
        .where(Attachment.call == call)
    )
    return {bytes(digest): unpack(bytes(data), size) for digest, data, size in store.db.execute(query).fetchall()}


def _document(store: Store, call: int) -> dict[str, Any]:
    row = store.db.execute(EnvelopeRow.select(EnvelopeRow.data).where(EnvelopeRow.call == call)).fetchone()
    return dict(unsqueeze(bytes(row[0])))


def _headers(kept: Any) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in kept)
