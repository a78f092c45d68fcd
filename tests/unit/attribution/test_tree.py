from llmprof_addon.attribution.tree import components, totals
from llmprof_addon.model.call import Answer, Call, Prompt
from llmprof_addon.model.component import Component, Kind, Leaf
from llmprof_addon.model.part import Media, Part, PartKind
from llmprof_addon.model.usage import Source


def schema(name: str, server: str | None = None) -> Part:
    value = {"name": name, "description": "Does things.", "input_schema": {"properties": {"path": {"type": "string"}}}}
    return Part(kind=PartKind.TOOL_SCHEMA, name=name, server=server, text="x" * 120, value=value, path="tools[0]")


def text(role: str, words: str, path: str = "", wrapper: object = None) -> Part:
    return Part(kind=PartKind.TEXT, role=role, text=words, path=path, wrapper=wrapper)


PICTURE = Part(kind=PartKind.IMAGE, role="user", media=Media(type="image/png", width=64, height=48))
CALL = Call(
    provider="openai",
    api="openai.chat",
    prompt=Prompt(
        tools=(schema("bash"), schema("mcp__files__read", "files"), schema("mcp__files__write", "files")),
        system=(text("system", "# Rules\nBe brief.", "messages[0].content"),),
        messages=(
            text("user", "Fix it", "messages[1].content"),
            Part(kind=PartKind.TOOL_CALL, role="assistant", name="bash", call_id="a", text="{}"),
            Part(kind=PartKind.TOOL_CALL, role="assistant", name="bash", call_id="b", text="{}"),
            Part(
                kind=PartKind.TOOL_RESULT, role="tool", name="bash", call_id="b", text="ok", path="messages[3].content"
            ),
            Part(kind=PartKind.TOOL_RESULT, role="tool", name="bash", call_id="a", inner=(PICTURE,)),
            text("assistant", "Done"),
            text("user", "<system-reminder>Mind it.</system-reminder>"),
            text("user", "Now the tests"),
            text("user", "and the docs"),
        ),
    ),
)


def leaf(kind: Kind, part: int | None, tokens: int, *, name: str = "", inner: tuple[int, ...] = ()) -> Leaf:
    return Leaf(
        kind=kind,
        part=part,
        tokens=tokens,
        inner=inner,
        name=name,
        source=Source.COUNTED,
        fresh=tokens,
        cost=3 * tokens,
    )


LEAVES = (
    leaf(Kind.PROVIDER_OVERHEAD, None, 7, name="framing"),
    leaf(Kind.TOOL_SCHEMAS, 0, 40),
    leaf(Kind.TOOL_SCHEMAS, 1, 30),
    leaf(Kind.TOOL_SCHEMAS, 2, 20),
    leaf(Kind.SYSTEM, 3, 10),
    leaf(Kind.USER, 4, 2),
    leaf(Kind.TOOL_CALLS, 5, 5),
    leaf(Kind.TOOL_CALLS, 6, 6),
    leaf(Kind.TOOL_RESULTS, 7, 8),
    leaf(Kind.TOOL_RESULTS, 8, 0),
    leaf(Kind.IMAGES, 8, 9, inner=(0,)),
    leaf(Kind.ASSISTANT, 9, 1),
    leaf(Kind.SYSTEM_INJECTION, 10, 4),
    leaf(Kind.USER, 11, 3),
    leaf(Kind.USER, 12, 3),
)
TREE = {component.kind: component for component in components(CALL, LEAVES)}


def shape(component: Component) -> object:
    return {component.name: [shape(child) for child in component.children]} if component.children else component.name


def test_kinds_stand_in_the_order_of_the_prompt_and_synthetic_ones_last() -> None:
    assert list(TREE) == [
        Kind.TOOL_SCHEMAS,
        Kind.SYSTEM,
        Kind.USER,
        Kind.TOOL_CALLS,
        Kind.TOOL_RESULTS,
        Kind.IMAGES,
        Kind.ASSISTANT,
        Kind.SYSTEM_INJECTION,
        Kind.PROVIDER_OVERHEAD,
    ]


def test_tool_schemas_are_grouped_by_server_and_cut_into_parameters() -> None:
    inside = ["description", "path", "(frame)"]
    assert shape(TREE[Kind.TOOL_SCHEMAS]) == {
        "tool_schemas": [{"bash": inside}, {"files": [{"mcp__files__read": inside}, {"mcp__files__write": inside}]}]
    }
    files = TREE[Kind.TOOL_SCHEMAS].children[1]
    assert (files.tokens, files.cost) == (50, 150)


def test_calls_and_results_are_grouped_by_tool_and_told_apart_by_call() -> None:
    assert shape(TREE[Kind.TOOL_CALLS]) == {"tool_calls": [{"bash": ["call 1", "call 2"]}]}
    results = TREE[Kind.TOOL_RESULTS]
    assert shape(results) == {"tool_results": [{"bash": ["call 1"]}]}
    assert results.children[0].children[0].path == "messages[3].content"


def test_turns_begin_where_the_user_speaks_again() -> None:
    assert shape(TREE[Kind.USER]) == {"user": ["turn 1: Fix it", {"turn 2": ["Now the tests", "and the docs"]}]}
    assert TREE[Kind.USER].children[0].path == "messages[1].content"
    assert shape(TREE[Kind.ASSISTANT]) == {"assistant": ["turn 1: Done"]}


def test_the_rest_is_named_by_what_it_is() -> None:
    assert shape(TREE[Kind.SYSTEM]) == {"system": ["Rules"]}
    assert shape(TREE[Kind.IMAGES]) == {"images": ["image/png 64x48"]}
    assert shape(TREE[Kind.PROVIDER_OVERHEAD]) == {"provider_overhead": ["framing"]}


def test_totals_equal_the_top_of_the_tree() -> None:
    found = totals(LEAVES)
    assert [total.kind for total in found] == list(TREE)
    for total in found:
        component = TREE[total.kind]
        assert (total.tokens, total.cost, total.source) == (component.tokens, component.cost, component.token_source)


def test_one_unpriced_or_estimated_leaf_shows_in_its_kind() -> None:
    unsure = Leaf(kind=Kind.USER, tokens=1, source=Source.ESTIMATED)
    empty = Leaf(kind=Kind.USER, tokens=0, source=Source.ESTIMATED, cost=0)
    (total,) = totals([leaf(Kind.USER, None, 5), unsure])
    assert (total.cost, total.source, total.tokens) == (None, Source.ESTIMATED, 6)
    (total,) = totals([leaf(Kind.USER, None, 5), empty])
    assert (total.cost, total.source) == (15, Source.COUNTED)


def test_the_answers_tree_has_no_turns() -> None:
    parts = (text("assistant", "Hello"), Part(kind=PartKind.TOOL_CALL, name="bash", call_id="z", text="{}"))
    call = Call(provider="p", api="a", answer=Answer(parts=parts))
    tree = components(call, [leaf(Kind.TEXT, 0, 2), leaf(Kind.TOOL_CALLS, 1, 4)], answer=True)
    assert [shape(component) for component in tree] == [{"text": ["Hello"]}, {"tool_calls": [{"bash": ["call 1"]}]}]


def test_a_schema_for_the_answer_goes_by_its_name_and_an_unread_request_by_what_it_is() -> None:
    named = Part(kind=PartKind.OUTPUT_SCHEMA, name="book", text='{"type":"object"}', place="response_format")
    nameless = Part(kind=PartKind.OUTPUT_SCHEMA, text='{"type":"object"}', place="response_format")
    unread = Part(kind=PartKind.GENERIC, text='{"model": "cl', value='{"model": "cl', form="whole")
    call = Call(provider="openai", api="openai.chat", prompt=Prompt(messages=(named, nameless, unread)))
    leaves = [Leaf(kind=Kind.GENERIC, part=index, tokens=5, source=Source.COUNTED) for index in range(3)]
    (generic,) = components(call, leaves)
    assert [child.name for child in generic.children] == ["book", "schema", "request body"]
