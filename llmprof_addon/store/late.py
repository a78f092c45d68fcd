"""Calls that were stored before the call that they continue: found when it comes, and put behind it.

On one machine that does not happen, since calls are stored in the order in which they ended. Putting a call where it
is already changes nothing.
"""

import peewee as pw

from llmprof_addon.model.component import Kind
from llmprof_addon.model.record import LateRecord
from llmprof_addon.store import past, trend_rows
from llmprof_addon.store.cacherows import with_marks
from llmprof_addon.store.columns import awaited, envelopes, heads, sections_of
from llmprof_addon.store.compress import squeeze, unsqueeze
from llmprof_addon.store.counts import pack_composition
from llmprof_addon.store.database import errors_of
from llmprof_addon.store.documents import PLACES, placed
from llmprof_addon.store.edits import announce, delete_contents, delete_nodes
from llmprof_addon.store.open import Store
from llmprof_addon.store.queries import call_query
from llmprof_addon.store.rows import CallRow, call_row
from llmprof_addon.store.schema import Call, Envelope, Node
from llmprof_addon.store.text import clean
from llmprof_addon.store.transaction import transaction
from llmprof_addon.store.verdicts import Moved

MOST = 1000
"""Calls that continue one call by its id, as many as are looked at."""

_HEADS = ("tools_head", "system_head", "message_head", "answer_head", "base")


def misplaced(store: Store, response_id: str) -> list[CallRow]:
    """The calls that continue the one with this response id, but do not start where it ends."""
    with errors_of(store.url):
        named = store.writer.statements.run("continuing", _continuing, [clean(response_id)]).fetchall()
        before = past.continued(store.db, response_id) if named else None
        if before is None:
            return []
        end = store.db.execute(Node.select(Node.id).where(Node.key == before.messages)).fetchone()
        rows = call_query().where(Call.id.in_([row[0] for row in named])).dicts().execute(store.db)
        return [
            row
            for row, base in [(call_row(columns), columns["base"]) for columns in rows]
            if base != (end[0] if end else None) or (not before.elided and _elided(row))
        ]


def _continuing(value: pw.SQL) -> pw.Select:
    """Takes what they continue."""
    return Call.select(Call.id).where(Call.continues == value).limit(pw.SQL(str(MOST)))


def _elided(row: CallRow) -> bool:
    return any(total.kind is Kind.ELIDED for total in row.composition)


def put(store: Store, record: LateRecord) -> list[Moved]:
    """Point a call at its new paths, and drop those that nothing else needs. One transaction.

    Returns the call, or nothing if it was deleted in between.
    """
    with errors_of(store.url):
        return transaction(store.db, lambda: _put(store, record), alone=True, undo=store.writer.forget)


def _put(store: Store, record: LateRecord) -> list[Moved]:
    db = store.db
    store.writer.heed_deletions()
    call = next(iter(Call.select().where(Call.uid == record.call_id).dicts().execute(db)), None)
    if call is None:  # deleted in between
        return []
    sections = sections_of(record.chains)
    known = store.writer.write_nodes(record, sections, {})
    new = heads(record.chains, known)
    changed = new | {
        "awaits": awaited(record.chains),
        "composition": pack_composition(record.composition, record.output_composition),
        "estimated_input_tokens": record.estimated_input_tokens,
        "cache_keys": with_marks(call["cache_keys"], record.marks),
    }
    with trend_rows.changing(db, [call["id"]]):
        db.execute(Call.update(changed).where(Call.id == call["id"]))
    kept = Envelope.select(Envelope.data).where(Envelope.call == call["id"])
    document = dict(unsqueeze(bytes(db.execute(kept).fetchone()[0])))
    rest = {name: value for name, value in document.items() if name not in PLACES}
    places = placed(*envelopes(record, sections, known), record.inherited, record.framing)
    db.execute(Envelope.update(data=squeeze(places | rest)).where(Envelope.call == call["id"]))
    left = {call[name] for name in _HEADS} - {new[name] for name in _HEADS} - {None}
    delete_contents(db, delete_nodes(db, sorted(left)))
    announce(db)
    return [Moved(call["id"], call["run"], call["started_ns"], call["ended_ns"])]
