from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.text import Text

from llmprof_addon.cli.grid import Column, grid
from llmprof_addon.cli.terminal import one_line, plain

COLUMNS = (
    Column(name="id", left=True),
    Column(name="what", least=6),
    Column(name="model", least=4, leaves=2),
    Column(name="in"),
    Column(name="cost", leaves=1),
)
ROWS = [
    ("a1", "a long sentence about boats", "boat-1", "1.2k", "$0.0012"),
    ("a2", "short", "boat-model-with-a-long-name", "≈590", "–"),
]


def shown(width: int) -> list[str]:
    return [line.plain for line in grid(COLUMNS, ROWS, width)]


def test_with_room_everything_stands_in_full() -> None:
    assert shown(100) == [
        "id  what                         model                          in     cost",
        "a1  a long sentence about boats  boat-1                       1.2k  $0.0012",
        "a2  short                        boat-model-with-a-long-name  ≈590        –",
    ]


def test_texts_give_way_before_columns_do() -> None:
    assert shown(50) == [
        "id  what             model             in     cost",
        "a1  a long sentenc…  boat-1          1.2k  $0.0012",
        "a2  short            boat-model-wi…  ≈590        –",
    ]


def test_columns_leave_in_their_order() -> None:
    assert [shown(width)[0].split() for width in (40, 30, 18)] == [
        ["id", "what", "model", "in", "cost"],
        ["id", "what", "in", "cost"],
        ["id", "what", "in"],
    ]


def test_too_narrow_for_the_numbers_it_is_wider_rather_than_wrong() -> None:
    assert shown(5) == ["id  what      in", "a1  a lon…  1.2k", "a2  short   ≈590"]


def test_wide_characters_take_two_cells() -> None:
    rows = [("a1", "日本語のテキスト", "x", "1", "2"), ("a2", "abc", "x", "1", "2")]
    lines = [line.plain for line in grid(COLUMNS, rows, 28)]
    assert len({cell_len(line) for line in lines}) == 1


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30).map(plain)
numbers = st.integers(0, 10**12).map(str)


@given(st.lists(st.tuples(numbers, texts, texts, numbers, numbers), max_size=5), st.integers(1, 150))
def test_every_shown_number_is_whole_and_the_width_is_kept(rows: list[tuple[str | Text, ...]], width: int) -> None:
    head, *lines = grid(COLUMNS, rows, width)
    names = head.plain.split()
    least = sum(max([len(name), *(len(str(row[index])) for row in rows)]) for index, name in ((0, "id"), (3, "in")))
    for line, row in zip(lines, rows, strict=True):
        words = line.plain.split()
        assert words[0] == row[0]
        last = {"in": 3, "cost": 4}[names[-1]]
        assert words[-1] == row[last]
        assert line.cell_len <= max(width, least + 6 + 4)


def test_control_characters_become_spaces_and_markup_stays_text() -> None:
    assert one_line("a\x1b[2Jb\r\n\tc\u202ed\x9b\ud800e") == "a [2Jb c d e"
    assert plain("[red]x[/]\x07").plain == "[red]x[/] "
