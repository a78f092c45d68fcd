"""Geometry of the timeline: columns, cells, zoom, scale, labels, lanes."""

import pytest
from llmprof_tui.widgets.timeline_layout import (
    BLANK,
    EMPTY,
    ZOOMS,
    Band,
    Cell,
    View,
    Zoom,
    band_at,
    bands,
    cells,
    edges,
    fitting,
    highest,
    nice_step,
    numbers,
    paint_at,
    row_of,
    scale_top,
    ticks,
    widest_gap,
)


def test_running_sums_are_rounded_not_amounts() -> None:
    assert edges([1, 1, 1], 3, 1) == [3, 5, 8]
    assert edges([100] * 10, 1000, 2) == [2, 3, 5, 6, 8, 10, 11, 13, 14, 16]


def test_the_smallest_stack_is_seen_and_the_highest_cut_off() -> None:
    assert edges([0, 1, 0], 10**9, 5) == [0, 1, 1]
    assert edges([0, 0], 10, 5) == [0, 0]
    assert edges([5, 50], 10, 1) == [4, 8]
    assert edges([], 10, 1) == []


def test_cells_of_a_stack() -> None:
    assert cells([(7, 12), (3, 8)], 32, 4) == [Cell(8, 7, 7), Cell(4, 7, 3), Cell(4, 3, EMPTY), BLANK]
    assert cells([], 10, 2) == [BLANK, BLANK]


def test_a_cell_shows_the_two_largest_of_what_meets_in_it() -> None:
    assert cells([(1, 3), (2, 1), (3, 4)], 8, 1) == [Cell(3, 1, 3)]
    # The end of a stack stays where it is, whatever is in its last cell.
    assert cells([(1, 1), (2, 2), (3, 1)], 8, 1) == [Cell(4, 2, EMPTY)]
    # What meets itself again is one.
    assert cells([(1, 3), (2, 1), (1, 4)], 8, 1) == [Cell(8, 1, 1)]


def test_what_a_cell_shows_most_of() -> None:
    column = cells([(1, 12), (2, 5)], 24, 3)
    assert [paint_at(column, row) for row in range(3)] == [1, 1, 2]
    assert paint_at([Cell(3, 1, 2)], 0) == 2
    assert paint_at([BLANK], 0) == EMPTY


def test_zooms_go_from_far_to_near() -> None:
    assert ZOOMS[0].calls > ZOOMS[1].calls > 1
    assert (ZOOMS[-1].width, ZOOMS[-1].bar) == (8, 7)
    assert Zoom(width=2).bar == 2
    assert all(zoom.width == 1 or zoom.calls == 1 for zoom in ZOOMS)


@pytest.mark.parametrize(
    ("count", "room", "zoom"),
    [
        (1, 100, Zoom(width=8)),
        (50, 100, Zoom(width=2)),
        (51, 100, Zoom()),
        (101, 100, Zoom(calls=2)),
        (0, 9, ZOOMS[-1]),
    ],
)
def test_a_run_fits_into_its_window(count: int, room: int, zoom: Zoom) -> None:
    assert ZOOMS[fitting(count, room)] == zoom


def test_more_calls_than_any_zoom_holds_take_the_farthest() -> None:
    assert fitting(10**9, 10) == 0


def test_a_view_of_several_calls_in_a_column() -> None:
    view = View(10, Zoom(calls=4))
    assert (view.columns, view.width) == (3, 3)
    assert [list(view.calls(column)) for column in range(3)] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert [view.column(call) for call in (0, 3, 4, 9)] == [0, 0, 1, 2]
    assert (view.column_at(2), view.column_at(3), view.column_at(-1)) == (2, None, None)


def test_a_gap_belongs_to_the_column_before_it() -> None:
    view = View(3, Zoom(width=4))
    assert [view.column_at(place) for place in range(12)] == [0] * 4 + [1] * 4 + [2] * 4


def test_scroll_follows_the_selection_no_further_than_needed() -> None:
    view = View(100, Zoom(width=2))
    assert view.scrolled_to(0, 0, 40) == 0
    assert view.scrolled_to(10, 0, 40) == 0
    assert view.scrolled_to(30, 0, 40) == 60 + 2 + 4 - 40
    assert view.scrolled_to(99, 0, 40) == 160
    assert view.scrolled_to(30, 100, 40) == 56
    assert view.scrolled_to(2, 0, 300) == 0


def test_the_highest_call_stands_for_its_column() -> None:
    assert highest([3, None, 9, 9], range(4)) == 2
    assert highest([None, None], range(2)) is None


def test_the_scale_leaves_the_window_out_where_growth_would_be_flat() -> None:
    assert scale_top(1600, 200_000, to_limit=False) == 1700
    assert scale_top(1600, 200_000, to_limit=True) == 206_250
    assert scale_top(150_000, 200_000, to_limit=False) == 206_250
    assert scale_top(320_000, 200_000, to_limit=False) == 340_000
    assert scale_top(0, None, to_limit=True) == 1


def test_ticks_are_round_and_apart() -> None:
    assert ticks(100, 10) == [(4, 50), (9, 100)]
    assert [value for _, value in ticks(212_000, 12)] == [100_000, 200_000]
    assert ticks(100, 1) == []
    assert [nice_step(each) for each in (0.1, 1, 1.5, 3, 60)] == [1, 1, 2, 5, 100]


def test_a_line_stands_in_the_cell_that_holds_its_amount() -> None:
    assert [row_of(value, 80, 10) for value in (0, 1, 8, 9, 80, 99)] == [0, 0, 0, 1, 9, 9]


def test_call_numbers_below_the_chart() -> None:
    assert numbers(View(30, Zoom()), 0, 100) == [(call, call) for call in (0, 9, 14, 19, 24, 29)]
    assert numbers(View(30, Zoom(width=8)), 16, 40) == [(16, 2), (24, 3), (32, 4), (40, 5), (48, 6)]
    assert numbers(View(4000, Zoom(calls=16)), 0, 100)[:3] == [(0, 0), (12, 199), (24, 399)]
    assert numbers(View(0, Zoom()), 0, 100) == []


def test_one_lane_has_no_title_and_several_share_the_rows() -> None:
    assert bands(1, 20) == (Band(0, None, 0, 20),)
    assert bands(2, 21) == (Band(0, 0, 1, 10), Band(1, 11, 12, 9))
    assert bands(3, 20, frozenset({1})) == (Band(0, 0, 1, 9), Band(1, 10, 10, 1), Band(2, 11, 12, 8))
    # Too many for the window: it scrolls.
    assert bands(9, 10)[-1].end == 9 * (1 + 3)
    assert [band.rows for band in bands(2, 20, frozenset({0, 1}))] == [1, 1]


def test_a_row_finds_its_lane() -> None:
    found = bands(2, 21)
    assert [band.lane if (band := band_at(found, row)) else None for row in (0, 10, 11, 20, 21)] == [0, 0, 1, 1, None]
    assert band_at((), 0) is None


def test_the_widest_gap_is_the_first_of_the_longest() -> None:
    assert widest_gap([]) == (0, 0)
    assert widest_gap([True]) == (0, 0)
    assert widest_gap([False, True, False, False, True, False, False]) == (2, 2)
