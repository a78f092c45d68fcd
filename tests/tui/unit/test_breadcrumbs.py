from llmprof_tui.widgets.breadcrumbs import SEPARATOR, fitting
from rich.cells import cell_len

STEPS = ["prompt", "tool results", "read_file", "call 12"]


def test_all_steps_where_there_is_room() -> None:
    assert fitting(STEPS, 80) == list(enumerate(STEPS))
    assert fitting([], 80) == []


def test_the_middle_gives_way_first() -> None:
    assert fitting(STEPS, 35) == [(0, "prompt"), (-1, "…"), (2, "read_file"), (3, "call 12")]
    assert fitting(STEPS, 24) == [(0, "prompt"), (-1, "…"), (3, "call 12")]


def test_lines_never_run_over_whatever_the_names() -> None:
    for width in range(8, 90):
        for names in (STEPS, ["工具" * 30, "x" * 200, "שלום"], ["only " * 40]):
            shown = fitting(names, width)
            assert shown[-1][0] == len(names) - 1
            cells = sum(cell_len(text) for _, text in shown) + len(SEPARATOR) * (len(shown) - 1)
            assert cells <= width or len(shown) == 1
