"""A query -> the runs that it fits: from the columns of runs where these can tell, else from calls and their texts."""

from collections.abc import Callable, Sequence
from functools import reduce
from operator import or_

import peewee as pw

from llmprof_addon.store import search_index
from llmprof_addon.store.database import errors_of
from llmprof_addon.store.open import Store
from llmprof_addon.store.schema import Call, Run
from llmprof_addon.store.search import PAGE, fits, notes_on, said_by
from llmprof_addon.store.search_carried import nodes_below, runs_through
from llmprof_addon.store.search_filter import NOTHING, conditions, is_by_call, names_of, of_tags
from llmprof_addon.store.search_query import Filter, Query
from llmprof_addon.store.text import dumps

TEXTS, NODES, CALLS = 2_000, 20_000, 50_000
"""That are looked at for the runs with some words."""


def matching_runs(store: Store, query: Query) -> tuple[set[int], tuple[str, ...]]:
    """Numbers of the runs with a call that fits the filters and carried a text with the words; and notes."""
    with errors_of(store.url), store.snapshot():
        if not query.wanted and (of_runs := _of_runs(store, query.filters)) is not None:
            return _numbers(store, Run.select(Run.id).where(*of_runs)), ()
        where = tuple(conditions(store, query.filters))
        notes = tuple(notes_on(store, query))
        if query.wanted:
            runs, complete = _with_words(store, query, where)
            return runs, notes if complete else (*notes, "more runs may have these words; search for rarer ones")
        if is_by_call(store, query.filters):  # most runs have one soon
            fitting = Call.select(pw.SQL("1")).where(Call.run == Run.id, *where)
            return _numbers(store, Run.select(Run.id).where(pw.fn.EXISTS(fitting))), notes
        # A sum, so that the index of runs, by which each call would be read, is of no use.
        return _numbers(store, Call.select(Call.run + 0).where(*where).distinct()), notes


def _numbers(store: Store, query: pw.Select) -> set[int]:
    return {row[0] for row in store.db.execute(query).fetchall()}


def _of_runs(store: Store, filters: Sequence[Filter]) -> list[pw.Expression] | None:
    """The conditions on `Run` that say the same; `None` where only calls can tell.

    Columns of a run say of one thing at a time whether some call of it has it: of two, no call might have both.
    """
    of_calls = [one for one in filters if one.key != "tag"]
    if len(of_calls) > 1:
        return None
    found = [~of_tags(one) if one.negated else of_tags(one) for one in filters if one.key == "tag"]
    for one in of_calls:
        condition = _of_run(store, one)
        if condition is None:
            return None
        found.append(condition)
    return found


def _of_run(store: Store, one: Filter) -> pw.Expression | None:
    """Whether some call of a run fits this."""
    if one.key in _NAMES and not one.negated and (names := names_of(store, one.key, one.value)) is not None:
        return reduce(or_, [_NAMES[one.key].contains(dumps(name)) for name in names], NOTHING)
    counted = _COUNTS.get((one.key, one.value))
    return None if counted is None else counted(one.negated)


_NAMES = {"model": Run.models, "provider": Run.providers}


def _failed(negated: bool) -> pw.Expression:
    found: pw.Expression = Run.error_calls < Run.calls if negated else Run.error_calls > 0
    return found


def _broken(negated: bool) -> pw.Expression:
    found: pw.Expression = Run.cache_breaks < Run.calls if negated else Run.cache_breaks > 0
    return found


_COUNTS: dict[tuple[str, str], Callable[[bool], pw.Expression]] = {
    ("has", "error"): _failed,
    ("status", "error"): _failed,
    ("status", "ok"): lambda negated: _failed(not negated),
    ("has", "break"): _broken,
}
"""By key and value of a filter; they take whether it is negated."""


def _with_words(store: Store, query: Query, where: Sequence[pw.Expression]) -> tuple[set[int], bool]:
    """Runs with the words of a query, and whether these are all."""
    found = search_index.candidates(store, query.wanted, query.unwanted, before=None, limit=TEXTS + 1)
    digests = [digest for _, digest in found[:TEXTS]]
    if not all(phrase.exact for phrase in (*query.wanted, *query.unwanted)):
        digests = [digest for digest, said in said_by(store, digests).items() if fits(said, query)]
    nodes, complete = _all_below(store, digests)
    runs, whole = runs_through(store, nodes, where, CALLS)
    return runs, len(found) <= TEXTS and complete and whole


def _all_below(store: Store, digests: Sequence[bytes]) -> tuple[list[int], bool]:
    nodes: dict[int, None] = {}
    for start in range(0, len(digests), PAGE):
        left = NODES - len(nodes)
        if left <= 0:
            return list(nodes), False
        more, complete = nodes_below(store, digests[start : start + PAGE], left)
        nodes |= dict.fromkeys(more)
        if not complete:
            return list(nodes), False
    return list(nodes), True
