"""What the application does for all screens."""

import os
import shutil

import pytest
from llmprof_tui.app import LlmprofApp
from textual.events import Resize
from textual.geometry import Size

from tests.tui.settling import settled


async def test_a_timer_that_starts_late_goes_off(app: LlmprofApp) -> None:
    went: list[int] = []
    async with app.run_test() as pilot:
        for number in range(20):
            app.set_timer(1e-9, lambda number=number: went.append(number))
        await settled(pilot)
    assert sorted(went) == list(range(20))


async def test_what_the_terminal_says_of_its_size_comes_to_the_screen(app: LlmprofApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        for size in (Size(200, 60), Size(80, 24), Size(120, 40)):
            app.post_message(Resize(size, size))
            await pilot.pause(0.05)
            assert app.screen.outer_size == size


async def test_a_size_that_nobody_told_is_found(app: LlmprofApp, monkeypatch: pytest.MonkeyPatch) -> None:
    small, large = Size(80, 24), Size(200, 60)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        monkeypatch.setattr(shutil, "get_terminal_size", lambda: os.terminal_size(large))
        app._fit_terminal()  # neither the application nor its screen were told
        await pilot.pause(0.05)
        assert (app.size, app.screen.outer_size) == (large, large)
        app.screen._screen_resized(small)  # the screen was told otherwise
        assert app.screen.outer_size == small
        app._fit_terminal()
        await pilot.pause(0.05)
        assert app.screen.outer_size == large
