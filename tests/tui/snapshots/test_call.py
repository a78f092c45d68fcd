"""How the call screen looks: each picture was looked at before it was kept."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from llmprof_tui.app import LlmprofApp
from llmprof_tui.screens.call import CallScreen
from textual.pilot import Pilot

from tests.tui.recording import call_id
from tests.tui.settling import settled
from tests.tui.test_call import AGENT, AWKWARD, Opening

SIZES = ((80, 24), (160, 45))
THEMES = ("llmprof-dark", "llmprof-light")


def shown(call: str, *keys: str, theme: str = THEMES[0]) -> Callable[[Pilot[int]], Awaitable[None]]:
    """Open a call and press keys."""

    async def before(pilot: Pilot[int]) -> None:
        app = pilot.app
        assert isinstance(app, LlmprofApp)
        app.theme = theme
        app.open_call(call)
        await settled(pilot)
        opening = Opening(app, pilot)
        await opening.rest()
        await opening.press(*keys)

    return before


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("tab", ["1", "2", "5"], ids=["flame", "messages", "cost"])
def test_tabs(app: LlmprofApp, snap_compare: Any, tab: str, size: tuple[int, int], theme: str) -> None:
    assert snap_compare(app, terminal_size=size, run_before=shown(AGENT, tab, theme=theme))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("keys", [["6"], ["6", "r"]], ids=["request", "response"])
def test_raw(app: LlmprofApp, snap_compare: Any, keys: list[str], size: tuple[int, int]) -> None:
    assert snap_compare(app, terminal_size=size, run_before=shown(AGENT, *keys))


@pytest.mark.parametrize("theme", [*THEMES, "llmprof-safe"])
def test_everything_open_at_the_end_of_the_cache(app: LlmprofApp, snap_compare: Any, theme: str) -> None:
    assert snap_compare(app, terminal_size=(160, 45), run_before=shown(AGENT, "2", "O", "O", "end", theme=theme))


def test_search(app: LlmprofApp, snap_compare: Any) -> None:
    keys = ["2", "slash", *"file", "enter", "n", "n"]
    assert snap_compare(app, terminal_size=(120, 40), run_before=shown(AGENT, *keys))


@pytest.mark.parametrize("size", SIZES)
def test_awkward_texts(app: LlmprofApp, snap_compare: Any, size: tuple[int, int]) -> None:
    assert snap_compare(app, terminal_size=size, run_before=shown(AWKWARD, "2", "T", "T", "S", "S", "O", "O"))


def test_answer(app: LlmprofApp, snap_compare: Any) -> None:
    assert snap_compare(app, terminal_size=(120, 40), run_before=shown(AGENT, "3"))


def test_a_refused_call(app: LlmprofApp, snap_compare: Any) -> None:
    assert snap_compare(app, terminal_size=(80, 24), run_before=shown(call_id(5, 0), "3"))


def test_an_unpriced_call_without_usage(app: LlmprofApp, snap_compare: Any) -> None:
    assert snap_compare(app, terminal_size=(80, 24), run_before=shown(call_id(4, 0), "5"))


def test_reasoning_and_hidden_input(app: LlmprofApp, snap_compare: Any) -> None:
    assert snap_compare(app, terminal_size=(120, 40), run_before=shown(call_id(2, 2), "2", "z"))


def test_without_colours(app: LlmprofApp, snap_compare: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(app, terminal_size=(80, 24), run_before=shown(AGENT, "2"))


def test_no_such_call(app: LlmprofApp, snap_compare: Any) -> None:
    assert snap_compare(app, terminal_size=(80, 24), run_before=shown("f" * 32))


def test_loading(app: LlmprofApp, snap_compare: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CallScreen, "load", lambda *_: None)
    assert snap_compare(app, terminal_size=(80, 24), run_before=shown(AGENT))
