"""Runs by hand from the list of runs, by keys and mouse."""

from pathlib import Path

import pytest
from llmprof_tui.app import LlmprofApp
from llmprof_tui.screens.manual_dialog import ManualDialog, state_said
from llmprof_tui.source import Source
from llmprof_tui.widgets.status_bar import StatusBar
from textual.pilot import Pilot
from textual.widgets import Button, Static

from llmprof_addon.store import manual
from llmprof_addon.store.open import open_store
from tests.factories import STARTED_NS
from tests.tui.settling import settled


async def asked(pilot: Pilot[int]) -> ManualDialog:
    await settled(pilot)
    await pilot.press("m")
    await settled(pilot)
    assert isinstance(pilot.app.screen, ManualDialog)
    return pilot.app.screen


def bar(app: LlmprofApp) -> str:
    return app.screen.query_one(StatusBar).render().plain


async def test_a_run_by_hand_from_its_start_to_its_end(app: LlmprofApp, source: Source) -> None:
    async with app.run_test(size=(120, 30)) as pilot:
        dialog = await asked(pilot)
        assert not dialog.query("#pause, #resume, #end")
        await pilot.press("enter")
        assert "a name needs a letter" in str(dialog.query_one("#complaint", Static).render())
        await pilot.press(*"try", "space", *"two", "tab", *"warm", "enter")
        await settled(pilot)
        assert "▶ try two" in bar(app)
        dialog = await asked(pilot)
        said = str(dialog.query_one("#manual-state", Static).render())
        assert "“try two” is active: 0 calls" in said
        assert said.endswith("warm")
        await pilot.press("p")
        await settled(pilot)
        assert "‖ try two paused" in bar(app)
        await asked(pilot)
        await pilot.press("r")
        await settled(pilot)
        assert "▶ try two" in bar(app)
        await asked(pilot)
        await pilot.click("#end")
        await settled(pilot)
        assert "try two" not in bar(app)
        found = source.manual()
        assert found is not None
        assert (found.name, found.note, found.state, len(found.intervals)) == ("try two", "warm", "ended", 2)


async def test_starting_another_one_ends_the_first(app: LlmprofApp, home: Path) -> None:
    with open_store(f"sqlite:///{home}/llmprof.db") as store:
        manual.start(store, "first \x1b[31mone, with a name longer than the bar", None, STARTED_NS)
    async with app.run_test(size=(120, 30)) as pilot:
        await settled(pilot)
        assert "▶ first ␛[31mone, with a …" in bar(app)
        dialog = await asked(pilot)
        await pilot.click("#name")
        await pilot.press(*"per")
        await pilot.click("#start")
        await settled(pilot)
        assert "▶ per" in bar(app)
        assert dialog not in app.screen_stack
        await asked(pilot)
        await pilot.press("escape")
        await settled(pilot)
        assert "▶ per" in bar(app)


async def test_who_comes_too_late_is_told(app: LlmprofApp, home: Path) -> None:
    with open_store(f"sqlite:///{home}/llmprof.db") as store:
        manual.start(store, "first", None, STARTED_NS)
        async with app.run_test(size=(120, 30), notifications=True) as pilot:
            dialog = await asked(pilot)
            manual.end(store, STARTED_NS + 1)
            dialog.query_one("#pause", Button).press()
            await settled(pilot)
            assert [note.title for note in app._notifications] == ["Nothing changed"]


async def test_before_anything_is_recorded(tmp_path: Path) -> None:
    app = LlmprofApp(Source(f"sqlite:///{tmp_path}/llmprof.db", tmp_path))
    async with app.run_test(size=(80, 24)) as pilot:
        await asked(pilot)
        await pilot.press(*"new", "enter")
        await settled(pilot)
        assert "▶ new" in bar(app)


@pytest.mark.parametrize("state", ["active", "paused", "ended"])
def test_what_is_said_of_a_run(state: str) -> None:
    ends = None if state == "active" else STARTED_NS
    found = manual.ManualRun(
        key="k", name="n", note=None, tags={}, state=state, intervals=((STARTED_NS, ends),), run_id=None, calls=1
    )
    assert state_said(found).startswith(f"“n” {'has' if state == 'ended' else 'is'} {state}: 1 call, from ")
    assert (" to " in state_said(found)) == (state != "active")
