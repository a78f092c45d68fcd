"""Check the laws of the numbers over your store, or over a folder of exchange files.

Of every call: its components sum to the tokens that the provider reported and to what the call cost, at every level;
the cache split of each component is its tokens; the trees derived again from the stored texts are those that were
stored; no text looks like a credential. Of every run and every day: its sums are those of its calls. With --corpus:
the same for each file, in a store of its own that is thrown away, and that the request is put together again as it
was, and that compression, line ends and repetition change nothing.

Exit code 1 if a law is broken; each breach is one line.

Examples:
  llmprof selftest
  llmprof selftest --corpus recorded/
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from llmprof_addon.cli.opened import reading, settings_of
from llmprof_addon.errors import ConfigError, LlmprofError, SpoolError

if TYPE_CHECKING:
    from llmprof_addon.model.exchange import Exchange
    from llmprof_addon.model.record import CallRecord
    from llmprof_addon.settings import Settings
    from llmprof_addon.store.open import Store

MOST_SHOWN = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Over what."""
    parser.add_argument(
        "--corpus", type=Path, metavar="DIR", help="check the exchange files below DIR instead of the store"
    )


def run(args: argparse.Namespace) -> int:
    """Print each breach; 1 if there was any."""
    from llmprof_addon.cli.terminal import one_line
    from llmprof_addon.export import text

    checked = {"calls": 0, "runs": 0}
    breaches = 0
    for breach in _corpus(args.corpus, settings_of(args), checked) if args.corpus else _store(args, checked):
        breaches += 1
        if breaches <= MOST_SHOWN:
            print(f"✗ {one_line(breach)}")
    if breaches > MOST_SHOWN:
        print(f"… and {breaches - MOST_SHOWN} more")
    found = text.counted(breaches, "breach", "breaches") if breaches else "no breaches"
    print(f"{text.counted(checked['calls'], 'call')} and {text.counted(checked['runs'], 'run')} checked: {found}")
    return 1 if breaches else 0


def _store(args: argparse.Namespace, checked: dict[str, int]) -> Iterator[str]:
    from llmprof_addon.cli import laws
    from llmprof_addon.store import queries

    with reading(args) as store:
        for call in queries.calls(store):
            checked["calls"] += 1
            yield from laws.check_call(store, call)
        for run in queries.runs(store):
            checked["runs"] += 1
            yield from laws.check_run(store, run)
        yield from laws.check_days(store)


def _corpus(folder: Path, settings: "Settings", checked: dict[str, int]) -> Iterator[str]:
    import tempfile
    from functools import partial

    from llmprof_addon.cli import laws
    from llmprof_addon.pipeline import process
    from llmprof_addon.pricing.book import PriceBook
    from llmprof_addon.store import queries
    from llmprof_addon.store.open import open_store

    if not folder.is_dir():
        raise ConfigError(f"there is no folder {folder}")
    with tempfile.TemporaryDirectory() as name, open_store(f"sqlite:///{name}/llmprof.db") as store:
        analyse = partial(process, store=store, book=PriceBook(settings.pricing), extra_hosts=settings.known_hosts)
        for path in sorted(folder.rglob("*.exchange")):
            try:
                yield from (f"{path}: {breach}" for breach in _file(path, store, analyse, checked))
            except LlmprofError as error:
                yield f"{path}: {error.message}"
            except Exception as error:  # a breach of its own: whatever was recorded must be processed
                yield f"{path}: cannot be processed: {type(error).__name__}: {error}"
        for run in queries.runs(store):
            checked["runs"] += 1
            yield from laws.check_run(store, run)


def _file(
    path: Path, store: "Store", analyse: "Callable[[Exchange], CallRecord | None]", checked: dict[str, int]
) -> Iterator[str]:
    """Breaches in what becomes of one exchange file. Raises `SpoolError` where it is damaged."""
    from llmprof_addon.cli import laws
    from llmprof_addon.spool import files
    from llmprof_addon.spool.redaction import redact
    from llmprof_addon.store import queries

    try:
        exchange = redact(files.decode(path.read_bytes()))
    except OSError as error:
        raise SpoolError(f"cannot be read: {error.strerror}") from error
    record = analyse(exchange)
    if record is None:
        return
    checked["calls"] += 1
    written = store.counters.rows_written
    analyse(exchange)
    if store.counters.rows_written != written:
        yield "processing it twice wrote rows"
    row = queries.call(store, exchange.id)
    if row is None:
        yield "is not in the store after it was processed"
        return
    yield from laws.check_call(store, row)
    yield from laws.check_request(store, row, exchange)
    for what, variant in laws.variants(exchange):
        other = analyse(replace(variant, id=f"{exchange.id}~"))
        if other is None or _numbers(other) != _numbers(record):
            yield f"sent as {what} it gives other numbers"


def _numbers(record: "CallRecord") -> tuple[object, ...]:
    return record.usage, record.composition, record.output_composition, record.cost
