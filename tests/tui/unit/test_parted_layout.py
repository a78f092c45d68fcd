"""Two texts from where they part, as lines."""

from llmprof_tui.widgets.parted_layout import Piece, Side, lines, sides

from llmprof_addon.export.cache import Excerpt, parted


def test_texts_begin_with_the_line_in_which_they_part() -> None:
    found = parted("One.\nTwo is old.\nThree.", "One.\nTwo is new.\nThree.")
    assert sides(found, 40) == (
        Side("-", ((Piece("Two is ", "same"), Piece("old", "own"), Piece(".", "same")), (Piece("Three.", "same"),))),
        Side("+", ((Piece("Two is ", "same"), Piece("new", "own"), Piece(".", "same")), (Piece("Three.", "same"),))),
    )


def test_a_brief_text_ends_after_the_line_in_which_they_meet() -> None:
    rest = "\n".join("abcdefgh")
    found = parted(f"old\n{rest}", f"new\n{rest}")
    assert [len(side.lines) for side in sides(found, 40)] == [9, 9]
    assert [len(side.lines) for side in sides(found, 40, brief=True)] == [2, 2]


def test_a_text_that_is_not_there_has_no_side() -> None:
    assert [side.mark for side in sides(Excerpt(before=None, after="new", differ=(0, 3)), 9)] == ["+"]
    assert sides(Excerpt(before=None, after=None), 9) == ()


def test_wide_characters_and_controls() -> None:
    assert lines([Piece("你好世界", "own")], 5) == ((Piece("你好", "own"),), (Piece("世界", "own"),))
    assert lines([Piece("a\x1b[31m\tb", "same")], 20) == ((Piece("a␛[31m  b", "same"),),)
    assert lines([], 5) == ((),)
