import json

import pytest

from llmprof_addon.model.part import Json, Part, PartKind
from llmprof_addon.model.recent import Recent
from llmprof_addon.providers import anthropic_messages, sequence
from llmprof_addon.providers.sequence import Seen, carve_items


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequence, "_recent", Recent(1024 * 1024))


def carve(item: Json, place: str, seen: Seen) -> list[Part]:
    """Items that define a name, and items that use one."""
    carved.append(item)
    if "defines" in item:
        seen.calls[item["id"]] = (item["defines"], None)
    name = seen.calls.get(item["id"], (None, None))[0]
    return [Part(kind=PartKind.GENERIC, name=name, value=item, place=place)]


carved: list[Json] = []


def read(items: list[Json], seen: Seen | None = None) -> list[Part]:
    carved.clear()
    return [part for _, parts in carve_items(items, "list", carve, seen or Seen()) for part in parts]


def test_a_turn_carves_only_what_is_new() -> None:
    first = read([{"id": "a", "defines": "x"}, {"id": "a"}])
    again = read([{"id": "a", "defines": "x"}, {"id": "a"}, {"id": "a", "n": 1}])
    assert carved == [{"id": "a", "n": 1}]
    assert all(new is old for new, old in zip(again, first, strict=False))
    assert [part.name for part in again] == ["x", "x", "x"]
    assert [part.path for part in again] == ["list[0]", "list[1]", "list[2]"]


def test_an_item_is_read_anew_where_something_else_is_known_before_it() -> None:
    read([{"id": "a", "defines": "x"}, {"id": "a"}])
    assert [part.name for part in read([{"id": "a", "defines": "y"}, {"id": "a"}])] == ["y", "y"]
    assert [part.name for part in read([{"id": "b"}, {"id": "a"}])] == [None, None]
    assert [part.name for part in read([{"id": "b"}, {"id": "a"}], Seen({"a": ("z", None)}))] == [None, "z"]


def test_an_item_that_adds_nothing_may_change_without_the_others() -> None:
    read([{"id": "a", "version": 1}, {"id": "b"}])
    read([{"id": "a", "version": 2}, {"id": "b"}])
    assert carved == [{"id": "a", "version": 2}]


def test_an_item_at_another_place_has_another_path() -> None:
    read([{"id": "a"}])
    assert [part.path for part in read([{"id": "b"}, {"id": "a"}])] == ["list[0]", "list[1]"]


@pytest.mark.parametrize(
    "like", [{"id": "a", "n": 1.0}, {"id": "a", "n": True}, {"n": 1, "id": "a"}, {"id": "a", "n": -0.0}]
)
def test_values_that_are_equal_in_python_alone_are_different_items(like: Json) -> None:
    read([{"id": "a", "n": 1}, {"id": "a", "n": 0}])
    part = read([like])[0]
    assert json.dumps(part.value) == json.dumps(like)


def test_items_nested_deeper_than_can_be_compared_are_carved_each_time() -> None:
    deep: Json = {"id": "b"}
    for _ in range(3_000):
        deep = {"in": deep}
    for _ in range(2):
        assert read([{"id": "a"}, deep | {"id": "b"}])[1].path == "list[1]"
        assert carved[-1]["id"] == "b"


def test_a_deferred_tool_is_loaded_whatever_was_read_before() -> None:
    tool = {"name": "find", "input_schema": {}, "defer_loading": True}
    asked: Json = {"role": "user", "content": "Where?"}
    found = {"type": "tool_reference", "tool_name": "find"}
    loading = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": [found]}]}
    for messages, deferred in (([asked], True), ([asked, loading], False), ([asked], True), ([asked, loading], False)):
        prompt = anthropic_messages.read_request({"tools": [tool], "messages": messages})
        assert prompt.tools[0].deferred is deferred
