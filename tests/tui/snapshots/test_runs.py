"""How the list of runs and its dialogs look: each picture was looked at before it was kept."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from llmprof_tui.app import LlmprofApp
from llmprof_tui.preferences import Preferences
from llmprof_tui.screens import loading
from llmprof_tui.screens.runs import RunsScreen
from llmprof_tui.source import Source
from textual.pilot import Pilot

from llmprof_addon.errors import StoreError
from tests.factories import STARTED_NS
from tests.tui.recording import MINUTE
from tests.tui.settling import settled

SIZES = ((80, 24), (160, 45))
THEMES = ("llmprof-dark", "llmprof-light")


@pytest.fixture(autouse=True)
def _then(monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour after the first call: what started on the day of looking is shown without its date. Nobody types."""
    monkeypatch.setattr(loading, "SETTLE_SECONDS", 0.001)
    monkeypatch.setattr("llmprof_addon.clock.now_ns", lambda: STARTED_NS + 60 * MINUTE)


def pressed(*keys: str, theme: str = THEMES[0]) -> Callable[[Pilot[int]], Awaitable[None]]:
    """Press keys on the list."""

    async def before(pilot: Pilot[int]) -> None:
        pilot.app.theme = theme
        await settled(pilot)
        for key in keys:
            await pilot.press(key)
            await settled(pilot)

    return before


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES)
def test_runs(app: LlmprofApp, snap_compare: Any, size: tuple[int, int], theme: str) -> None:
    assert snap_compare(app, terminal_size=size, run_before=pressed("down", theme=theme))


def test_a_marked_and_a_failed_run(app: LlmprofApp, snap_compare: Any) -> None:
    keys = ["space", "down", "down", "down"]
    assert snap_compare(app, terminal_size=(160, 45), run_before=pressed(*keys, theme="llmprof-safe"))


def test_searched(app: LlmprofApp, snap_compare: Any) -> None:
    assert snap_compare(app, terminal_size=(80, 24), run_before=pressed("slash", *"keel"))


def test_no_run_fits(app: LlmprofApp, snap_compare: Any) -> None:
    assert snap_compare(app, terminal_size=(80, 24), run_before=pressed("slash", *"zzz", "enter"))


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("key", ["f", "r", "x", "question_mark"], ids=["filter", "rename", "delete", "help"])
def test_dialogs(app: LlmprofApp, snap_compare: Any, key: str, theme: str) -> None:
    assert snap_compare(app, terminal_size=(80, 24), run_before=pressed("down", key, theme=theme))


@pytest.mark.parametrize("theme", THEMES)
def test_the_tour(source: Source, snap_compare: Any, theme: str) -> None:
    touring = LlmprofApp(source, tour=True)
    assert snap_compare(touring, terminal_size=(80, 24), run_before=pressed(theme=theme))


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_recorded(
    snap_compare: Any, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], theme: str
) -> None:
    monkeypatch.setenv("HOME", "/home/nobody-here")
    monkeypatch.setattr(Preferences, "set", lambda *_: None)
    home = Path("/home/nobody-here/.llmprof")
    empty = LlmprofApp(Source(f"sqlite:///{home}/llmprof.db", home))
    assert snap_compare(empty, terminal_size=size, run_before=pressed(theme=theme))


def test_a_newer_store(app: LlmprofApp, snap_compare: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise StoreError("/home/someone/.llmprof/llmprof.db is from a newer llmprof", hint="upgrade llmprof")

    monkeypatch.setattr(Source, "list_runs", refuse)
    assert snap_compare(app, terminal_size=(80, 24), run_before=pressed())


def test_loading(app: LlmprofApp, snap_compare: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RunsScreen, "load", lambda *_: None)
    assert snap_compare(app, terminal_size=(80, 24), run_before=pressed())


def test_without_colours(app: LlmprofApp, snap_compare: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(app, terminal_size=(80, 24), run_before=pressed())
