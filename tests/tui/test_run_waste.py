"""The tabs Rent and Findings of a run with helpers, by keys and mouse."""

from collections.abc import Sequence
from typing import Any

import pytest
from llmprof_tui.app import LlmprofApp
from llmprof_tui.panes.rent import RentPane
from llmprof_tui.source import Source
from llmprof_tui.widgets.facts import FactLines
from llmprof_tui.widgets.notice import Notice
from llmprof_tui.widgets.window_table import WindowTable
from textual.widgets import Static

from llmprof_addon.export.rent import BY
from llmprof_addon.store.open import open_store
from llmprof_addon.store.schema import Run
from tests.tui.settling import settled
from tests.tui.test_run import opened
from tests.tui.test_run_tabs import call, on_tab, rows


@pytest.fixture
def opens(monkeypatch: pytest.MonkeyPatch) -> list[Sequence[str | None]]:
    """The calls that are opened, each with its part."""
    seen: list[Sequence[str | None]] = []
    monkeypatch.setattr(LlmprofApp, "open_call", lambda self, *ids: seen.append(ids))
    return seen


def held(table: WindowTable[Any]) -> list[Any]:
    """All rows of a table."""
    return list(table.rows_at_hand())


def under_cursor(table: WindowTable[Any]) -> Any:
    """The row under the cursor of a table."""
    row = table.row(table.cursor)
    assert row is not None
    return row


async def test_what_carrying_the_parts_has_cost(crew_app: LlmprofApp) -> None:
    async with crew_app.run_test(size=(160, 45)) as pilot:
        screen = await on_tab(pilot, crew_app, "rent")
        sums = str(screen.query_one("#rent-sums", FactLines).render())
        assert sums.startswith("input 176,996 tokens   paid $0.2251   by part, 111 rows   43 parts never referred to")
        first, second, third = rows(screen, "rents")[:3]
        assert first.split() == "■ provider overhead provider ove… ≈1.7k × 31 1–32 – ≈53.7k $0.0567 25% ██████".split()
        assert second.startswith("■ You are Forge, a careful")
        assert "system[0]" in second
        assert "≈1.5k × 11" in second
        assert "read_file: " in third
        assert "never" in third
        table = screen.query_one("#rents", WindowTable)
        # By another column, the other way round, by a click; the cursor stays on its part.
        await pilot.press("down", "s", "S")
        await settled(pilot)
        assert under_cursor(table).path == "system[0]"
        await pilot.click("#rents", offset=(table.render_line(0).text.index("where"), 0))
        await settled(pilot)
        assert under_cursor(table).path == "system[0]"
        paths = [row.path for row in held(table)]
        assert paths == sorted(paths)


async def test_rents_are_summed_by_tool_server_and_kind(crew_app: LlmprofApp) -> None:
    async with crew_app.run_test(size=(160, 45)) as pilot:
        screen = await on_tab(pilot, crew_app, "rent")
        pane = screen.query_one(RentPane)
        assert screen.row is not None
        assert screen.row.cost is not None
        cost = screen.row.cost
        paid = cost.input + cost.cache_read + cost.cache_write
        found = {}
        for by in (*BY[1:], BY[0]):
            await pilot.press("b")
            await settled(pilot)
            assert pane.by == by
            table = pane.table
            shown = held(table)
            found[by] = [row.label for row in shown]
            assert (sum(row.tokens for row in shown), sum(row.cost for row in shown)) == (
                screen.row.usage.input_tokens,
                paid,
            )
        assert {"read_file", "search", "Agent", "(no tool)"} <= set(found["tool"])
        assert found["server"] == ["(no server)"]
        assert found["kind"][0] == "tool results"


async def test_a_part_is_opened_and_copied(
    crew_app: LlmprofApp, opens: list[Sequence[str | None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[str] = []
    monkeypatch.setattr(LlmprofApp, "copy_to_clipboard", lambda self, text: copied.append(text))
    async with crew_app.run_test(size=(160, 45)) as pilot:
        screen = await on_tab(pilot, crew_app, "rent")
        await pilot.press("enter", "y")  # overhead is no part of any call
        assert not opens
        await pilot.press("down", "enter", "y")
        await settled(pilot)
        await pilot.click("#rents", offset=(20, 4), times=2)
        await settled(pilot)
        assert [id for id, _ in opens] == [call(2), call(3)]
        assert copied[0].startswith("You are Forge, a careful engineer who works in a terminal.")
        tip = None
        await pilot.hover(
            "#rents", offset=(screen.query_one("#rents", WindowTable).render_line(0).text.index("cost"), 2)
        )
        tip = screen.query_one("#rents", WindowTable).tooltip
        assert str(tip).startswith("≈$0.02")


async def test_a_call_opens_at_the_part(crew_app: LlmprofApp) -> None:
    async with crew_app.run_test(size=(160, 45)) as pilot:
        await on_tab(pilot, crew_app, "rent")
        await pilot.press("down", "down", "enter")
        await settled(pilot)
        shown = " ".join(str(widget.render()) for widget in crew_app.screen.query("NodeDetail").results(Static))
        assert "messages[10].content[0]" in shown
        assert "tool results" in shown
        await pilot.press("escape")
        await settled(pilot)
        crew_app.open_call(call(1), "00" * 20)
        await settled(pilot)
        assert any("does not carry" in note.message for note in crew_app._notifications)


async def test_findings_with_their_places(crew_app: LlmprofApp, opens: list[Sequence[str | None]]) -> None:
    async with crew_app.run_test(size=(160, 45)) as pilot:
        screen = await on_tab(pilot, crew_app, "findings")
        said = str(screen.query_one("#saved", FactLines).render())
        assert said == "3 findings: $0.0700 of $0.2680 (26%) could be saved, ≈21.2k tokens less   ▲ 3 warnings"
        assert [row.split("  ")[0] for row in rows(screen, "found")] == [
            "▲ cache breaks", "▲ unused tools", "▲ cache breaks",
        ]  # fmt: skip
        assert "move what changes" in str(screen.query_one("#advice", Static).render())
        await pilot.press("down")
        await settled(pilot)
        assert "leave them out" in str(screen.query_one("#advice", Static).render())
        assert rows(screen, "places")[0].split() == "20 tools[4] list_folder ≈2.4k $0.0028".split()
        await pilot.press("enter", "down", "enter")
        await settled(pilot)
        await pilot.click("#places", offset=(20, 3), times=2)
        await settled(pilot)
        assert [id for id, _ in opens] == [call(20)] * 2
        assert all(node is not None for _, node in opens)
        table = screen.query_one("#found", WindowTable)
        await pilot.click("#found", offset=(table.render_line(0).text.index("tokens"), 0))
        await settled(pilot)
        assert under_cursor(table).found.code == "unused_tools"
        assert rows(screen, "found")[0].startswith("▲ unused tools")
        await pilot.press("s", "S")
        await settled(pilot)


async def test_findings_are_copied_and_follow_the_store(crew_app: LlmprofApp, monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []
    monkeypatch.setattr(LlmprofApp, "copy_to_clipboard", lambda self, text: copied.append(text))
    async with crew_app.run_test(size=(80, 24)) as pilot:
        screen = await on_tab(pilot, crew_app, "findings")
        await pilot.press("y")
        assert copied[0].splitlines()[0].startswith("▲ cache breaks: the cached prefix was lost once")
        assert copied[0].splitlines()[1].startswith("→ move what changes")
        # As long as nobody has looked at the run, that is said; and the list is back when someone did.
        with open_store(crew_app.source.url) as store:
            found = store.db.execute(Run.select(Run.findings)).fetchone()[0]
            store.db.execute(Run.update(findings=None))
        screen.store_changed()
        await settled(pilot)
        assert "Not looked at yet." in str(screen.query_one("#findings-pane Notice", Notice).text)
        with open_store(crew_app.source.url) as store:
            store.db.execute(Run.update(findings=found))
        screen.store_changed()
        await settled(pilot)
        assert screen.query_one("#found").display


async def test_nothing_is_found(app: LlmprofApp, source: Source) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, app, 3)
        await pilot.press("5", "y", "s", "enter")
        await settled(pilot)
        assert "Nothing found." in str(screen.query_one("#findings-pane Notice", Notice).text)
