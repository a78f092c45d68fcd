"""How the tabs of a run with helpers look: each picture was looked at before it was kept."""

from typing import Any

import pytest
from llmprof_tui.app import LlmprofApp

from tests.tui.crew import RUN
from tests.tui.snapshots.test_run import shown
from tests.tui.snapshots.test_runs import pressed

LOOKS = [((80, 24), "llmprof-light"), ((160, 45), "llmprof-dark")]


@pytest.mark.parametrize(("size", "theme"), LOOKS)
def test_cache(crew_app: LlmprofApp, snap_compare: Any, size: tuple[int, int], theme: str) -> None:
    assert snap_compare(crew_app, terminal_size=size, run_before=shown(RUN, "4", theme=theme))


@pytest.mark.parametrize(("size", "theme"), [((80, 24), "llmprof-dark"), ((160, 45), "llmprof-light")])
def test_agents(crew_app: LlmprofApp, snap_compare: Any, size: tuple[int, int], theme: str) -> None:
    assert snap_compare(crew_app, terminal_size=size, run_before=shown(RUN, "6", "down", "enter", theme=theme))


@pytest.mark.parametrize(("size", "theme"), LOOKS)
def test_rent(crew_app: LlmprofApp, snap_compare: Any, size: tuple[int, int], theme: str) -> None:
    assert snap_compare(crew_app, terminal_size=size, run_before=shown(RUN, "3", "down", theme=theme))


@pytest.mark.parametrize(("size", "theme"), [((80, 24), "llmprof-dark"), ((160, 45), "llmprof-light")])
def test_findings(crew_app: LlmprofApp, snap_compare: Any, size: tuple[int, int], theme: str) -> None:
    assert snap_compare(crew_app, terminal_size=size, run_before=shown(RUN, "5", "down", theme=theme))


def test_nothing_found(app: LlmprofApp, snap_compare: Any) -> None:
    assert snap_compare(app, terminal_size=(80, 24), run_before=shown(3, "5", theme="llmprof-dark"))


def test_without_colours(crew_app: LlmprofApp, snap_compare: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(crew_app, terminal_size=(100, 30), run_before=shown(RUN, "4", theme="llmprof-dark"))


def test_manual(app: LlmprofApp, snap_compare: Any) -> None:
    assert snap_compare(app, terminal_size=(80, 24), run_before=pressed("m"))
