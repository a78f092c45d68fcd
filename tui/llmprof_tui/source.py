"""What screens ask for: every method answers from the store in frozen rows, and waits for it.

Called in threads alone, never in the one that draws. Raises `LlmprofError` with a line for the person who looks.
"""

import threading
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmprof_addon import clock
from llmprof_addon.errors import LlmprofError, StoreError
from llmprof_addon.model.component import KindTotal
from llmprof_addon.model.finding import Finding
from llmprof_addon.spool.folder import Backlog, Spool
from llmprof_addon.spool.proxies import ProxyRecord, living
from llmprof_addon.spool.statefile import alive, read_state
from llmprof_addon.store import edits, listing, manual, queries, timeline
from llmprof_addon.store.database import sqlite_path
from llmprof_addon.store.findings import findings_of
from llmprof_addon.store.first_turns import first_turns
from llmprof_addon.store.listing import Facets, RunFilter, RunList, RunOrder
from llmprof_addon.store.manual import ManualRun
from llmprof_addon.store.open import Store, open_store
from llmprof_addon.store.remarks import Remarks, remarks
from llmprof_addon.store.rows import CallRow, LaneRow, RunRow
from llmprof_addon.store.search import Hits, search
from llmprof_addon.store.search_query import parse_query
from llmprof_addon.store.timeline import TimelineCall
from llmprof_addon.store.tools import ToolRow, tools_of_run
from llmprof_addon.store.trends import By, Period, Trends, trends

if TYPE_CHECKING:
    from llmprof_addon.export.cache import Excerpt, RunCache
    from llmprof_addon.export.rent import RunRents
    from llmprof_addon.model.cache import Difference
    from llmprof_addon.pipeline import Explanation
    from llmprof_addon.pipeline.rented import Rented


SWITCHED_OFF = "new texts are not indexed: LLMPROF_SEARCH=1, or `search = true` in config.toml, switches search on"


class GoneError(LlmprofError):
    """What was asked for is not in the store: an id that is none, or something that was deleted meanwhile."""


class EmptyError(LlmprofError):
    """There is no store: nothing was recorded yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorder:
    """What records into this home."""

    proxies: tuple[ProxyRecord, ...]
    worker: Mapping[str, Any] | None
    """The state that the worker says of itself; `None` if none runs."""
    backlog: Backlog
    failed: Backlog
    manual: ManualRun | None = None
    """The run by hand that takes the calls, or is paused."""

    @property
    def in_flight(self) -> int:
        """Calls that are being answered."""
        return sum(proxy.in_flight for proxy in self.proxies)


class Source:
    """The store of a URL and the recorder of a home."""

    def __init__(self, url: str, home: Path, *, indexed: bool = True) -> None:
        """`indexed`: whether the texts of new calls are indexed for searches."""
        self.url = url
        self.home = home
        self._indexed = indexed
        self._local = threading.local()

    @property
    def store(self) -> Store:
        """This thread's store, opened for reading. Raises `EmptyError` before the first call was recorded."""
        store: Store | None = getattr(self._local, "store", None)
        if store is not None and store.replaced:
            store.close()
            store = None
        if store is None:
            path = sqlite_path(self.url)
            if path is not None and not path.exists():
                raise EmptyError(f"nothing is recorded in {path}", hint="start with `llmprof up`")
            store = self._local.store = open_store(self.url, read_only=True)
        return store

    def close(self) -> None:
        """Close the stores of all threads; one that is being asked is closed with its answer."""
        self._local = threading.local()  # which alone holds them

    # lists

    def list_runs(self, wanted: RunFilter, order: RunOrder, descending: bool) -> RunList:
        """Numbers and sums of the runs that fit. Raises `QueryError`."""
        found = listing.list_runs(self.store, wanted, order=order, descending=descending)
        return replace(found, notes=self._notes(found.notes)) if wanted.query else found

    def newest(self, limit: int) -> list[RunRow]:
        """So many runs, those that started last first."""
        return list(queries.runs(self.store, limit=limit))

    def runs(self, numbers: Sequence[int]) -> dict[int, RunRow]:
        """Runs by number."""
        return listing.runs_by_number(self.store, numbers)

    def growth(self, numbers: Sequence[int], points: int = 40) -> dict[int, tuple[int, ...]]:
        """Prompt tokens call by call, for sparklines."""
        return listing.growth(self.store, numbers, points)

    def facets(self) -> Facets:
        """What runs can be filtered by."""
        return listing.facets(self.store)

    def call_numbers(self, run_id: str) -> array[int]:
        """Numbers of a run's calls, by start."""
        return listing.call_numbers(self.store, run_id)

    def calls(self, numbers: Sequence[int]) -> dict[int, CallRow]:
        """Calls by number."""
        return listing.calls_by_number(self.store, numbers)

    # searches and trends

    def search(self, query: str, limit: int, before: tuple[int, int] | None = None) -> tuple[Hits, dict[str, RunRow]]:
        """A page of hits, and their runs by id. Raises `QueryError`."""
        found = search(self.store, parse_query(query), limit=limit, before=before)
        runs = (queries.run(self.store, id) for id in {hit.call.run_id for hit in found.hits})
        return replace(found, notes=self._notes(found.notes)), {run.id: run for run in runs if run is not None}

    def _notes(self, notes: tuple[str, ...]) -> tuple[str, ...]:
        return notes if self._indexed else (SWITCHED_OFF,)

    def trends(self, by: By, period: Period, since: date | None) -> Trends:
        """How spend, tokens and cache hits went."""
        return trends(self.store, by, period, since=since)

    # one run

    def run(self, run_id: str) -> RunRow:
        """The run. Raises `GoneError`."""
        if found := queries.run(self.store, run_id):
            return found
        raise GoneError(f"there is no run {run_id}", hint="it may have been deleted")

    def timeline(self, run_id: str, after: int = 0) -> tuple[TimelineCall, ...]:
        """What to draw of a run's calls with numbers above `after`, by start."""
        return timeline.timeline(self.store, run_id, after=after)

    def composition(self, run_id: str) -> tuple[KindTotal, ...]:
        """The sums of a run's calls by kind."""
        return timeline.composition(self.store, run_id)

    def tools(self, run_id: str) -> tuple[ToolRow, ...]:
        """What each tool of the run has cost."""
        return tools_of_run(self.store, run_id)

    def lanes(self, run_id: str) -> tuple[LaneRow, ...]:
        """The lanes of a run, by start."""
        return queries.lanes(self.store, [run_id])[run_id]

    def cache(self, run_id: str) -> "RunCache":
        """What became of the cached prefixes of the run's calls."""
        from llmprof_addon.export.cache import run_cache  # with the cache doctor, which lists do not need

        return run_cache(self.store, run_id)

    def excerpt(self, difference: "Difference", shown: int) -> "Excerpt":
        """The two texts of a difference from where they part, at most so many characters of each."""
        from llmprof_addon.export.cache import excerpt  # as above

        return excerpt(self.store, difference, shown=shown)

    def rents(self, run_id: str, limit: int) -> "RunRents":
        """What carrying the parts of the run has cost, at most so many of them."""
        from llmprof_addon.export.rent import run_rents  # with attribution, which lists do not need

        return run_rents(self.store, run_id, limit=limit)

    def findings(self, run_id: str) -> tuple[Finding, ...]:
        """What could be saved in the run, as it was found last."""
        return findings_of(self.store, run_id)

    def remarks(self, run_id: str) -> Remarks:
        """How a run's calls failed, and what was warned of."""
        return remarks(self.store, run_id)

    # one call

    def call(self, call_id: str) -> CallRow:
        """The call. Raises `GoneError`."""
        if found := queries.call(self.store, call_id):
            return found
        raise GoneError(f"there is no call {call_id}", hint="it may have been deleted")

    def explain(self, call_id: str) -> "Explanation":
        """The call with its texts and trees. Raises `GoneError`."""
        from llmprof_addon.pipeline import explain  # with all readers and counters, which lists do not need

        return explain(self.store, self.call(call_id))

    def neighbours(self, call_id: str) -> tuple[CallRow | None, CallRow | None]:
        """The calls before and after it in its run, by start."""
        row = self.call(call_id)
        numbers = self.call_numbers(row.run_id)
        place = numbers.index(row.number)
        around = [numbers[at] for at in (place - 1, place + 1) if 0 <= at < len(numbers)]
        rows = self.calls(around)
        before = rows.get(numbers[place - 1]) if place else None
        after = rows.get(numbers[place + 1]) if place + 1 < len(numbers) else None
        return before, after

    def findings_here(self, explained: "Explanation") -> tuple[Finding, ...]:
        """The findings of its run that concern a call, with what could be saved in it."""
        from llmprof_addon.findings.of_call import of_call  # which lists do not need

        row = explained.row
        return of_call(self.findings(row.run_id), row.id, row.started_ns, explained.by_node)

    def rented(self, explained: "Explanation") -> "Rented":
        """What the parts of a call's prompt have cost its run up to this call."""
        from llmprof_addon.pipeline.rented import rented  # as above

        return rented(self.store, explained)

    def first_turns(self, explained: "Explanation") -> dict[str, int]:
        """The turns of its run in which the parts of a call's prompt were first sent, by their paths."""
        turns = first_turns(self.store, explained.row.run_id)
        parts = zip(explained.whole.prompt.parts, explained.keys, strict=False)
        return {part.path: turns[key] for part, key in parts if part.path and key is not None and key in turns}

    def find(self, id: str) -> RunRow | CallRow:
        """The run or the call of this id or start of an id. Raises `GoneError`, `StoreError` if several fit."""
        if found := queries.run(self.store, id) or queries.call(self.store, id):
            return found
        raise GoneError(f"there is no run and no call whose id starts with {id!r}", hint="`llmprof runs` lists them")

    # live

    def version(self) -> tuple[int, ...]:
        """Numbers that change with the store; ask always from the same thread. `()` while there is no store."""
        try:
            return listing.version(self.store)
        except EmptyError:
            return ()

    def recorder(self) -> Recorder:
        """What records at this moment."""
        spool = Spool(self.home / "spool")
        worker = read_state(self.home / "worker.json")
        lives = worker is not None and type(worker.get("pid")) is int and alive(worker["pid"])
        return Recorder(
            proxies=tuple(living(self.home)),
            worker=worker if lives else None,
            backlog=spool.backlog(),
            failed=spool.failed(),
            manual=self._open_manual(),
        )

    def manual(self) -> ManualRun | None:
        """The run that was started by hand last."""
        try:
            return manual.latest(self.store)
        except EmptyError:
            return None

    def _open_manual(self) -> ManualRun | None:
        try:
            found = self.manual()
        except LlmprofError:  # said by the list, whose questions fail as well
            return None
        return None if found is None or found.state == "ended" else found

    # what a person changes

    def rename_run(self, run_id: str, name: str | None) -> None:
        """Give a run a name, or take it away. Raises `GoneError`."""
        with self._writable() as store:
            _there(edits.rename_run(store, run_id, name), run_id)

    def tag_run(self, run_id: str, tags: Mapping[str, str | None]) -> None:
        """Set tags of a run; `None` takes one away. Raises `GoneError`."""
        with self._writable() as store:
            _there(edits.tag_run(store, run_id, tags), run_id)

    def delete_run(self, run_id: str) -> None:
        """Delete a run with its calls. Raises `GoneError`."""
        with self._writable() as store:
            _there(edits.delete_run(store, run_id), run_id)

    def delete_call(self, call_id: str) -> None:
        """Delete a call. Raises `GoneError`."""
        with self._writable() as store:
            _there(edits.delete_call(store, call_id), call_id)

    def change_manual(self, action: str, name: str = "", note: str | None = None) -> ManualRun | None:
        """Start, pause, resume or end the run by hand; `None` if there is none to do that with."""
        now_ns = clock.now_ns()
        if action == "start":  # also before the first call
            with open_store(self.url) as store:
                return manual.start(store, name, note, now_ns)
        change = {"pause": manual.pause, "resume": manual.resume, "end": manual.end}[action]
        with self._writable() as store:
            return change(store, now_ns)

    @contextmanager
    def _writable(self) -> Iterator[Store]:
        path = sqlite_path(self.url)
        if path is not None and not path.exists():
            raise StoreError(f"no store at {path}", hint="it was moved or deleted")
        with open_store(self.url) as store:
            yield store


def _there(found: bool, id: str) -> None:
    if not found:
        raise GoneError(f"{id} is no longer in the store", hint="it may have been deleted")
