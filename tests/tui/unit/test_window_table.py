"""The windowed table alone, in an application that answers what it asks for."""

from collections.abc import Sequence

import pytest
from llmprof_tui.widgets.columns import Column
from llmprof_tui.widgets.held_rows import KEPT
from llmprof_tui.widgets.window_table import GUTTER, Order, WindowTable
from rich.text import Text
from textual import on
from textual.app import App, ComposeResult

from tests.tui.settling import settled

COLUMNS = (
    Column(key="name", title="name", width=12, least=6, grow=1, left=True),
    Column(key="size", title="size", width=9),
    Column(key="more", title="more", width=20, leaves=1, left=True, sorts=False),
)


class Tables(App[None]):
    """One table whose rows are `(name, size)`; `answers` says whether it is answered."""

    def __init__(self, answers: bool = True) -> None:
        super().__init__()
        self.answers = answers
        self.asked: list[Sequence[int]] = []
        self.missing: set[int] = set()
        self.lit: list[int | None] = []
        self.chosen: list[int] = []
        self.sorts: list[str] = []

    def compose(self) -> ComposeResult:
        yield WindowTable[tuple[str, int]](COLUMNS, lambda row: (row[0], f"{row[1]:,}", Text("…")), exact=_exact)

    @on(WindowTable.Wanted)
    def _wanted(self, message: WindowTable.Wanted) -> None:
        self.asked.append(message.numbers)
        if self.answers:
            rows = {number: (f"row {number}", number) for number in message.numbers if number not in self.missing}
            message.table.fill(message.numbers, rows)

    @on(WindowTable.Highlighted)
    def _highlighted(self, message: WindowTable.Highlighted) -> None:
        self.lit.append(message.number)

    @on(WindowTable.Chosen)
    def _chosen(self, message: WindowTable.Chosen) -> None:
        self.chosen.append(message.number)

    @on(WindowTable.SortAsked)
    def _sort_asked(self, message: WindowTable.SortAsked) -> None:
        self.sorts.append(message.key)

    @property
    def table(self) -> WindowTable[tuple[str, int]]:
        return self.query_one(WindowTable)


def _exact(row: tuple[str, int], key: str) -> str | None:
    return f"{row[1]} exactly" if key == "size" else None


def _lines(table: WindowTable[tuple[str, int]]) -> list[str]:
    return [table.render_line(y).text for y in range(table.size.height)]


async def test_shows_a_header_and_the_rows_of_the_window() -> None:
    app = Tables()
    async with app.run_test(size=(60, 10)) as pilot:
        app.table.show(range(1000, 0, -1), order=Order(key="size"))
        await settled(pilot)
        lines = _lines(app.table)
        assert lines[0].split() == ["name", "▾size", "more"]
        assert lines[1].split() == ["▌", "row", "1000", "1,000", "…"]
        assert lines[2].split() == ["row", "999", "999", "…"]
        assert all(len(line) == app.table.scrollable_content_region.width for line in lines)
        assert len(app.asked) == 1, "one page around the window"


async def test_asks_for_what_is_on_screen_when_the_last_answer_arrives() -> None:
    app = Tables(answers=False)
    async with app.run_test(size=(60, 10)) as pilot:
        app.table.show(range(100_000))
        await settled(pilot)
        assert "·" in _lines(app.table)[1]
        for key in ("end", "home", "end"):
            await pilot.press(key)
        assert len(app.asked) == 1, "the first request is still under way"
        app.table.fill(app.asked[0], {number: (f"row {number}", number) for number in app.asked[0]})
        await settled(pilot)
        assert len(app.asked) == 2
        assert 99_999 in app.asked[1]


async def test_rows_in_memory_stay_few() -> None:
    app = Tables()
    async with app.run_test(size=(60, 40)) as pilot:
        app.table.show(range(100_000))
        for _ in range(150):
            app.table.action_page(1)
            await settled(pilot)
        assert sum(app.table.row(number) is not None for number in range(100_000)) <= KEPT
        assert f"row {app.table.cursor}" in "\n".join(_lines(app.table))


async def test_keys_move_the_cursor_and_enter_opens() -> None:
    app = Tables()
    async with app.run_test(size=(60, 10)) as pilot:
        app.table.show(range(50, 0, -1))
        app.table.focus()
        await pilot.press("down", "j", "k", "down")
        assert app.table.cursor == 48
        await pilot.press("G")
        assert app.table.cursor == 1
        await pilot.press("pageup")
        assert app.table.cursor == 1 + app.table.size.height - 2
        await pilot.press("g", "enter")
        await settled(pilot)
    assert app.chosen == [50]
    assert app.lit[:4] == [50, 49, 48, 49]
    assert app.lit[-1] == 50


@pytest.mark.parametrize(
    ("keys", "drawn"), [(("down",), {1, 2}), (("down", "down", "up"), {1, 2, 3}), (("end",), set(range(10)))]
)
async def test_a_move_draws_the_rows_it_touches_and_no_others(keys: Sequence[str], drawn: set[int]) -> None:
    app = Tables()
    async with app.run_test(size=(60, 10)) as pilot:
        app.table.show(range(50))
        app.table.focus()
        await settled(pilot)
        seen: set[int] = set()
        render = app.table.render_line
        app.table.render_line = lambda y: seen.add(y) or render(y)  # type: ignore[method-assign,func-returns-value]
        await pilot.press(*keys)
        await settled(pilot)
    assert seen == drawn


async def test_the_tint_leaves_a_row_that_scrolls_away_from_the_mouse() -> None:
    app = Tables()
    async with app.run_test(size=(60, 10)) as pilot:
        app.table.show(range(50))
        await pilot.hover(WindowTable, offset=(20, 4))
        await settled(pilot)
        assert app.table._hovered == 3
        app.table.scroll_to(y=5, animate=False)
        await settled(pilot)
        assert app.table._hovered is None


async def test_mouse_selects_opens_and_asks_for_an_order() -> None:
    app = Tables()
    async with app.run_test(size=(60, 10)) as pilot:
        app.table.show(range(50))
        await pilot.click(WindowTable, offset=(GUTTER + 3, 4))
        assert app.table.cursor == 3
        await pilot.click(WindowTable, offset=(GUTTER + 3, 5), times=2)
        await pilot.click(WindowTable, offset=(GUTTER + 1, 0))
        await pilot.click(WindowTable, offset=(58, 0))
        await settled(pilot)
    assert app.chosen == [4]
    assert app.sorts == ["name"]


async def test_the_mouse_shows_a_cell_exactly() -> None:
    app = Tables()
    async with app.run_test(size=(60, 10)) as pilot:
        app.table.show([7, 1234567])
        await settled(pilot)
        x = _lines(app.table)[2].index("1,234,567")
        await pilot.hover(WindowTable, offset=(x, 2))
        assert str(app.table.tooltip) == "1234567 exactly"
        await pilot.hover(WindowTable, offset=(GUTTER, 2))
        assert app.table.tooltip is None


async def test_new_rows_on_top_are_seen_and_move_no_cursor() -> None:
    app = Tables()
    async with app.run_test(size=(60, 10)) as pilot:
        app.table.show(range(50, 0, -1))
        app.table.focus()
        await pilot.press("down", "down")
        app.table.show(range(52, 0, -1))
        await settled(pilot)
        assert app.table.cursor == 48
        assert round(app.table.scroll_y) == 0
        assert "row 52" in _lines(app.table)[1]
        assert _lines(app.table)[5].startswith("▌")


@pytest.mark.parametrize("down", [20, 30])
async def test_new_rows_above_the_window_leave_it_where_it_is(down: int) -> None:
    app = Tables()
    async with app.run_test(size=(60, 10)) as pilot:
        app.table.show(range(50, 0, -1))
        app.table.focus()
        await pilot.press(*["down"] * down)
        await settled(pilot)
        before = _lines(app.table)
        app.table.show(range(70, 0, -1))
        await settled(pilot)
        assert app.table.cursor == 50 - down
        assert _lines(app.table) == before


async def test_a_cursor_at_the_bottom_edge_is_not_pushed_out_of_sight() -> None:
    app = Tables()
    async with app.run_test(size=(60, 10)) as pilot:
        app.table.show(range(50, 0, -1))
        app.table.focus()
        await pilot.press(*["down"] * (app.table.size.height - 2))
        app.table.show(range(51, 0, -1))
        await settled(pilot)
        assert _lines(app.table)[-1].startswith("▌")


async def test_a_cursor_whose_row_is_gone_stays_at_its_place() -> None:
    app = Tables()
    async with app.run_test(size=(60, 10)) as pilot:
        app.table.show([9, 8, 7, 6])
        app.table.move_to(7)
        app.table.show([9, 8, 6])
        assert app.table.cursor == 6
        app.table.show([9])
        assert app.table.cursor == 9
        app.table.show([])
        assert app.table.cursor is None
        await pilot.press("down", "enter")
        assert _lines(app.table)[1].strip() == ""


async def test_a_row_that_was_not_given_is_shown_as_gone() -> None:
    app = Tables()
    app.missing.add(5)
    async with app.run_test(size=(60, 10)) as pilot:
        app.table.show([4, 5, 6])
        await settled(pilot)
        assert _lines(app.table)[2].split() == ["gone"]
        assert len(app.asked) == 1


async def test_renewed_rows_stay_on_screen_until_the_answer() -> None:
    app = Tables()
    async with app.run_test(size=(60, 10)) as pilot:
        app.table.show([4, 5])
        await settled(pilot)
        app.answers = False
        app.table.renew()
        await settled(pilot)
        assert "row 4" in _lines(app.table)[1]
        app.table.fill(app.asked[-1], {4: ("renamed", 1), 5: ("row 5", 5)})
        assert "renamed" in _lines(app.table)[1]


async def test_marks_are_seen_without_colour() -> None:
    app = Tables()
    async with app.run_test(size=(60, 10)) as pilot:
        app.table.show([4, 5, 6])
        app.table.mark([5])
        await settled(pilot)
        assert [line[:2] for line in _lines(app.table)[1:4]] == ["▌ ", " ✓", "  "]


async def test_columns_leave_when_it_gets_narrow() -> None:
    app = Tables()
    async with app.run_test(size=(60, 10)) as pilot:
        app.table.show([4])
        await pilot.resize_terminal(30, 10)
        await settled(pilot)
        assert _lines(app.table)[0].split() == ["name", "size"]


async def test_texts_are_cut_by_cells_not_by_characters() -> None:
    app = Tables()
    async with app.run_test(size=(24, 6)) as pilot:
        app.table.show_rows([("你好世界你好世界你好世界", 1), ("[bold]no markup[/bold]", 2)])
        await settled(pilot)
        for line in range(1, 3):
            assert app.table.render_line(line).cell_length == 24
        assert "…" in _lines(app.table)[1]
        assert "[bold" in _lines(app.table)[2]


async def test_rows_at_hand_are_never_asked_for() -> None:
    app = Tables()
    async with app.run_test(size=(60, 10)) as pilot:
        app.table.show_rows([(f"r{number}", number) for number in range(5000)])
        app.table.focus()
        await pilot.press("end")
        await settled(pilot)
        assert not app.asked
        assert "r4999" in _lines(app.table)[-1]
