"""How the tabs of a run with helpers look: each picture was looked at before it was kept."""

from typing import Any

import pytest
from llmprof_tui.app import LlmprofApp

from tests.tui.crew import RUN
from tests.tui.snapshots.test_run import shown

LOOKS = [((80, 24), "llmprof-light"), ((160, 45), "llmprof-dark")]


@pytest.mark.parametrize(("size", "theme"), LOOKS)
def test_cache(crew_app: LlmprofApp, snap_compare: Any, size: tuple[int, int], theme: str) -> None:
    assert snap_compare(crew_app, terminal_size=size, run_before=shown(RUN, "3", theme=theme))


@pytest.mark.parametrize(("size", "theme"), [((80, 24), "llmprof-dark"), ((160, 45), "llmprof-light")])
def test_agents(crew_app: LlmprofApp, snap_compare: Any, size: tuple[int, int], theme: str) -> None:
    assert snap_compare(crew_app, terminal_size=size, run_before=shown(RUN, "4", "down", "enter", theme=theme))


def test_without_colours(crew_app: LlmprofApp, snap_compare: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(crew_app, terminal_size=(100, 30), run_before=shown(RUN, "3", theme="llmprof-dark"))


def test_manual(app: LlmprofApp, snap_compare: Any) -> None:
    assert snap_compare(app, terminal_size=(80, 24), press=["m"])
