"""A database URL -> a `Store`: what the worker reads and writes."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from types import TracebackType
from typing import Self

import peewee as pw

from llmprof_addon.errors import StoreError
from llmprof_addon.model.call import Call
from llmprof_addon.model.count import RawCount
from llmprof_addon.model.exchange import Exchange
from llmprof_addon.model.history import Continued, History
from llmprof_addon.model.record import CallRecord, WarmupRecord
from llmprof_addon.model.tree import Chains
from llmprof_addon.store import past
from llmprof_addon.store.database import connect, errors_of, shown, sqlite_path
from llmprof_addon.store.migrate import HISTORY, check, migrate
from llmprof_addon.store.nodes import Nodes
from llmprof_addon.store.transaction import alone, moment, undisturbed
from llmprof_addon.store.writer import Counters, Writer


def open_store(url: str, *, read_only: bool = False) -> "Store":
    """Open the store, brought to this program's schema unless it is opened read only.

    Raises `StoreError` for a database that is damaged, locked, newer, of another program, or (read only) older or
    missing; `ConfigError` for a URL of no known scheme.
    """
    db = connect(url, read_only=read_only)
    try:
        with errors_of(url):
            if not read_only:
                migrate(db, shown(url), sqlite_path(url))
            elif check(db, shown(url)):
                if HISTORY not in db.get_tables():
                    raise StoreError(f"no store at {shown(url)}", hint="`llmprof up` makes one and records into it")
                raise StoreError(
                    f"{shown(url)} was written by an older llmprof", hint="`llmprof up` upgrades it, after a copy"
                )
    except BaseException:
        db.close()
        raise
    return Store(url, db)


class Store:
    """One open database. Connections that write are per thread; what is cached serves the one thread that writes."""

    def __init__(self, url: str, db: pw.Database) -> None:
        self.url = url
        self.db = db
        self._nodes = Nodes(db)
        self.writer = Writer(db, self._nodes)
        path = sqlite_path(url)
        self._file = _identity(path) if path is not None else None

    @property
    def counters(self) -> Counters:
        """Rows and bytes that this object has written."""
        return self.writer.counters

    @property
    def nodes(self) -> Nodes:
        """The prompt tree, its latest nodes remembered."""
        return self._nodes

    def known(self, keys: Sequence[bytes], encoding: str) -> dict[bytes, RawCount]:
        """Raw counts of those nodes that are stored and counted in this encoding."""
        with errors_of(self.url):
            self._nodes.heed_deletions()
            found = self._nodes.load(keys, encoding)
        return {key: node.raw for key, node in found.items() if node.raw is not None}

    def continued(self, id: str, *, conversation: bool = False) -> Continued | None:
        """Where a call with this `previous_response_id` or `conversation` begins; `None` if nothing of it is stored.

        Such a call then starts at the root. Its `continues` is kept, so that it can be joined when the other comes.
        """
        with errors_of(self.url):
            return past.continued(self.db, id, conversation=conversation)

    def history(self, call: Call, chains: Chains, exchange: Exchange, encoding: str = "") -> History:
        """What `grouping.runs.choose` needs to know of the past; `encoding`, if given, spares lookups in `write`."""
        with errors_of(self.url):
            self._nodes.heed_deletions()
            return past.history(self.db, self._nodes, call, chains, exchange, encoding)

    def write(self, record: CallRecord) -> bool:
        """Store a call in one transaction; `False` if it is stored already."""
        with errors_of(self.url):
            return self.writer.write(record)

    def write_warmup(self, record: WarmupRecord) -> bool:
        """Store a warmed-up prompt in one transaction; `False` if it is stored already."""
        with errors_of(self.url):
            return self.writer.write_warmup(record)

    def ready(self) -> None:
        """Come back when a transaction that writes could begin. Raises `StoreError`."""
        with errors_of(self.url), self.db.atomic():
            pass

    @property
    def replaced(self) -> bool:
        """Whether the store has to be opened anew: its file is another one or gone, or the server broke off."""
        path = sqlite_path(self.url)
        return not self.db.is_connection_usable() if path is None else _identity(path) != self._file

    def snapshot(self) -> AbstractContextManager[object]:
        """A transaction for several reads that belong together; it keeps no writer waiting."""
        return self.db.atomic("DEFERRED" if isinstance(self.db, pw.SqliteDatabase) else "REPEATABLE READ")

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Several reads in a row. One that stands alone has SQLite take its locks and give them back."""
        lasting = self.db.atomic("DEFERRED") if isinstance(self.db, pw.SqliteDatabase) else nullcontext()
        with errors_of(self.url), lasting:
            yield

    def alone(self) -> AbstractContextManager[None]:
        """Keep other writers waiting, for several transactions that belong together; on SQLite they come between."""
        return alone(self.db)

    def moment(self) -> str:
        """A mark for `undisturbed`."""
        with errors_of(self.url):
            return moment(self.db)

    def undisturbed(self, since: str, *, transactions: int) -> bool:
        """Whether nobody else has written since that moment; so many transactions were our own."""
        with errors_of(self.url):
            return undisturbed(self.db, since, transactions)

    def close(self) -> None:
        """Close this thread's connection, or the one of a store that is only read."""
        if not self.db.is_closed():
            self.db.close()

    def __del__(self) -> None:
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file stands under this name; `None` if there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
