"""How trends and searches look: each picture was looked at before it was kept."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from llmprof_tui.app import LlmprofApp
from llmprof_tui.screens import loading
from llmprof_tui.source import Source

from tests.tui.months import NOW_NS, record_months
from tests.tui.snapshots.test_runs import SIZES, THEMES, pressed


@pytest.fixture(autouse=True)
def _then(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the last of the days; nobody waits for a typing person."""
    monkeypatch.setattr(loading, "SETTLE_SECONDS", 0.001)
    monkeypatch.setattr("llmprof_addon.clock.now_ns", lambda: NOW_NS)


@pytest.fixture(scope="module")
def recorded_months(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("months")
    record_months(home)
    return home


@pytest.fixture
def app(recorded_months: Path, tmp_path: Path) -> Iterator[LlmprofApp]:
    home = shutil.copytree(recorded_months, tmp_path / "home")
    with closing(Source(f"sqlite:///{home}/llmprof.db", home)) as source:
        yield LlmprofApp(source)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES)
def test_trends(app: LlmprofApp, snap_compare: Any, size: tuple[int, int], theme: str) -> None:
    assert snap_compare(app, terminal_size=size, run_before=pressed("T", "2", "down", theme=theme))


def test_months_of_hits_in_safe_colours(app: LlmprofApp, snap_compare: Any) -> None:
    keys = ["T", "p", "p", "m", "m", "tab", "tab"]
    assert snap_compare(app, terminal_size=(80, 24), run_before=pressed(*keys, theme="llmprof-safe"))


def test_trends_without_colours(app: LlmprofApp, snap_compare: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(app, terminal_size=(80, 24), run_before=pressed("T", "5", "p"))


@pytest.mark.parametrize(("size", "theme"), [(SIZES[0], THEMES[0]), (SIZES[1], THEMES[1])], ids=["small", "large"])
def test_search(app: LlmprofApp, snap_compare: Any, size: tuple[int, int], theme: str) -> None:
    assert snap_compare(app, terminal_size=size, run_before=pressed("F", *"step", "enter", "down", theme=theme))


def test_how_to_search(app: LlmprofApp, snap_compare: Any) -> None:
    assert snap_compare(app, terminal_size=(80, 24), run_before=pressed("F"))
