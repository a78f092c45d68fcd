"""A fresh store for each test: on SQLite, and on PostgreSQL where `LLMPROF_TEST_PG` names a server.

`LLMPROF_TEST_PG` is the URL of a database in which the tests may create schemas.
"""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmprof_addon.store.database import connect
from llmprof_addon.store.open import Store, open_store

SERVER = os.environ.get("LLMPROF_TEST_PG")


@pytest.fixture(params=["sqlite", "postgresql"] if SERVER else ["sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/home/llmprof.db"
    return str(request.getfixturevalue("postgresql"))


@pytest.fixture
def postgresql() -> Iterator[str]:
    """For what several processes do to one server."""
    if SERVER is None:
        pytest.skip("LLMPROF_TEST_PG names no server; `make test-postgres` runs one")
    schema = f"test_{uuid.uuid4().hex}"
    server = connect(SERVER, read_only=False)
    server.execute_sql(f"CREATE SCHEMA {schema}")
    yield f"{SERVER}{'&' if '?' in SERVER else '?'}options=-csearch_path%3D{schema}"
    server.execute_sql(f"DROP SCHEMA {schema} CASCADE")
    server.close()


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with open_store(url) as store:
        yield store


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[Store]:
    """For what is about a file on disk."""
    with open_store(f"sqlite:///{tmp_path}/home/llmprof.db") as store:
        yield store
