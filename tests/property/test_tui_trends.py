"""Laws of the bars and the calendar: nothing is out of sight, out of bounds or out of order."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st
from llmprof_tui.widgets.bars_layout import eighths, fit, labels
from llmprof_tui.widgets.calendar_layout import LEVELS, bounds, level, monday, months, weeks_of

days = st.dates(min_value=date(2000, 1, 1), max_value=date(2090, 1, 1))
amounts = st.lists(st.none() | st.integers(0, 10**15), max_size=60)


@given(count=st.integers(1, 500), width=st.integers(1, 240), data=st.data())
def test_the_cursor_is_always_seen_and_bars_stay_inside(count: int, width: int, data: st.DataObject) -> None:
    cursor = data.draw(st.integers(0, count - 1))
    bars = fit(count, width, cursor, data.draw(st.none() | st.integers(0, count - 1)))
    assert bars.first <= cursor < bars.first + bars.count <= count
    assert bars.count * bars.pitch <= width
    for index in range(bars.first, bars.first + bars.count):
        assert bars.at(bars.x_of(index)) == index


@given(first=days, count=st.integers(1, 200), width=st.integers(1, 240))
def test_labels_stay_inside_and_apart(first: date, count: int, width: int) -> None:
    starts = [first + timedelta(days=index) for index in range(count)]
    end = -1
    for x, said in labels(starts, fit(count, width, count - 1), width, "day"):
        assert x > end
        end = x + len(said)
        assert end <= width


@given(amount=st.integers(0, 10**12), top=st.integers(1, 10**12), rows=st.integers(1, 30))
def test_heights_grow_with_amounts(amount: int, top: int, rows: int) -> None:
    height = eighths(amount, top, rows)
    assert (height > 0) == (amount > 0)
    assert height <= 8 * rows
    assert eighths(amount + 1, top, rows) >= height


@given(found=amounts)
def test_more_is_never_lighter(found: list[int | None]) -> None:
    limits = bounds(found)
    levels = [level(amount, limits) for amount in sorted(amount or 0 for amount in found)]
    assert levels == sorted(levels)
    assert all(0 <= each <= LEVELS for each in levels)
    assert all((each > 0) == bool(amount) for each, amount in zip(levels, sorted(a or 0 for a in found), strict=True))


@given(first=days, weeks=st.integers(1, 60), pitch=st.integers(1, 3))
def test_names_of_months_stay_inside_and_apart(first: date, weeks: int, pitch: int) -> None:
    start, end = monday(first), -1
    assert weeks_of(start, start + timedelta(days=7 * weeks - 1)) == weeks
    for x, name in months(start, weeks, pitch):
        assert x > end
        end = x + len(name)
        assert end <= weeks * pitch
