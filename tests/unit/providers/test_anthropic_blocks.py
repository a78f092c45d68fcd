import pytest

from llmprof_addon.model.part import PartKind
from llmprof_addon.providers.anthropic_blocks import fields_of, ordered, read_schema, strip_markers
from llmprof_addon.providers.sequence import Seen

EPHEMERAL = {"type": "ephemeral"}


def test_markers_of_blocks_inside_are_found_and_the_block_is_left_alone() -> None:
    block = {
        "type": "tool_result",
        "content": [
            {"type": "text", "text": "a"},
            {
                "type": "document",
                "source": {"type": "content", "content": [{"type": "text", "cache_control": EPHEMERAL}]},
            },
        ],
        "cache_control": None,
    }
    before = repr(block)
    value, markers = strip_markers(block)
    assert repr(block) == before
    assert "cache_control" not in repr(value)
    assert [(marker.where, marker.value) for marker in markers] == [
        ((), None),
        (("content", 1, "source", "content", 0), EPHEMERAL),
    ]


def test_a_block_without_markers_is_not_copied() -> None:
    block = {"type": "tool_result", "content": [{"type": "text", "text": "a"}], "source": {"x": 1}}
    assert strip_markers(block)[0] is block


@pytest.mark.parametrize(
    ("block", "keys"),
    [
        ({"text": "a", "type": "text"}, ["type", "text"]),
        ({"citations": [], "text": "a", "extra": 1, "type": "text"}, ["type", "text", "citations", "extra"]),
        ({"input": {"b": 1, "a": 2}, "name": "n", "id": "i", "type": "tool_use"}, ["type", "id", "name", "input"]),
        ({"b": 1, "type": "unknown"}, ["b", "type"]),
        ({"type": ["text"], "a": 1}, ["type", "a"]),
    ],
)
def test_keys_are_put_in_the_order_of_the_api(block, keys) -> None:
    assert list(ordered(block)) == keys
    assert ordered(block) == block


def test_arguments_keep_their_own_order() -> None:
    block = {"input": {"b": 1, "a": 2}, "name": "n", "id": "i", "type": "tool_use"}
    assert fields_of(ordered(block), Seen()).get("text") == '{"b":1,"a":2}'


def test_results_of_server_tools() -> None:
    seen = Seen()
    fields_of({"type": "server_tool_use", "id": "s1", "name": "text_editor_code_execution", "input": {}}, seen)
    view = {
        "type": "text_editor_code_execution_view_result",
        "file_type": "text",
        "content": "line one",
        "num_lines": 1,
    }
    block = {"type": "text_editor_code_execution_tool_result", "tool_use_id": "s1", "content": view}
    fields = fields_of(block, seen)
    assert (fields["kind"], fields["text"], fields["name"]) == (
        PartKind.TOOL_RESULT,
        "line one",
        "text_editor_code_execution",
    )
    failed = {"type": "web_search_tool_result_error", "error_code": "max_uses_exceeded"}
    fields = fields_of({"type": "web_search_tool_result", "tool_use_id": "?", "content": failed}, seen)
    assert (fields["text"], fields["name"]) == ("max_uses_exceeded", "web_search")
    secret = {"type": "encrypted_code_execution_result", "encrypted_stdout": "eA==", "stderr": "", "content": []}
    fields = fields_of({"type": "code_execution_tool_result", "tool_use_id": "?", "content": secret}, seen)
    assert (fields["text"], fields["hidden"]) == ("", True)
    strange = {"type": "sonar_result", "depth_m": 12}
    fields = fields_of({"type": "sonar_tool_result", "tool_use_id": "?", "content": strange}, seen)
    assert fields["text"] == '{"type":"sonar_result","depth_m":12}'


def test_a_tool_search_loads_what_it_finds() -> None:
    seen = Seen()
    found = {
        "type": "tool_search_tool_search_result",
        "tool_references": [{"type": "tool_reference", "tool_name": "t"}],
    }
    fields = fields_of({"type": "tool_search_tool_result", "tool_use_id": "?", "content": found}, seen)
    assert [part.name for part in fields["inner"]] == ["t"]
    assert seen.loaded == {"t"}


def test_a_listing_holds_its_tools() -> None:
    listing = {"type": "mcp_toolset", "mcp_server_name": "lib", "tools": [{"name": "find", "input_schema": {}}, "odd"]}
    fields = read_schema(listing)
    assert (fields["name"], fields["server"], fields.get("text")) == ("lib", "lib", None)
    assert [(part.kind, part.name, part.server) for part in fields["inner"]] == [
        (PartKind.TOOL_SCHEMA, "find", "lib"),
        (PartKind.GENERIC, None, None),
    ]
    assert fields_of({**listing, "type": "mcp_tool_listing"}, Seen()) == fields


def test_thoughts_that_are_not_shown_are_hidden() -> None:
    assert fields_of({"type": "thinking", "thinking": "", "signature": "eA=="}, Seen()).get("hidden")
    assert not fields_of({"type": "thinking", "thinking": "so", "signature": "eA=="}, Seen()).get("hidden")
    assert fields_of({"type": "redacted_thinking", "data": "eA=="}, Seen()).get("hidden")
