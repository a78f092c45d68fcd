"""The timeline by keys and mouse, alone on a screen."""

from collections.abc import Sequence
from typing import Any

import pytest
from llmprof_tui.themes import THEMES
from llmprof_tui.widgets.lane_title import LaneTitle
from llmprof_tui.widgets.timeline import Timeline
from llmprof_tui.widgets.timeline_layout import EMPTY
from llmprof_tui.widgets.timeline_painter import GUTTER
from llmprof_tui.widgets.timeline_signs import Sign
from llmprof_tui.widgets.timeline_stacks import is_cached
from textual.app import App, ComposeResult
from textual.message import Message

from llmprof_addon.model.cache import CacheStatus
from llmprof_addon.model.component import Kind
from llmprof_addon.store.timeline import TimelineCall
from tests.tui.settling import settled
from tests.tui.unit.test_call_rows import drawn
from tests.tui.unit.test_timeline_stacks import total


def calls(count: int, *, start: int = 1, **more: Any) -> tuple[TimelineCall, ...]:
    """Calls that grow: a system prompt from the cache, and more and more of the user."""
    return tuple(
        drawn(
            number,
            context_window=200_000,
            cost=number * 10**9,
            composition=(total(Kind.SYSTEM, 1000, 1000), total(Kind.USER, 100 * number)),
            **more,
        )
        for number in range(start, start + count)
    )


class Alone(App[None]):
    """Nothing but a timeline."""

    def __init__(self, shown: Sequence[TimelineCall], *, monochrome: bool = False, **more: Any) -> None:
        super().__init__()
        self.shown, self.more, self.monochrome = shown, more, monochrome
        self.seen: list[Message] = []

    def compose(self) -> ComposeResult:
        yield Timeline()

    def on_mount(self) -> None:
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = THEMES[0].name
        self.timeline.show(self.shown, **self.more)
        self.timeline.focus()

    @property
    def timeline(self) -> Timeline:
        return self.query_one(Timeline)

    def on_timeline_selected(self, message: Timeline.Selected) -> None:
        self.seen.append(message)

    def on_timeline_opened(self, message: Timeline.Opened) -> None:
        self.seen.append(message)

    def lines(self) -> list[str]:
        """What stands on the screen."""
        return [self.timeline.render_line(y).text for y in range(self.timeline.size.height)]


async def test_keys_move_the_selection_and_open() -> None:
    app = Alone(calls(20))
    async with app.run_test(size=(100, 14)) as pilot:
        assert app.timeline.selected == 19
        await pilot.press("left", "left", "h")
        assert app.timeline.selected == 16
        await pilot.press("home", "left")
        assert app.timeline.selected == 0
        await pilot.press("l", "end", "right", "enter")
        assert app.timeline.selected == 19
        assert isinstance(app.seen[-1], Timeline.Opened)


async def test_a_click_selects_what_is_drawn_there_and_a_double_click_opens_it() -> None:
    app = Alone(calls(20))
    async with app.run_test(size=(100, 14)) as pilot:
        width = app.timeline.view.zoom.width
        for call in (3, 0, 19, 7):
            await pilot.click(Timeline, offset=(GUTTER + call * width, 12))
            assert app.timeline.selected == call
        await pilot.click(Timeline, offset=(GUTTER + 5 * width, 12), times=2)
        assert isinstance(app.seen[-1], Timeline.Opened)
        assert app.seen[-1].call == 5
        await pilot.click(Timeline, offset=(2, 5))
        assert app.timeline.selected == 5


async def test_hovering_says_the_call_and_what_is_painted_there() -> None:
    app = Alone(calls(20))
    async with app.run_test(size=(100, 14)) as pilot:
        timeline = app.timeline
        x = GUTTER + 19 * timeline.view.zoom.width
        await pilot.hover(Timeline, offset=(x, 12))
        assert (timeline.hovered or (None,))[0] == 19
        assert timeline.hovered_kind is Kind.SYSTEM
        found = timeline.call_at(x, 12)
        assert found is not None
        assert is_cached(found[1])
        await pilot.hover(Timeline, offset=(x, 3))
        assert timeline.hovered_kind is Kind.USER
        await pilot.hover(Timeline, offset=(GUTTER, 2))
        assert timeline.hovered == (0, EMPTY)
        assert timeline.hovered_kind is None


async def test_zoom_keeps_the_selected_call_and_says_what_a_column_is() -> None:
    app = Alone(calls(300))
    async with app.run_test(size=(80, 14)) as pilot:
        timeline = app.timeline
        assert timeline.view.zoom.calls == 8
        assert "column = 8 calls, its highest shown" in app.lines()[0]
        await pilot.press("home", "right", "right")
        assert timeline.selected == 23  # the highest of the third column
        for _ in range(5):
            timeline.action_zoom(1)
            await settled(pilot)
            assert timeline.selected == 23
            assert timeline.call_at(GUTTER + timeline.view.place(timeline.view.column(23)) - timeline._scroll, 12)
        assert timeline.view.zoom.width == 3
        for _ in range(30):
            timeline.action_zoom(-1)
        assert timeline.view.columns == 1
        timeline.action_fit()
        assert timeline.view.zoom.calls == 8


async def test_the_window_scrolls_with_the_selection() -> None:
    app = Alone(calls(100))
    async with app.run_test(size=(60, 14)) as pilot:
        timeline = app.timeline
        for _ in range(9):
            timeline.action_zoom(1)
        await pilot.press("home")
        assert timeline.scroll_x == 0
        await pilot.press("end")
        await settled(pilot)
        assert timeline.scroll_x == timeline.virtual_size.width - 60
        before = timeline.scroll_x
        await pilot.press("left")
        assert timeline.scroll_x == before
        await pilot.press("pageup")
        assert timeline.selected == 98 - (60 - GUTTER) // 8 + 1


async def test_new_calls_move_neither_selection_nor_columns() -> None:
    app = Alone(calls(10))
    async with app.run_test(size=(120, 14)) as pilot:
        timeline = app.timeline
        await pilot.press("left", "left", "left")
        level, drawn_at = timeline.level, timeline.call_at(GUTTER + 50, 12)
        timeline.show(calls(30))
        await settled(pilot)
        assert (timeline.selected, timeline.level, timeline.scroll_x) == (6, level, 0)
        assert drawn_at is not None
        assert (timeline.call_at(GUTTER + 50, 12) or (None,))[0] == drawn_at[0]
        # An older call comes late: the selection is still the same call.
        timeline.show((*calls(1, start=99), *calls(30)))
        await settled(pilot)
        assert timeline.selected == 7


async def test_the_last_call_is_followed() -> None:
    app = Alone(calls(10))
    async with app.run_test(size=(60, 14)) as pilot:
        timeline = app.timeline
        seen = len(app.seen)
        timeline.show(calls(40))
        await settled(pilot)
        assert timeline.selected == 39
        assert len(app.seen) == seen + 1
        assert timeline._in_view(39)


async def test_a_deleted_call_loses_the_selection() -> None:
    app = Alone(calls(10))
    async with app.run_test(size=(60, 14)) as pilot:
        timeline = app.timeline
        await pilot.press("home")
        seen = len(app.seen)
        timeline.show(calls(9, start=2))
        await settled(pilot)
        assert timeline.selected == 8
        assert len(app.seen) == seen + 1
        timeline.show(())
        await settled(pilot)
        assert timeline.selected is None
        await pilot.press("left", "right", "home", "end", "enter", "pageup")
        assert app.lines()[3].strip() == ""


async def test_scale_and_metric() -> None:
    app = Alone(calls(20))
    async with app.run_test(size=(100, 14)) as pilot:
        timeline = app.timeline
        assert app.lines()[0].split("  ") == [" tokens ■ user", "■ system", "faded: cached", *[""] * 24, "window 200k"]
        timeline.action_limit()
        lines = app.lines()
        assert "╌╌" in lines[0]
        assert any("200k┤" in line and "╌" in line for line in lines)
        timeline.action_metric()
        lines = app.lines()
        assert lines[0].strip() == "dollars ■ text"
        assert any("$0.02┤" in line for line in lines)
        await settled(pilot)


async def test_failed_and_unknown_calls_are_marked() -> None:
    shown = (*calls(3), drawn(4, input_tokens=None, failed=True), drawn(5, input_tokens=None))
    app = Alone(shown)
    async with app.run_test(size=(60, 12)):
        marks = app.lines()[-2]
        width = app.timeline.view.zoom.width
        assert [marks[GUTTER + width * call + 3] for call in range(5)] == [" ", " ", " ", "✗", "–"]


async def test_calls_that_lost_their_cached_prefix_are_marked() -> None:
    states = (CacheStatus.HIT, CacheStatus.BREAK, CacheStatus.PARTIAL, CacheStatus.EXPIRED, None)
    app = Alone(tuple(drawn(number, cache_status=status) for number, status in enumerate(states, 1)))
    async with app.run_test(size=(60, 12)):
        assert app.lines()[-2].split() == ["✂", "✂", "⏱"]


async def test_signs_from_outside() -> None:
    cut = Sign(glyph="✂", colour="warning", meaning="cache break")
    app = Alone(calls(4), signs=[(), (cut,), (), (cut,)])
    async with app.run_test(size=(60, 12)):
        assert app.lines()[-2].split() == ["✂", "✂"]


async def test_a_sign_under_the_mouse_says_what_it_means() -> None:
    app = Alone((*calls(2), drawn(3, input_tokens=None, failed=True), drawn(4, input_tokens=None)))
    async with app.run_test(size=(60, 12)) as pilot:
        width, said = app.timeline.view.zoom.width, list[object]()
        for call in range(4):
            await pilot.hover(Timeline, offset=(GUTTER + width * call + 2, 10))
            said.append(app.timeline.tooltip)
        assert said == [None, None, "✗ failed", "– not known"]
        await pilot.hover(Timeline, offset=(GUTTER + width * 2 + 2, 9))
        assert app.timeline.tooltip is None


async def test_without_signs_their_line_belongs_to_the_chart() -> None:
    app = Alone(calls(4))
    async with app.run_test(size=(60, 12)):
        assert app.timeline._rows == 10


@pytest.mark.parametrize("size", [(1, 1), (8, 3), (9, 4), (200, 2), (10, 40)])
async def test_no_window_is_too_small(size: tuple[int, int]) -> None:
    app = Alone(calls(50))
    async with app.run_test(size=size) as pilot:
        await pilot.press("left", "home", "end")
        app.lines()
        await pilot.hover(Timeline, offset=(0, 0))


async def test_lines_are_as_wide_as_the_window_at_every_zoom_and_scroll() -> None:
    app = Alone(calls(150))
    async with app.run_test(size=(73, 14)) as pilot:
        timeline = app.timeline
        for _ in range(9):
            for key in ("home", "right", "end", "left"):
                await pilot.press(key)
                timeline.scroll_to(x=timeline.scroll_x - 1, animate=False, force=True)
                height = timeline.scrollable_content_region.height
                assert {timeline.render_line(y).cell_length for y in range(height)} == {73}
            timeline.action_zoom(1)
            await settled(pilot)


async def test_without_colours_letters_tell_kinds() -> None:
    app = Alone(calls(5), monochrome=True)
    async with app.run_test(size=(60, 14)):
        chart = "\n".join(app.lines()[1:-1])
        assert "ssss" in chart  # from the cache
        assert "UUUU" in chart  # not
        styles = {segment.style.color for y in range(1, 12) for segment in app.timeline.render_line(y) if segment.style}
        assert len(styles) < 5


HELPERS = (
    LaneTitle(key="main", name="main"),
    LaneTitle(key="h", name="search\x1b", said="Look for it", note="3 calls"),
)
LANE_OF = (0, 0, 1, 1, 0, 1)


async def test_lanes_are_rows_that_fold() -> None:
    app = Alone(calls(6), lanes=HELPERS, lane_of=LANE_OF)
    async with app.run_test(size=(100, 24)) as pilot:
        timeline, width = app.timeline, app.timeline.view.zoom.width
        lines = app.lines()
        assert lines[1].startswith("▾ main")
        assert lines[-2].startswith("▸ sear…")
        # Folded it has one row, with its columns and what it is about where none stands.
        assert timeline.call_at(GUTTER + 2 * width, 22) != (2, EMPTY)
        assert "search␛  Look for it  3 calls" in lines[-2]
        assert timeline.call_at(GUTTER + 2 * width, 20) == (2, EMPTY)
        await pilot.click(Timeline, offset=(3, 22))
        lines = app.lines()
        (title,) = [y for y, line in enumerate(lines) if line.startswith("▾ search␛  Look for it")]
        assert lines[title].rstrip().endswith("3 calls")
        assert timeline.call_at(GUTTER + 2 * width, title - 1) == (2, EMPTY)
        await pilot.click(Timeline, offset=(40, 1))
        assert app.lines()[1].startswith("▸ main")
        timeline.action_fold()
        assert app.lines()[2].startswith("▸ sear…")


async def test_keys_go_from_lane_to_lane() -> None:
    app = Alone(calls(6), lanes=HELPERS, lane_of=LANE_OF)
    async with app.run_test(size=(60, 24)) as pilot:
        timeline = app.timeline
        await pilot.press("up")
        assert timeline.selected == 4
        await pilot.press("up", "left", "down")
        assert timeline.selected == 3
        await pilot.click(Timeline, offset=(GUTTER + 2 * timeline.view.zoom.width, 22))
        assert timeline.selected == 2
        timeline.choose_lane("main")
        assert (timeline.selected, timeline.folded) == (0, frozenset({1}))
        timeline.choose_lane("h")
        assert (timeline.selected, timeline.folded) == (2, frozenset())
        timeline.choose_lane("nobody")
        assert timeline.selected == 2
        title = next(y for y, line in enumerate(app.lines()) if line.startswith("▾ search"))
        await pilot.hover(Timeline, offset=(3, title))
        assert str(timeline.tooltip) == "search␛\nLook for it\n3 calls"


async def test_more_lanes_than_lines_scroll_and_the_selected_one_is_seen() -> None:
    lanes = [LaneTitle(key=f"{at}", name=f"a{at}") for at in range(40)]
    app = Alone(calls(400), lanes=lanes, lane_of=[call % 40 for call in range(400)])
    async with app.run_test(size=(60, 16)) as pilot:
        timeline = app.timeline
        await settled(pilot)
        assert timeline.selected == 399
        assert any(line.startswith("▸ a39") for line in app.lines())
        await pilot.press(*["up"] * 39)
        await settled(pilot)
        assert timeline.lane_of[timeline.selected or 0] == 0
        assert timeline.scroll_y == 0
        width, height = timeline.scrollable_content_region.size
        for top in range(0, 50, 7):
            timeline.scroll_to(y=top, animate=False, force=True)
            assert {timeline.render_line(y).cell_length for y in range(height)} == {width}


async def test_a_lane_that_comes_is_folded_and_open_ones_stay_open() -> None:
    app = Alone(calls(2))
    async with app.run_test(size=(60, 24)):
        timeline = app.timeline
        timeline.show(calls(6), lanes=HELPERS, lane_of=LANE_OF)
        assert timeline.folded == frozenset({1})
        timeline._fold(1)
        more = (HELPERS[0], LaneTitle(key="new", name="new"), HELPERS[1])
        timeline.show(calls(6), lanes=more, lane_of=(0, 0, 2, 2, 0, 1))
        assert timeline.folded == frozenset({1})


async def test_another_theme_has_other_colours() -> None:
    app = Alone(calls(5))
    async with app.run_test(size=(60, 14)) as pilot:
        before = [segment.style for segment in app.timeline.render_line(11)]
        app.theme = "llmprof-light"
        await settled(pilot)
        assert [segment.style for segment in app.timeline.render_line(11)] != before


async def test_compaction_and_auxiliary_calls_are_marked() -> None:
    shown = [drawn(number) for number in range(1, 6)]
    shown[1] = drawn(2, request_class="compaction")
    shown[2] = drawn(3, link="compacted", cache_status=CacheStatus.BREAK)
    shown[3] = drawn(4, request_class="auxiliary")
    app = Alone(shown)
    async with app.run_test(size=(60, 12)) as pilot:
        assert app.lines()[-2].split() == ["⤓", "✂", "◦"]
        await pilot.hover(Timeline, offset=(GUTTER + app.timeline.view.zoom.width * 2 + 2, 10))
        assert app.timeline.tooltip == "✂ cache break\n⤓ goes on from a summary of the context"
