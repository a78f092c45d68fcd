"""The findings of a call, and what the parts of its prompt have cost the run so far."""

import pytest
from llmprof_tui.app import LlmprofApp
from llmprof_tui.screens.call import CallScreen
from llmprof_tui.widgets.facts import FactLines
from llmprof_tui.widgets.flame import FlameGraph
from llmprof_tui.widgets.node_detail import NodeDetail
from llmprof_tui.widgets.notice import Notice
from llmprof_tui.widgets.tab_bar import TabBar
from llmprof_tui.widgets.window_table import WindowTable
from textual.pilot import Pilot

from llmprof_addon.store.open import open_store
from llmprof_addon.store.schema import Run
from tests.tui.recording import call_id
from tests.tui.settling import settled
from tests.tui.test_run import lines
from tests.tui.test_run_tabs import call


async def opened(pilot: Pilot[int], app: LlmprofApp, id: str) -> CallScreen:
    app.open_call(id)
    await settled(pilot)
    assert isinstance(app.screen, CallScreen)
    return app.screen


async def test_findings_that_concern_a_call(crew_app: LlmprofApp, monkeypatch: pytest.MonkeyPatch) -> None:
    async with crew_app.run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot, crew_app, call(26))
        assert "4 Findings ▲2" in str(screen.query_one(TabBar).render())
        await pilot.press("4")
        await settled(pilot)
        assert "2 findings of the run concern this call" in str(screen.query_one("#saved", FactLines).render())
        found = [row.strip("▌ ").split("  ")[0] for row in lines(screen.query_one("#found", WindowTable))[1:3]]
        assert found == ["▲ cache breaks", "▲ unused tools"]
        # In this call alone: less than in the run.
        shown = screen.query_one("#found", WindowTable).row(1)
        assert shown is not None
        assert shown.found.calls == 1
        assert 0 < shown.found.tokens < 21_896
        await pilot.press("down", "enter", "enter")
        await settled(pilot)
        assert screen.tab == "flame"
        assert "tools[" in str(screen.query_one(NodeDetail).render())
        await pilot.click(TabBar, offset=(str(screen.query_one(TabBar).render()).index("Findings"), 0))
        await settled(pilot)
        assert screen.tab == "findings"


async def test_a_call_without_findings_and_one_that_nobody_looked_at(app: LlmprofApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, app, call_id(3, 0))
        await pilot.press("4", "y", "o", "enter")
        await settled(pilot)
        assert "Nothing found." in str(screen.query_one("#findings Notice", Notice).text)
        with open_store(app.source.url) as store:
            store.db.execute(Run.update(findings=None))
        screen.store_changed()
        await settled(pilot)
        assert "Not looked at yet." in str(screen.query_one("#findings Notice", Notice).text)


async def test_the_flame_of_rents(crew_app: LlmprofApp) -> None:
    async with crew_app.run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot, crew_app, call(28))
        graph = screen.query_one(FlameGraph)
        explained = crew_app.source.explain(call(28))
        paid = sum(one.cost or 0 for one in explained.components)
        await pilot.press("m", "m")
        await settled(pilot)
        assert graph.metric.key == "rent"
        assert graph.root is not None
        assert graph.root.cost is not None
        # What stands in this prompt was carried before; and what the run paid for else is not in it.
        whole = crew_app.source.run(explained.row.run_id).cost
        assert whole is not None
        assert paid < graph.root.cost < whole.total
        assert "of rent up to this call" in str(screen.query_one(NodeDetail).render())
        await pilot.press("v", "s", "down", "a")
        await settled(pilot)
        assert "No rent is known" in graph.render_line(1).text
        await pilot.press("a")
        await settled(pilot)
        assert graph.root is not None
        await pilot.press("left_square_bracket")  # another call has other rents
        await settled(pilot)
        assert graph.root.cost != paid
        assert graph.metric.key == "rent"
        await pilot.press("m")
        assert graph.metric.key == "tokens"
