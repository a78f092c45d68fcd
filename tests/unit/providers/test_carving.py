import pytest

from llmprof_addon.model.part import Marker
from llmprof_addon.providers.carving import compact, defers, name_of, on_wrapper, server_of, strip_marker, text_of


def test_compact_json_keeps_order_and_characters() -> None:
    assert compact({"b": "ü", "a": [1, None]}) == '{"b":"ü","a":[1,null]}'


def test_text_of() -> None:
    assert [text_of(value) for value in ("x", None, {"a": 1}, 0, False)] == ["x", "", '{"a":1}', "0", "false"]


def test_name_of() -> None:
    assert [name_of(value) for value in ("x", "", None, 3, ["x"])] == ["x", None, None, None, None]


@pytest.mark.parametrize(
    ("name", "server"),
    [
        ("mcp__sea__depth", "sea"),
        ("mcp__deep_sea__at__pier", "deep_sea"),
        ("mcp__sea", None),
        ("mcp____x", None),
        ("depth", None),
        (None, None),
    ],
)
def test_server_of(name: str | None, server: str | None) -> None:
    assert server_of(name) == server


def test_strip_marker_leaves_its_argument_alone() -> None:
    block = {"a": 1, "cache_control": {"ttl": "1h"}, "function": {"b": 2, "cache_control": None}}
    bare, markers = strip_marker(block, "function")
    assert bare == {"a": 1, "function": {"b": 2}}
    assert markers == (Marker(value={"ttl": "1h"}), Marker(where=("function",), value=None))
    assert "cache_control" in block["function"]
    assert strip_marker(bare, "function", "missing") == (bare, ())
    assert [marker.on_wrapper for marker in on_wrapper(markers)] == [True, True]


def test_openai_has_a_marker_of_its_own() -> None:
    bare, markers = strip_marker({"text": "a", "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "12h"}})
    assert bare == {"text": "a"}
    assert [(marker.key, marker.ttl) for marker in markers] == [("prompt_cache_breakpoint", "12h")]


def test_which_tools_wait_to_be_searched_for() -> None:
    waits = {"defer_loading": True}
    assert [defers(tool) for tool in (waits, {"function": waits}, {"type": "custom", "custom": waits})] == [True] * 3
    assert not any(map(defers, ({}, {"defer_loading": "yes"}, {"function": "x"}, None, ["defer_loading"])))
