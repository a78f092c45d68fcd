from llmprof_tui.widgets.comparison import Totals, delta_lines, parting_line, totals_lines

from llmprof_addon.export.diff import Side, diff
from llmprof_addon.export.diff_tree import delta_tree
from llmprof_addon.model.call import Call
from llmprof_addon.model.usage import Source
from tests.factories import STARTED_NS, make_call, make_part, make_tool, make_usage
from tests.unit.export.test_diff import side

TOOLS = (make_tool("read_file"), make_tool("grep"))


def totals(cost: int | None = 4 * 10**10, **usage: object) -> Totals:
    given = make_usage(cache_read_input_tokens=60, cache_creation_input_tokens=30)
    return Totals(started_ns=STARTED_NS, model="m", usage=given if not usage else make_usage(**usage), cost=cost)  # type: ignore[arg-type]  # fields are given by name


def test_changes_stand_below_both_sides() -> None:
    lines = [line.plain.split() for line in totals_lines(totals(), totals(5 * 10**10), 140)]
    assert lines[0] == ["when", "model", "input", "read", "written", "fresh", "output", "cost"]
    assert lines[1][-6:] == ["100", "60", "30", "10", "20", "$0.0400"]
    assert lines[3] == ["change", "±0", "±0", "±0", "±0", "±0", "+$0.0100"]


def test_what_is_not_known_has_no_difference() -> None:
    unknown = totals(None, input_tokens=None, output_tokens=None, source=Source.ESTIMATED)
    lines = [line.plain.split() for line in totals_lines(totals(), unknown, 140)]
    assert lines[2][-6:] == ["–"] * 6
    assert lines[3] == ["change", *["–"] * 6]


def test_every_line_fits_the_width() -> None:
    for width in range(40, 200):
        assert {line.cell_len <= width for line in totals_lines(totals(), totals(), width)} == {True}


def test_the_place_where_prompts_part_is_named() -> None:
    before, after = make_call(tools=TOOLS), make_call(tools=TOOLS[::-1])
    said = parting_line(diff(side(before), side(after))).plain
    assert said.startswith("✂ the prompts part at tools[0] (")
    assert "after 7 tokens" in said
    longer = make_call(tools=TOOLS, messages=(make_part(), make_part("More.")))
    assert parting_line(diff(side(before), side(longer))).plain.startswith("✓ one prompt begins with all of the other")
    other = make_call(tools=TOOLS, request_model="another")
    assert "share no cache" in parting_line(diff(side(before), side(other))).plain
    nothing = Side(call=Call(provider="p", api="a"), leaves=())
    assert parting_line(diff(nothing, side(before))).plain == "one of the prompts is not known"


def test_a_node_of_both_has_both_numbers() -> None:
    before, after = make_call(tools=TOOLS[:1]), make_call(tools=TOOLS)
    top = next(delta for delta in delta_tree(diff(side(before), side(after))) if delta.name == "tool_schemas")
    title, numbers = (line.plain for line in delta_lines([top, top.children[-1]]))
    assert title == "+ new  tool schemas › grep  tools[1]"
    assert numbers.startswith("∅ → 137 tokens  +137")
