"""Laws of pages of text: nothing is lost or drawn twice, no row is too wide, everything is found where it is shown."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from llmprof_tui.widgets.entry import Entry, Level, Place
from llmprof_tui.widgets.markup import fences, json_lines, markdown_lines
from llmprof_tui.widgets.messages_layout import Outline
from llmprof_tui.widgets.search import found_in
from llmprof_tui.widgets.text_layout import Line, breaks, chunks, plain_lines, start_of, visible, wrapped
from llmprof_tui.widgets.timing_layout import Timing, cells
from rich.cells import cell_len

from llmprof_addon.model.component import Kind

WORDS = st.sampled_from(
    ["word", " ", "  ", "\n", "\n\n", "世界", "é", "e\u0301", "👩‍👩‍👧", "שלום",
     "\x1b[0m", "\t", "**b**", "`c`", "# h", "- ",
     "```", "| a | b |", "|---|---|", "> ", "<t>", "x" * 90, '"', "{", "}", "1.5", "\\", "\r\n", "\u200b", "[a](b)"]
)  # fmt: skip
TEXTS = st.one_of(st.lists(WORDS, max_size=60).map("".join), st.text(max_size=200))
WIDTHS = st.integers(2, 130)


@given(st.lists(TEXTS, max_size=8), st.integers(1, 400), WIDTHS)
def test_chunks_cover_a_text_without_gaps(texts: list[str], times: int, width: int) -> None:
    text = "\n".join(texts) * times
    found = chunks(text, width)
    assert found[0].start == 0
    assert found[-1].end == len(text)
    assert all(one.end == two.start and one.cut == two.begun for one, two in pairwise(found))
    assert all(chunk.line == text.count("\n", 0, chunk.start) for chunk in found)


@given(TEXTS, WIDTHS)
def test_breaks_cover_a_text_but_for_the_spaces_they_fall_on(text: str, width: int) -> None:
    done = 0
    for start, end in breaks(text, width, width):
        assert text[done:start].strip(" ") == ""
        assert start - done <= 1
        assert end > start
        done = end
    assert text[done:] in ("", " ")


@given(TEXTS, WIDTHS, st.booleans())
def test_no_row_is_wider_than_its_page(text: str, width: int, anywhere: bool) -> None:
    shown = visible(text)
    for lines in (plain_lines(shown, 0), json_lines(shown, 0), markdown_lines(shown, 0, width)):
        for row in wrapped(lines, width, anywhere=anywhere):
            joined = "".join(piece.text for piece in row)
            # What is one character to a person may be wider than the page.
            assert cell_len(joined) <= width or len(joined.strip()) <= 8


@given(TEXTS, WIDTHS)
def test_plain_rows_hold_every_character_once_and_in_order(text: str, width: int) -> None:
    shown = visible(text)
    rows = wrapped(plain_lines(shown, 0), width)
    at = -1
    held: list[str] = []
    for row in rows:
        for piece in row:
            if piece.start >= 0 and piece.text:
                assert shown[piece.start : piece.start + len(piece.text)] == piece.text
                assert piece.start > at
                at = piece.start + len(piece.text) - 1
                held.append(piece.text)
    gone = " \t\n␍"
    assert "".join(held).translate({ord(c): None for c in gone}) == shown.translate({ord(c): None for c in gone})


@given(TEXTS, WIDTHS, st.booleans())
def test_drawn_pieces_stand_where_they_say(text: str, width: int, fenced: bool) -> None:
    shown = visible(text)
    for lines in (markdown_lines(shown, 7, width, fenced=fenced), json_lines(shown, 7)):
        for row in wrapped(lines, width):
            for piece in row:
                if piece.start >= 0:
                    assert shown[piece.start - 7 : piece.start - 7 + len(piece.text)] == piece.text


@given(TEXTS)
def test_what_is_shown_drives_no_terminal(text: str) -> None:
    shown = visible(text)
    assert len(shown) == len(text)
    assert not any((ord(c) < 0x20 and c not in "\n\t") or 0x7F <= ord(c) < 0xA0 for c in shown)


@given(TEXTS)
def test_fences_are_lines_that_hold_one(text: str) -> None:
    for at in fences(text):
        assert at == 0 or text[at - 1] == "\n"
        assert text[at:].lstrip(" ").startswith(("```", "~~~"))


LEVELS = st.sampled_from(list(Level))
ENTRIES = st.lists(
    st.builds(
        lambda text, kind, syntax, edge: Entry(
            title=kind.value, kind=kind, text=text, syntax=syntax, edges=("end",) if edge else ()
        ),
        st.one_of(TEXTS, st.just("long line " * 2_000), st.just("many\n\nlines\n" * 900)),
        st.sampled_from([Kind.USER, Kind.TOOL_CALLS, Kind.SYSTEM]),
        st.sampled_from(["markdown", "auto", "text"]),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
)


@given(ENTRIES, st.lists(LEVELS, min_size=6, max_size=6), st.integers(16, 140), st.lists(st.floats(0, 1), max_size=6))
def test_rows_of_a_page_are_consistent_whatever_was_laid_out(
    entries: list[Entry], levels: list[Level], width: int, looks: list[float]
) -> None:
    outline = Outline(entries, dict.fromkeys(Kind, Level.FULL))
    outline.resize(width)
    for index, level in zip(range(len(entries)), levels, strict=False):
        outline.open(index, level)
    for look in looks:
        before = int(look * outline.height)
        top = outline.settle(before, 30)
        assert 0 <= top < max(outline.height, 1)
        for y in range(top, min(top + 30, outline.height)):
            found = outline.row(y)
            assert found is not None
            span, index = found
            assert span.chunk is None or index < len(outline.body(span))
    shown = {index for span in outline.spans for index in range(span.entry, max(span.entry, span.last) + 1)}
    assert shown == set(range(len(entries)))


@given(ENTRIES, st.integers(16, 140), st.sampled_from(["word", "line", "世", "LONG", "a"]))
def test_every_hit_is_on_the_row_that_it_is_said_to_be_on(entries: list[Entry], width: int, word: str) -> None:
    outline = Outline(entries, dict.fromkeys(Kind, Level.FULL))
    outline.resize(width)
    outline.render(False)
    for hits in outline.hits(word):
        for hit in hits[:40]:
            if hit.start < 0:
                continue
            found = outline.row(outline.y_of(Place(hit.entry, hit.start)))
            assert found is not None
            row = outline.body(found[0])[found[1]]
            assert found[0].entry == hit.entry
            assert start_of(row) <= hit.start
            assert any(piece.start <= hit.start < piece.start + len(piece.text) for piece in row)


@given(TEXTS, st.text(min_size=1, max_size=3))
def test_hits_do_not_overlap_and_are_the_word(text: str, word: str) -> None:
    done = 0
    for start, end in found_in(text, word):
        assert start >= done
        assert text[start:end].lower().startswith(word.lower()[:1]) or text[start:end].casefold() == word.casefold()
        done = end


@given(st.integers(0, 10**12), st.integers(0, 10**12), st.integers(2, 200))
def test_the_bar_of_times_fills_its_width(wait: int, stream: int, width: int) -> None:
    times = Timing(wait=wait, total=wait + stream)
    first, second = cells(times, width)
    assert first + second == width
    assert not (wait and not first) or wait + stream == 0
    assert not (stream and not second)


def test_a_line_of_nothing_is_a_row() -> None:
    assert wrapped([Line(())], 10) == [()]
