"""A database URL -> an open Peewee database, and database errors -> one line that says what to do."""

import importlib.util
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import peewee as pw

from llmprof_addon.errors import ConfigError, StoreError

BUSY_S = 5
"""How long a statement waits for another writer."""

CONNECT_S = 10
"""How long a PostgreSQL server may take to answer."""

_SQLITE = "sqlite:///"
_POSTGRES = ("postgresql://", "postgres://")
_OLDEST_SQLITE = (3, 35, 0)  # RETURNING


def sqlite_path(url: str) -> Path | None:
    """The file of an SQLite URL (`sqlite:///relative`, `sqlite:////absolute`), `None` for another database.

    Raises `ConfigError` for a URL of no known scheme.
    """
    if url.startswith(_SQLITE) and (rest := url.removeprefix(_SQLITE)):
        return Path(os.path.expanduser(rest))
    if not url.startswith(_POSTGRES):
        scheme = url.partition(":")[0]
        raise ConfigError(
            f"unknown database scheme: {scheme!r}", hint="use sqlite:///PATH or postgresql://USER@HOST/NAME"
        )
    return None


def connect(url: str, *, read_only: bool) -> pw.Database:
    """Open the database, without looking at what it holds. A missing SQLite file is created (0600) unless read only.

    A database that is only read has one connection, which any thread may close, but only one may use at a time.
    """
    path = sqlite_path(url)
    with errors_of(url):
        db = _postgres(url, read_only) if path is None else _sqlite(path, read_only)
        db.connect()
    return db


def _sqlite(path: Path, read_only: bool) -> pw.Database:
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise StoreError(
            f"SQLite {sqlite3.sqlite_version} is too old", hint="use a Python whose SQLite is 3.35 or newer"
        )
    if path.is_dir():
        raise StoreError(f"{path} is a folder", hint="give the path of a database file")
    # Every thread that reads has a connection with a cache of its own, and the system's behind it.
    pragmas = [("foreign_keys", 1), ("synchronous", 1), ("cache_size", -4_000 if read_only else -16_000)]
    if read_only:
        if not path.exists():
            raise StoreError(f"no store at {path}", hint="`llmprof up` makes one and records into it")
        uri = path.absolute().as_uri() + "?mode=ro"
        # Without its side files, and where they cannot be made, as on a read-only disk, SQLite refuses to open a store
        # unless told that nobody writes.
        effective = os.access in os.supports_effective_ids
        if not Path(f"{path}-wal").exists() and not os.access(path.parent, os.W_OK, effective_ids=effective):
            uri += "&immutable=1"
        shared: dict[str, Any] = {"thread_safe": False, "check_same_thread": False}
        return pw.SqliteDatabase(uri, pragmas=pragmas, timeout=BUSY_S, uri=True, **shared)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Created here, so that nobody else can read it at any moment; SQLite gives its side files the same mode.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StoreError(
            f"cannot write {path}: {error.strerror}", hint="check its permissions, or choose another home with --home"
        ) from error
    if path.stat().st_size == 0:
        # Both take effect before the first table only, and before the switch to WAL. Compressed contents are of one to
        # three kilobytes: pages of 4096 bytes left a third of themselves empty, of 2048 an eighth.
        pragmas += [("page_size", 2048), ("auto_vacuum", 2)]
    # IMMEDIATE: a transaction that begins by reading cannot be refused when it comes to write.
    return pw.SqliteDatabase(str(path), pragmas=pragmas, timeout=BUSY_S, lock_type="IMMEDIATE")


def _postgres(url: str, read_only: bool) -> pw.Database:
    if importlib.util.find_spec("psycopg") is None:
        raise StoreError(
            "the PostgreSQL driver is not installed",
            hint='install the extra: uv tool install "llmprof-addon[postgres]" (or pip install)',
        )
    conninfo = re.sub("^postgres://", "postgresql://", url)
    try:
        given = parse_qs(urlsplit(conninfo).query)
    except ValueError as error:
        raise ConfigError(f"no URL of a database: {shown(url)}", hint="use postgresql://USER@HOST/NAME") from error
    params: dict[str, Any] = {} if "connect_timeout" in given else {"connect_timeout": CONNECT_S}
    if read_only:
        params["options"] = " ".join([*given.get("options", ()), "-c default_transaction_read_only=on"])
    return pw.PostgresqlDatabase(conninfo, prefer_psycopg3=True, thread_safe=not read_only, **params)


_MAKE_WAY = "close what holds it and try again"
_DAMAGED = "move it away, or restore the copy beside it (.bak)"
_ANOTHER = "move the file away; a new store is made in its place"
_MODES = "check the permissions of the file and its folder"
_GRANT = "grant the user of LLMPROF_DB_URL all rights to the tables"
_AWAY = ("the PostgreSQL server is away", "start it, or check LLMPROF_DB_URL; calls wait in the spool as long")

_SQLITE_SIGNS = (
    ("locked", "the store is locked by another process", _MAKE_WAY),
    ("malformed", "the store is damaged", _DAMAGED),
    ("not a database", "not a database", _ANOTHER),
    ("encrypted", "not a database", _ANOTHER),
    ("readonly", "the store cannot be written", _MODES),
    ("read-only", "the store cannot be written", _MODES),
    ("unable to open", "the store cannot be opened", _MODES),
    ("is full", "the disk is full", "make room; `llmprof prune --older-than 30d` drops old calls"),
    ("disk i/o", "the disk reports an error", "check the disk and the folder's permissions"),
    ("no such table", "the store is damaged: a table is missing", _DAMAGED),
)
_POSTGRES_SIGNS = (
    ("authentication failed", "the server refuses the user or the password", "check them in LLMPROF_DB_URL"),
    ("no password supplied", "the server asks for a password", "add it: postgresql://USER:PASSWORD@HOST/NAME"),
    ("no pg_hba.conf entry", "the server lets nobody in from here", "add a line to its pg_hba.conf"),
    (
        'role ".*" does not exist',
        "the server does not know the user",
        "check LLMPROF_DB_URL, or use createuser",
    ),
    (
        'database ".*" does not exist',
        "the server has no such database",
        "check LLMPROF_DB_URL, or use createdb",
    ),
    ("too many clients", "the server takes no more connections", "raise its max_connections"),
    ("starting up", "the server is starting", "wait a moment"),
    ("permission denied", "the store cannot be written", _GRANT),
    ("read-only transaction", "the store cannot be written", "the server is a standby; name the primary"),
    ("no space left", "the disk of the server is full", "make room there"),
    *((sign, *_AWAY) for sign in ("failed to resolve", "connection", "shutting down", "terminating", "recovery mode")),
)
"""What is found in an error's text, as databases and drivers write it in English; the line; what to do."""


@contextmanager
def errors_of(url: str) -> Iterator[None]:
    """Turn errors of the database into `StoreError`. Broken constraints pass: they are faults of the program."""
    try:
        yield
    except pw.IntegrityError:
        raise
    except (pw.DatabaseError, pw.InterfaceError, pw.ImproperlyConfigured) as error:
        text = str(_origin(error)).strip()
        where = shown(url)
        for sign, line, hint in _SQLITE_SIGNS if url.startswith(_SQLITE) else _POSTGRES_SIGNS:
            if re.search(sign, text.lower()):
                raise StoreError(f"{line}: {where}", hint=hint) from error
        first = text.splitlines()[0] if text else type(error).__name__
        for secret in _secrets(url):
            first = first.replace(secret, "…")
        raise StoreError(f"{where}: {first}", hint="check LLMPROF_DB_URL and that the database can be used") from error


def _origin(error: BaseException) -> BaseException:
    """What went wrong first: on a full disk SQLite rolls back by itself, and then Peewee's rollback fails too."""
    while "no transaction is active" in str(error) and error.__context__ is not None:
        error = error.__context__
    return error


def shown(url: str) -> str:
    """The URL as it may be printed: a file's path, or a server's address without the password."""
    if url.startswith(_SQLITE):
        return url.removeprefix(_SQLITE)
    for secret in _secrets(url):
        url = url.replace(secret, "…")
    return url


def _secrets(url: str) -> list[str]:
    """The passwords in a server's URL: behind the user, or as parameters."""
    return re.findall(r"(?<=password=)[^&]+", url) + re.findall(r"://[^:/@]*:([^/?]+)@", url)
