"""A run in cells: what is unknown is a dash, what is estimated says so, and nothing is wider than its column."""

from typing import Any

import pytest
from llmprof_tui.widgets.run_cells import COLUMNS, SPARK, RunLine, cells, exactly, moment, spark
from llmprof_tui.widgets.run_detail import notes_of
from rich.cells import cell_len
from rich.text import Text

from llmprof_addon.model.cache import CacheCause
from llmprof_addon.model.usage import Source, Usage
from llmprof_addon.store.remarks import Remarks
from llmprof_addon.store.rows import CostSum, RunRow

NOW = 1_700_000_000 * 1_000_000_000  # 2023-11-14 22:13:20 UTC
MINUTE = 60 * 1_000_000_000
COLOURS = {"success": "green", "error": "red", "primary": "blue", "warning": "yellow"}


def run(**given: Any) -> RunRow:
    fields: dict[str, Any] = {
        "number": 1,
        "id": "f" * 32,
        "key": "k",
        "label": "fix the test",
        "app": "claude-code",
        "models": ("claude-opus-5",),
        "providers": ("anthropic",),
        "tags": {},
        "started_ns": NOW - 20 * MINUTE,
        "ended_ns": NOW - 5 * MINUTE,
        "calls": 42,
        "error_calls": 0,
        "unpriced_calls": 0,
        "estimated_calls": 0,
        "usage": Usage(
            input_tokens=3_100_000, cache_read_input_tokens=2_821_000, output_tokens=9, source=Source.REPORTED
        ),
        "cost": CostSum(input=4_120_000_000_000, cache_read=0, cache_write=0, output=0, other=0),
        "peak_context_tokens": 182_000,
    }
    return RunRow(**(fields | given))


def shown(row: RunRow, growth: tuple[int, ...] = (1, 2)) -> dict[str, str]:
    found = cells(RunLine(row=row, growth=growth), NOW, COLOURS)
    return {
        column.key: cell.plain if isinstance(cell, Text) else cell for column, cell in zip(COLUMNS, found, strict=True)
    }


def test_a_run_in_cells() -> None:
    assert shown(run()) == {
        "started": "21:53",
        "app": "claude-code",
        "label": "  fix the test",
        "model": "claude-opus-5",
        "calls": "42",
        "peak": "▄█",
        "input": "3.1M",
        "cached": "91%",
        "duration": "15m 00s",
        "cost": "$4.12",
        "waste": "–",
    }


def test_what_is_unknown_is_a_dash() -> None:
    row = run(usage=Usage(), cost=None, unpriced_calls=42, app=None, label=None, models=(), peak_context_tokens=None)
    found = shown(row, ())
    unknown = {key for key, cell in found.items() if cell.strip() == "–"}
    assert unknown == {"app", "label", "model", "peak", "input", "cached", "cost", "waste"}


def test_marks_of_a_run() -> None:
    assert [shown(run(ended_ns=ended, error_calls=failed))["label"][0] for ended in (NOW, 0) for failed in (0, 1)] == [
        *"●●",
        *" ✗",
    ]
    estimated = run(estimated_calls=1, unpriced_calls=1)
    assert shown(estimated)["input"] == "≈3.1M"
    assert shown(estimated)["cost"] == "≥$4.12"


@pytest.mark.parametrize("tokens", [0, 999, 99_950, 999_499, 999_999_999_999])
def test_numbers_are_never_cut(tokens: int) -> None:
    usage = Usage(input_tokens=tokens, cache_read_input_tokens=tokens)
    cost = CostSum(input=99_999_990_000_000_000, cache_read=0, cache_write=0, output=0, other=0)
    found = shown(run(usage=usage, cost=cost, calls=9_999, estimated_calls=1, started_ns=NOW - 86_000_000 * MINUTE))
    for column in COLUMNS:
        if column.least is None and column.key not in ("cost", "duration", "waste"):
            assert cell_len(found[column.key]) <= column.width, column.key


def test_texts_of_the_wire_are_made_plain() -> None:
    found = shown(run(label="\x1b[31mred\x07", app="a\nb"))
    assert "\x1b" not in found["label"]
    assert "\n" not in found["app"]


def test_sparklines() -> None:
    assert spark(()) == ""
    assert spark((0, 0)) == "▁▁"
    assert spark((5,)) == "█"
    assert spark(range(8)) == "▁▂▃▄▅▆▇█"
    assert spark([1] * 39 + [100], 4) == "▁▁▁█"
    assert len(spark(range(1000))) == SPARK


def test_moments() -> None:
    assert moment(NOW - MINUTE, NOW) == "22:12"
    assert moment(NOW - 24 * 60 * MINUTE, NOW) == "11-13 22:13"
    assert moment(NOW - 400 * 24 * 60 * MINUTE, NOW) == "2022-10-10"


def test_cells_say_their_numbers_exactly() -> None:
    line = RunLine(row=run(error_calls=2, unpriced_calls=1))
    assert exactly(line, "cost") == "$4.12; 1 call without a known price"
    assert exactly(line, "input") == "3,100,000 tokens in; 2,821,000 read from cache, – written"
    assert exactly(line, "calls") == "2 of 42 calls failed"
    assert exactly(line, "started") == "2023-11-14 21:53:20"
    assert exactly(RunLine(row=run(cost=None)), "cost") == "no call has a known price"
    assert exactly(RunLine(row=run()), "calls") is None
    assert all(exactly(line, column.key) for column in COLUMNS if column.key != "calls")


def test_waste_is_the_larger_of_what_was_found_and_what_the_cache_lost() -> None:
    lost = {"cache_breaks": 2, "cache_expiries": 1, "cache_lost": 22_900, "cache_wasted": 79_000_000_000}
    row = run(**lost)
    assert shown(row)["waste"] == "≥$0.0790"  # nobody has looked at it yet
    assert exactly(RunLine(row=row), "waste") == (
        "not looked at for findings yet\n$0.079 for 3 lost prefixes of the cache, 22,900 tokens paid for anew"
    )
    looked = {"findings": 2, "reclaimable_tokens": 9_100, "reclaimable_cost": 610_000_000_000}
    assert shown(run(**lost, **looked))["waste"] == "$0.6100"
    assert str(exactly(RunLine(row=run(**lost, **looked)), "waste")).startswith(
        "$0.61 could be saved, ≈9,100 tokens less\n$0.079 for"
    )
    nothing = run(findings=0, reclaimable_tokens=0, reclaimable_cost=0, cache_wasted=0, cache_lost=0)
    assert shown(nothing)["waste"] == "$0"
    assert str(exactly(RunLine(row=nothing), "waste")).startswith("nothing found")


def test_notes_say_why_the_cache_was_lost_and_what_could_be_saved() -> None:
    row = run(cache_breaks=2, cache_expiries=1, cache_wasted=480_000_000_000)
    remarks = Remarks(losses=((CacheCause.TOOLS_ADDED, 2), (CacheCause.EXPIRED, 1)))
    assert [said for _, _, said in notes_of(row, remarks, ("unused tools: 4 of 6\x07",))] == [
        "2 cache breaks and 1 expiry, $0.4800 re-written: a tool was added (2), the prefix had expired (1)",
        "unused tools: 4 of 6␇",
    ]


def test_notes_of_a_run() -> None:
    assert notes_of(run(), Remarks()) == []
    row = run(error_calls=3, unpriced_calls=1, estimated_calls=2)
    found = notes_of(row, Remarks(failures=(("529 Overloaded", 2), ("cut off", 1)), warnings=(("odd\x1b", 2),)))
    assert [said for _, _, said in found] == [
        "3 of 42 calls failed: 529 Overloaded (2), cut off",
        "1 call without a known price (claude-opus-5): the cost is at least what is shown",
        "2 calls whose tokens the provider did not report",
        "odd␛ (2)",
    ]
