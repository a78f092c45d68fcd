"""What the application does for all screens."""

import os
import shutil

import pytest
from llmprof_tui.app import LlmprofApp
from llmprof_tui.widgets.flame_pane import FlamePane
from llmprof_tui.widgets.messages_pane import MessagesPane
from textual.events import Resize
from textual.geometry import Size

from tests.tui.recording import call_id
from tests.tui.settling import settled


async def test_a_timer_that_starts_late_goes_off(app: LlmprofApp) -> None:
    went: list[tuple[int, int]] = []
    async with app.run_test() as pilot:
        await settled(pilot)
        app.open_call(call_id(1, 7))
        await settled(pilot)
        waiting = [app, app.screen, app.screen.query_one(FlamePane), app.screen.query_one("#raw", MessagesPane)]
        every = [(place, number) for place in range(len(waiting)) for number in range(20)]
        for place, number in every:
            waiting[place].set_timer(1e-9, lambda one=(place, number): went.append(one))
        await settled(pilot)
    assert sorted(went) == every


async def test_what_the_terminal_says_of_its_size_comes_to_the_screen(app: LlmprofApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        for size in (Size(200, 60), Size(80, 24), Size(120, 40)):
            app.post_message(Resize(size, size))
            await settled(pilot)
            assert app.screen.outer_size == size


async def test_a_size_that_nobody_told_is_found(app: LlmprofApp, monkeypatch: pytest.MonkeyPatch) -> None:
    small, large = Size(80, 24), Size(200, 60)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        monkeypatch.setattr(shutil, "get_terminal_size", lambda: os.terminal_size(large))
        app._fit_terminal()  # neither the application nor its screen were told
        await settled(pilot)
        assert (app.size, app.screen.outer_size) == (large, large)
        app.screen._screen_resized(small)  # the screen was told otherwise
        assert app.screen.outer_size == small
        app._fit_terminal()
        await settled(pilot)
        assert app.screen.outer_size == large
