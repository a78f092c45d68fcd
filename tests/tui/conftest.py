"""Screens over a real store, the same on every machine: clock, time zone, theme and home are fixed."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from llmprof_tui.app import LlmprofApp
from llmprof_tui.source import Source
from textual.widgets import Input

from tests.tui.crew import crew
from tests.tui.recording import home, record, recorded

__all__ = ["home", "recorded"]


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No setting, home, locale or terminal of whoever runs the tests; no animation, no blinking."""
    for name in list(os.environ):
        if name.startswith("LLMPROF_") or name in ("FORCE_COLOR", "NO_COLOR", "COLORTERM", "TEXTUAL_THEME"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")
    monkeypatch.setattr(Input, "_toggle_cursor", lambda self: None)
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def source(home: Path) -> Iterator[Source]:
    with closing(Source(f"sqlite:///{home}/llmprof.db", home)) as opened:
        yield opened


@pytest.fixture
def app(source: Source) -> LlmprofApp:
    return LlmprofApp(source)


@pytest.fixture(scope="session")
def crewed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the session of an agent with helpers; only read."""
    home = tmp_path_factory.mktemp("crewed")
    record(home, crew())
    return home


@pytest.fixture
def crew_home(crewed: Path, tmp_path: Path) -> Path:
    """A copy of it for each test."""
    return Path(shutil.copytree(crewed, tmp_path / "crew"))


@pytest.fixture
def crew_app(crew_home: Path) -> Iterator[LlmprofApp]:
    with closing(Source(f"sqlite:///{crew_home}/llmprof.db", crew_home)) as opened:
        yield LlmprofApp(opened)
