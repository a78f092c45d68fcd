"""Screens and reports of a store that keeps no texts: every number is there, and in the place of texts it says so."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from llmprof_tui.app import LlmprofApp
from llmprof_tui.screens.call import CallScreen
from llmprof_tui.screens.run import RunScreen
from llmprof_tui.source import Source

from llmprof_addon import cli
from llmprof_addon.model.standin import OFF
from llmprof_addon.pipeline.unkept import without_texts
from tests.tui.crew import crew
from tests.tui.recording import record
from tests.tui.settling import settled

SIZE = (120, 40)
REPORTS = (("runs",), ("calls",), ("cache",), ("rent",), ("tools",), ("findings",), ("trends",))
"""Commands that print one or more JSON objects."""
TEXTS = ("label", "name", "title", "message", "error", "before", "after", "path", "bodies", "node", "first_diff")
"""Their fields that hold texts or digests."""
TOLD_BY_TEXTS = ("referable", "referred_call", "evidence")


@pytest.fixture(scope="module")
def unkept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The session of an agent with helpers, without its texts; only read."""
    home = tmp_path_factory.mktemp("unkept")
    record(home, crew(), without_texts(b"a fake secret of some store, 32B"))
    return home


@pytest.fixture
def app(unkept: Path) -> Iterator[LlmprofApp]:
    with closing(Source(f"sqlite:///{unkept}/llmprof.db", unkept)) as opened:
        yield LlmprofApp(opened)


def shown(app: LlmprofApp) -> str:
    return "\n".join("".join(segment.text for segment in line) for line in app.screen._compositor.render_strips())


async def test_every_screen_opens_and_says_so(app: LlmprofApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        assert "text was not kept" in shown(app)
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, RunScreen)
        for number in "234567":
            await pilot.press(number)
            await settled(pilot)
            assert "Traceback" not in shown(app)
        await pilot.press("1", "enter")
        await settled(pilot)
        if not isinstance(app.screen, CallScreen):
            await pilot.press("enter")
            await settled(pilot)
        assert isinstance(app.screen, CallScreen)
        await pilot.press("2")
        await settled(pilot)
        assert OFF in shown(app)


def numbers(value: Any) -> Any:
    """A JSON value without its texts."""
    if isinstance(value, dict):
        return {key: numbers(held) for key, held in value.items() if key not in (*TEXTS, *TOLD_BY_TEXTS)}
    return [numbers(held) for held in value] if isinstance(value, list) else value


@pytest.mark.parametrize("words", REPORTS, ids=" ".join)
def test_reports_have_the_numbers(
    words: tuple[str, ...], unkept: Path, crewed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = []
    for home in (crewed, unkept):
        assert cli.main([*words, "--json", "--home", str(home)]) == 0
        printed = capsys.readouterr()
        assert printed.err == ""
        found.append([numbers(json.loads(line)) for line in printed.out.splitlines()])
        assert cli.main([*words, "--home", str(home)]) == 0
        capsys.readouterr()
    assert found[0] == found[1]
