import pytest
from llmprof_tui.widgets.text_layout import CHUNK, Line, Piece, chunks, fitted, plain_lines, visible, wrapped
from rich.cells import cell_len


def rows(text: str, width: int) -> list[str]:
    return ["".join(piece.text for piece in row) for row in wrapped(plain_lines(visible(text), 0), width)]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x07", "␛[31mred␇"),
        ("a\x7fb\x85c", "a␡b�c"),
        ("\u202egnal\u202c", "�gnal�"),
        ("lone \ud800 surrogate", "lone � surrogate"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("שלום 你好", "שלום 你好"),
    ],
)
def test_what_would_drive_a_terminal_becomes_a_picture_of_it(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("", 10, [""]),
        ("short", 10, ["short"]),
        ("one two three", 8, ["one two", "three"]),
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
        ("a\n\nb\n", 10, ["a", "", "b"]),
        ("line\r\nnext\r\n", 10, ["line", "next"]),
        ("你好世界", 5, ["你好", "世界"]),
        ("\tx", 10, ["    x"]),
        ("    indented words", 12, ["    indented", "words"]),
        ("👩‍👩‍👧👩‍👩‍👧", 3, ["👩‍👩‍👧", "👩‍👩‍👧"]),
        ("世", 1, ["世"]),
    ],
)
def test_text_is_wrapped_by_cells(text: str, width: int, expected: list[str]) -> None:
    assert rows(text, width) == expected


def test_rows_after_the_first_hang() -> None:
    (first, second) = wrapped([Line((Piece("• "), Piece("one two three", "", 2)), 2)], 10)
    assert "".join(piece.text for piece in first) == "• one two"
    assert second == (Piece("  "), Piece("three", "", 10))


def test_a_line_of_ten_megabytes_is_cut_after_whole_rows() -> None:
    text = "x" * 10_000_000
    found = chunks(text, 120)
    assert all((chunk.end - chunk.start) % 120 == 0 for chunk in found[:-1])
    assert all(chunk.cut for chunk in found[:-1])
    assert sum(chunk.estimate(120) for chunk in found) == -(-len(text) // 120)


def test_chunks_end_at_empty_lines_if_they_can() -> None:
    text = ("word " * 100 + "\n\n") * 40
    found = chunks(text, 80)
    assert len(found) > 3
    assert all(text[: chunk.end].endswith("\n\n") for chunk in found)
    assert [chunk.line for chunk in found] == [text.count("\n", 0, chunk.start) for chunk in found]
    assert max(chunk.end - chunk.start for chunk in found) <= CHUNK


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("short", 9, "short"),
        ("too long for it", 8, "too lon…"),
        ("你好世界", 5, "你好…"),
        ("ab", 1, "…"),
        ("ab", 0, ""),
    ],
)
def test_a_line_is_cut_to_fit(text: str, width: int, expected: str) -> None:
    assert fitted(text, width) == expected
    assert cell_len(fitted(text, width)) <= width
