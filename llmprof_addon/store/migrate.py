"""Brings a database to this program's schema: one transaction, which is also the lock, after a copy of an old store.

The table of applied migrations is the mark by which a store is known as ours. What bears another mark, or is newer
than this program, is left alone.
"""

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import peewee as pw
from playhouse.migrations import Migration, Runner  # type: ignore[import-untyped]  # it ships none

from llmprof_addon.errors import StoreError
from llmprof_addon.store.schema import TABLES
from llmprof_addon.store.transaction import LOCK

DIRECTORY = Path(__file__).with_name("migrations")
HISTORY = "llmprof_migration"


def check(db: pw.Database, where: str, directory: Path = DIRECTORY) -> list[str]:
    """Names of the migrations that this database still needs, all of them for an empty one.

    Raises `StoreError` for another program's database and for a store that a newer program wrote.
    """
    tables = set(db.get_tables())
    wanted = [migration.name for migration in Migration.load_directory(str(directory))]
    if HISTORY not in tables:
        taken = tables if isinstance(db, pw.SqliteDatabase) else tables & {table._meta.table_name for table in TABLES}
        if taken:
            raise StoreError(
                f"{where} belongs to another program (it has the table {sorted(taken)[0]!r})",
                hint="it is left alone; choose another home (--home DIR) or another LLMPROF_DB_URL",
            )
        return wanted
    applied = {row[0] for row in db.execute_sql(f'SELECT name FROM "{HISTORY}"').fetchall()}
    if unknown := sorted(applied - set(wanted)):
        raise StoreError(
            f"{where} was written by a newer llmprof (schema {unknown[-1]}, this one knows {wanted[-1]})",
            hint="upgrade: uv tool upgrade llmprof-addon",
        )
    return [name for name in wanted if name not in applied]


def migrate(db: pw.Database, where: str, path: Path | None, directory: Path = DIRECTORY) -> list[str]:
    """Apply what `check` names, once, however many processes start at the same time. Returns the applied names."""
    pending = check(db, where, directory)
    if pending:
        pending = _apply(db, where, path, directory)
    if isinstance(db, pw.SqliteDatabase):
        _switch_to_wal(db)
    return pending


def _switch_to_wal(db: pw.Database) -> None:
    """Set the journal mode that lets readers read while the worker writes."""
    for pause in (0.05, 0.1, 0.2, 0.5, 1.0, None):
        try:
            db.execute_sql("PRAGMA journal_mode = WAL")
            return
        except pw.OperationalError:
            # The switch needs the file for itself; where two processes start together SQLite refuses one at once.
            if pause is None:
                raise
            time.sleep(pause)


def _apply(db: pw.Database, where: str, path: Path | None, directory: Path) -> list[str]:
    sqlite = isinstance(db, pw.SqliteDatabase)
    if sqlite:
        # A table that is built anew must not take its referrers along; the pragma has no effect in a transaction.
        db.execute_sql("PRAGMA foreign_keys = 0")
    try:
        with db.atomic():
            if not sqlite:
                db.execute_sql("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
            pending = check(db, where, directory)
            if pending and path is not None and HISTORY in db.get_tables():
                back_up(path)
            return list(Runner(db, str(directory), table_name=HISTORY).up()) if pending else []
    finally:
        if sqlite:
            db.execute_sql("PRAGMA foreign_keys = 1")


def back_up(path: Path) -> Path:
    """Copy the committed state of an SQLite store to `<name>.bak` beside it (0600) and return that path.

    A connection of its own: one that holds a write transaction cannot be copied from.
    """
    target = path.with_name(path.name + ".bak")
    half = path.with_name(path.name + ".bak.tmp")
    half.unlink(missing_ok=True)
    try:
        os.close(os.open(half, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        with (
            closing(sqlite3.connect(path.absolute().as_uri() + "?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(half)) as copy,
        ):
            source.backup(copy)
        os.replace(half, target)
    except (OSError, sqlite3.Error) as error:
        half.unlink(missing_ok=True)
        raise StoreError(
            f"cannot copy the store to {target} before upgrading it: {error}",
            hint="make room or mend the folder's permissions, then start again",
        ) from error
    return target
