"""Any text is a query or one clear line; what is found is what the texts themselves say, also after deletions."""

from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from llmprof_addon.model.tree import canonical
from llmprof_addon.store import edits, search_index
from llmprof_addon.store.compress import unpack
from llmprof_addon.store.open import Store, open_store
from llmprof_addon.store.search import search
from llmprof_addon.store.search_query import Query, QueryError, parse_query
from llmprof_addon.store.search_runs import matching_runs
from llmprof_addon.store.search_words import (
    Phrase,
    has_all,
    indexed_words,
    places,
    searched_texts,
    snippet,
    terms,
    words,
)
from tests.store.building import exchange, record, text

PIECES = st.sampled_from(
    (
        *(
            '"',
            "*",
            "-",
            ":",
            "^",
            "(",
            ")",
            "NEAR",
            "NEAR(a b, 3)",
            "AND",
            "OR",
            "NOT",
            " ",
            "\0",
            "\ud800",
            "a",
            "ab",
        ),
        *(
            "Straße",
            "e\u0301",
            "日本",
            "foo_bar",
            "model:",
            "cost>",
            "tokens<=",
            "1e9",
            "0.1",
            "has:",
            "image",
            "status:",
        ),
        *(
            "5xx",
            "after:",
            "2026-13-99",
            "before:2026-01-02T25:00",
            "tag:a:b",
            "modle:x",
            "{",
            "%",
            "'",
            ";",
            "\\",
            "#",
        ),
    )
)
TYPED = st.text(max_size=30) | st.lists(PIECES, max_size=8).map("".join) | st.lists(PIECES, max_size=6).map(" ".join)
NUMBERS = ("0.570860", "570860", "5708", "v1.5708612", "2.57086e-05", "0.570860\u0308", "570.86", "٥٧٠٨٦٠")
SAID = st.lists(
    st.sampled_from(["alpha", "Beta", "gamma", "ÄRGER", "arger", "al", "x" * 70, "日本", "a_b", *NUMBERS]), max_size=6
)
TERMS = st.sampled_from(
    [
        "alpha",
        "alp*",
        "beta gamma",
        '"alpha beta"',
        "ärger",
        "-gamma alpha",
        "日",
        "xxx*",
        "x" * 70,
        '-"beta beta" beta',
        "a_b",
        *("570860", "0.570860", "5708", "57086", "570*", "5708*", "57086*", "57086e", "٥٧٠*"),
        *("-570860 alpha", "-570* alpha", "-5708 alpha", "-0.570860 alpha", '-"alpha 570860" alpha'),
    ]
)


@settings(max_examples=80, deadline=None)
@given(TYPED)
def test_any_text_is_a_query_or_one_line(typed: str) -> None:
    line, query = "", None
    try:
        query = parse_query(typed)
    except QueryError as error:
        line = f"{error.message}; {error.hint}"
    if query is None:
        assert len(line.splitlines()) == 1
    else:
        assert query.wanted or query.filters
        assert all(phrase.words for phrase in (*query.wanted, *query.unwanted))


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=80) | SAID.map(" ".join) | st.just(f"alpha {'x' * 70} {'x' * 70} {'x' * 70}"), st.data())
def test_words_and_their_places_are_the_same(said: str, data: st.DataObject) -> None:
    assert [word for *_, word in places(said)] == words(said)
    if found := words(said):
        start = data.draw(st.integers(0, len(found) - 1))
        phrase = Phrase(tuple(found[start : start + 3]))
        assert has_all([said], [phrase], [])
        shown = snippet([said], [phrase])
        assert shown is not None
        for first, last in shown.marks:
            assert 0 <= first < last <= len(shown.text)
        first, last = shown.marks[0]
        marked, ends = words(shown.text[first:last]), last == len(shown.text.removesuffix("…"))
        if ends and marked != list(phrase.words):  # a phrase longer than a snippet is cut
            assert " ".join(phrase.words).startswith(" ".join(marked))
        else:
            assert marked == list(phrase.words)


@settings(max_examples=20, deadline=None)
@given(st.lists(SAID, min_size=1, max_size=6), st.lists(TERMS, min_size=1, max_size=4), st.data())
def test_the_index_finds_what_the_texts_say(said: list[list[str]], typed: list[str], data: st.DataObject) -> None:
    with TemporaryDirectory() as home, open_store(f"sqlite:///{home}/s.db") as store:
        for number, what in enumerate(said):
            made = exchange(f"{number:032x}", at=number, session=f"run {number}")
            store.write(
                record(store, made, [text("user", " ".join(what))], [text("assistant", what[0] if what else "")])
            )
            if data.draw(st.booleans()):
                search_index.catch_up(store, nodes=1)
        while search_index.catch_up(store, nodes=2):
            pass
        _check(store, typed)
        for number in data.draw(st.sets(st.integers(0, len(said) - 1))):
            edits.delete_call(store, f"{number:032x}")
        while search_index.catch_up(store):
            pass
        _check(store, typed)
        search_index.start_anew(store)
        while search_index.catch_up(store):
            pass
        _check(store, typed)


def _check(store: Store, typed: list[str]) -> None:
    rows = store.db.execute_sql("SELECT DISTINCT content_id, data, size FROM node JOIN content ON digest = content_id")
    stored = {bytes(digest): (bytes(data), size) for digest, data, size in rows.fetchall()}
    for one in typed:
        query = parse_query(one)
        expected = {digest for digest, kept in stored.items() if _fits(kept, query)}
        found = search(store, query, limit=100)
        assert {bytes.fromhex(hit.content or "") for hit in found.hits} == expected
        assert found.notes == ()
        assert all(hit.carried and not hit.carried_at_least for hit in found.hits)
        runs, notes = matching_runs(store, query)
        assert bool(runs) == bool(expected)
        assert notes == ()


def _fits(kept: tuple[bytes, int], query: Query) -> bool:
    return has_all(searched_texts(unpack(*kept))[0], query.wanted, query.unwanted)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.from_regex(r"[a-z]{0,2}[0-9]{0,8}(\.[0-9]{1,8}){0,2}[a-z]?", fullmatch=True), max_size=5).map(" ".join)
    | st.text(st.sampled_from("01.x 日\u0308٣"), max_size=20)
)
def test_what_is_indexed_of_a_text_has_a_term_of_each_of_its_words(said: str) -> None:
    indexed = set(indexed_words(canonical({"text": said})))
    for word in words(said):
        assert indexed.intersection(one for one, _ in terms(word, False))
        for size in range(1, len(word) + 1):
            assert any(
                held.startswith(one) if prefix else held == one
                for one, prefix in terms(word[:size], True)
                for held in indexed
            )


@settings(max_examples=25, deadline=None)
@given(
    st.recursive(
        st.text(max_size=10) | st.none() | st.integers(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["text", "type", "arguments", "properties", "x"]), inner, max_size=3)
        ),
        max_leaves=8,
    )
)
def test_any_block_has_texts(block: object) -> None:
    found, cut = searched_texts(canonical(block))
    assert all(isinstance(one, str) for one in found)
    assert not cut
