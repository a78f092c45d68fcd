"""Check the laws of the numbers over your store, or over a folder of exchange files.

Of every call: its components sum to the tokens that the provider reported and to what the call cost; the cache split of
each component is its tokens; the trees derived again from the stored texts are those that were stored; no text looks
like a credential. Of every run: its sums are those of its calls. With --corpus: the same for each file, in a store of
its own that is thrown away, and that compression, line ends and repetition change nothing.

Examples:
  llmprof selftest
  llmprof selftest --corpus recorded/
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from llmprof_addon.cli.opened import reading, settings_of
from llmprof_addon.errors import ConfigError, SpoolError

if TYPE_CHECKING:
    from llmprof_addon.model.exchange import Exchange
    from llmprof_addon.settings import Settings

MOST_SHOWN = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Over what."""
    parser.add_argument(
        "--corpus", type=Path, metavar="DIR", help="check the exchange files below DIR instead of the store"
    )


def run(args: argparse.Namespace) -> int:
    """Print each breach; 1 if there was any."""
    checked = {"calls": 0, "runs": 0}
    breaches = 0
    for breach in _corpus(args.corpus, settings_of(args), checked) if args.corpus else _store(args, checked):
        breaches += 1
        if breaches <= MOST_SHOWN:
            print(f"✗ {breach}")
    if breaches > MOST_SHOWN:
        print(f"… and {breaches - MOST_SHOWN} more")
    print(f"{checked['calls']} calls and {checked['runs']} runs checked: {breaches or 'no'} breaches")
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


def _corpus(folder: Path, settings: "Settings", checked: dict[str, int]) -> Iterator[str]:
    import tempfile
    from dataclasses import replace

    from llmprof_addon.cli import laws
    from llmprof_addon.pipeline import process
    from llmprof_addon.pricing.book import PriceBook
    from llmprof_addon.store import queries
    from llmprof_addon.store.open import open_store

    book = PriceBook(settings.pricing)
    with tempfile.TemporaryDirectory() as name, open_store(f"sqlite:///{name}/llmprof.db") as store:
        for path in _files(folder):
            try:
                exchange = _read(path)
            except SpoolError as error:
                yield f"{path}: {error.message}"
                continue
            record = process(exchange, store, book, extra_hosts=settings.llm_hosts)
            if record is None:
                continue
            checked["calls"] += 1
            written = store.counters.rows_written
            process(exchange, store, book, extra_hosts=settings.llm_hosts)
            if store.counters.rows_written != written:
                yield f"{path}: processing it twice wrote rows"
            row = queries.call(store, exchange.id)
            if row is None:
                yield f"{path}: is not in the store after it was processed"
                continue
            yield from laws.check_call(store, row)
            for what, variant in laws.variants(exchange):
                other = process(
                    replace(variant, id=exchange.id[:-1] + "~"), store, book, extra_hosts=settings.llm_hosts
                )
                same = other is not None and (other.usage, other.composition, other.output_composition, other.cost) == (
                    record.usage, record.composition, record.output_composition, record.cost
                )  # fmt: skip
                if not same:
                    yield f"{path}: sent as {what} it gives other numbers"
        for run in queries.runs(store):
            checked["runs"] += 1
            yield from laws.check_run(store, run)


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise ConfigError(f"there is no folder {folder}")
    return sorted(folder.rglob("*.exchange"))


def _read(path: Path) -> "Exchange":
    from llmprof_addon.spool import files

    return files.decode(path.read_bytes())
