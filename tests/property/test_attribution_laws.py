"""Laws 2 and 3 in the tree: at every level children sum to their parent, and the roots to the leaves."""

from hypothesis import given
from hypothesis import strategies as st

from llmprof_addon.attribution.positions import positions
from llmprof_addon.attribution.tree import components, totals
from llmprof_addon.model.call import Call, Prompt
from llmprof_addon.model.component import Component, Kind, Leaf
from llmprof_addon.model.cost import Cost, Price
from llmprof_addon.model.kinds import kind_of
from llmprof_addon.model.part import Part, PartKind
from llmprof_addon.model.usage import Source, Usage
from llmprof_addon.pricing.spread import spread

names = st.sampled_from(["bash", "mcp__files__read", "search", None])
texts = st.sampled_from(["", "Short.", "# A\n" + "long text here\n" * 200 + "## B\n" + "more\n" * 50, "x" * 2000])
schemas = st.builds(
    lambda name, server, keys: Part(
        kind=PartKind.TOOL_SCHEMA,
        name=name,
        server=server,
        text="s" * 90,
        value={"description": "What it does", "parameters": {"properties": {key: {"type": "string"} for key in keys}}},
    ),
    names,
    st.sampled_from([None, "files"]),
    st.lists(st.sampled_from("abcdef"), unique=True),
)
messages = st.builds(
    Part,
    kind=st.sampled_from(
        [PartKind.TEXT, PartKind.TOOL_CALL, PartKind.TOOL_RESULT, PartKind.REASONING, PartKind.GENERIC]
    ),
    role=st.sampled_from(["user", "assistant", "tool", "system"]),
    text=texts,
    name=names,
    call_id=st.sampled_from([None, "1", "2"]),
)


@st.composite
def priced(draw: st.DrawFn) -> tuple[Call, tuple[Leaf, ...]]:
    tools = tuple(draw(st.lists(schemas, max_size=4)))
    system = tuple(Part(kind=PartKind.TEXT, role="system", text=text) for text in draw(st.lists(texts, max_size=2)))
    prompt = Prompt(tools=tools, system=system, messages=tuple(draw(st.lists(messages, max_size=8))))
    counts = st.integers(0, 5_000)
    leaves = [Leaf(kind=Kind.PROVIDER_OVERHEAD, name="framing", tokens=draw(counts), source=Source.ESTIMATED)]
    index = 0
    for section in ("tools", "system", "messages"):
        for part in getattr(prompt, section):
            kind = kind_of(part, section)
            leaves.append(Leaf(kind=kind, part=index, tokens=draw(counts), source=Source.COUNTED))
            index += 1
    total = sum(leaf.tokens for leaf in leaves)
    read = draw(st.integers(0, total))
    usage = Usage(
        input_tokens=total,
        cache_read_input_tokens=read,
        cache_creation_input_tokens=draw(st.integers(0, total - read)),
    )
    dollars = st.integers(0, 10**13)
    cost = Cost(
        input=draw(dollars),
        cache_read=draw(dollars),
        cache_write=draw(dollars),
        output=0,
        price=Price(source="", model=""),
    )
    call = Call(provider="p", api="a", prompt=prompt)
    return call, spread(leaves, usage, draw(st.sampled_from([cost, None])))


def numbers(component: Component) -> tuple[int, int, int, int, int]:
    cost = -1 if component.cost is None else component.cost
    return component.tokens, component.read_tokens, component.write_tokens, component.fresh_tokens, cost


def check(component: Component) -> None:
    assert component.tokens == component.read_tokens + component.write_tokens + component.fresh_tokens
    assert min(numbers(component)[:4]) >= 0
    if not component.children:
        return
    for child in component.children:
        check(child)
    summed = tuple(map(sum, zip(*map(numbers, component.children), strict=True)))
    if component.cost is None:
        assert all(child.cost is None for child in component.children)
        assert summed[:4] == numbers(component)[:4]
    else:
        assert summed == numbers(component)


def check_kinds(component: Component) -> None:
    for child in component.children:
        assert child.kind is component.kind
        check_kinds(child)


@given(priced())
def test_by_position_the_same_sums_lie_behind_each_other_along_the_cache(made: tuple[Call, tuple[Leaf, ...]]) -> None:
    call, leaves = made
    tree = positions(call, leaves)
    for component in tree:
        check(component)
    assert sum(component.tokens for component in tree) == sum(leaf.tokens for leaf in leaves)
    flat = list(reversed(tree))
    seen_end_of_read = seen_fresh = False
    while flat:
        component = flat.pop()
        if component.children:
            flat += reversed(component.children)
            continue
        assert not (component.read_tokens and seen_end_of_read)
        assert not (component.write_tokens and seen_fresh)
        seen_end_of_read |= bool(component.write_tokens or component.fresh_tokens)
        seen_fresh |= bool(component.fresh_tokens)


@given(priced())
def test_children_sum_to_their_parent_at_every_level(made: tuple[Call, tuple[Leaf, ...]]) -> None:
    call, leaves = made
    tree = components(call, leaves)
    for component in tree:
        check(component)
        check_kinds(component)
    assert sum(component.tokens for component in tree) == sum(leaf.tokens for leaf in leaves)
    costs = [leaf.cost for leaf in leaves]
    if None not in costs:
        assert sum(component.cost or 0 for component in tree) == sum(cost or 0 for cost in costs)


@given(priced())
def test_totals_are_the_tops_of_the_tree(made: tuple[Call, tuple[Leaf, ...]]) -> None:
    call, leaves = made
    tops = {component.kind: component for component in components(call, leaves)}
    for total in totals(leaves):
        if total.kind not in tops:
            assert total.tokens == 0
            continue
        top = tops[total.kind]
        assert (total.tokens, total.read, total.write, total.fresh, total.cost) == (
            top.tokens,
            top.read_tokens,
            top.write_tokens,
            top.fresh_tokens,
            top.cost,
        )
