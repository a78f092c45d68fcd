import pytest
from llmprof_tui.themes import THEMES
from llmprof_tui.widgets import flame_pane
from llmprof_tui.widgets.breadcrumbs import Breadcrumbs
from llmprof_tui.widgets.flame import FlameGraph
from llmprof_tui.widgets.flame_layout import Frame
from llmprof_tui.widgets.flame_pane import FlamePane
from llmprof_tui.widgets.node_detail import NodeDetail
from textual.app import App, ComposeResult
from textual.message import Message
from textual.widgets import Input

from llmprof_addon.model.component import Component, Kind
from llmprof_addon.model.usage import Source
from tests.tui.settling import settled


def node(name: str, tokens: int, *children: Component, kind: Kind = Kind.USER, **fields: object) -> Component:
    read = min(tokens, int(str(fields.pop("read", 0))))
    given: dict[str, object] = {"cost": tokens * 3_000_000, "token_source": Source.COUNTED, **fields}
    return Component(  # type: ignore[arg-type]  # fields are given by name
        kind=kind, name=name, tokens=tokens, read_tokens=read, fresh_tokens=tokens - read, children=children, **given
    )


TREES = (
    node(
        "tool_schemas",
        400,
        node("github", 300, node("create_issue", 200, kind=Kind.TOOL_SCHEMAS), kind=Kind.TOOL_SCHEMAS),
        node("bash", 100, kind=Kind.TOOL_SCHEMAS, path="tools[0]"),
        kind=Kind.TOOL_SCHEMAS,
        read=400,
    ),
    node("user", 600, node("turn 1", 500, path="messages[0]"), node("turn 2", 100, path="messages[1]"), read=200),
)
POSITIONS = (
    node("tools", 400, read=400, kind=Kind.TOOL_SCHEMAS),
    node("messages", 600, node("user: one", 500, path="messages[0]"), node("user: two", 100), read=200),
)


class Shown(App[None]):
    def __init__(self, trees: tuple[Component, ...] = TREES, positions: tuple[Component, ...] = POSITIONS) -> None:
        super().__init__()
        self.trees, self.positions = trees, positions
        self.said: list[Message] = []

    def compose(self) -> ComposeResult:
        yield FlamePane()

    def on_mount(self) -> None:
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = THEMES[0].name
        texts = {"messages[0]": "the CLOCK was not frozen"}
        pane = self.query_one(FlamePane)
        pane.show(self.trees, self.positions, text_of=lambda component: texts.get(component.path or ""))
        pane.graph.focus()

    @property
    def graph(self) -> FlameGraph:
        return self.query_one(FlameGraph)

    def on_explorable_zoomed(self, message: FlameGraph.Zoomed) -> None:
        self.said.append(message)

    @property
    def at(self) -> str:
        assert self.graph.chart is not None
        assert self.graph.cursor is not None
        return self.graph.chart.node(self.graph.cursor).name

    def line(self, y: int) -> str:
        return self.graph.render_line(y).text


async def test_keys_move_to_the_largest_child_to_siblings_and_back() -> None:
    async with Shown().run_test(size=(100, 30)) as pilot:
        app = pilot.app
        assert isinstance(app, Shown)
        seen = [app.at]
        for key in ("down", "left", "down", "right", "up", "end", "home", "k", "j", "l", "h", "right"):
            await pilot.press(key)
            seen.append(app.at)
        assert seen == [
            *("prompt", "user", "tool_schemas", "github", "bash", "tool_schemas", "user", "tool_schemas", "prompt"),
            *("user", "user", "tool_schemas", "user"),
        ]


async def test_zoom_fills_the_width_and_goes_back_step_by_step() -> None:
    async with Shown().run_test(size=(100, 30)) as pilot:
        app = pilot.app
        assert isinstance(app, Shown)
        await pilot.press("down", "enter")
        assert (app.graph.view.start, app.graph.view.end) == (400, 1000)
        await pilot.press("down", "enter")
        assert (app.graph.view.start, app.graph.view.end) == (400, 900)
        assert [each.node.name for each in app.said if isinstance(each, FlameGraph.Zoomed)] == ["user", "turn 1"]
        await pilot.press("backspace")
        assert app.graph.view.start == 400
        assert app.graph.view.end == 1000
        await pilot.press("backspace", "backspace")
        assert app.graph.view == app.graph.chart.whole  # type: ignore[union-attr]  # it is drawn
        await pilot.press("plus", "plus")
        assert app.graph.view.span == 250
        await pilot.press("minus", "0")
        assert app.graph.view.span == 1000


async def test_cursor_outside_of_the_view_brings_it_along() -> None:
    async with Shown().run_test(size=(100, 30)) as pilot:
        app = pilot.app
        assert isinstance(app, Shown)
        await pilot.press("down", "down", "enter", "right")
        assert app.at == "turn 2"
        assert app.graph.view.end >= 901


async def test_mouse_selects_zooms_hovers_and_steps_back() -> None:
    async with Shown().run_test(size=(100, 30)) as pilot:
        app = pilot.app
        assert isinstance(app, Shown)
        rows = app.graph.rows
        where = (70, 1 + rows)
        await pilot.hover(FlameGraph, offset=where)
        await settled(pilot)
        assert app.graph.hover == Frame(1, 1)
        assert "user" in str(app.query_one(NodeDetail).render())
        await pilot.click(FlameGraph, offset=where)
        await settled(pilot)
        assert app.at == "user"
        await pilot.click(FlameGraph, offset=where)
        await settled(pilot)
        assert app.graph.view.start == 400
        await pilot.click(Breadcrumbs, offset=(2, 0))
        await settled(pilot)
        assert app.at == "prompt"
        assert app.graph.view.span == 1000


async def test_search_finds_names_and_texts_and_says_how_much_they_cover() -> None:
    async with Shown().run_test(size=(100, 30)) as pilot:
        app = pilot.app
        assert isinstance(app, Shown)
        assert app.graph.search("clock") == (1, 500)
        assert app.graph.search("turn") == (2, 600)
        assert app.graph.search("USER") == (1, 600)
        assert app.graph.search("nowhere") == (0, 0)
        await pilot.press("slash", *"turn", "enter")
        await settled(pilot)
        assert app.at == "turn 1"
        assert app.graph.has_focus
        await pilot.press("n")
        assert app.at == "turn 2"
        await pilot.press("n")
        assert app.at == "turn 1"
        await pilot.press("N")
        assert app.at == "turn 2"
        await pilot.press("slash", "escape")
        await settled(pilot)
        assert app.graph.found is None
        assert not app.query_one(Input).has_focus


async def test_in_a_large_tree_a_search_waits_until_the_typing_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flame_pane, "MANY", 0)
    monkeypatch.setattr(flame_pane, "SETTLE_SECONDS", 3600)
    async with Shown().run_test(size=(100, 30)) as pilot:
        app = pilot.app
        assert isinstance(app, Shown)
        await pilot.press("slash", *"turn")
        assert app.graph.found is None
        await pilot.press("enter")
        assert app.graph.found
        monkeypatch.setattr(flame_pane, "SETTLE_SECONDS", 0.001)
        await pilot.press("slash", *"bash")
        while len(app.graph.found) != 1:
            await pilot.pause(0.005)


async def test_metrics_views_and_orders() -> None:
    async with Shown().run_test(size=(100, 30)) as pilot:
        app = pilot.app
        assert isinstance(app, Shown)
        assert "1.0k tokens by component, in prompt order" in app.line(0)
        await pilot.press("s")
        assert "largest first" in app.line(0)
        assert app.line(1 + app.graph.rows).lstrip().startswith("user")
        await pilot.press("s", "v")
        assert "read 600" in app.line(0)
        assert [x for x, cell in enumerate(app.line(1)) if cell == "▏"] == [60]
        await pilot.press("m")
        assert "$0.0030" in app.line(1) + app.line(2)


async def test_exact_numbers_of_the_selected_node() -> None:
    async with Shown().run_test(size=(120, 30)) as pilot:
        app = pilot.app
        assert isinstance(app, Shown)
        await pilot.press("down", "left", "down", "right")
        await settled(pilot)
        lines = str(app.query_one(NodeDetail).render()).splitlines()
        assert lines[0] == "██ bash  tool schemas  tools[0]"
        assert lines[1].startswith("100 tokens  10% of prompt, 25% of tool schemas  $0.0003")
        assert "fresh 100" in lines[2]


async def test_cursor_stays_on_its_node_through_another_view() -> None:
    async with Shown().run_test(size=(100, 30)) as pilot:
        app = pilot.app
        assert isinstance(app, Shown)
        await pilot.press("down", "down")
        assert app.at == "turn 1"
        await pilot.press("v")
        assert app.at == "user: one"
        await pilot.press("v", "s", "m")
        assert app.at == "turn 1"


async def test_unpriced_and_empty_trees_say_so() -> None:
    unpriced = (node("user", 10, cost=None),)
    async with Shown(unpriced, ()).run_test(size=(100, 30)) as pilot:
        app = pilot.app
        assert isinstance(app, Shown)
        await pilot.press("m")
        assert "No price is known" in app.line(1)
        await pilot.press("down", "enter", "backspace", "n", "plus", "end")
        await pilot.press("m")  # whoever holds the graph has to read the rents
        assert "Reading the run" in app.line(1)
        app.graph.show_rents((), ())
        assert "No rent is known" in app.line(1)
        await pilot.press("m")
        assert "user" in app.line(1 + app.graph.rows)
    async with Shown((), ()).run_test(size=(100, 30)) as pilot:
        app = pilot.app
        assert isinstance(app, Shown)
        await pilot.press("down", "enter", "v", "s", "slash", "x", "enter")
        assert "nothing" in app.line(1)


@pytest.mark.parametrize(
    "name", ["\x1b[31mred\x07", "工具工具工具", "שלום עולם", "a\u202eb", "e\u0301" * 40, "", "[b]x[/b]"]
)
async def test_any_name_fits_its_frame_and_runs_no_escape(name: str) -> None:
    trees = tuple(node(name, tokens) for tokens in (3, 50, 120, 9))
    async with Shown(trees, ()).run_test(size=(83, 20)) as pilot:
        app = pilot.app
        assert isinstance(app, Shown)
        await pilot.press("down")
        for y in range(app.graph.size.height):
            strip = app.graph.render_line(y)
            assert strip.cell_length == 83
            assert sum(segment.cell_length for segment in strip) == 83
            assert not {"\x1b", "\x07", "\u202e"} & set(strip.text)
        app.query_one(NodeDetail).render()


async def test_a_tree_of_thousands_of_layers_scrolls_and_a_layer_of_thousands_is_marked() -> None:
    deep = node("leaf", 1_000)
    for depth in range(3_000):
        deep = node(f"layer {depth}", 1_000, deep)
    wide = node("wide", 5_000, *(node(f"part {number}", 1) for number in range(5_000)))
    async with Shown((deep, wide), ()).run_test(size=(80, 24)) as pilot:
        app = pilot.app
        assert isinstance(app, Shown)
        assert app.graph.rows == 1
        assert "┊" in app.line(3)
        app.graph.cursor = Frame(2_000, 0)
        await settled(pilot)
        assert app.graph.scroll_offset.y > 1_900
        assert "layer" in app.line(5)


async def test_a_resize_lays_the_frames_out_anew() -> None:
    async with Shown().run_test(size=(100, 30)) as pilot:
        app = pilot.app
        assert isinstance(app, Shown)
        await pilot.resize_terminal(60, 12)
        await settled(pilot)
        assert app.graph.render_line(2).cell_length == app.graph.cells
        assert app.graph.cells <= 60


async def test_without_colours_frames_say_their_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Shown, "monochrome", True, raising=False)
    async with Shown().run_test(size=(100, 30)) as pilot:
        app = pilot.app
        assert isinstance(app, Shown)
        shown = app.line(1 + app.graph.rows)
        assert "user" in shown
        assert not shown.startswith(" tool schemas")
