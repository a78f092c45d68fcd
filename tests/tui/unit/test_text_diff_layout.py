from llmprof_tui.widgets.text_diff_layout import MOST_CHARS, Row, lines_of, side_by_side, text_diff


def shown(rows: tuple[Row, ...]) -> list[str]:
    return [row.mark + (row.note or (row.after or row.before or lines_of("?")[0]).text) for row in rows]


def test_changes_stand_with_three_lines_around_them() -> None:
    before = "\n".join(f"line {number}" for number in range(20))
    after = before.replace("line 9", "line nine").replace("line 15\n", "")
    assert shown(text_diff(before, after)) == [
        *("@6 lines", " line 6", " line 7", " line 8", "-line 9", "+line nine", " line 10", " line 11", " line 12"),
        *(" line 13", " line 14", "-line 15", " line 16", " line 17", " line 18", "@1 line"),
    ]


def test_equal_texts_have_no_difference_and_one_side_alone_is_all_of_it() -> None:
    assert shown(text_diff("a\nb", "a\nb")) == ["@2 lines"]
    assert shown(text_diff("", "a\nb")) == ["+a", "+b"]
    assert shown(text_diff("a\nb", "")) == ["-a", "-b"]
    assert text_diff("", "") == ()


def test_long_lines_are_compared_in_pieces() -> None:
    line = ", ".join(f'"key{number}": {number}' for number in range(200))
    rows = text_diff(line, line.replace('"key7": 7,', '"key7": 8,'))
    assert [row.mark for row in rows if row.mark in "+-"] == ["-", "+"]
    assert "".join(piece.text for piece in lines_of(line)) == line


def test_removed_lines_stand_beside_those_that_took_their_place() -> None:
    rows = side_by_side(text_diff("one\ntwo\nthree\nend", "one\n2\nend\nmore"))
    sides = [(row.before and row.before.text, row.after and row.after.text) for row in rows]
    assert sides == [("one", "one"), ("two", "2"), ("three", None), ("end", "end"), (None, "more")]


def test_megabytes_on_one_line_are_cut_and_it_is_said() -> None:
    rows = text_diff("x" * (MOST_CHARS * 3), "y" * 10)
    assert rows[-1].note == f"{MOST_CHARS * 2:,} more characters of the earlier text are not compared"
