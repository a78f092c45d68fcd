"""One analysed call -> rows, in one transaction. Writing the same call again changes nothing.

Rows go in in a fixed order (contents by digest, nodes parents first, names, the run, then what only its holder
touches, and sums by day last, by their keys), so that any number of writers wait for each other and hardly ever stand
in each other's way.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import batched, chain
from typing import Any

import peewee as pw

from llmprof_addon.grouping.opening import spawned_texts
from llmprof_addon.grouping.runs import MANUAL
from llmprof_addon.model.cost import Cost
from llmprof_addon.model.record import CallRecord, LateRecord, WarmupRecord
from llmprof_addon.model.tree import Link, canonical, digest
from llmprof_addon.store import lanes, rollup, trend_rows
from llmprof_addon.store.columns import columns, envelopes, sections_of
from llmprof_addon.store.compress import pack, squeeze
from llmprof_addon.store.documents import Contents, envelope_document, placed, set_out
from llmprof_addon.store.facets import facets_of
from llmprof_addon.store.nodes import BATCH, Nodes, Stored, absent_contents
from llmprof_addon.store.schema import (
    Attachment,
    Call,
    Lane,
    Manual,
    Node,
    NodeCount,
    Price,
    Run,
    Spawn,
    Template,
    ToolUse,
    Warmup,
)
from llmprof_addon.store.schema import Envelope as EnvelopeRow
from llmprof_addon.store.statements import Statements
from llmprof_addon.store.text import clean, dumps, loads
from llmprof_addon.store.transaction import transaction
from llmprof_addon.store.trend_facts import template_name, tool_uses


@dataclass(slots=True)
class Counters:
    """What this process has written."""

    rows_written: int = 0
    bytes_stored: int = 0
    """Contents, envelopes, compositions and counts as they are stored, without keys and indexes."""


class Writer:
    """Writes calls into one database."""

    def __init__(self, db: pw.Database, nodes: Nodes) -> None:
        self._db = db
        self._nodes = nodes
        self._prices: dict[str, int] = {}
        self._templates: dict[str, int] = {}
        self.counters = Counters()

    def write(self, record: CallRecord) -> bool:
        """Store the call; `False` if a call of this id is stored already."""
        return self._once(Call, record.exchange.id, lambda: self._write(record))

    def write_warmup(self, record: WarmupRecord) -> bool:
        """Store a prompt that is no call; `False` if it is stored already."""
        return self._once(Warmup, record.exchange.id, lambda: self._write_warmup(record))

    def _once(self, table: type[Call | Warmup], uid: str, write: Callable[[], None]) -> bool:
        before = replace(self.counters)

        def attempt() -> bool:
            self.heed_deletions()
            known = self.statements.run(
                ("uid", table), lambda value: table.select(table.id).where(table.uid == value), [uid]
            )
            if known.fetchone():
                return False
            write()
            return True

        def undo() -> None:
            self.forget()
            self.counters = replace(before)

        return transaction(self._db, attempt, undo=undo)

    @property
    def statements(self) -> Statements:
        """Queries that every call runs."""
        return self._nodes.statements

    def heed_deletions(self) -> None:
        """Forget row ids if anyone has deleted from the store."""
        if self._nodes.heed_deletions():
            self._forget_rows()

    def forget(self) -> None:
        """Drop all that is cached of a transaction that failed."""
        self._nodes.forget()
        self._forget_rows()

    def _forget_rows(self) -> None:
        self._prices.clear()
        self._templates.clear()

    def write_nodes(
        self,
        record: CallRecord | LateRecord | WarmupRecord,
        sections: Mapping[str, tuple[Link, ...]],
        contents: Contents,
        brought: list[Link] | None = None,
    ) -> dict[bytes, Stored]:
        """Write what is new on the paths, which goes into `brought`, and these contents; all nodes of the paths."""
        chains = record.chains
        links = list(chain.from_iterable(sections.values()))
        known = self._nodes.load([*(link.key for link in links), chains.base], record.encoding)
        new = [link for link in links if link.key not in known]
        if brought is not None:
            brought += new

        again = [link for link in links if link.key in known and known[link.key].dropped]
        for link in (*new, *again):
            contents[link.digest] = link.content
            if link.wrapper is not None and link.wrapper_digest is not None:
                contents[link.wrapper_digest] = link.wrapper
        self._write_contents(contents)
        self._count(self._nodes.write(new, known))
        if again:
            self._take_back(again, known)
        counted = [
            row
            for section, some in sections.items()
            for row in self._nodes.write_counts(section, some, record.encoding, record.counts, known)
        ]
        fields = (NodeCount.node, NodeCount.encoding, NodeCount.own, NodeCount.totals)
        self._insert(NodeCount, fields, counted)
        self.counters.bytes_stored += sum(len(raw) + len(totals) for _, _, raw, totals in counted)
        return known

    def _take_back(self, links: Sequence[Link], known: Mapping[bytes, Stored]) -> None:
        """What was dropped of these nodes is stored again: note that a call needs it, and have it searched."""
        from llmprof_addon.store import search_index  # it knows the store, which knows this

        for link in links:
            known[link.key].dropped = False
        for some in batched(sorted(known[link.key].id for link in links), BATCH):
            self._db.execute(Node.update(dropped=None).where(Node.id.in_(some)))
        search_index.again(self._db, sorted({link.digest for link in links}))

    def _write_warmup(self, record: WarmupRecord) -> None:
        chains = record.chains
        known = self.write_nodes(record, {"system": chains.system, "messages": chains.messages}, {})
        message_head = known.get(chains.message_head)
        row = (
            record.exchange.id,
            clean(record.response_id),
            record.exchange.started_ns,
            record.encoding,
            known[chains.system[-1].key].id if chains.system else None,
            message_head.id if message_head else None,
            record.elided,
        )
        self._insert(Warmup, _WARMUP_FIELDS, [row])

    def _write(self, record: CallRecord) -> None:
        sections = sections_of(record.chains)
        own: Contents = {}
        params = canonical(set_out(record.call.prompt.params, own))
        brought: list[Link] = []
        known = self.write_nodes(record, sections, {digest(params): params}, brought)
        call = columns(record, known, digest(params))
        template = template_name(link.part.text or "" for link in record.chains.system)
        call |= {"facets": facets_of(call, record.composition), "template": self._template(template)}
        call["price"] = self._price(record.cost)
        kept, of_answer = envelopes(record, sections, known)
        places = placed(kept, of_answer, record.inherited, record.framing)
        document = squeeze(envelope_document(record.exchange, record.call.answer, places, own))
        self._write_contents(own)
        run = self._run(record)
        call["run"] = run_id = run["id"]
        choice, exchange = record.run, record.exchange
        call["predecessor"] = self._number(choice.predecessor)
        lane = lanes.lane_row(self.statements, run_id, choice.lane, exchange.started_ns, exchange.ended_ns)
        gained = lanes.place(self.statements, lane, call)
        values = [call[field.name] for field in _CALL_FIELDS]
        call_id = self._nodes.statements.run("call", _insert_call, values).fetchone()[0]
        self._insert(Attachment, (Attachment.call, Attachment.content), [(call_id, one) for one in sorted(own)])
        self._nodes.statements.run("envelope", _insert_envelope, [call_id, document])
        self._count(2, len(document) + len(call["composition"]))
        spawned = {(call_id, clean(name), one) for name, one in spawned_texts(record.call.answer.parts)}
        self._insert(Spawn, (Spawn.call, Spawn.tool_call_id, Spawn.digest), sorted(spawned))
        if call["predecessor"] is not None and choice.link == "turn":
            lanes.link(self.statements, self._db, call["predecessor"])
        if call["turn"] == 1 and lane["calls"]:
            self._db.execute(Lane.update(**lanes.attributes(choice.lane)).where(Lane.id == lane["id"]))
        labelled = lanes.add(self.statements, lane, call, gained)
        self._add_to_run(run, call, gained, dict(exchange.tags), lane["kind"] if labelled else None)
        uses = tool_uses(record.chains.answer, brought, known)
        fields = (ToolUse.call, ToolUse.server, ToolUse.name, ToolUse.uses, ToolUse.call_tokens, ToolUse.result_tokens)
        self._insert(ToolUse, fields, [(call_id, *tool, *numbers) for tool, numbers in sorted(uses.items())])
        trend_rows.add(self._db, call, template, uses)

    def _number(self, uid: str | None) -> int | None:
        """Row id of a call, if it is there still."""
        if uid is None:
            return None
        row = self.statements.run("number", lambda value: Call.select(Call.id).where(Call.uid == value), [uid])
        found = row.fetchone()
        return None if found is None else int(found[0])

    def _count(self, rows: int, size: int = 0) -> None:
        self.counters.rows_written += rows
        self.counters.bytes_stored += size

    def _write_contents(self, contents: Contents) -> None:
        rows = []
        for key in sorted(absent_contents(self._nodes.statements, sorted(contents))):
            data = contents[key]
            stored = pack(data)
            rows.append((key, len(data), stored))
            self._count(0, len(stored))
        for some in batched(rows, BATCH):
            marks = ", ".join([f"({', '.join([self._db.param] * 3)})"] * len(some))
            self._count(self._db.execute_sql(_PUT_CONTENTS.format(marks), [*chain(*some)]).rowcount)

    def _insert(self, table: type[pw.Model], fields: Sequence[pw.Field], rows: Sequence[Sequence[object]]) -> None:
        for some in batched(rows, BATCH):
            shape = ("insert", table, fields, len(some))
            values = [field.db_value(value) for row in some for field, value in zip(fields, row, strict=True)]
            self._count(
                self._nodes.statements.run(shape, partial(_insert_rows, table, fields, len(some)), values).rowcount
            )

    def _price(self, cost: Cost | None) -> int | None:
        if cost is None:
            return None
        return self._named(Price.snapshot, dumps(asdict(cost.price)), self._prices)

    def _template(self, name: str) -> int:
        return self._named(Template.name, name, self._templates)

    def _named(self, field: pw.Field, value: str, known: dict[str, int]) -> int:
        """Row id of what this value names, made if it is not there."""
        if value not in known:
            self._insert(field.model, (field,), [(value,)])
            query = field.model.select(field.model.id).where(field == value)
            known[value] = self._db.execute(query).fetchone()[0]
        return known[value]

    def _run(self, record: CallRecord) -> dict[str, Any]:
        """The call's run, which is made if it is not there: what a call changes of it, and its row id.

        Locks the row for the transaction.
        """
        choice, exchange = record.run, record.exchange
        statements = self._nodes.statements
        row = None
        if choice.run_id is not None:
            row = statements.run("lock run", _lock_run, [choice.run_id]).fetchone()
        if row is None:
            made = run_row(self._db, choice.key, exchange.started_ns, exchange.ended_ns)
            row = statements.run("run", _of_run, [made]).fetchone()
        fields = (Run.id, *_RUN_FIELDS)
        return {field.name: field.python_value(value) for field, value in zip(fields, row, strict=True)}

    def _add_to_run(
        self,
        run: dict[str, Any],
        call: dict[str, Any],
        gained: Mapping[str, int],
        tags: dict[str, str],
        kind: str | None,
    ) -> None:
        """Add a call to its run; `kind` is that of its lane, if the lane has its label from this call."""
        values = run | lanes.with_gains(rollup.add(run, call), gained)
        if kind is not None:
            order, old = (lanes.RANKS[kind], call["started_ns"]), (run["label_rank"], run["labelled_ns"])
            if None in old or order < old:
                values |= {"label": call["label"], "label_rank": order[0], "labelled_ns": order[1]}
        values["tags"] = dumps(tags | loads(run["tags"]))
        new = [field.db_value(values[field.name]) for field in _RUN_FIELDS]
        self.statements.run("add to run", _update_run, [*new, run["id"]])


def run_row(db: pw.Database, key: str, started_ns: int, ended_ns: int) -> int:
    """Row id of the run of this key, which is made if it is not there. Locks the row for the transaction."""
    key = clean(key)
    named: tuple[str, str] | None = None
    if key.startswith(MANUAL):
        named = db.execute(Manual.select(Manual.name, Manual.tags).where(Manual.key == key)).fetchone()
    values: dict[str, Any] = {
        **rollup.EMPTY,
        "uid": run_uid(key),
        "key": key,
        "name": named[0] if named else None,
        "started_ns": started_ns,
        "ended_ns": ended_ns,
        "tags": named[1] if named else "{}",
    }
    db.execute(Run.insert(values).on_conflict_ignore().as_rowcount())
    query = Run.update(calls=Run.calls).where(Run.key == key).returning(Run.id)
    return int(db.execute(query).fetchone()[0])


_PUT_CONTENTS = """
INSERT INTO content (digest, size, data) VALUES {} ON CONFLICT (digest) DO UPDATE
SET size = excluded.size, data = excluded.data, dropped = NULL WHERE content.dropped IS NOT NULL
"""
"""One whose texts were dropped gets them back; any other stays as it is."""

# Peewee writes the columns of an insert or an update in the order of the table, whatever that of the values.
_CALL_FIELDS = tuple(field for field in Call._meta.sorted_fields if field is not Call.id)
_WARMUP_FIELDS = tuple(field for field in Warmup._meta.sorted_fields if field is not Warmup.id)
_OF_RUN = {*rollup.EMPTY, "tags", "label", "label_rank", "labelled_ns"}
_RUN_FIELDS = tuple(field for field in Run._meta.sorted_fields if field.name in _OF_RUN)


def _insert_call(value: pw.SQL) -> pw.Insert:
    """Takes the values of all call fields."""
    return Call.insert(dict.fromkeys(_CALL_FIELDS, value)).returning(Call.id)


def _insert_envelope(value: pw.SQL) -> pw.Insert:
    """Takes a call's id and its document."""
    return EnvelopeRow.insert({EnvelopeRow.call: value, EnvelopeRow.data: value})


def _insert_rows(table: type[pw.Model], fields: Sequence[pw.Field], rows: int, value: pw.SQL) -> pw.Insert:
    """Takes the values of so many rows; one whose key is there already stays as it is."""
    return table.insert_many([[value] * len(fields)] * rows, fields).on_conflict_ignore()


def _lock_run(value: pw.SQL) -> pw.Update:
    """Takes a run's public id, locks its row for the transaction and returns its number and all run fields."""
    return Run.update(calls=Run.calls).where(Run.uid == value).returning(Run.id, *_RUN_FIELDS)


def _of_run(value: pw.SQL) -> pw.Select:
    """Takes a run's number; the same."""
    return Run.select(Run.id, *_RUN_FIELDS).where(Run.id == value)


def _update_run(value: pw.SQL) -> pw.Update:
    """Takes the values of all run fields, then the run's id."""
    return Run.update(dict.fromkeys(_RUN_FIELDS, value)).where(Run.id == value)


def run_uid(key: str) -> str:
    """The public id of the run of this key, the same on every machine."""
    return digest(key.encode("utf-8", "surrogatepass"))[:8].hex()
