"""What the top line says, and what leaves it where it is narrow."""

import pytest
from llmprof_tui.source import Recorder
from llmprof_tui.widgets.status_bar import line, state_of, sums_of

from llmprof_addon.model.cost import PICO
from llmprof_addon.spool.folder import Backlog
from llmprof_addon.spool.proxies import ProxyRecord
from llmprof_addon.store.listing import Totals

PROXY = ProxyRecord(pid=1, version="1", started_ns=0, ports={"reverse": 4000, "forward": 4001}, in_flight=3)
QUIET = Recorder(proxies=(), worker=None, backlog=Backlog(), failed=Backlog())
BUSY = Recorder(proxies=(PROXY,), worker={"pid": 2}, backlog=Backlog(files=12, bytes=9), failed=Backlog(files=2))
TOTALS = Totals(
    runs=3,
    calls=40,
    input_tokens=4_200_000,
    cache_read_input_tokens=3_654_000,
    cost=12_410_000_000_000,
    output_tokens=9,
)


def test_nothing_runs() -> None:
    assert state_of(QUIET) == [("○ not recording", "dim")]


def test_a_recorder_says_its_ports_and_what_waits() -> None:
    assert [said for said, _ in state_of(BUSY)] == [
        "● recording",
        "2 not processed",
        "3 in flight",
        "12 waiting",
        "reverse :4000 forward :4001",
    ]


def test_losses_are_said_in_red() -> None:
    lossy = ProxyRecord(pid=1, version="1", started_ns=0, lost=4, dropped_bodies=1)
    found = state_of(Recorder(proxies=(lossy,), worker={"store_error": "locked"}, backlog=Backlog(), failed=Backlog()))
    assert found[1:] == [("the store takes nothing", "bad"), ("4 lost", "bad"), ("1 body dropped", "warn")]


def test_sums_mark_what_is_missing_or_estimated() -> None:
    assert sums_of(TOTALS, "today") == ["today $12.41", "4.2M in", "87% cached", "40 calls"]
    unsure = Totals(calls=1, unpriced_calls=1, estimated_calls=1, input_tokens=950, cost=PICO)
    assert sums_of(unsure, "all time") == ["all time ≥$1.00", "≈950 in", "– cached", "1 call"]
    saved = Totals(calls=2, cost=PICO, reclaimable_cost=PICO // 2)
    assert sums_of(saved, "today")[-2:] == ["$0.5000 reclaimable", "2 calls"]
    assert sums_of(Totals(), "today") == ["today –", "– in", "– cached", "0 calls"]


@pytest.mark.parametrize("width", [78, 110, 160])
def test_the_line_fits_and_keeps_troubles(width: int) -> None:
    found = line([("llmprof", "bold"), *state_of(BUSY)], sums_of(TOTALS, "today"), width, {})
    assert found.cell_len <= width
    assert "● recording  2 not processed" in found.plain
    assert "today $12.41 · 4.2M in" in found.plain
    assert ("reverse :4000" in found.plain) == (width == 160)
