"""Stretches of a stacked line: side by side, exact in sum, each within a cell of its share."""

from hypothesis import given
from hypothesis import strategies as st
from llmprof_tui.widgets.composition import stretches

AMOUNTS = st.lists(st.integers(0, 10**12), max_size=20)


@given(AMOUNTS, st.integers(0, 300))
def test_edges_never_drift(amounts: list[int], width: int) -> None:
    found = stretches(amounts, width)
    assert len(found) == len(amounts)
    reached = 0
    for amount, (start, end) in zip(amounts, found, strict=True):
        assert start == reached
        reached = end
        if whole := sum(amounts):
            assert abs((end - start) * whole - amount * width) < whole
    if sum(amounts):
        assert reached == width
