from dataclasses import replace

from llmprof_addon.attribution.tree import components
from llmprof_addon.export.diff import CallDiff, Change, Side, diff
from llmprof_addon.export.diff_tree import Delta, Shift, by_name, delta_tree
from llmprof_addon.model.call import Call
from llmprof_addon.model.component import Kind, Leaf
from llmprof_addon.model.kinds import kind_of
from llmprof_addon.model.part import Part, PartKind
from llmprof_addon.model.usage import Source
from tests.factories import make_call, make_part, make_tool

SYSTEM = make_part("# Rules\nBe brief.", role="system", place="system", wrapper=None)
TOOLS = (make_tool("read_file"), make_tool("write_file", "Write a file."))
ASKED = make_part("Fix the flaky upload test.")
DONE = make_part("The clock was not frozen.", role="assistant")
MORE = make_part("Now the docs.")


def side(call: Call, *, framing: int = 7, price: int | None = 3) -> Side:
    """A call whose parts have one token a character."""
    sections = [name for name in ("tools", "system", "messages") for _ in getattr(call.prompt, name)]
    leaves = [Leaf(kind=Kind.PROVIDER_OVERHEAD, name="framing", tokens=framing, source=Source.ESTIMATED)]
    for index, (part, section) in enumerate(zip(call.prompt.parts, sections, strict=True)):
        leaves.append(Leaf(kind=kind_of(part, section), part=index, tokens=len(part.text or ""), source=Source.COUNTED))
    laid = tuple(
        leaf._replace(fresh=leaf.tokens, cost=None if price is None else leaf.tokens * price) for leaf in leaves
    )
    return Side(call=call, leaves=laid, components=components(call, laid))


def compare(before: Call, after: Call) -> CallDiff:
    return diff(side(before), side(after))


def said(compared: CallDiff) -> list[tuple[str, str]]:
    return [(part.change.value, part.name) for part in compared.parts if part.section != "provider"]


BEFORE = make_call(tools=TOOLS, system=(SYSTEM,), messages=(ASKED,))


def test_a_prompt_that_went_on_keeps_its_beginning() -> None:
    compared = compare(BEFORE, make_call(tools=TOOLS, system=(SYSTEM,), messages=(ASKED, DONE, MORE)))
    assert said(compared) == [
        ("same", "read_file"),
        ("same", "write_file"),
        ("same", "Rules"),
        ("same", "Fix the flaky upload test."),
        ("new", "The clock was not frozen."),
        ("new", "Now the docs."),
    ]
    assert compared.parting is None
    assert compared.shared_tokens == sum(leaf.tokens for leaf in side(BEFORE).leaves)
    assert [part.name for part in compared.changed] == ["The clock was not frozen.", "Now the docs."]


def test_a_changed_tool_is_where_the_prompts_part() -> None:
    other = make_tool("write_file", "Write a file, whole.")
    compared = compare(BEFORE, make_call(tools=(TOOLS[0], other), system=(SYSTEM,), messages=(ASKED,)))
    assert said(compared)[1] == ("changed", "write_file")
    assert compared.parting is not None
    assert (compared.parting.section, compared.parting.name) == ("tools", "write_file")
    assert compared.parting.after is not None
    assert compared.parting.after.path == "tools[1]"
    assert compared.shared_tokens == 7 + len(TOOLS[0].text or "")


def test_a_tool_added_behind_the_others_parts_the_prompts_too_and_so_does_one_taken_away() -> None:
    added = compare(BEFORE, make_call(tools=(*TOOLS, make_tool("grep")), system=(SYSTEM,), messages=(ASKED,)))
    assert added.parting is not None
    assert (added.parting.change, added.parting.name) == (Change.NEW, "grep")
    taken = compare(BEFORE, make_call(tools=TOOLS[:1], system=(SYSTEM,), messages=(ASKED,)))
    assert taken.parting is not None
    assert (taken.parting.change, taken.parting.name) == (Change.GONE, "write_file")


def test_tools_in_another_order_have_moved() -> None:
    compared = compare(BEFORE, make_call(tools=TOOLS[::-1], system=(SYSTEM,), messages=(ASKED,)))
    assert sorted(said(compared)[:2]) == [("moved", "read_file"), ("same", "write_file")] or sorted(
        said(compared)[:2]
    ) == [("moved", "write_file"), ("same", "read_file")]
    assert compared.parting is not None


def test_what_is_gone_stands_where_it_was() -> None:
    long = make_call(messages=(ASKED, DONE, MORE))
    assert said(compare(long, make_call(messages=(ASKED, MORE)))) == [
        ("same", "Fix the flaky upload test."),
        ("gone", "The clock was not frozen."),
        ("same", "Now the docs."),
    ]


def test_between_the_same_neighbours_close_text_counts_then_the_place() -> None:
    edited = make_part("The clock was not frozen at all.", role="assistant")
    extra = make_part("Let me look around first.", role="assistant")
    after = make_call(messages=(ASKED, extra, edited, MORE))
    assert said(compare(make_call(messages=(ASKED, DONE, MORE)), after))[1:3] == [
        ("new", "Let me look around first."),
        ("changed", "The clock was not frozen at all."),
    ]
    elsewhere = make_part("Entirely different words.", role="assistant")
    assert said(compare(make_call(messages=(ASKED, DONE, MORE)), make_call(messages=(ASKED, elsewhere, MORE))))[1] == (
        "changed",
        "Entirely different words.",
    )


def test_volatile_parts_do_not_part_prompts() -> None:
    first, second = (
        replace(SYSTEM, text=text, value={"type": "text", "text": text}, volatile=True) for text in ("one", "two")
    )
    compared = compare(make_call(system=(first, SYSTEM)), make_call(system=(second, SYSTEM)))
    assert compared.parting is None


def test_an_unpriced_side_has_no_difference_of_dollars() -> None:
    compared = diff(side(BEFORE, price=None), side(BEFORE))
    assert {part.cost for part in compared.parts} == {None}
    assert {part.tokens for part in compared.parts} == {0}


def test_nothing_compares_to_nothing() -> None:
    empty = Side(call=Call(provider="p", api="a"), leaves=())
    compared = diff(empty, empty)
    assert (compared.parts, compared.shared_tokens, compared.parting) == ((), 0, None)
    assert delta_tree(compared) == ()


def flat(tree: tuple[Delta, ...]) -> dict[str, Delta]:
    return {delta.name: delta for top in tree for delta in (top, *flat(top.children).values())}


def test_the_tree_of_both_says_what_has_grown_come_and_gone() -> None:
    other = make_tool("write_file", "Write a whole file to the disk.")
    after = make_call(tools=(TOOLS[0], other, make_tool("grep")), messages=(ASKED, DONE))
    tree = flat(delta_tree(compare(BEFORE, after)))
    assert tree["tool_schemas"].shift is Shift.GROWN
    assert tree["read_file"].shift is Shift.SAME
    assert tree["write_file"].shift is Shift.GROWN
    assert tree["grep"].shift is Shift.NEW
    assert tree["system"].shift is Shift.GONE
    assert tree["system"].wide_tokens == len(SYSTEM.text or "")
    assert tree["user"].shift is Shift.SAME
    assert tree["assistant"].shift is Shift.NEW


def test_a_turn_of_one_part_goes_on_as_a_group() -> None:
    before = make_call(messages=(ASKED, DONE))
    call = Part(kind=PartKind.TEXT, role="assistant", text="And more.", value={"t": 1}, place="messages/content")
    tree = delta_tree(compare(before, make_call(messages=(ASKED, DONE, call))))
    turn = next(delta for delta in tree if delta.kind is Kind.ASSISTANT).children[0]
    assert (turn.shift, [child.shift for child in turn.children]) == (Shift.GROWN, [Shift.SAME, Shift.NEW])


def test_trees_of_runs_merge_by_name() -> None:
    (user,) = by_name(
        side(make_call(messages=(ASKED,))).components[:1], side(make_call(messages=(MORE,))).components[:1]
    )
    assert user.shift is Shift.SHRUNK
