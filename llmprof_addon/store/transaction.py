"""Transactions of any number of processes at once: those that add go side by side, one that changes goes alone.

What adds (a call with all that belongs to it) takes rows in a fixed order. What deletes, moves or sums anew would read
sums that others are about to add to, so that on PostgreSQL it waits until none of them is under way, as every writer
of SQLite does. What two transactions do to each other nevertheless is met by doing all of one again.
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import peewee as pw

LOCK = 0x6C6C6D70  # any fixed number; "llmp"

ATTEMPTS = 10
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.01, 0.5

_AGAIN = ("40001", "40P01")  # serialization_failure, deadlock_detected: PostgreSQL 15, appendix A


def transaction[T](
    db: pw.Database, work: Callable[[], T], *, alone: bool = False, undo: Callable[[], object] | None = None
) -> T:
    """Do `work` in a transaction, and all of it again where another one got in its way.

    `undo` takes back what a failed attempt has left in memory. Inside of another transaction nothing is repeated.
    """
    attempts = 1 if db.in_transaction() else ATTEMPTS
    for attempt in range(1, attempts + 1):
        try:
            with db.atomic():
                if not isinstance(db, pw.SqliteDatabase):
                    db.execute_sql(f"SELECT pg_advisory_xact_lock{'' if alone else '_shared'}(%s)", (LOCK,))
                return work()
        except BaseException as error:
            if undo is not None:
                undo()
            if attempt == attempts or not passes(error):
                raise
        time.sleep(random.uniform(0, min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**attempt)))
    raise AssertionError("unreachable")


def passes(error: BaseException) -> bool:
    """Whether the same transaction may succeed the next time: a deadlock, or a row that came or went in between."""
    if isinstance(error, pw.IntegrityError):
        return True
    return isinstance(error, pw.OperationalError) and _state(error) in _AGAIN


def _state(error: pw.OperationalError) -> str | None:
    """SQLSTATE of the driver's error, which Peewee keeps."""
    return getattr(getattr(error, "orig", None), "sqlstate", None)


@contextmanager
def alone(db: pw.Database) -> Iterator[None]:
    """Keep other writers waiting, over several transactions of this connection; on SQLite they come between."""
    if isinstance(db, pw.SqliteDatabase):
        yield
        return
    db.execute_sql("SELECT pg_advisory_lock(%s)", (LOCK,))
    try:
        yield
    finally:
        if db.is_connection_usable():
            db.execute_sql("SELECT pg_advisory_unlock(%s)", (LOCK,))


def moment(db: pw.Database) -> str:
    """A mark that tells `undisturbed` from when on nobody else may have written."""
    if isinstance(db, pw.SqliteDatabase):
        return str(db.execute_sql("PRAGMA data_version").fetchone()[0])
    return str(db.execute_sql("SELECT pg_current_snapshot()").fetchone()[0])


def undisturbed(db: pw.Database, since: str, transactions: int) -> bool:
    """Whether nobody else has written since a moment; of our own there were so many transactions."""
    now = moment(db)
    if isinstance(db, pw.SqliteDatabase):
        return now == since
    # xmin:xmax:…, the first transaction that was under way, and the first that had not begun.
    first, next_ = since.split(":")[:2]
    return first == next_ and now.split(":")[1] == str(int(next_) + transactions)
