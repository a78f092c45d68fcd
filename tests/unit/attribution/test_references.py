"""Which parts answers refer to, and of which parts that can be told at all."""

from dataclasses import replace

import pytest

from llmprof_addon.attribution.references import names_in, refer, wordings_in
from llmprof_addon.attribution.rent import rents
from llmprof_addon.model.component import Kind
from llmprof_addon.model.part import Json
from llmprof_addon.model.run_tree import Rent, RunTree
from tests.unit.attribution.run_trees import conversation

ASKED = (Kind.USER, "Please do it.")
SAID = (Kind.ASSISTANT, "I see.")


def by_node(tree: RunTree) -> dict[int, Rent]:
    return {rent.node: rent for rent in refer(tree, rents(tree)) if rent.node is not None}


def result_and_answers(result: Json, *answers: Json) -> Rent:
    """The rent of a result that these answers come after, each in a call of its own."""
    parts = [ASKED, (Kind.TOOL_RESULTS, result)]
    places = []
    for answer in answers:
        places.append(len(parts))
        parts += [(Kind.ASSISTANT, answer), (Kind.USER, "Go on.")]
    return by_node(conversation(parts, places))[1]


@pytest.mark.parametrize(
    ("result", "answer"),
    [
        ("Wrote lib/parts/wheel.py.", "I open lib/parts/wheel.py again."),
        ("Wrote lib/parts/wheel.py.", "`wheel.py` is done."),
        ("Ticket QX-4471 is open.", "I close QX-4471."),
        ("See https://example.com/a/b?c=1 for more", "It is at https://example.com/a/b?c=1."),
        ("  12\tdef turn the wheel:\n", {"old": "def turn the wheel:"}),
        ('It says "no such wheel" twice.', 'The words "no such wheel" are wrong.'),
        ({"content": [{"text": "spin_up_time 3"}]}, {"input": {"query": "spin_up_time"}}),
    ],
)
def test_what_an_answer_refers_to(result: Json, answer: Json) -> None:
    assert result_and_answers(result, "I see.", answer, "Done.").referred == 1


def test_the_last_answer_counts() -> None:
    assert result_and_answers("wheel_7", "wheel_7", "So it is.", "wheel_7?", "Done.").referred == 2


def test_what_is_named_and_never_referred_to() -> None:
    rent = result_and_answers("Wrote lib/parts/wheel.py.", "I see.", "Done.")
    assert (rent.referable, rent.referred) == (True, None)


def test_of_plain_words_nothing_can_be_said() -> None:
    rent = result_and_answers("All is well.", "All is well.", "All is well.")
    assert (rent.referable, rent.referred) == (False, None)


@pytest.mark.parametrize("kind", [Kind.SYSTEM, Kind.SYSTEM_INJECTION, Kind.REASONING, Kind.IMAGES])
def test_of_instructions_and_pictures_nothing_is_said(kind: Kind) -> None:
    tree = conversation([(kind, "wheel_7"), (Kind.ASSISTANT, "wheel_7"), ASKED], [1, 2])
    assert not by_node(tree)[0].referable


def test_an_answer_does_not_refer_to_itself() -> None:
    tree = conversation([ASKED, (Kind.ASSISTANT, "I made wheel_7."), ASKED, SAID], [1, 3])
    rent = by_node(tree)[1]
    assert (rent.first, rent.referable, rent.referred) == (1, True, None)


def test_only_an_answer_whose_prompt_had_it_can_refer_to_it() -> None:
    tree = conversation([(Kind.USER, "wheel_7"), SAID, ASKED, (Kind.ASSISTANT, "wheel_7")], [1, 3])
    tree = replace(tree, calls=(tree.calls[0], replace(tree.calls[1], messages=-1)))
    assert by_node(tree)[0].referred is None


def test_what_is_everywhere_tells_nothing() -> None:
    parts = [(Kind.USER, f"Number {number} of /srv/work") for number in range(6)]
    tree = conversation([*parts, (Kind.ASSISTANT, "/srv/work")], [6])
    assert not any(rent.referable for rent in by_node(tree).values())


def test_a_schema_is_referred_to_by_calls_of_its_tool() -> None:
    schemas = {"turn_it": {"name": "turn_it"}, "stop_it": {"name": "stop_it"}}
    parts = [ASKED, (Kind.TOOL_CALLS, {"name": "turn_it"}), (Kind.TOOL_RESULTS, "turned"), SAID]
    found = by_node(conversation(parts, [1, 3], schemas))
    assert [(found[at].referable, found[at].referred) for at in (0, 1)] == [(True, 0), (True, None)]


def test_names_of_tools_and_of_their_parameters_are_no_reference() -> None:
    schemas = {"turn_it": {"name": "turn_it", "properties": {"wheel_number": {"type": "integer"}}}}
    parts = [(Kind.USER, "Use turn_it with wheel_number"), (Kind.TOOL_CALLS, {"name": "turn_it", "a": "wheel_number"})]
    assert not by_node(conversation(parts, [1], schemas))[1].referable


def test_of_a_text_that_is_gone_nothing_can_be_said() -> None:
    tree = conversation([(Kind.USER, "The wheel_8 stands."), (Kind.ASSISTANT, "The wheel_8 turns.")], [1])
    rent = by_node(replace(tree, contents={}))[0]
    assert (rent.referable, rent.referred) == (False, None)
    assert by_node(tree)[0].referred == 0


def test_a_wording_is_a_reference_but_nobody_needs_to_quote() -> None:
    line = "The wheel turns to the left."
    assert not result_and_answers(line, "I see.", "Done.").referable
    assert result_and_answers(line, "I see.", line, "Done.").referred == 1


def test_names_and_wordings() -> None:
    for text in ("", '\ud800 \0 `` "" /// ... ---'):
        assert [*names_in(text), *wordings_in(text[:10])] == []
    assert list(names_in("a/b.c:7, v1.2.3; 90210 plain words, 1234")) == ["a/b.c", "v1.2.3", "90210"]
    assert list(wordings_in('say "to the left" or `turn  it`')) == [
        "to the left",
        "turn it",
        'say "to the left" or `turn it`',
    ]


def test_an_encoded_file_has_no_names() -> None:
    data = "JVBERi0xLjQK/ab+C9" * 60
    tree = conversation([(Kind.DOCUMENTS, {"type": "document", "source": {"data": data}}), (Kind.ASSISTANT, data)], [1])
    rent = by_node(tree)[0]
    assert (rent.referable, rent.referred) == (False, None)


def test_what_joins_a_result_to_its_call_is_no_name() -> None:
    block = {"type": "tool_result", "tool_use_id": "toolu_17", "content": [{"type": "text_block", "text": "well"}]}
    again = {"type": "tool_use", "id": "toolu_17", "name": "turn_it", "input": {"text": "text_block"}}
    assert not result_and_answers(block, again, again).referable
    assert result_and_answers(block | {"content": {"data": {"id": "cus_17"}}}, "I see.", "cus_17", "Done").referred == 1


def test_who_names_the_file_that_a_call_read_refers_to_its_result() -> None:
    call = {"type": "tool_use", "id": "toolu_17", "name": "read_it", "input": {"path": "lib/wheel.py"}}
    block = {"type": "tool_result", "tool_use_id": "toolu_17", "content": "turn left"}
    parts = [ASKED, (Kind.TOOL_CALLS, call), (Kind.TOOL_RESULTS, block), SAID, ASKED]
    quiet = by_node(conversation([*parts, SAID], [1, 3, 5]))[2]
    assert (quiet.referable, quiet.referred) == (True, None)
    assert by_node(conversation([*parts, (Kind.ASSISTANT, "See wheel.py.")], [1, 3, 5]))[2].referred == 2


def test_a_file_that_many_texts_name_is_still_the_one_that_was_read() -> None:
    read = {"id": "t1", "name": "read", "input": {"path": "lib/wheel.py"}}
    told = [(Kind.USER, f"lib/wheel.py fails, {number} times") for number in range(8)]
    parts = [*told, (Kind.TOOL_CALLS, read), (Kind.TOOL_RESULTS, {"tool_use_id": "t1", "content": "It turns."})]
    parts += [(Kind.ASSISTANT, "lib/wheel.py is mended."), ASKED, SAID]
    assert by_node(conversation(parts, [8, 10, 12]))[9].referred == 1


def test_a_folder_that_all_calls_name_does_not_say_which_is_meant() -> None:
    parts = []
    for number in range(8):
        parts.append((Kind.TOOL_CALLS, {"id": f"t{number}", "name": "read", "input": {"path": "/srv/work"}}))
        parts.append((Kind.TOOL_RESULTS, {"tool_use_id": f"t{number}", "content": "It turns."}))
    found = by_node(conversation([*parts, (Kind.ASSISTANT, "/srv/work")], [*range(0, 16, 2), 16]))
    assert found[1].referred is None
