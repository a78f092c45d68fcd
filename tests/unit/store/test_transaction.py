"""What is done again, how often, and what is left alone."""

from collections.abc import Callable
from pathlib import Path

import peewee as pw
import pytest

from llmprof_addon.store import transaction as room
from llmprof_addon.store.database import connect
from llmprof_addon.store.transaction import ATTEMPTS, moment, transaction, undisturbed


class Refused(Exception):
    """A driver's error."""

    def __init__(self, sqlstate: str | None) -> None:
        super().__init__("refused")
        self.sqlstate = sqlstate


@pytest.fixture
def db(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pw.Database:
    monkeypatch.setattr(room, "LONGEST_PAUSE_S", 0.0)
    opened = connect(f"sqlite:///{tmp_path}/some.db", read_only=False)
    opened.execute_sql("CREATE TABLE number (n INTEGER)")
    return opened


def failing(db: pw.Database, times: int, error: Exception) -> Callable[[], int]:
    """Work that writes a row, and fails so many times."""
    done = iter(range(1, 1000))

    def work() -> int:
        db.execute_sql("INSERT INTO number VALUES (1)")
        attempt = next(done)
        if attempt <= times:
            raise error
        return attempt

    return work


def rows(db: pw.Database) -> int:
    return int(db.execute_sql("SELECT count(*) FROM number").fetchone()[0])


@pytest.mark.parametrize(
    "error",
    [pw.OperationalError(Refused("40P01")), pw.OperationalError(Refused("40001")), pw.IntegrityError(Refused("23503"))],
    ids=["deadlock", "serialisation", "foreign key"],
)
def test_what_others_caused_is_done_again_as_a_whole(db: pw.Database, error: Exception) -> None:
    undone: list[int] = []
    assert transaction(db, failing(db, 3, error), undo=lambda: undone.append(1)) == 4
    assert rows(db) == 1
    assert len(undone) == 3


@pytest.mark.parametrize(
    "error", [pw.OperationalError(Refused("57P01")), pw.OperationalError("database is locked"), ValueError("a fault")]
)
def test_anything_else_is_not(db: pw.Database, error: Exception) -> None:
    with pytest.raises(type(error)):
        transaction(db, failing(db, 1, error))
    assert rows(db) == 0


def test_it_gives_up_in_the_end(db: pw.Database) -> None:
    undone: list[int] = []
    with pytest.raises(pw.IntegrityError):
        transaction(db, failing(db, 999, pw.IntegrityError("always")), undo=lambda: undone.append(1))
    assert len(undone) == ATTEMPTS
    assert rows(db) == 0


def test_nothing_is_repeated_inside_of_another_transaction(db: pw.Database) -> None:
    with pytest.raises(pw.IntegrityError):
        transaction(db, lambda: transaction(db, failing(db, ATTEMPTS, pw.IntegrityError("once"))))
    assert rows(db) == 0


def test_writing_of_others_is_noticed(db: pw.Database, tmp_path: Path) -> None:
    since = moment(db)
    db.execute_sql("INSERT INTO number VALUES (1)")
    assert undisturbed(db, since, 1)
    other = connect(f"sqlite:///{tmp_path}/some.db", read_only=False)
    other.execute_sql("INSERT INTO number VALUES (2)")
    assert not undisturbed(db, since, 1)
