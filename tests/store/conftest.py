"""A fresh store for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from llmprof_addon.store.open import Store, open_store


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/home/llmprof.db"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with open_store(url) as store:
        yield store
