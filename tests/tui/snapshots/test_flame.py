"""Flame graphs and comparisons as they look."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from llmprof_tui.app import LlmprofApp
from llmprof_tui.screens.compare import CompareScreen
from llmprof_tui.screens.compare_runs import CompareRunsScreen
from llmprof_tui.source import Source
from textual.pilot import Pilot
from textual.screen import Screen

from tests.tui.recording import call_id
from tests.tui.test_compare import EARLY, LATE, LOCAL, Opening
from tests.tui.test_flame import Shown

SMALL, LARGE = (80, 24), (160, 45)


def shown(screen: Callable[[], Screen[None]], theme: str, *keys: str) -> Callable[[Pilot[int]], Awaitable[None]]:
    """What is done before the picture is taken."""

    async def run(pilot: Pilot[int]) -> None:
        app = pilot.app
        assert isinstance(app, LlmprofApp)
        app.theme = theme
        opening = Opening(app, pilot)
        await opening.rest()
        app.push_screen(screen())
        await opening.rest()
        await opening.press(*keys)

    return run


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "160x45"])
@pytest.mark.parametrize("theme", ["llmprof-dark", "llmprof-light"])
def test_two_calls(snap_compare: Any, source: Source, size: tuple[int, int], theme: str) -> None:
    before = shown(lambda: CompareScreen(EARLY, LATE), theme, "n", "n")
    assert snap_compare(LlmprofApp(source), terminal_size=size, run_before=before)


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "160x45"])
@pytest.mark.parametrize("theme", ["llmprof-dark", "llmprof-light"])
def test_two_runs(snap_compare: Any, source: Source, size: tuple[int, int], theme: str) -> None:
    ids = [source.call(each).run_id for each in (LATE, call_id(2, 0))]
    before = shown(lambda: CompareRunsScreen(*ids), theme)
    assert snap_compare(LlmprofApp(source), terminal_size=size, run_before=before)


def test_colours_for_everybody(snap_compare: Any, source: Source) -> None:
    before = shown(lambda: CompareScreen(LATE, LOCAL), "llmprof-safe", "shift+tab", "j")
    assert snap_compare(LlmprofApp(source), terminal_size=(120, 40), run_before=before)


def test_a_call_that_is_gone(snap_compare: Any, source: Source) -> None:
    before = shown(lambda: CompareScreen(LATE, "0" * 32), "llmprof-dark")
    assert snap_compare(LlmprofApp(source), terminal_size=SMALL, run_before=before)


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "160x45"])
def test_a_flame(snap_compare: Any, size: tuple[int, int]) -> None:
    assert snap_compare(Shown(), terminal_size=size, press=["down", "left", "down"])


def test_a_flame_by_position_with_its_cache_boundary(snap_compare: Any) -> None:
    assert snap_compare(Shown(), terminal_size=(100, 20), press=["v", "down"])


def test_a_flame_that_is_searched_and_zoomed(snap_compare: Any) -> None:
    assert snap_compare(Shown(), terminal_size=(100, 20), press=["down", "enter", "slash", *"turn 1", "enter"])
