import pytest

from llmprof_addon.model.part import Json, Part, PartKind
from llmprof_addon.providers.openai_items import CALLS, OUTPUTS, READERS, Names, carve_item


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
    part = carve({"type": type_, "call_id": "c", "output": "seen"})
    assert (part.kind, part.role, part.text, part.name) == (PartKind.TOOL_RESULT, "tool", "seen", OUTPUTS[type_])


@pytest.mark.parametrize("type_", READERS)
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
