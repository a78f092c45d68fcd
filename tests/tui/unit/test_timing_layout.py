import pytest
from llmprof_tui.widgets.timing_bar import said_of
from llmprof_tui.widgets.timing_layout import Timing, cells, timing

SECOND = 10**9


@pytest.mark.parametrize(
    ("wait", "total", "expected"),
    [(1, 4, (5, 15)), (0, 4, (0, 20)), (4, 4, (20, 0)), (None, 4, (20, 0)), (1, 10_000, (1, 19)),
     (9_999, 10_000, (19, 1))],
)  # fmt: skip
def test_cells(wait: int | None, total: int, expected: tuple[int, int]) -> None:
    assert cells(Timing(wait=wait, total=total), 20) == expected


def test_a_clock_that_was_set_back_gives_no_negative_times() -> None:
    times = timing(10 * SECOND, 9 * SECOND, 8 * SECOND, 5)
    assert (times.wait, times.stream, times.total) == (0, 0, 0)
    assert times.tokens_per_second is None


def test_speed_counts_while_the_answer_came() -> None:
    assert timing(0, SECOND, 3 * SECOND, 100).tokens_per_second == 50
    assert timing(0, SECOND, SECOND + 1_000, 100).tokens_per_second is None
    assert timing(0, SECOND, 3 * SECOND, None).tokens_per_second is None


def test_times_in_words() -> None:
    assert said_of(timing(0, SECOND, 3 * SECOND, 100)) == "wait 1.0 s · answer 2.0 s · total 3.0 s · 50 tokens/s"
    assert said_of(timing(0, None, 3 * SECOND, None)) == "no byte came in 3.0 s"
