from llmprof_tui.widgets.markup import fences, json_lines, markdown_lines
from llmprof_tui.widgets.text_layout import Piece


def drawn(text: str, width: int = 60, *, fenced: bool = False) -> list[str]:
    return ["".join(piece.text for piece in line.pieces) for line in markdown_lines(text, 0, width, fenced=fenced)]


def styled(text: str) -> list[tuple[str, str]]:
    (line,) = markdown_lines(text, 0, 60)
    return [(piece.text, piece.style) for piece in line.pieces]


def test_markers_become_looks() -> None:
    assert styled("## The *plan*") == [("The ", "h2"), ("plan", "h2 italic")]
    assert styled("a **bold** and `code`") == [("a ", ""), ("bold", "bold"), (" and ", ""), ("code", "code")]
    assert styled("~~gone~~ <tag a='b'>") == [("gone", "strike"), (" ", ""), ("<tag a='b'>", "tag")]
    assert styled("[docs](https://x.test/a)") == [
        ("docs", "link"), (" (", ""), ("https://x.test/a", "dim"), (")", ""),
    ]  # fmt: skip


def test_lists_quotes_and_rules_are_drawn() -> None:
    assert drawn("- one\n  * two\n12. three\n- [x] done\n> said\n---") == [
        "• one", "  • two", "12. three", "• ☑ done", "▌ said", "─" * 60,
    ]  # fmt: skip


def test_stars_that_are_no_markers_stay() -> None:
    assert drawn("2 * 3 * 4 and __init__ and a*b*c") == ["2 * 3 * 4 and __init__ and a*b*c"]


def test_code_blocks_are_not_read_as_markdown() -> None:
    assert drawn("```python\n# no **heading**\n```\nafter") == ["▏python", "▏# no **heading**", "after"]


def test_a_stretch_may_begin_inside_a_code_block() -> None:
    assert drawn("# code\n```\n# Heading", fenced=True) == ["▏# code", "Heading"]


def test_tables_are_aligned_by_cells() -> None:
    assert drawn("| a | wide |\n|---|:-:|\n| 你好 | b |") == ["a    │ wide", "─────┼─────", "你好 │ b   "]


def test_a_table_that_is_too_wide_stays_as_it_is() -> None:
    lines = "| " + "a" * 70 + " | b |\n|---|---|\n| c | d |"
    assert drawn(lines) == lines.split("\n")


def test_fences_come_in_pairs() -> None:
    text = "a\n```\nb ``` c\n~~~\n```\nd\n````md\n```\n````\n"
    found = fences(text)
    assert [text[at:].split("\n")[0] for at in found] == ["```", "```", "````md", "````"]


def test_fences_are_found_in_a_line_of_any_length() -> None:
    assert fences("x" * 1_000_000) == []
    assert fences("x```" * 100_000) == []


def test_pieces_stand_where_the_text_says() -> None:
    text = "# One\n- **two** `three`\n> four [five](http://x.test)\n| a | b |\n|---|---|\n| c | d |\n"
    for line in markdown_lines(text, 0, 60):
        for piece in line.pieces:
            if piece.start >= 0:
                assert text[piece.start : piece.start + len(piece.text)] == piece.text


def test_json_is_told_apart() -> None:
    (line,) = json_lines('  "key": [1.5, "a\\"b", true],', 100)
    assert [(piece.text, piece.style) for piece in line.pieces if piece.text.strip()] == [
        ('"key"', "key"), (":", "dim"), ("[", "dim"), ("1.5", "number"), (",", "dim"), ('"a\\"b"', "string"),
        (",", "dim"), ("true", "word"), ("],", "dim"),
    ]  # fmt: skip
    assert line.pieces[0] == Piece("  ", "", 100)
    assert line.hang == 4


def test_json_may_begin_inside_a_string() -> None:
    (line,) = json_lines('rest of it", "next": 1', 0, begun=True)
    assert line.pieces[0] == Piece('rest of it"', "string", 0)
    assert [piece.style for piece in line.pieces if piece.text == '"next"'] == ["key"]
