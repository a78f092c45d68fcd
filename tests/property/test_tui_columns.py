"""Columns of a table: they never overlap, never run over the edge while one can leave, and fill what is left."""

from hypothesis import given
from hypothesis import strategies as st
from llmprof_tui.widgets.columns import GAP, SHORTEST, Column, fit, slot_at

COLUMN = st.builds(
    Column,
    key=st.text("abc", min_size=1, max_size=3),
    title=st.just("title"),
    width=st.integers(1, 30),
    least=st.none() | st.integers(1, 30),
    grow=st.integers(0, 3),
    left=st.booleans(),
    leaves=st.integers(0, 4),
)
COLUMNS = st.lists(COLUMN, max_size=9)


@given(COLUMNS, st.integers(0, 240))
def test_slots_follow_each_other_with_one_gap_between(columns: list[Column], width: int) -> None:
    slots = fit(columns, width)
    x = 0
    for slot in slots:
        assert slot.x == x
        column = columns[slot.index]
        assert slot.width >= (column.width if column.least is None else min(column.least, column.width, SHORTEST))
        x += slot.width + GAP
    assert [slot.index for slot in slots] == sorted(slot.index for slot in slots)


@given(COLUMNS, st.integers(0, 240))
def test_only_columns_that_never_leave_run_over_the_edge(columns: list[Column], width: int) -> None:
    slots = fit(columns, width)
    end = slots[-1].x + slots[-1].width if slots else 0
    cut = [slot.width <= SHORTEST for slot in slots if columns[slot.index].least is not None]
    assert end <= width or (all(cut) and not any(columns[slot.index].leaves for slot in slots))
    if end <= width and any(columns[slot.index].grow for slot in slots):
        assert end == width
    assert {index for index, column in enumerate(columns) if not column.leaves} <= {slot.index for slot in slots}


@given(COLUMNS, st.integers(0, 240))
def test_every_cell_of_a_column_is_found_as_its(columns: list[Column], width: int) -> None:
    slots = fit(columns, width)
    for slot in slots:
        assert all(slot_at(slots, x) is slot for x in range(slot.x, slot.x + slot.width))
    assert slot_at(slots, -1) is None
