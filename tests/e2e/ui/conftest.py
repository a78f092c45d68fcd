"""A home with recorded runs, of which each test may do with its copy what it likes."""

import shutil
from pathlib import Path

import pytest

from tests.tui.recording import record, varied


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("recorded")
    record(home, varied())
    return home


@pytest.fixture
def home(recorded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(recorded, tmp_path / "home"))
