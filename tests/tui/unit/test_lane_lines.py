"""Lanes as lines of a table."""

from typing import Any

from llmprof_tui.widgets.lane_lines import COLUMNS, lane_cells, lane_exact, lane_lines, lane_titles
from rich.text import Text

from llmprof_addon.model.usage import Source, Usage
from llmprof_addon.store.rows import CostSum, LaneRow, Times
from tests.factories import STARTED_NS

SECOND = 1_000_000_000


def lane(id: str, **more: Any) -> LaneRow:
    """A lane of two calls."""
    made: dict[str, Any] = {
        "number": 1, "run_id": "r", "id": id, "kind": "subagent", "agent_type": None, "parent": None,
        "spawned_by": None, "tool_call_id": None, "label": f"Do {id}", "started_ns": STARTED_NS,
        "ended_ns": STARTED_NS + SECOND, "calls": 2, "error_calls": 0, "unpriced_calls": 0, "estimated_calls": 0,
        "usage": Usage(input_tokens=1000, cache_read_input_tokens=500, output_tokens=20, source=Source.REPORTED),
        "cost": CostSum(input=10**9, cache_read=0, cache_write=0, output=0, other=0), "peak_context_tokens": 700,
        "cache_breaks": 0, "cache_expiries": 0, "cache_lost": 0, "cache_wasted": 0,
        "times": Times(model_ns=4 * SECOND, streamed_ns=2 * SECOND, streamed_tokens=20),
    }  # fmt: skip
    return LaneRow(**made | more)


def said(row: LaneRow, **more: Any) -> dict[str, str]:
    """The cells of a lane that is alone, by column."""
    (line,) = lane_lines([row], "started", descending=False, **more)
    cells = [cell.plain if isinstance(cell, Text) else cell for cell in lane_cells(line)]
    return dict(zip((column.key for column in COLUMNS), cells, strict=True))


def test_a_lane_says_what_it_did() -> None:
    found = said(lane("x", agent_type="Explore", spawned_by="c"), places={"c": 1200}, cost=4 * 10**9)
    assert found == {
        "started": "  Explore  Do x", "from": "call 1,200", "calls": "2", "peak": "700", "in": "1.0k", "cached": "50%",
        "out": "20", "cost": "$0.0010", "share": "25%", "model": "4.0 s", "tools": "–", "idle": "–", "speed": "10",
    }  # fmt: skip


def test_what_is_not_known_is_a_dash_and_what_lacks_prices_at_least() -> None:
    row = lane("x", usage=Usage(), cost=None, unpriced_calls=2, peak_context_tokens=None, times=Times(), label=None)
    found = said(row)
    assert {key for key, cell in found.items() if cell == "–"} == {
        *("from", "peak", "in", "cached", "out", "cost", "share", "model", "tools", "idle", "speed"),
    }
    assert said(lane("x", unpriced_calls=1))["cost"] == "≥$0.0010"
    assert said(lane("x", usage=Usage(input_tokens=7, source=Source.ESTIMATED)))["in"] == "≈7"


def test_helpers_stand_below_and_fold_into_sums() -> None:
    rows = [
        lane("aux", kind="auxiliary", parent="main"),
        lane("late", parent="main", started_ns=STARTED_NS + 2),
        lane("early", parent="main", started_ns=STARTED_NS + 1, calls=5),
        lane("deep", parent="early"),
        lane("main", kind="main"),
        lane("orphan", parent="nobody"),
    ]
    found = lane_lines(rows, "started", descending=False)
    assert [(line.lane.id, line.depth) for line in found] == [
        ("main", 0), ("early", 1), ("deep", 2), ("late", 1), ("aux", 1), ("orphan", 0),
    ]  # fmt: skip
    folded = lane_lines(rows, "calls", descending=True, folded={"early"})
    assert [(line.lane.id, line.calls, line.below) for line in folded] == [
        ("main", 2, 4), ("early", 7, 1), ("late", 2, 0), ("aux", 2, 0), ("orphan", 2, 0),
    ]  # fmt: skip
    assert [title.key for title in lane_titles(rows)] == ["main", "early", "deep", "late", "aux", "orphan"]
    assert lane_titles(rows)[1].note == "5 calls  1.0k in  $0.0010"


def test_exact_numbers_under_the_mouse() -> None:
    (line,) = lane_lines([lane("x\x1b", label=None, error_calls=1)], "started", descending=False)
    assert lane_exact(line, "started") == "x␛"
    assert lane_exact(line, "calls") == "1 of 2 calls failed"
    assert lane_exact(line, "in") == "1,000 tokens"
    assert lane_exact(line, "from") is None
