"""The stacked line and its legend."""

import pytest
from llmprof_tui.widgets.composition import CompositionBar, Legend
from textual.app import App, ComposeResult

from llmprof_addon.model.component import Kind, KindTotal
from llmprof_addon.model.usage import Source
from tests.tui.settling import settled

TOTALS = [
    KindTotal(kind=Kind.SYSTEM, tokens=1000, fresh=1000, cost=3_000_000_000, source=Source.REPORTED),
    KindTotal(kind=Kind.TOOL_SCHEMAS, tokens=9000, read=9000, source=Source.ESTIMATED),
    KindTotal(kind=Kind.USER, tokens=0, source=Source.REPORTED),
    KindTotal(kind=Kind.TOOL_RESULTS, tokens=10_000, write=10_000, source=Source.REPORTED),
]


class Composed(App[None]):
    monochrome = False

    def compose(self) -> ComposeResult:
        yield CompositionBar()
        yield Legend()

    def lines(self, kind: type[CompositionBar] | type[Legend]) -> list[str]:
        widget = self.query_one(kind)
        return [widget.render_line(y).text.rstrip() for y in range(widget.size.height)]


async def test_names_stand_where_there_is_room() -> None:
    app = Composed()
    async with app.run_test(size=(80, 8)) as pilot:
        app.query_one(CompositionBar).show(TOTALS)
        app.query_one(Legend).show(TOTALS)
        await settled(pilot)
        (bar,) = app.lines(CompositionBar)
        assert bar.split("  ")[0] == ""
        assert "tool schemas" in bar
        assert "system" not in bar, "four cells hold no name"
        assert app.lines(Legend) == ["■ tool results 10.0k 50%  ■ tool schemas ≈9.0k 45%  ■ system 1.0k 5%"]


async def test_letters_stand_for_colours_where_there_are_none() -> None:
    app = Composed()
    app.monochrome = True
    async with app.run_test(size=(80, 8)) as pilot:
        app.query_one(CompositionBar).show(TOTALS)
        app.query_one(Legend).show(TOTALS)
        await settled(pilot)
        (bar,) = app.lines(CompositionBar)
        assert bar.startswith("sssstttt")
        assert bar.endswith("oooo")
        assert app.lines(Legend)[0].startswith("o tool results")


@pytest.mark.parametrize("width", [36, 50, 70])
async def test_a_narrow_legend_says_how_many_it_leaves_out(width: int) -> None:
    app = Composed()
    async with app.run_test(size=(width, 8)) as pilot:
        legend = app.query_one(Legend)
        legend.show([KindTotal(kind=kind, tokens=10, source=Source.REPORTED) for kind in Kind])
        await settled(pilot)
        lines = app.lines(Legend)
        assert all(len(line) <= width for line in lines)
        shown = sum(line.count("■") for line in lines)
        assert f"+{len(Kind) - shown} more" in lines[-1]


async def test_the_mouse_says_a_kind_exactly() -> None:
    app = Composed()
    async with app.run_test(size=(80, 8)) as pilot:
        app.query_one(CompositionBar).show(TOTALS)
        await pilot.hover(CompositionBar, offset=(10, 0))
        assert str(app.query_one(CompositionBar).tooltip).startswith("tool schemas: ≈9,000 tokens, 45%, –")


async def test_nothing_known_is_an_empty_line() -> None:
    app = Composed()
    async with app.run_test(size=(80, 8)) as pilot:
        app.query_one(CompositionBar).show(())
        await settled(pilot)
        assert app.lines(CompositionBar) == [""]
