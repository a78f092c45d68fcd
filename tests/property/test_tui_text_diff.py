from hypothesis import given
from hypothesis import strategies as st
from llmprof_tui.widgets.text_diff_layout import lines_of, side_by_side, text_diff

lines = st.lists(st.sampled_from(["a", "b", "c", "d", "", "long, " * 60, "e\u0301"]), max_size=40).map("\n".join)


def number(note: str) -> int:
    return int(note.split()[0].replace(",", ""))


@given(lines, lines)
def test_every_line_of_both_texts_is_shown_or_counted_once(before: str, after: str) -> None:
    rows = text_diff(before, after)
    left_out = sum(number(row.note) for row in rows if row.mark == "@")
    assert len([row for row in rows if row.before]) + left_out == len(lines_of(before))
    assert len([row for row in rows if row.after]) + left_out == len(lines_of(after))
    for row in rows:
        if row.before and row.after:
            assert row.before.text == row.after.text


@given(lines, lines)
def test_side_by_side_has_the_same_lines_in_the_same_order(before: str, after: str) -> None:
    rows = text_diff(before, after)
    beside = side_by_side(rows)
    assert [row.before for row in beside if row.before] == [row.before for row in rows if row.before]
    assert [row.after for row in beside if row.after] == [row.after for row in rows if row.after]
    assert [row.note for row in beside if row.note] == [row.note for row in rows if row.note]
    assert len(beside) <= len(rows)
