"""The timeline's laws: edges never drift, heights are exact, and a point leads back to what was drawn there."""

import itertools

from hypothesis import given
from hypothesis import strategies as st
from llmprof_tui.widgets.timeline_layout import (
    BLANK,
    EIGHTHS,
    EMPTY,
    ZOOMS,
    View,
    band_at,
    bands,
    cells,
    edges,
    fitting,
    highest,
    numbers,
    paint_at,
    ticks,
)

AMOUNTS = st.lists(st.integers(0, 10**13), max_size=18)
ROWS = st.integers(1, 60)


@st.composite
def stacks(draw: st.DrawFn) -> tuple[list[tuple[int, int]], int, int]:
    """A stack, the amount at the top of the chart, and its rows."""
    amounts = draw(AMOUNTS)
    top = draw(st.integers(max(1, sum(amounts)), max(2, 2 * sum(amounts))))
    return list(enumerate(amounts)), top, draw(ROWS)


@given(stacks())
def test_a_stack_is_as_high_as_its_sum(given: tuple[list[tuple[int, int]], int, int]) -> None:
    stack, top, rows = given
    whole = sum(amount for _, amount in stack)
    found = cells(stack, top, rows)
    assert len(found) == rows
    height = sum(cell.level if cell.upper == EMPTY else EIGHTHS for cell in found if cell != BLANK)
    exact = (whole * rows * EIGHTHS + top // 2) // top
    assert height == (max(1, exact) if whole else 0)
    # Nothing above the end, nothing empty below it.
    filled = [cell != BLANK for cell in found]
    assert filled == sorted(filled, reverse=True)
    assert all(1 <= cell.level <= EIGHTHS for cell in found)
    assert all(cell.level == EIGHTHS for cell in found if cell.lower == cell.upper)
    assert all(cell.level < EIGHTHS for cell in found if cell.lower != cell.upper)


@given(AMOUNTS, AMOUNTS, AMOUNTS, ROWS, st.integers(1, 10**14))
def test_what_two_calls_share_ends_at_the_same_height(
    shared: list[int], one: list[int], other: list[int], rows: int, top: int
) -> None:
    top = max(top, sum(shared) + max(sum(one), sum(other)))
    found, again = edges([*shared, *one], top, rows), edges([*shared, *other], top, rows)
    assert found == sorted(found)
    if shared and (sum(shared) * rows * EIGHTHS + top // 2) // top:
        assert found[: len(shared)] == again[: len(shared)]


@given(stacks())
def test_paints_stand_in_the_order_of_the_stack(given: tuple[list[tuple[int, int]], int, int]) -> None:
    stack, top, rows = given
    found = cells(stack, top, rows)
    shown = [paint for cell in found for paint in (cell.lower, cell.upper) if paint != EMPTY]
    assert shown == sorted(shown)
    amounts = dict(stack)
    assert all(amounts[paint] for paint in shown)
    ends = edges([amount for _, amount in stack], top, rows)
    for row in range(rows):
        paint = paint_at(found, row)
        if paint != EMPTY:
            below = ends[paint - 1] if paint else 0
            assert below < (row + 1) * EIGHTHS
            assert ends[paint] > row * EIGHTHS


@given(st.integers(1, 6000), st.sampled_from(ZOOMS))
def test_every_place_belongs_to_the_column_that_is_drawn_there(count: int, zoom: object) -> None:
    assert isinstance(zoom, type(ZOOMS[0]))
    view = View(count, zoom)
    assert [call for column in range(view.columns) for call in view.calls(column)] == list(range(count))
    assert view.width == view.columns * zoom.width
    for column in {0, view.columns // 2, view.columns - 1}:
        places = range(view.place(column), view.place(column) + zoom.width)
        assert {view.column_at(place) for place in places} == {column}
        assert {view.column(call) for call in view.calls(column)} == {column}
    assert view.column_at(view.width) is None


@given(st.integers(1, 6000), st.sampled_from(ZOOMS), st.data())
def test_the_selected_column_is_scrolled_into_view(count: int, zoom: object, data: st.DataObject) -> None:
    assert isinstance(zoom, type(ZOOMS[0]))
    view, room = View(count, zoom), data.draw(st.integers(zoom.width, 250))
    call, scroll = data.draw(st.integers(0, count - 1)), data.draw(st.integers(0, max(0, view.width - room)))
    found = view.scrolled_to(call, scroll, room)
    start = view.place(view.column(call))
    assert 0 <= found <= max(0, view.width - room)
    assert found <= start
    assert start + zoom.width <= found + room
    assert view.scrolled_to(call, found, room) == found


@given(st.integers(0, 100_000), st.integers(1, 300))
def test_a_fitted_run_is_in_view(count: int, room: int) -> None:
    at = fitting(count, room)
    assert View(count, ZOOMS[at]).width <= room or at == 0
    assert at + 1 == len(ZOOMS) or View(count, ZOOMS[at + 1]).width > room


@given(st.lists(st.none() | st.integers(0, 9), max_size=40), st.sampled_from(ZOOMS[6:]))
def test_peaks_never_vanish(totals: list[int | None], zoom: object) -> None:
    assert isinstance(zoom, type(ZOOMS[0]))
    view = View(len(totals), zoom)
    shown = [highest(totals, view.calls(column)) for column in range(view.columns)]
    known = [total for total in totals if total is not None]
    assert max((totals[call] or 0 for call in shown if call is not None), default=0) == max(known, default=0)


@given(st.integers(1, 6000), st.sampled_from(ZOOMS), st.data())
def test_numbers_do_not_run_into_each_other(count: int, zoom: object, data: st.DataObject) -> None:
    assert isinstance(zoom, type(ZOOMS[0]))
    view, room = View(count, zoom), data.draw(st.integers(1, 200))
    scroll = data.draw(st.integers(0, max(0, view.width - room)))
    found = numbers(view, scroll, room)
    assert all(scroll <= place < scroll + room for place, _ in found)
    assert all(view.column_at(place) == view.column(call) for place, call in found)
    ends = [(place, place + len(str(call + 1))) for place, call in found]
    assert all(one[1] < other[0] for one, other in itertools.pairwise(ends))


@given(st.integers(1, 10**15), ROWS)
def test_ticks_are_in_the_chart_and_apart(top: int, rows: int) -> None:
    found = ticks(top, rows)
    assert all(0 <= row < rows and 0 < value <= top for row, value in found)
    assert all(other[0] - one[0] >= 2 for one, other in itertools.pairwise(found))


@given(st.integers(1, 8), st.integers(1, 60), st.sets(st.integers(0, 7)))
def test_lanes_cover_the_chart_without_gap_or_overlap(lanes: int, rows: int, folded: set[int]) -> None:
    found = bands(lanes, rows, frozenset(folded & set(range(lanes))))
    assert [band.lane for band in found] == list(range(lanes))
    reached = 0
    for band in found:
        assert reached == (band.top if band.title is None else band.title)
        assert all(band_at(found, row) == band for row in range(reached, band.end))
        reached = band.end
    if not folded:
        assert reached >= rows
