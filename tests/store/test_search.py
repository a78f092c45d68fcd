"""Searches over stored calls: what is found, where it is shown, which filters fit, and what deleting takes along."""

from dataclasses import replace

import pytest

from llmprof_addon.model.component import Kind, KindTotal
from llmprof_addon.model.usage import Source, Usage
from llmprof_addon.store import edits, queries, search_index
from llmprof_addon.store.listing import RunFilter, list_runs
from llmprof_addon.store.open import Store, open_store
from llmprof_addon.store.search import Hits, search
from llmprof_addon.store.search_query import QueryError, parse_query
from llmprof_addon.store.search_runs import matching_runs
from llmprof_addon.store.search_words import SEARCHED_CHARS
from llmprof_addon.store.upkeep import upkeep
from tests.store.building import START_NS, conversation, exchange, money, record, schema, text, tool_call


def fill(store: Store) -> None:
    """A conversation of three turns (about boats), another app's call that fails, and a large one."""
    for turn, (messages, answer) in enumerate(conversation(3, said_by="keel")):
        made = exchange(f"{turn:032x}", at=turn, tags=(("team", "blue"),))
        made_of = record(store, made, messages, answer, tools=[schema("mcp__files__read")], cost=money())
        assert store.write(made_of)
    other = record(
        store,
        exchange("b" * 32, at=100_000, status=429, session="other"),
        [text("user", "Look through the harbour, keel by keel.")],
        usage=Usage(input_tokens=90_000, output_tokens=1),
    )
    assert store.write(other)
    while upkeep(store):
        pass


def find(store: Store, typed: str, limit: int = 20) -> Hits:
    return search(store, parse_query(typed), limit=limit)


def calls(found: Hits) -> list[str]:
    return [hit.call.id.lstrip("0") or "0" for hit in found.hits]


def test_a_text_is_shown_where_it_came_first_with_all_that_carried_it(store: Store) -> None:
    fill(store)
    (hit,) = find(store, '"look through the folder"').hits
    assert (hit.call.id, hit.carried, hit.carried_at_least) == ("0" * 32, 3, False)
    assert (hit.kind, hit.role, hit.tool) == ("user", "user", None)
    assert hit.snippet is not None
    assert hit.snippet.text == "Look through the folder for me, keel."
    assert hit.snippet.marks == ((0, 23),)
    # The answer of the first call is in the prompts of the two that follow.
    (hit,) = find(store, "keel-0").hits
    assert (hit.call.id, hit.kind, hit.tool, hit.carried) == ("0" * 32, "tool_calls", "read", 3)
    (hit,) = find(store, "mcp__files__read").hits
    assert (hit.kind, hit.tool, hit.carried) == ("tool_schemas", "mcp__files__read", 3)
    assert len(find(store, "look").hits) == 2
    assert find(store, "look -harbour").hits[0].call.id == "0" * 32
    assert find(store, "nowhere").hits == ()


def test_a_call_that_comes_late_is_the_first(store: Store) -> None:
    fill(store)
    early = exchange("c" * 32, at=-50, session="early")
    assert store.write(record(store, early, [text("user", "Look through the harbour, keel by keel.")]))
    (hit,) = find(store, "harbour").hits
    assert (hit.call.id, hit.carried) == ("c" * 32, 2)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("model:gpt-t", "b 2 1 0"),
        ("model:claude", ""),
        ("-model:claude", "b 2 1 0"),
        ("provider:EXAMPLE status:429", "b"),
        ("-status:429", "2 1 0"),
        ("status:4xx", "b"),
        ("status:ok", "2 1 0"),
        ("has:error", "b"),
        ("-has:error", "2 1 0"),
        ("has:break", ""),
        ("app:tes", "b 2 1 0"),
        ("app:%", ""),
        ("tag:team", "2 1 0"),
        ("tag:team:blue", "2 1 0"),
        ("tag:team:red", ""),
        ("-tag:team", "b"),
        ("-tag:team status:ok", ""),
        ("-status:ok", "b"),
        ("-has:break", "b 2 1 0"),
        ("provider:example model:gpt-t", "b 2 1 0"),
        ("tool:rea", "2 1 0"),
        ("tool:write", ""),
        ("tokens>50k", "b"),
        ("tokens<=110", "2 1 0"),
        ("cost>0.0000000001", "2 1 0"),
        ("cost>5", ""),
        ("-cost>5", "2 1 0"),
        ("after:2026-09-22T18:00Z", "b"),
        ("before:2026-09-22T18:00Z", "2 1 0"),
        ("tokens>99999999999999999999k", None),
        ("has:error keel", "b"),
        ("tool:read folder", "0"),
        ("tokens>50k folder", ""),
    ],
)
def test_filters(store: Store, typed: str, expected: str | None) -> None:
    fill(store)
    if expected is None:
        with pytest.raises(QueryError):
            find(store, typed)
        return
    assert calls(find(store, typed)) == ["b" * 32 if one == "b" else one for one in expected.split()]
    runs, notes = matching_runs(store, parse_query(typed))
    assert (len(runs), notes) == (len({hit.call.run_id for hit in find(store, typed).hits}), ())


def test_images_are_known_by_the_composition(store: Store) -> None:
    from dataclasses import replace

    image = KindTotal(kind=Kind.IMAGES, tokens=9, fresh=9, cost=1, source=Source.COUNTED)
    made = record(store, exchange("d" * 32), [text("user", "What is this?")])
    store.write(replace(made, composition=(*made.composition, image)))
    assert len(find(store, "has:image").hits) == 1
    assert len(find(store, "-has:image").hits) == 0


def test_pages_follow_each_other(store: Store) -> None:
    for number in range(7):
        made = exchange(f"{number:032x}", at=number, session=f"s{number}")
        store.write(record(store, made, [text("user", f"Question {number}")]))
    upkeep(store)
    for typed in ("question", "app:tests"):
        seen: list[str] = []
        before = None
        while True:
            found = search(store, parse_query(typed), limit=3, before=before)
            seen += calls(found)
            before = found.more
            if before is None:
                break
        assert seen == ["6", "5", "4", "3", "2", "1", "0"]


def test_runs_are_listed_by_a_query(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(store)
    assert len(list_runs(store, RunFilter(query="keel")).numbers) == 2
    assert len(list_runs(store, RunFilter(query="folder")).numbers) == 1
    assert len(list_runs(store, RunFilter(query="status:429")).numbers) == 1
    assert len(list_runs(store, RunFilter(query="status:429 folder")).numbers) == 0
    assert len(list_runs(store, RunFilter(query="  ")).numbers) == 2
    assert len(list_runs(store, RunFilter(query="tool:read")).numbers) == 1
    monkeypatch.setattr("llmprof_addon.store.search_filter.FEW", 1)
    assert len(list_runs(store, RunFilter(query="tool:read")).numbers) == 1
    assert len(find(store, "tool:read").hits) == 3
    with pytest.raises(QueryError):
        list_runs(store, RunFilter(query="has:money"))


def test_deleting_takes_the_entries_along_and_new_nodes_are_indexed(store: Store) -> None:
    fill(store)
    assert edits.delete_call(store, "b" * 32)
    assert find(store, "harbour").hits == ()
    assert len(find(store, "folder").hits) == 1
    assert edits.prune(store, START_NS + 10**18) == 3
    assert search_index.size(store) == 0
    how = "search_index MATCH 'harbour'" if store.url.startswith("sqlite") else "words @@ 'harbour'::tsquery"
    assert store.db.execute_sql(f"SELECT rowid FROM search_index WHERE {how}").fetchall() == []
    # On SQLite these nodes get the numbers of those that are gone.
    assert store.write(record(store, exchange("e" * 32), [text("user", "A new harbour")]))
    assert not search_index.progress(store).complete
    assert not search_index.catch_up(store)
    assert calls(find(store, "harbour")) == ["e" * 32]
    edits.reset(store)
    assert find(store, "harbour").hits == ()


def test_a_store_that_is_not_indexed_says_so(store: Store) -> None:
    store.write(record(store, exchange("a" * 32), [text("user", "Hello there")]))
    found = find(store, "hello")
    assert (found.hits, len(found.notes)) == ((), 1)
    assert "llmprof search --reindex" in found.notes[0]
    assert not upkeep(store, search=False)
    assert search_index.size(store) == 0
    upkeep(store)
    assert find(store, "hello").notes == ()


def test_of_a_very_long_text_the_start_is_searched(store: Store) -> None:
    long = "word " * (SEARCHED_CHARS // 5) + "afterwards"
    store.write(record(store, exchange("a" * 32), [text("user", long)]))
    upkeep(store)
    assert find(store, "afterwards").hits == ()
    (hit,) = find(store, "word").hits
    assert hit.cut


def test_what_every_call_carries_is_not_counted_out(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmprof_addon.store.search_carried.MOST_CALLS", 2)
    monkeypatch.setattr("llmprof_addon.store.search.MOST_CALLS", 2)
    for number in range(5):
        made = exchange(f"{number:032x}", at=number, session=f"s{number}")
        said = [text("user", f"Question {number}")]
        store.write(record(store, made, said, system=[text("system", "You mend boats.")]))
    upkeep(store)
    (hit,) = find(store, "boats").hits
    assert (hit.call.id, hit.kind, hit.carried, hit.carried_at_least) == ("0" * 32, "system", 2, True)


def test_ids_and_data_of_media_are_no_words(store: Store) -> None:
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo" * 80}}
    part = tool_call("draw", '{"shape": "circle", "deep": {"note": "two\\nlines"}}', "call_secretid")
    from dataclasses import replace

    store.write(record(store, exchange("a" * 32), [text("user", "Draw"), replace(part, value=[part.value, picture])]))
    upkeep(store)
    for typed, number in (("circle", 1), ("lines", 1), ("secretid", 0), ("base64", 0), ("iVBORw0KGgo*", 0)):
        assert len(find(store, typed).hits) == number, typed


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("0.570860", "ab"),
        ("570860", "abc"),
        ("57086*", "abc"),
        ("570*", "abc"),
        ("5708", ""),
        ("570861", ""),
        ('"weighed 0.570860"', "a"),
        ("kg -570860", "d"),
        ("kg -570*", "d"),
        ("kg -5708", "abcd"),
    ],
)
def test_numbers_are_found_with_all_their_digits(store: Store, typed: str, found: str) -> None:
    for number, said in (
        ("a", "It weighed 0.570860 kg."),
        ("b", "Of 0.570860 kg, 0.570899 kg are left."),
        ("c", "Parcel 570860 of 12 kg."),
        ("d", "It has 0.57 kg, or 1.2.3456789 kg."),
    ):
        assert store.write(record(store, exchange(number * 32, session=number), [text("user", said)]))
    upkeep(store)
    assert sorted(one[0] for one in calls(find(store, typed))) == list(found)
    runs, notes = matching_runs(store, parse_query(typed))
    assert (len(runs), notes) == (len(found), ())


def test_several_readers_of_one_store(store: Store, url: str) -> None:
    fill(store)
    with open_store(url, read_only=True) as reader:
        assert len(find(reader, "keel").hits) == len(find(store, "keel").hits)
        assert queries.count(reader) == (2, 4)


def test_a_tool_is_found_by_its_server(store: Store) -> None:
    for server, number in (("harbour_master", "d"), ("mail", "e")):
        call = replace(tool_call("list", "{}"), server=server)
        assert store.write(record(store, exchange(number * 32), [text("user", "List the ships.")], [call]))
    assert calls(find(store, "tool:harbour_m")) == ["d" * 32]
    assert calls(find(store, "tool:ship")) == []
