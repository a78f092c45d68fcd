from llmprof_addon.attribution.positions import positions
from llmprof_addon.model.call import Call, Prompt
from llmprof_addon.model.component import Component, Kind, Leaf
from llmprof_addon.model.part import Part, PartKind
from llmprof_addon.model.usage import Source
from tests.unit.attribution.test_tree import CALL, LEAVES


def shape(component: Component) -> object:
    return {component.name: [shape(child) for child in component.children]} if component.children else component.name


def test_prompt_lies_as_it_is_read_framing_first_then_section_after_section() -> None:
    tree = positions(CALL, LEAVES)
    inside = ["description", "path", "(frame)"]
    assert [shape(component) for component in tree] == [
        "framing",
        {"tools": [{"bash": inside}, {"mcp__files__read": inside}, {"mcp__files__write": inside}]},
        {"system": ["Rules"]},
        {
            "messages": [
                "user: Fix it",
                {"assistant": ["bash call", "bash call"]},
                "bash result",
                "tool: image/png 64x48",
                "assistant: Done",
                {"user": ["<system-reminder>Mind it.</system-reminder>", "Now the tests", "and the docs"]},
            ]
        },
    ]


def test_sums_are_those_of_the_leaves() -> None:
    tree = positions(CALL, LEAVES)
    assert sum(component.tokens for component in tree) == sum(leaf.tokens for leaf in LEAVES)
    assert sum(component.cost or 0 for component in tree) == sum(leaf.cost or 0 for leaf in LEAVES)


def test_a_group_has_the_kind_that_most_of_it_is() -> None:
    framing, tools, system, messages = positions(CALL, LEAVES)
    assert [each.kind for each in (framing, tools, system)] == [
        Kind.PROVIDER_OVERHEAD,
        Kind.TOOL_SCHEMAS,
        Kind.SYSTEM,
    ]
    assert messages.kind is Kind.USER  # 12 tokens by message; tool calls have 11


def block(role: str, words: str, path: str, *, opens: bool = False) -> Part:
    return Part(kind=PartKind.TEXT, role=role, text=words, path=path, wrapper={"role": role} if opens else None)


def test_messages_begin_with_their_wrappers_and_have_paths_of_their_own() -> None:
    parts = (
        block("user", "One", "messages[0].content[0]", opens=True),
        block("user", "Two", "messages[0].content[1]"),
        block("user", "Three", "messages[1].content[0]", opens=True),
    )
    call = Call(provider="p", api="a", prompt=Prompt(messages=parts))
    leaves = [Leaf(kind=Kind.USER, part=index, tokens=5, source=Source.COUNTED, fresh=5) for index in range(3)]
    (messages,) = positions(call, leaves)
    assert [shape(each) for each in messages.children] == [{"user": ["One", "Two"]}, "user: Three"]
    assert [each.path for each in messages.children] == ["messages[0]", "messages[1].content[0]"]


def test_nothing_gives_nothing() -> None:
    assert positions(Call(provider="p", api="a"), ()) == ()
