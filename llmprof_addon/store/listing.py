"""Lists of any length for screens: the numbers of all rows that fit, in order, then the rows of those in sight.

Numbers are the store's own (`row.number`): eight bytes a row, so that a list knows its length and scrolls anywhere at
once, and a cursor on a number stays where it is when rows come and go.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import batched, pairwise
from operator import attrgetter
from typing import Any, Literal, NamedTuple

import peewee as pw

from llmprof_addon.store.database import errors_of
from llmprof_addon.store.nodes import DELETIONS
from llmprof_addon.store.open import Store
from llmprof_addon.store.queries import call_query
from llmprof_addon.store.rows import CallRow, RunRow, call_row, run_row, waste_of
from llmprof_addon.store.schema import Call, Fact, Run
from llmprof_addon.store.search_query import Query, parse_query
from llmprof_addon.store.search_runs import matching_runs
from llmprof_addon.store.search_words import joined
from llmprof_addon.store.text import loads

type RunOrder = Literal[
    "started", "app", "label", "model", "calls", "peak", "input", "cached", "duration", "cost", "waste"
]

AT_ONCE = 500
"""Values of one `IN`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """Which runs; what is empty or `None` asks for nothing."""

    app: str | None = None
    model: str | None = None
    """One of the run's models."""
    provider: str | None = None
    failed: bool | None = None
    """Runs with (or without) failed calls."""
    tag: str | None = None
    """`key` or `key:value`."""
    since_ns: int | None = None
    """Runs that had not ended before this time."""
    until_ns: int | None = None
    """Runs that started before this time."""
    query: str = ""
    """In the language of `search_query`: runs with a call that fits its filters and carried a text with its words.

    Words alone are looked for in label, app, models, providers and tags as well, there also within longer words.
    """


ALL = RunFilter()


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Sums over runs. Pico-dollars and tokens; `None` where no call has the number."""

    runs: int = 0
    calls: int = 0
    error_calls: int = 0
    unpriced_calls: int = 0
    estimated_calls: int = 0
    input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    output_tokens: int | None = None
    cost: int | None = None
    reclaimable_cost: int | None = None
    """What findings could save."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunList:
    """The numbers of the runs that fit, in order, and their sums."""

    numbers: array[int] = field(default_factory=lambda: array("q"))
    totals: Totals = Totals()
    notes: tuple[str, ...] = ()
    """What a query has left out, a line each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facets:
    """What runs can be filtered by, each most frequent first."""

    apps: tuple[str, ...]
    models: tuple[str, ...]
    providers: tuple[str, ...]
    tags: tuple[str, ...]
    """`key:value`."""


def list_runs(
    store: Store, wanted: RunFilter = ALL, *, order: RunOrder = "started", descending: bool = True
) -> RunList:
    """The runs that fit. Unknown values come last in either direction; ties go by start, the newest first.

    Raises `QueryError` for a query that cannot be understood.
    """
    asked = parse_query(wanted.query) if wanted.query.strip() else None
    found, notes = matching_runs(store, asked) if asked else (set[int](), ())
    with errors_of(store.url):
        query = Run.select(*_LISTED)
        for condition in _conditions(wanted):
            query = query.where(condition)
        query = query.order_by(Run.started_ns.desc(), Run.id.desc())
        rows = [_Listed._make(row) for row in store.db.execute(query).fetchall()]
    if wanted.model or wanted.provider or wanted.tag:
        rows = [row for row in rows if _fits(row, wanted)]
    if asked:
        rows = [row for row in rows if row.id in found or (not asked.filters and _is_named(row, asked))]
    if order != "started" or not descending:
        key = _KEYS[order]
        keys = [key(row) for row in rows]
        known = [at for at, value in enumerate(keys) if value is not None]
        known.sort(key=keys.__getitem__, reverse=descending)
        rows = [rows[at] for at in known] + [row for row, value in zip(rows, keys, strict=True) if value is None]
    return RunList(numbers=array("q", [row.id for row in rows]), totals=_totals(rows), notes=notes)


def runs_by_number(store: Store, numbers: Sequence[int]) -> dict[int, RunRow]:
    """Runs by their numbers; those that were deleted are missing."""
    rows = _in(store, Run.select(), Run.id, numbers)
    return {row["id"]: run_row(row) for row in rows}


def growth(store: Store, numbers: Sequence[int], points: int = 40) -> dict[int, tuple[int, ...]]:
    """Prompt tokens call by call of each run, of a long one the largest in each of `points` stretches."""
    query = Call.select(Call.run, Call.input_tokens).order_by(Call.run, Call.started_ns, Call.id)
    tokens: dict[int, list[int]] = {}
    for row in _in(store, query.where(Call.input_tokens.is_null(False)), Call.run, numbers):
        tokens.setdefault(row["run"], []).append(row["input_tokens"])
    return {run: _peaks(values, points) for run, values in tokens.items()}


def facets(store: Store) -> Facets:
    """Apps, models, providers and tags of all runs."""
    counts: dict[str, dict[str, int]] = {name: {} for name in ("apps", "models", "providers", "tags")}
    with errors_of(store.url):
        query = Run.select(Run.app, Run.models, Run.providers, Run.tags, pw.fn.COUNT(Run.id))
        rows = store.db.execute(query.group_by(Run.app, Run.models, Run.providers, Run.tags)).fetchall()
    for app, models, providers, tags, runs in rows:
        found = {"apps": [app] if app else [], "models": loads(models), "providers": loads(providers)}
        found["tags"] = [f"{key}:{value}" for key, value in loads(tags).items()]
        for name, values in found.items():
            for value in values:
                counts[name][value] = counts[name].get(value, 0) + runs
    ranked = {name: tuple(sorted(seen, key=lambda value: (-seen[value], value))) for name, seen in counts.items()}
    return Facets(**ranked)


def call_numbers(store: Store, run: str) -> array[int]:
    """Numbers of a run's calls, by start."""
    query = Call.select(Call.id).join(Run, on=(Call.run == Run.id)).where(Run.uid == run)
    with errors_of(store.url):
        return array("q", (row[0] for row in store.db.execute(query.order_by(Call.started_ns, Call.id)).fetchall()))


def calls_by_number(store: Store, numbers: Sequence[int]) -> dict[int, CallRow]:
    """Calls by their numbers; those that were deleted are missing."""
    return {row["id"]: call_row(row) for row in _in(store, call_query(), Call.id, numbers)}


def version(store: Store) -> tuple[int, ...]:
    """Numbers that change when a call is stored or deleted; on SQLite with any change, where one thread asks."""
    with errors_of(store.url):
        newest = store.db.execute(Call.select(pw.fn.MAX(Call.id))).fetchone()[0] or 0
        if isinstance(store.db, pw.SqliteDatabase):
            return (newest, store.db.pragma("data_version"))
        row = store.db.execute(Fact.select(Fact.value).where(Fact.name == DELETIONS)).fetchone()
        return (newest, int(row[0]) if row else 0)


class _Listed(NamedTuple):
    """What lists order, filter and sum by: a tuple as the driver gives it, since there are many."""

    id: int
    started_ns: int
    ended_ns: int
    app: str | None
    label: str | None
    name: str | None
    models: str
    providers: str
    tags: str
    calls: int
    error_calls: int
    unpriced_calls: int
    estimated_calls: int
    peak_context_tokens: int | None
    input_tokens: int | None
    cache_read_input_tokens: int | None
    output_tokens: int | None
    input_cost: str | None
    cache_read_cost: str | None
    cache_write_cost: str | None
    output_cost: str | None
    other_cost: str | None
    cache_wasted: str | None
    reclaimable_cost: str | None

    @property
    def cost(self) -> int | None:
        """Pico-dollars."""
        if self.input_cost is None:
            return None
        cached = int(self.cache_read_cost or 0) + int(self.cache_write_cost or 0)
        return int(self.input_cost) + cached + int(self.output_cost or 0) + int(self.other_cost or 0)

    @property
    def reclaimable(self) -> int | None:
        """Pico-dollars that findings could save."""
        return None if self.reclaimable_cost is None else int(self.reclaimable_cost)

    @property
    def waste(self) -> int | None:
        """Pico-dollars that need not have been paid."""
        return waste_of(None if self.cache_wasted is None else int(self.cache_wasted), self.reclaimable)

    @property
    def cached(self) -> float | None:
        """Share of the input that was read from a cache."""
        read, whole = self.cache_read_input_tokens, self.input_tokens
        return None if read is None or not whole else read / whole


_LISTED = tuple(getattr(Run, name) for name in _Listed._fields)

_KEYS: dict[str, Callable[[_Listed], Any]] = {
    "started": attrgetter("started_ns"),
    "app": attrgetter("app"),
    "label": lambda row: (row.name or row.label or "").casefold() or None,
    "model": lambda row: next(iter(loads(row.models)), None),
    "calls": attrgetter("calls"),
    "peak": attrgetter("peak_context_tokens"),
    "input": attrgetter("input_tokens"),
    "cached": attrgetter("cached"),
    "cost": attrgetter("cost"),
    "waste": attrgetter("waste"),
    "duration": lambda row: row.ended_ns - row.started_ns,
}


def _conditions(wanted: RunFilter) -> Iterator[pw.Expression]:
    if wanted.app is not None:
        yield Run.app == wanted.app
    if wanted.failed is not None:
        yield Run.error_calls > 0 if wanted.failed else Run.error_calls == 0
    if wanted.since_ns is not None:
        yield Run.ended_ns >= wanted.since_ns
    if wanted.until_ns is not None:
        yield Run.started_ns < wanted.until_ns


def _fits(row: _Listed, wanted: RunFilter) -> bool:
    """What the columns of JSON say: SQLite and PostgreSQL would each need a query of their own."""
    if wanted.model is not None and wanted.model not in loads(row.models):
        return False
    if wanted.provider is not None and wanted.provider not in loads(row.providers):
        return False
    if wanted.tag is not None:
        key, valued, value = wanted.tag.partition(":")
        tags = loads(row.tags)
        return key in tags and (not valued or tags[key] == value)
    return True


def _is_named(row: _Listed, asked: Query) -> bool:
    """Whether all of the words, and none of the unwanted ones, stand in what the run is called."""
    own = f"{row.name or ''}\n{row.label or ''}\n{row.app or ''}"
    others = _words_of(row.models, row.providers, row.tags)
    said = (own.lower() if own.isascii() else joined(own)) + others
    if not all(word in said for phrase in asked.wanted for word in phrase.words):
        return False
    return not (asked.unwanted and any(phrase.is_in(joined(own) + others) for phrase in asked.unwanted))


@lru_cache(maxsize=10_000)
def _words_of(models: str, providers: str, tags: str) -> str:
    tagged = (f"{key}:{value}" for key, value in loads(tags).items())
    return joined("\n".join((*loads(models), *loads(providers), *tagged)))


def _totals(rows: Sequence[_Listed]) -> Totals:
    def known(values: Iterable[int | None]) -> int | None:
        return sum(numbers) if (numbers := [value for value in values if value is not None]) else None

    return Totals(
        runs=len(rows),
        calls=sum([row.calls for row in rows]),
        error_calls=sum([row.error_calls for row in rows]),
        unpriced_calls=sum([row.unpriced_calls for row in rows]),
        estimated_calls=sum([row.estimated_calls for row in rows]),
        input_tokens=known([row.input_tokens for row in rows]),
        cache_read_input_tokens=known([row.cache_read_input_tokens for row in rows]),
        output_tokens=known([row.output_tokens for row in rows]),
        cost=known([row.cost for row in rows]),
        reclaimable_cost=known([row.reclaimable for row in rows]),
    )


def _peaks(values: Sequence[int], points: int) -> tuple[int, ...]:
    if len(values) <= points:
        return tuple(values)
    edges = [index * len(values) // points for index in range(points + 1)]
    return tuple(max(values[start:end]) for start, end in pairwise(edges))


def _in(store: Store, query: "pw.ModelSelect[Any]", column: pw.Field, values: Sequence[int]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    with errors_of(store.url):
        for some in batched(values, AT_ONCE):
            rows += query.where(column.in_(some)).dicts().execute(store.db)
    return rows
