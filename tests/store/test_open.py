"""Opening: new, old, newer, foreign, damaged, locked and unwritable databases."""

import importlib.util
import multiprocessing
import os
import shutil
import sqlite3
import stat
from pathlib import Path

import peewee as pw
import pytest
from playhouse.schema_diff import diff_models

from llmprof_addon.errors import ConfigError, StoreError
from llmprof_addon.store import database, migrate, queries
from llmprof_addon.store.compress import unpack
from llmprof_addon.store.open import Store, open_store
from llmprof_addon.store.schema import TABLES, Call, Content, Node
from llmprof_addon.store.search import search
from llmprof_addon.store.search_query import parse_query
from llmprof_addon.store.upkeep import upkeep
from tests.store.building import exchange, record, text

DATABASES = Path(__file__).parents[2] / "fixtures" / "databases"


@pytest.fixture
def url(tmp_path: Path) -> str:
    """What stands in this file is about SQLite's own ways."""
    return f"sqlite:///{tmp_path}/home/llmprof.db"


def file_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def test_a_file_that_was_taken_away_is_noticed(url: str) -> None:
    with open_store(url) as store:
        assert not store.replaced
        file_of(url).rename(file_of(url).with_name("away.db"))
        assert store.replaced
        with open_store(url) as other:
            assert store.replaced
            assert not other.replaced


def test_a_full_disk_is_called_so_although_the_rollback_fails_as_well(url: str) -> None:
    """SQLite rolls back by itself then."""
    with open_store(url) as store:
        pages = store.db.pragma("page_count")
        store.db.execute_sql("CREATE TABLE big (content BLOB)")
        store.db.execute_sql(f"PRAGMA max_page_count = {pages + 9}")
        with pytest.raises(StoreError, match="the disk is full"), database.errors_of(url), store.db.atomic():
            store.db.execute_sql("INSERT INTO big VALUES (zeroblob(9000000))")


def test_a_new_store_is_private_and_set_up_for_many_readers(store: Store, url: str) -> None:
    assert stat.S_IMODE(file_of(url).stat().st_mode) == 0o600
    assert stat.S_IMODE(file_of(url).parent.stat().st_mode) == 0o700
    record_one(store)
    wal = file_of(url).with_name("llmprof.db-wal")
    assert stat.S_IMODE(wal.stat().st_mode) == 0o600
    assert store.db.pragma("journal_mode") == "wal"
    assert store.db.pragma("synchronous") == 1
    assert store.db.pragma("foreign_keys") == 1
    assert store.db.pragma("auto_vacuum") == 2
    assert store.db.pragma("busy_timeout") == 5000


def record_one(store: Store) -> None:
    assert store.write(record(store, exchange("a" * 32), [text("user", "Hello")], [text("assistant", "Hi")]))


def test_migrations_make_the_tables_of_the_schema(store: Store) -> None:
    with store.db.bind_ctx(TABLES):
        assert not diff_models(store.db, list(TABLES))


def test_what_refers_to_what_may_be_deleted_is_found_by_an_index(store: Store) -> None:
    referring = [
        (table._meta.table_name, field.column_name)
        for table in TABLES
        for field in table._meta.refs
        if field.rel_model in (Content, Node, Call)
    ]
    assert len(referring) > 15
    for table, column in referring:
        plan = store.db.execute_sql(f"EXPLAIN QUERY PLAN SELECT 1 FROM {table} WHERE {column} = 1").fetchall()
        assert [row[3].split()[0] for row in plan] == ["SEARCH"], (table, column, plan)


def test_opening_again_changes_nothing(store: Store, url: str) -> None:
    record_one(store)
    with open_store(url) as again:
        assert queries.count(again) == (1, 1)
    assert not list(file_of(url).parent.glob("*.bak"))


def test_a_reader_does_not_write(store: Store, url: str) -> None:
    record_one(store)
    with open_store(url, read_only=True) as reader:
        assert queries.count(reader) == (1, 1)
        with pytest.raises(StoreError, match="cannot be written"):
            record_two(reader)


def record_two(store: Store) -> None:
    store.write(record(store, exchange("b" * 32), [text("user", "Bye")]))


def test_a_reader_of_nothing_says_how_to_begin(url: str) -> None:
    with pytest.raises(StoreError, match="no store at") as error:
        open_store(url, read_only=True)
    assert "llmprof up" in error.value.hint
    assert not file_of(url).exists()


def test_another_programs_database_is_left_alone(url: str) -> None:
    path = file_of(url)
    path.parent.mkdir()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE traces (id INTEGER)")
    other.close()
    before = path.read_bytes()
    for read_only in (False, True):
        with pytest.raises(StoreError, match=r"another program.*'traces'") as error:
            open_store(url, read_only=read_only)
        assert "--home" in error.value.hint
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir()] == ["llmprof.db"]


def test_a_newer_store_is_refused(store: Store, url: str) -> None:
    store.db.execute_sql(f"INSERT INTO {migrate.HISTORY} (name, applied) VALUES ('9999_later', '2030-01-01')")
    for read_only in (False, True):
        with pytest.raises(StoreError, match=r"newer llmprof.*9999_later"):
            open_store(url, read_only=read_only)


def test_an_older_store_is_upgraded_after_a_copy(store: Store, url: str, tmp_path: Path) -> None:
    record_one(store)
    steps = tmp_path / "steps"
    shutil.copytree(migrate.DIRECTORY, steps, ignore=shutil.ignore_patterns("__pycache__"))
    (steps / "0002_more.py").write_text(
        "import peewee as pw\n"
        "def up(migrator, db):\n"
        "    migrator.migrate(migrator.add_column('call', 'mood', pw.TextField(null=True)))\n"
    )
    path = file_of(url)
    assert migrate.migrate(store.db, str(path), path, steps) == ["0002_more"]
    assert "mood" in [column.name for column in store.db.get_columns("call")]
    copy = path.with_name("llmprof.db.bak")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with sqlite3.connect(copy) as old:
        assert old.execute("SELECT COUNT(*) FROM call").fetchone() == (1,)
        assert "mood" not in [row[1] for row in old.execute("PRAGMA table_info(call)")]
    old.close()
    assert store.db.execute_sql("SELECT COUNT(*) FROM call").fetchone() == (1,)
    assert store.db.pragma("foreign_keys") == 1
    with pytest.raises(StoreError, match="newer llmprof"):
        open_store(url)


def test_an_upgrade_that_fails_leaves_the_store_as_it_was(store: Store, url: str, tmp_path: Path) -> None:
    record_one(store)
    steps = tmp_path / "steps"
    shutil.copytree(migrate.DIRECTORY, steps, ignore=shutil.ignore_patterns("__pycache__"))
    (steps / "0002_half.py").write_text(
        "def up(migrator, db):\n    db.execute_sql('DROP TABLE attachment')\n    db.execute_sql('nonsense')\n"
    )
    with pytest.raises(pw.OperationalError, match="nonsense"):
        migrate.migrate(store.db, "here", file_of(url), steps)
    assert "attachment" in store.db.get_tables()
    with open_store(url) as again:
        assert queries.count(again) == (1, 1)


def test_a_reader_asks_for_the_upgrade_of_an_older_store(
    store: Store, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llmprof_addon.store.open.check", lambda db, where: ["0002_more"])
    with pytest.raises(StoreError, match="older llmprof"):
        open_store(url, read_only=True)


@pytest.mark.parametrize("old", sorted(DATABASES.glob("*.sqlite")), ids=lambda path: path.stem)
def test_stores_of_every_released_schema_open(old: Path, url: str) -> None:
    file_of(url).parent.mkdir()
    shutil.copy(old, file_of(url))
    with open_store(url) as store:
        assert queries.count(store) == (2, 4)
        rows = store.db.execute_sql("SELECT data, size FROM content").fetchall()
        assert all(len(unpack(data, size)) == size for data, size in rows)
        while upkeep(store):
            pass
        assert len(search(store, parse_query("brief")).hits) == 1
        record_one(store)
        with store.db.bind_ctx(TABLES):
            assert not diff_models(store.db, list(TABLES))


def _open(url: str, gate: "multiprocessing.synchronize.Barrier", results: "multiprocessing.Queue[str]") -> None:
    gate.wait()
    try:
        open_store(url).close()
        results.put("open")
    except Exception as error:
        results.put(repr(error))


def test_processes_that_start_together_make_one_store(url: str) -> None:
    context = multiprocessing.get_context("spawn")
    gate, results = context.Barrier(4), context.Queue()
    processes = [context.Process(target=_open, args=(url, gate, results)) for _ in range(4)]
    for process in processes:
        process.start()
    assert [results.get(timeout=60) for _ in processes] == ["open"] * 4
    for process in processes:
        process.join()
    with open_store(url) as store:
        assert store.db.execute_sql(f"SELECT COUNT(*) FROM {migrate.HISTORY}").fetchone() == (
            len(list(migrate.DIRECTORY.glob("[0-9]*.py"))),
        )


def test_a_damaged_store_is_named(store: Store, url: str) -> None:
    record_one(store)
    store.db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    store.close()
    path = file_of(url)
    data = bytearray(path.read_bytes())
    data[2048:] = os.urandom(len(data) - 2048)
    path.write_bytes(data)
    with pytest.raises(StoreError, match=r"damaged|another program") as error, open_store(url) as again:
        list(queries.calls(again))
    assert str(path) in str(error.value)


def test_a_file_that_is_no_database_is_named(url: str) -> None:
    file_of(url).parent.mkdir()
    file_of(url).write_text("Dear diary, " * 400)
    with pytest.raises(StoreError, match="not a database"):
        open_store(url)


def test_a_locked_store_is_named(store: Store, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_S", 0.05)
    with open_store(url) as other, other.db.atomic():
        store.close()
        store.db.timeout = 0.05
        with pytest.raises(StoreError, match="locked by another process"):
            record_one(store)
        with pytest.raises(StoreError, match="locked by another process"):
            store.ready()
    store.ready()
    record_one(store)


def test_a_folder_in_the_way(url: str) -> None:
    file_of(url).mkdir(parents=True)
    with pytest.raises(StoreError, match="is a folder"):
        open_store(url)


def test_a_home_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot write") as error:
        open_store(f"sqlite:///{tmp_path}/file/home/llmprof.db")
    assert "--home" in error.value.hint


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write everywhere")
def test_an_unwritable_folder(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o500)
    with pytest.raises(StoreError, match="cannot write"):
        open_store(f"sqlite:///{home}/llmprof.db")


@pytest.mark.parametrize("url", ["mysql://root@localhost/x", "llmprof.db", "sqlite://", "sqlite:///", ""])
def test_an_unknown_scheme_is_an_error(url: str) -> None:
    with pytest.raises(ConfigError, match="unknown database scheme"):
        open_store(url)


def test_postgresql_without_its_driver_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(StoreError, match="driver is not installed") as error:
        open_store("postgresql://me:hunter2@localhost/llmprof")
    assert "llmprof-addon[postgres]" in error.value.hint


def test_passwords_are_not_shown() -> None:
    assert database.shown("postgresql://me:hunter2@db.example/llmprof") == "postgresql://me:…@db.example/llmprof"
    assert database.shown("postgresql://me@db.example/llmprof") == "postgresql://me@db.example/llmprof"
