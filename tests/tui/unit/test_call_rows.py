"""Rows and orders of a run's calls."""

from dataclasses import replace
from typing import Any

import pytest
from llmprof_tui.widgets.call_rows import COLUMNS, call_cells, call_exact, clock, ending, ordered
from rich.text import Text

from llmprof_addon.model.component import Kind, KindTotal
from llmprof_addon.model.usage import Source, Usage
from llmprof_addon.store.rows import CallRow
from llmprof_addon.store.timeline import TimelineCall

SECOND = 1_000_000_000
START = 1_800_000_000 * SECOND


def drawn(number: int, **more: Any) -> TimelineCall:
    given: dict[str, Any] = {
        "number": number,
        "id": f"{number}",
        "started_ns": START + number * SECOND,
        "first_chunk_ns": None,
        "ended_ns": START + (number + 1) * SECOND,
        "model": "m",
        "input_tokens": 10,
        "output_tokens": 1,
        "estimated": False,
        "context_window": None,
        "cost": None,
        "composition": (),
        "failed": False,
    }
    return TimelineCall(**(given | more))


def stored(**more: Any) -> CallRow:
    given = dict.fromkeys(CallRow.__dataclass_fields__) | {
        "number": 1,
        "id": "1",
        "started_ns": START,
        "first_chunk_ns": START + SECOND // 2,
        "ended_ns": START + 3 * SECOND,
        "outcome": "complete",
        "status": 200,
        "finish_reasons": ("stop",),
        "usage": Usage(input_tokens=1000, cache_read_input_tokens=900, output_tokens=40),
        "request_model": "m",
        "failed": False,
    }
    return CallRow(**(given | more))  # type: ignore[arg-type]  # a row of which little is looked at


def said(row: CallRow) -> list[str]:
    return [cell.plain if isinstance(cell, Text) else cell for cell in call_cells(row, 7, START)]


def test_a_row_has_a_cell_for_every_column() -> None:
    cells = said(stored())
    assert len(cells) == len(COLUMNS)
    assert cells == ["7", "08:00:00", "m", "1.0k", "90%", "40", "–", "500 ms", "3.0 s", "stop"]


def test_what_is_not_known_is_a_dash() -> None:
    cells = said(stored(usage=Usage(), first_chunk_ns=None, request_model=None, finish_reasons=()))
    assert cells[2:] == ["–", "–", "–", "–", "–", "–", "3.0 s", "–"]
    assert said(stored(usage=Usage(input_tokens=9, source=Source.ESTIMATED)))[3] == "≈9"


def test_days_after_the_first_are_said() -> None:
    assert clock(START, START) == "08:00:00"
    assert clock(START + 2 * 86_400 * SECOND, START) == "08:00:00 +2d"


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"status": 429, "error": "slow down\nplease"}, "✗ 429 slow down"),
        ({"outcome": "aborted"}, "✗ aborted"),
        ({"error": "\x1b[31m"}, "✗ ␛[31m"),
        ({}, "✗ failed"),
    ],
)
def test_how_a_failed_call_ended(more: dict[str, Any], text: str) -> None:
    assert ending(stored(failed=True, **more)).plain == text


def test_orders_put_the_unknown_last() -> None:
    read = KindTotal(kind=Kind.USER, tokens=10, read=9, source=Source.COUNTED)
    calls = [drawn(1, cost=5), drawn(2, model=None), drawn(3, cost=9, composition=(read,)), drawn(4, input_tokens=99)]
    assert ordered(calls, "number", descending=False) == [1, 2, 3, 4]
    assert ordered(calls, "number", descending=True) == [4, 3, 2, 1]
    assert ordered(calls, "cost", descending=True) == [3, 1, 2, 4]
    assert ordered(calls, "cost", descending=False) == [1, 3, 2, 4]
    assert ordered(calls, "in", descending=True) == [4, 1, 2, 3]
    assert ordered(calls, "cached", descending=False) == [3, 1, 2, 4]
    assert ordered(calls, "model", descending=True) == [1, 3, 4, 2]
    for column in COLUMNS:
        if column.sorts:
            assert sorted(ordered(calls, column.key, descending=True)) == [1, 2, 3, 4]


def test_exact_numbers() -> None:
    row = stored(context_window=200_000)
    assert call_exact(row, "in") == "1,000 tokens of a window of 200,000"
    assert call_exact(row, "cached") == "900 read"
    assert call_exact(row, "out") == "40 tokens"
    assert call_exact(row, "cost") == "no price is known for this model"
    assert call_exact(row, "model") is None
    assert call_exact(stored(error="bad\x07"), "end") == "bad␇"
    usage = replace(row.usage, cache_creation_input_tokens=50, reasoning_output_tokens=30)
    assert call_exact(stored(usage=usage), "cached") == "900 read, 50 written"
    assert call_exact(stored(usage=usage), "out") == "40 tokens, 30 of it reasoning"
