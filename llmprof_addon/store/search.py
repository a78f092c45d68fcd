"""A query -> hits, the newest first: texts, each at the call where it first appeared; or calls, where no word is asked.

What is looked at is bounded: where that, or an index that is still being made, leaves something out, `Hits.notes` says
so, each in one line.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import peewee as pw

from llmprof_addon.store import search_index, trend_fill
from llmprof_addon.store.compress import unpack
from llmprof_addon.store.database import errors_of
from llmprof_addon.store.open import Store
from llmprof_addon.store.queries import call_query
from llmprof_addon.store.rows import CallRow, call_row
from llmprof_addon.store.schema import Call, Content
from llmprof_addon.store.search_carried import MOST_CALLS, Carried, Fitting, carried
from llmprof_addon.store.search_filter import conditions
from llmprof_addon.store.search_query import Filter, Query
from llmprof_addon.store.search_words import Snippet, has_all, searched_texts, snippet

LOOKED_AT = 500
"""Texts with the words that one search looks at, for phrases and for calls that fit."""

READ_CALLS = 20_000
"""Calls that it reads for the latter."""

PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A text that has what was searched for; or a call alone, where only filters were given."""

    call: CallRow
    """The first that carried the text, of those that fit the filters."""
    kind: str | None = None
    """What the text is in a prompt: a component kind (`user`, `tool_results`, …)."""
    role: str | None = None
    tool: str | None = None
    """Name of the tool that a call, result or schema belongs to."""
    snippet: Snippet | None = None
    """Some of the text, with the matches in it."""
    content: str | None = None
    """The text's digest in hex, the same in every call that carries it."""
    carried: int | None = None
    """By how many calls that fit the filters,"""
    carried_at_least: bool = False
    """at least."""
    cut: bool = False
    """Whether the text is so long that only its start was searched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hits:
    """A page of hits."""

    hits: tuple[Hit, ...] = ()
    more: tuple[int, int] | None = None
    """What continues behind these, as `before`; `None` at the end."""
    notes: tuple[str, ...] = ()
    """What was left out, a line each."""


def search(store: Store, query: Query, *, limit: int = 20, before: tuple[int, int] | None = None) -> Hits:
    """Hits of a query; `before` is the `more` of the page before.

    With words a hit is one stored text however many calls carried it; without, a call.
    """
    with errors_of(store.url), store.snapshot():
        where = tuple(conditions(store, query.filters))
        notes = tuple(notes_on(store, query))
        if not query.wanted:
            return _calls(store, where, limit, before, notes)
        return _texts(store, query, where, limit, before, notes)


def notes_on(store: Store, query: Query) -> Iterator[str]:
    """What is left out by an index or sums that are not made yet, or as it is not kept; a line each."""
    if query.wanted:
        at = search_index.progress(store)
        if not at.indexed and at.nodes:
            yield "no text is indexed yet; `llmprof up` does it by and by, `llmprof search --reindex` at once"
        elif not at.complete and 100 * at.indexed < 99 * at.nodes:
            share = 100 * at.indexed // at.nodes
            yield f"{share}% of the texts are indexed so far; `llmprof search --reindex` does the rest at once"
        bare = Call.select(pw.SQL("1")).where(Call.bodies.in_(("off", "dropped"))).limit(1)
        if store.db.execute(bare).fetchone() is not None:
            yield "some calls are kept without their texts (LLMPROF_BODIES, LLMPROF_BODIES_DAYS)"
    if any(_needs_facets(one) for one in query.filters) and (waiting := trend_fill.waiting(store)):
        yield f"has:, tool: and status: do not know {waiting:,} calls of an older llmprof yet; `llmprof up` goes on"


def _needs_facets(one: Filter) -> bool:
    return one.key in ("has", "tool") or one.value in ("ok", "error")


def _calls(
    store: Store,
    where: tuple[pw.Expression, ...],
    limit: int,
    before: tuple[int, int] | None,
    notes: tuple[str, ...],
) -> Hits:
    query = Call.select(Call.started_ns, Call.id).where(*where)
    if before is not None:
        started, number = before
        query = query.where((Call.started_ns < started) | ((Call.started_ns == started) & (Call.id < number)))
    found = store.db.execute(query.order_by(Call.started_ns.desc(), Call.id.desc()).limit(limit + 1)).fetchall()
    rows = _rows(store, [number for _, number in found[:limit]])
    hits = tuple(Hit(call=rows[number]) for _, number in found[:limit] if number in rows)
    return Hits(hits=hits, more=tuple(found[limit - 1]) if len(found) > limit else None, notes=notes)


def _texts(
    store: Store,
    query: Query,
    where: tuple[pw.Expression, ...],
    limit: int,
    before: tuple[int, int] | None,
    notes: tuple[str, ...],
) -> Hits:
    found: list[_Found] = []
    at = None if before is None else before[0]
    looked, page = 0, [(0, b"")]
    fitting = Fitting(store, where, most=READ_CALLS)
    while page and len(found) <= limit and looked < LOOKED_AT and fitting.left > 0:
        page = search_index.candidates(store, query.wanted, query.unwanted, before=at, limit=PAGE)
        said = said_by(store, [digest for _, digest in page])
        for number, digest in page:
            at, looked = number, looked + 1
            shown = snippet(said[digest].texts, query.wanted) if fits(said[digest], query) else None
            carriers = carried(store, digest, fitting) if shown is not None else None
            if shown is not None and carriers is not None:
                found.append(_Found(number, digest, carriers, shown, said[digest].cut))
            if len(found) > limit or fitting.left <= 0:
                break
    more = (found[limit - 1].entry, 0) if len(found) > limit else (at, 0) if page and at is not None else None
    if more and len(found) <= limit:
        notes = (*notes, f"the newest {looked:,} texts with these words were looked at; older ones may fit as well")
    rows = _rows(store, [one.carried.first for one in found[:limit]])
    hits = tuple(
        Hit(
            call=rows[one.carried.first],
            kind=one.carried.kind(one.snippet.text).value,
            role=one.carried.part.role or None,
            tool=one.carried.part.name,
            snippet=one.snippet,
            content=one.digest.hex(),
            carried=min(one.carried.calls, MOST_CALLS),
            carried_at_least=not one.carried.complete,
            cut=one.cut,
        )
        for one in found[:limit]
        if one.carried.first in rows
    )
    return Hits(hits=hits, more=more, notes=notes)


@dataclass(frozen=True, slots=True)
class _Found:
    """A hit in the making."""

    entry: int
    digest: bytes
    carried: Carried
    snippet: Snippet
    cut: bool


@dataclass(frozen=True, slots=True)
class Said:
    """The texts of a content that are searched."""

    texts: tuple[str, ...] = ()
    cut: bool = False


def said_by(store: Store, digests: Sequence[bytes]) -> dict[bytes, Said]:
    """The texts of these contents."""
    found = dict.fromkeys(digests, Said())
    query = Content.select(Content.digest, Content.data, Content.size).where(Content.digest.in_(digests))
    for digest, data, size in store.db.execute(query).fetchall():
        texts, cut = searched_texts(unpack(bytes(data), size))
        found[bytes(digest)] = Said(tuple(texts), cut)
    return found


def fits(said: Said, query: Query) -> bool:
    """Whether a content's texts have what is asked for."""
    return has_all(said.texts, query.wanted, query.unwanted)


def _rows(store: Store, numbers: Sequence[int]) -> dict[int, CallRow]:
    rows = call_query().where(Call.id.in_(numbers)).dicts().execute(store.db)
    return {row["id"]: call_row(row) for row in rows}
