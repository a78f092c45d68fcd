"""Targets of the whole flow: whatever an exchange file says is stored, and then obeys the laws, or is refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from llmprof_addon.cli import laws
from llmprof_addon.errors import SpoolError
from llmprof_addon.export.shapes import call_json
from llmprof_addon.pipeline import process
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.spool import files
from llmprof_addon.spool.redaction import redact
from llmprof_addon.store import queries, search_index
from llmprof_addon.store.open import Store, open_store
from llmprof_addon.store.search import search
from llmprof_addon.store.search_query import QueryError, parse_query
from tests.fuzz import mutators, seeds
from tests.fuzz.engine import Check, Target
from tests.fuzz.files import folder
from tests.fuzz.typed import QUERIES

CALLS_IN_STORE = 100


@contextmanager
def checking_pipeline() -> Iterator[Check]:
    """The laws that `llmprof selftest` checks, of the call and of its run."""
    with folder() as scratch:
        book, stores = PriceBook(), list[Store]()
        count = 0

        def fresh() -> Store:
            for old in stores:
                old.close()
            for path in scratch.iterdir():
                path.unlink()
            stores[:] = [open_store(f"sqlite:///{scratch}/{count}.db")]
            return stores[0]

        def check(data: bytes) -> None:
            nonlocal count
            store = fresh() if count % CALLS_IN_STORE == 0 else stores[0]
            count += 1
            try:
                exchange = redact(files.decode(data))
            except SpoolError:
                return
            exchange = replace(exchange, id=f"{count:08x}")
            if process(exchange, store, book) is None:
                return
            row = queries.call(store, exchange.id)
            assert row is not None, "it is not in the store"
            breaches = [*laws.check_call(store, row), *laws.check_request(store, row, exchange)]
            assert not breaches, "; ".join(breach.partition(": ")[2] for breach in breaches[:3])
            call_json(row)
            run = queries.run(store, row.run_id)
            assert run is not None
            breaches = list(laws.check_run(store, run))
            assert not breaches, "; ".join(breaches[:3])

        try:
            yield check
        finally:
            for store in stores:
                store.close()


@contextmanager
def checking_search() -> Iterator[Check]:
    """Whatever can be asked is answered, by words and by filters."""
    with folder() as scratch, open_store(f"sqlite:///{scratch}/llmprof.db") as store:
        book = PriceBook()
        for number, exchange in enumerate(seeds.exchanges()[::4]):
            process(replace(exchange, id=f"{number:08x}"), store, book)
        while search_index.catch_up(store):
            pass

        def check(data: bytes) -> None:
            try:
                query = parse_query(data.decode("utf-8", "replace"))
            except QueryError:
                return
            search(store, query)

        yield check


TARGETS = (
    Target(name="pipeline", seeds=seeds.exchange_files, mutate=mutators.exchange, opened=checking_pipeline),
    Target(name="search", seeds=lambda: QUERIES, mutate=mutators.text, opened=checking_search),
)
