import pytest

from llmprof_addon.model.part import Json, Marker, Part, PartKind
from llmprof_addon.model.tree import assemble
from llmprof_addon.providers.openai_items import CALLS, OUTPUTS, READERS, carve_item
from llmprof_addon.providers.sequence import Names

BREAKPOINT = {"prompt_cache_breakpoint": {"mode": "explicit", "ttl": "12h"}}


def carve(item: Json, names: Names | None = None) -> Part:
    (part,) = carve_item(item, "input", {} if names is None else names)
    return part


@pytest.mark.parametrize("type_", CALLS)
def test_each_call_names_its_result(type_: str) -> None:
    names: Names = {}
    call = carve({"type": type_, "call_id": "c", "name": "look", "namespace": "mcp__sea"}, names)
    assert call.kind is PartKind.TOOL_CALL
    assert (call.role, call.call_id, call.server, call.name) == ("assistant", "c", "sea", CALLS[type_][0] or "look")
    result = carve({"type": "function_call_output", "call_id": "c", "output": "seen"}, names)
    assert (result.name, result.server, result.text) == (call.name, "sea", "seen")


@pytest.mark.parametrize("type_", OUTPUTS)
def test_each_output_is_a_result(type_: str) -> None:
    key = "result" if type_ == "program_output" else "output"
    part = carve({"type": type_, "call_id": "c", key: "seen"})
    assert (part.kind, part.role, part.text, part.name) == (PartKind.TOOL_RESULT, "tool", "seen", OUTPUTS[type_])


@pytest.mark.parametrize("type_", sorted(READERS))
def test_an_item_with_nothing_but_its_type(type_: str) -> None:
    assert carve({"type": type_}).value == {"type": type_}


@pytest.mark.parametrize(
    ("item", "text", "hidden"),
    [
        ({"summary": [{"type": "summary_text", "text": "a"}, {"type": "summary_text", "text": "b"}]}, "ab", False),
        ({"summary": [{"type": "summary_text", "text": "a"}], "content": []}, "a", False),
        ({"summary": [], "content": [{"type": "reasoning_text", "text": "c"}]}, "c", False),
        ({"summary": [], "encrypted_content": "x"}, "", True),
        ({"summary": [], "encrypted_content": None}, "", False),
    ],
)
def test_reasoning(item: Json, text: str, hidden: bool) -> None:
    part = carve({"type": "reasoning", **item})
    assert (part.kind, part.text, part.hidden) == (PartKind.REASONING, text, hidden)


def test_a_reference_needs_no_type() -> None:
    part = carve({"id": "msg_1"})
    assert (part.kind, part.name, part.hidden) == (PartKind.GENERIC, "item_reference", True)


def test_an_unknown_item_is_generic_with_its_json_as_text() -> None:
    part = carve({"type": "smoke", "colour": "grau-weiß"})
    assert (part.kind, part.text, part.hidden) == (PartKind.GENERIC, '{"type":"smoke","colour":"grau-weiß"}', False)


def test_arguments_may_be_objects() -> None:
    assert carve({"type": "tool_search_call", "arguments": {"query": "x"}}).text == '{"query":"x"}'


def test_a_hosted_call_that_failed_holds_its_error() -> None:
    part = carve({"type": "mcp_call", "id": "m", "server_label": "sea", "name": "look", "error": {"code": 1}})
    assert [(inner.kind, inner.name, inner.server, inner.text) for inner in part.inner] == [
        (PartKind.TOOL_RESULT, "look", "sea", '{"code":1}')
    ]


def test_an_output_may_name_its_tool_itself() -> None:
    part = carve(
        {"type": "function_call_output", "call_id": "c", "name": "look", "namespace": "mcp__sea", "output": ""}
    )
    assert (part.name, part.server) == ("look", "sea")
    part = carve({"type": "multi_agent_call_output", "action": "wait_agent", "output": [{"type": "text", "text": "a"}]})
    assert (part.name, part.text) == ("wait_agent", "a")


def test_markers_in_the_blocks_of_an_output_are_stripped() -> None:
    item = {
        "type": "function_call_output",
        "output": [{"type": "input_text", "text": "a"}, {"type": "input_text", "text": "b", **BREAKPOINT}],
    }
    part = carve(item)
    assert part.value["output"][1] == {"type": "input_text", "text": "b"}
    assert part.markers == (
        Marker(where=("output", 1), key="prompt_cache_breakpoint", value={"mode": "explicit", "ttl": "12h"}),
    )
    assert assemble({}, [part]) == {"input": [item]}


def test_what_a_search_found_is_no_text_of_the_call() -> None:
    action = {"type": "search", "query": "tide", "sources": [{"type": "url", "url": "https://a.example"}]}
    part = carve({"type": "web_search_call", "id": "w", "action": action})
    assert part.text == '{"type":"search","query":"tide"}'
    assert [(inner.kind, inner.text) for inner in part.inner] == [
        (PartKind.TOOL_RESULT, '[{"type":"url","url":"https://a.example"}]')
    ]


def test_agents_and_changed_settings() -> None:
    block = {"type": "input_text", "text": "done"}
    part = carve({"type": "agent_message", "author": "/root/a", "recipient": "/root", "content": [block]})
    assert (part.kind, part.role, part.name, part.text) == (PartKind.TEXT, "assistant", "/root/a", "done")
    format_ = {"type": "json_schema", "name": "book", "schema": {}}
    part = carve({"type": "configuration_update", "text": {"format": format_}})
    assert (part.kind, part.name) == (PartKind.OUTPUT_SCHEMA, "book")
    assert carve({"type": "configuration_update", "reasoning": {"effort": "low"}}).text == ""
