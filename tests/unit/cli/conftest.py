import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from llmprof_addon import cli
from tests.unit.cli.recording import Ran, cases, conversation, record

Cli = Callable[..., Ran]


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting, home or terminal of whoever runs the tests."""
    for name in list(os.environ):
        if name.startswith("LLMPROF_") or name in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with eight calls in seven runs; only read."""
    return record(tmp_path_factory.mktemp("recorded"), [*cases(), *conversation()])


@pytest.fixture
def own(recorded: Path, tmp_path: Path) -> Path:
    """A copy of it, to be changed."""
    return Path(shutil.copytree(recorded, tmp_path / "own"))


@pytest.fixture
def llmprof(capsys: pytest.CaptureFixture[str]) -> Cli:
    """The command line: words in, what it left behind out."""

    def run(*words: object) -> Ran:
        try:
            code = cli.main([str(word) for word in words])
        except SystemExit as left:
            code = int(left.code or 0)
        done = capsys.readouterr()
        return Ran(code, done.out, done.err)

    return run
