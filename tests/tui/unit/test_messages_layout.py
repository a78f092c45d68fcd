import pytest
from llmprof_tui.widgets.entry import HEAD, Entry, Hit, Level, Place
from llmprof_tui.widgets.messages_layout import Outline
from llmprof_tui.widgets.search import found_in

from llmprof_addon.model.component import Kind


def entry(title: str, text: str = "", kind: Kind | None = Kind.USER, **fields: object) -> Entry:
    return Entry(title=title, text=text, kind=kind, **fields)  # type: ignore[arg-type]  # fields as they are declared


def said(outline: Outline) -> list[str]:
    """The page, row by row, after all of it was laid out."""
    outline.settle(0, 10_000)
    out = []
    for y in range(outline.height):
        found = outline.row(y)
        assert found is not None
        span, index = found
        if span.what == "body":
            out.append("".join(piece.text for piece in outline.body(span)[index]))
        elif span.what == "hidden":
            out.append(f"[{span.last - span.entry + 1} hidden]")
        else:
            out.append({"head": f"<{outline.entries[span.entry].title}>", "gap": ""}.get(span.what, span.text))
    return out


CONVERSATION = (
    entry("tool a", "{}", Kind.TOOL_SCHEMAS, syntax="auto"),
    entry("tool b", "{}", Kind.TOOL_SCHEMAS, syntax="auto"),
    entry("system", "# Rules\nBe kind.", Kind.SYSTEM),
    entry("user", "Hello"),
    entry("call", '{"x":1}', Kind.TOOL_CALLS, syntax="auto", edges=("read until here",)),
    entry("image", "", Kind.IMAGES, preview="image/png"),
)


def test_the_conversation_is_open_and_its_work_folded() -> None:
    assert said(Outline(CONVERSATION, {})) == [
        "[2 hidden]", "<system>", "", "<user>", "Hello", "", "<call>", "read until here", "<image>",
    ]  # fmt: skip


def test_levels_of_kinds_and_of_single_entries() -> None:
    outline = Outline(CONVERSATION, {Kind.USER: Level.HIDDEN})
    outline.open(4, Level.FULL)
    outline.open(0, Level.FOLDED, 1)
    assert said(outline) == [
        "<tool a>", "<tool b>", "<system>", "[1 hidden]", "", "<call>", "{", '  "x": 1', "}", "read until here", "",
        "<image>",
    ]  # fmt: skip
    outline.set_level(Kind.TOOL_SCHEMAS, Level.HIDDEN)
    assert said(outline)[0] == "[2 hidden]"
    outline.set_all(Level.FOLDED)
    assert said(outline) == ["[2 hidden]", "<system>", "[1 hidden]", "<call>", "read until here", "<image>"]


def test_as_sent_nothing_is_drawn() -> None:
    outline = Outline((entry("user", "# One\n**two**"), entry("call", '{"x":1}', syntax="auto")), {})
    assert said(outline) == ["<user>", "One", "two", "", "<call>", "{", '  "x": 1', "}"]
    outline.render(False)
    assert said(outline) == ["<user>", "# One", "**two**", "", "<call>", '{"x":1}']


def test_a_hidden_run_does_not_reach_over_the_end_of_the_cache() -> None:
    tools = [entry(f"tool {n}", "{}", Kind.TOOL_SCHEMAS, edges=("here",) if n == 1 else ()) for n in range(4)]
    assert said(Outline(tools, {})) == ["[2 hidden]", "here", "[2 hidden]"]


def test_an_empty_page() -> None:
    outline = Outline((), {})
    assert outline.height == 0
    assert outline.row(0) is None
    assert outline.settle(5, 10) == 0
    assert list(outline.hits("x")) == []


def long_page() -> Outline:
    words = "\n".join("**many** words " * (n % 40) for n in range(3_000))
    outline = Outline([entry("user", words), entry("user", words)], {})
    outline.resize(70)
    return outline


def test_going_down_the_top_stays_where_it_is() -> None:
    outline = long_page()
    before = outline.place(outline.settle(900, 40))
    assert outline.place(outline.settle(outline.y_of(before), 40)) == before


def test_going_up_what_is_seen_stays_where_it_is() -> None:
    outline = long_page()
    top = outline.settle(outline.height // 2, 40)
    for step in (20, 3, 39, 1, 120) * 12:
        seen = outline.row(top)
        assert seen is not None
        moved = outline.settle(top - step, 40, keep=top)
        assert outline.row(moved + step) == seen
        top = moved


def test_the_end_is_laid_out_from_below() -> None:
    outline = long_page()
    top = outline.settle(outline.height - 40, 40, keep=outline.height)
    assert top == outline.height - 40
    assert sum(len(outline.body(span)) if span.chunk else 1 for span in outline.spans[-3:]) > 40


def test_heights_are_exact_once_everything_was_seen() -> None:
    outline = long_page()
    top = 0
    while top < outline.height - 40:
        top = outline.settle(top + 40, 40)
    height = outline.height
    assert height == sum(len(outline.body(span)) if span.chunk else 1 for span in outline.spans)
    outline.open(0, Level.FOLDED)
    outline.open(0, Level.FULL)
    assert outline.height == height


@pytest.mark.parametrize("width", [20, 45, 110, 200])
def test_places_survive_another_width(width: int) -> None:
    outline = long_page()
    place = Place(1, outline.text(1)[0].index("many", 20_000))
    outline.resize(width)
    found = outline.row(outline.y_of(place))
    assert found is not None
    span, index = found
    row = outline.body(span)[index]
    held = [piece for piece in row if piece.start <= place.offset < piece.start + len(piece.text)]
    assert span.entry == 1
    assert held
    assert held[0].text[place.offset - held[0].start :].startswith("many")


def test_a_place_in_a_folded_text_is_at_its_head() -> None:
    outline = Outline(CONVERSATION, {})
    assert outline.place(outline.y_of(Place(2, 5))) == Place(2, HEAD)
    assert outline.place(outline.y_of(Place(1, 0))) == Place(0, HEAD)  # the hidden run


def test_search_finds_names_and_texts_of_what_is_hidden_too() -> None:
    outline = Outline(CONVERSATION, {})
    assert [hit for hits in outline.hits("TOOL") for hit in hits] == [Hit(0, HEAD, HEAD), Hit(1, HEAD, HEAD)]
    assert [hit for hits in outline.hits("kind") for hit in hits] == [Hit(2, 11, 15)]


@pytest.mark.parametrize(
    ("text", "word", "expected"),
    [
        ("Abc aBC", "abc", [(0, 3), (4, 7)]),
        ("aaaa", "aa", [(0, 2), (2, 4)]),
        ("İstanbul istanbul", "istan", [(0, 5), (9, 14)]),
        ("STRASSE Straße", "straße", [(8, 14)]),
        ("x", "", []),
    ],
)
def test_words_are_found_whatever_their_case(text: str, word: str, expected: list[tuple[int, int]]) -> None:
    assert list(found_in(text, word)) == expected


def test_numbered_lines() -> None:
    outline = Outline([entry("body", "a\nb\n" * 3_000, None, syntax="text")], {}, numbered=True)
    assert [span.chunk.line for span in outline.spans if span.chunk] == sorted(
        span.chunk.line for span in outline.spans if span.chunk
    )
    assert outline.spans[-1].chunk is not None
    assert outline.spans[-1].chunk.line == 4_096
