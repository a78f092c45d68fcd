"""How the run screen looks: each picture was looked at before it was kept."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from llmprof_tui.app import LlmprofApp
from llmprof_tui.screens.run import RunScreen
from llmprof_tui.source import Source
from textual.pilot import Pilot

from tests.tui.recording import call_id
from tests.tui.settling import settled
from tests.tui.test_run import opened

SIZES = ((80, 24), (160, 45))
THEMES = ("llmprof-dark", "llmprof-light")


def shown(run: int, *keys: str, theme: str) -> Callable[[Pilot[int]], Awaitable[None]]:
    """Open a run and press keys."""

    async def before(pilot: Pilot[int]) -> None:
        app = pilot.app
        assert isinstance(app, LlmprofApp)
        app.theme = theme
        await opened(pilot, app, run)
        await pilot.press(*keys)
        await settled(pilot)

    return before


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES)
def test_calls(app: LlmprofApp, snap_compare: Any, size: tuple[int, int], theme: str) -> None:
    assert snap_compare(app, terminal_size=size, run_before=shown(1, "left", "left", theme=theme))


@pytest.mark.parametrize("theme", THEMES)
def test_tools_and_dollars(app: LlmprofApp, snap_compare: Any, theme: str) -> None:
    assert snap_compare(app, terminal_size=(160, 45), run_before=shown(1, "t", "2", "down", theme=theme))


def test_window(app: LlmprofApp, snap_compare: Any) -> None:
    assert snap_compare(app, terminal_size=(80, 24), run_before=shown(1, "w", theme="llmprof-safe"))


def test_a_failed_call(app: LlmprofApp, snap_compare: Any) -> None:
    assert snap_compare(app, terminal_size=(80, 24), run_before=shown(5, theme="llmprof-dark"))


def test_awkward_texts(app: LlmprofApp, snap_compare: Any) -> None:
    assert snap_compare(app, terminal_size=(160, 45), run_before=shown(6, "2", theme="llmprof-dark"))


def test_without_colours(app: LlmprofApp, snap_compare: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(app, terminal_size=(80, 24), run_before=shown(1, theme="llmprof-dark"))


def test_loading(app: LlmprofApp, snap_compare: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RunScreen, "load", lambda *_: None)

    async def before(pilot: Pilot[int]) -> None:
        app.open_run("whatever")
        await settled(pilot)

    assert snap_compare(app, terminal_size=(80, 24), run_before=before)


def test_no_such_run(app: LlmprofApp, snap_compare: Any) -> None:
    async def before(pilot: Pilot[int]) -> None:
        app.open_run("nobody")
        await settled(pilot)

    assert snap_compare(app, terminal_size=(80, 24), run_before=before)


def test_deleted_while_shown(app: LlmprofApp, source: Source, snap_compare: Any) -> None:
    async def before(pilot: Pilot[int]) -> None:
        screen = await opened(pilot, app)
        await asyncio.to_thread(source.delete_run, source.call(call_id(1, 0)).run_id)
        screen.store_changed()
        await settled(pilot)

    assert snap_compare(app, terminal_size=(80, 24), run_before=before)
