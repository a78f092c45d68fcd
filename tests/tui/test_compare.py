"""The comparisons, by keys and mouse, on a recorded store."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path

import pytest
from llmprof_tui.app import LlmprofApp
from llmprof_tui.screens.compare import CompareScreen
from llmprof_tui.screens.compare_runs import CompareRunsScreen
from llmprof_tui.screens.comparing import ComparingScreen
from llmprof_tui.source import Source
from llmprof_tui.widgets.diff_flame import DiffFlame
from llmprof_tui.widgets.notice import Notice
from llmprof_tui.widgets.text_diff import TextDiff
from llmprof_tui.widgets.window_table import WindowTable
from textual.pilot import Pilot
from textual.widgets import Static

from llmprof_addon.export.diff import Change
from tests.factories import body_bytes
from tests.tui.recording import SECOND, agent, call_id, record
from tests.tui.settling import settled

EARLY, LATE = call_id(1, 3), call_id(1, 7)
LOCAL, UNREPORTED, REFUSED, AWKWARD = call_id(3, 0), call_id(4, 0), call_id(5, 0), call_id(6, 0)


class Opening:
    """A comparison that is shown, and the one who looks at it."""

    def __init__(self, app: LlmprofApp, pilot: Pilot[int]) -> None:
        self.app, self.pilot = app, pilot

    async def rest(self) -> None:
        await settled(self.pilot)

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)
            await self.rest()

    @property
    def calls(self) -> CompareScreen:
        assert isinstance(self.app.screen, CompareScreen)
        return self.app.screen

    def said(self, id: str) -> str:
        return str(self.app.screen.query_one(f"#{id}", Static).render())

    @property
    def notice(self) -> str:
        return str(self.app.screen.query_one(Notice).text)

    @property
    def table(self) -> WindowTable[object]:
        return self.app.screen.query_one(WindowTable)

    @property
    def flame(self) -> DiffFlame:
        return self.app.screen.query_one(DiffFlame)

    def shown(self, widget: TextDiff | WindowTable[object]) -> str:
        return "\n".join(widget.render_line(y).text for y in range(widget.size.height))


@asynccontextmanager
async def opened(source: Source, screen: ComparingScreen, size: tuple[int, int] = (120, 40)) -> AsyncIterator[Opening]:  # type: ignore[type-arg]  # of either kind
    app = LlmprofApp(source)
    async with app.run_test(size=size) as pilot:
        opening = Opening(app, pilot)
        await opening.rest()
        app.push_screen(screen)
        await opening.rest()
        yield opening


async def test_a_call_beside_a_later_one_of_its_run(source: Source) -> None:
    async with opened(source, CompareScreen(EARLY, LATE)) as opening:
        head = opening.said("header")
        assert "one prompt begins with all of the other" in head
        compared = opening.calls.compared
        assert compared is not None
        before, after = compared.rows
        assert before.usage.input_tokens is not None
        assert after.usage.input_tokens is not None
        assert f"+{after.usage.input_tokens - before.usage.input_tokens:,}" in head
        assert {part.change for part in compared.diff.changed} <= {Change.NEW, Change.CHANGED}
        assert "+ Step 4: look at `upload.py`." in opening.shown(opening.calls.query_one(TextDiff))


async def test_changes_are_walked_by_keys_and_the_flame_follows(source: Source) -> None:
    async with opened(source, CompareScreen(EARLY, LATE)) as opening:
        seen = [opening.said("detail").splitlines()[0]]
        for key in ("n", "n", "N", "N", "N"):
            await opening.press(key)
            seen.append(opening.said("detail").splitlines()[0])
        assert seen[0] == seen[4] != seen[1]
        assert seen[1] == seen[3] != seen[2]
        assert opening.table.cursor == opening.table.row_count - 1
        await opening.press("enter")
        assert opening.calls.query_one(TextDiff).has_focus


async def test_the_row_of_a_node_that_is_selected_in_the_flame(source: Source) -> None:
    async with opened(source, CompareScreen(EARLY, LATE)) as opening:
        await opening.press("shift+tab")
        assert opening.flame.has_focus
        await opening.press("home", "k", "k", "k", "k", "k", "j", "j", "j", "l")
        number = opening.table.cursor
        assert number is not None
        row = opening.calls._changed[number]
        held = row.after or row.before
        assert held is not None
        assert held.path is not None
        assert held.path in opening.said("detail")
        await opening.press("m", "s")
        assert "dollars" in opening.flame.axis(100)
        assert "largest first" in opening.flame.axis(100)


@pytest.fixture
def edited(tmp_path: Path) -> Iterator[Source]:
    """Two calls of one conversation: a tool was described otherwise, and the run is cut short after it."""
    first, second, *_ = agent()
    body = json.loads(second.request_body)
    body["tools"][1]["description"] = "Run the tests below a folder, quietly. "
    body["system"].append({"type": "text", "text": "Answer in one line."})
    second = replace(second, request_body=body_bytes(body), ended_ns=second.ended_ns + SECOND)
    home = tmp_path / "edited"
    home.mkdir()
    record(home, [first, second])
    with closing(Source(f"sqlite:///{home}/llmprof.db", home)) as source:
        yield source


async def test_where_prompts_part_and_the_two_texts_of_it(edited: Source) -> None:
    async with opened(edited, CompareScreen(call_id(1, 0), call_id(1, 1)), (160, 45)) as opening:
        head = opening.said("header")
        assert "✂ the prompts part at tools[1] (run_tests, changed)" in head
        assert opening.table.row(0) is not None
        texts = opening.shown(opening.calls.query_one(TextDiff))
        assert "quietly" in texts
        assert "│" in texts
        await opening.pilot.resize_terminal(100, 40)
        await opening.rest()
        assert "│" not in opening.shown(opening.calls.query_one(TextDiff))
        await opening.press("x")
        assert "− gone" in opening.shown(opening.table)


async def test_a_call_is_the_same_as_itself(source: Source) -> None:
    async with opened(source, CompareScreen(LATE, LATE)) as opening:
        assert "±0" in opening.said("header")
        assert opening.table.row_count == 0
        assert "the same, part for part" in opening.shown(opening.calls.query_one(TextDiff))
        await opening.press("n", "N", "enter")


@pytest.mark.parametrize(
    "other", [LOCAL, UNREPORTED, REFUSED, AWKWARD], ids=["unpriced", "no usage", "refused", "awkward"]
)
async def test_calls_without_price_or_usage_or_with_odd_texts(source: Source, other: str) -> None:
    async with opened(source, CompareScreen(LATE, other), (80, 24)) as opening:
        assert "another model" in opening.said("header") or other == REFUSED
        await opening.press("m", *["n"] * 12, "x", "n")
        for widget in (opening.table, opening.calls.query_one(TextDiff), opening.flame):
            for y in range(widget.size.height):
                text = widget.render_line(y).text
                assert not {"\x1b", "\x07", "\u202e"} & set(text)


async def test_a_call_that_is_not_there_and_one_that_goes(source: Source) -> None:
    async with opened(source, CompareScreen(LATE, "0" * 32)) as opening:
        assert "there is no call" in opening.notice
        await opening.press("x", "n")
        await opening.press("escape")
        assert not isinstance(opening.app.screen, CompareScreen)
    async with opened(source, CompareScreen(EARLY, LATE)) as opening:
        source.delete_call(EARLY)
        opening.calls.store_changed()
        await opening.rest()
        assert "deleted from the store" in opening.said("header")
        assert opening.table.row_count


async def test_a_call_beside_the_one_it_goes_on_from(source: Source) -> None:
    async with opened(source, CompareScreen(None, LATE)) as opening:
        assert opening.calls.ids == (call_id(1, 6), LATE)
        await opening.press("x")
        assert opening.calls.ids == (LATE, call_id(1, 6))
    async with opened(source, CompareScreen(None, call_id(1, 0))) as opening:
        assert "the first call of its run" in opening.notice


async def test_agents_side_by_side_are_not_taken_for_one_another(tmp_path: Path) -> None:
    first, second, *_ = agent()
    body = json.loads(first.request_body)
    body["messages"] = [{"role": "user", "content": "Look for callers of upload()."}]
    between = replace(
        first,
        id=call_id(9, 0),
        request_body=body_bytes(body),
        started_ns=first.ended_ns + 1,
        ended_ns=first.ended_ns + SECOND,
    )
    calls = [replace(each, session="one") for each in (first, between, second)]
    record(tmp_path, calls)
    source = Source(f"sqlite:///{tmp_path}/llmprof.db", tmp_path)
    assert source.call(between.id).run_id == source.call(second.id).run_id
    async with opened(source, CompareScreen(None, second.id)) as opening:
        assert opening.calls.ids == (first.id, second.id)


async def test_two_runs_kind_by_kind(source: Source) -> None:
    ids = [source.call(each).run_id for each in (call_id(2, 0), LATE)]
    async with opened(source, CompareRunsScreen(*ids)) as opening:
        head = opening.said("header")
        assert "3 calls and 12 calls" in head
        assert "largest prompts:" in head
        shown = opening.shown(opening.table)
        assert "tool schemas" in shown
        assert "∅" in shown
        await opening.press("j", "enter", "x")
        assert "12 calls and 3 calls" in opening.said("header")


async def test_two_runs_one_of_which_has_no_tokens(source: Source) -> None:
    ids = [source.call(each).run_id for each in (REFUSED, LATE)]
    async with opened(source, CompareRunsScreen(*ids), (80, 24)) as opening:
        assert "no prompt to draw" in opening.said("header")
        await opening.press("m", "x")
    async with opened(source, CompareRunsScreen("nope", ids[1])) as opening:
        assert "there is no run nope" in opening.notice


async def test_the_application_opens_both(source: Source) -> None:
    async with opened(source, CompareScreen(EARLY, LATE)) as opening:
        opening.app.open_compare(LATE, EARLY)
        await opening.rest()
        assert opening.calls.ids == (LATE, EARLY)
        opening.app.open_compare_runs(*(source.call(each).run_id for each in (LOCAL, LATE)))
        await opening.rest()
        assert isinstance(opening.app.screen, CompareRunsScreen)
