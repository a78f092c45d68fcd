from llmprof_addon.counting.encodings import count
from llmprof_addon.counting.openai_preamble import MESSAGE, TOOLS_HEADER, forced_name, preamble
from llmprof_addon.counting.openai_rules import GPT_4
from llmprof_addon.counting.openai_tools import namespace
from llmprof_addon.model.call import Prompt
from llmprof_addon.model.count import RawCount
from llmprof_addon.model.part import Part, PartKind

ENCODING = "o200k_base"
TOOLS = [{"name": "ping", "description": "Say hello."}, {"name": "look_up", "description": "Find a word. " * 30}]


def of(values, api, *, opening=None, deferred=False):
    parts = tuple(Part(kind=PartKind.TOOL_SCHEMA, value=value, deferred=deferred) for value in values)
    raws = [RawCount(json=77)] * len(parts)
    return preamble(Prompt(tools=parts), raws, GPT_4, api, ENCODING, opening=opening, turns=0)


def test_the_shares_and_what_is_around_them_are_the_whole_section():
    found = of(TOOLS, "openai.responses")
    assert found.around + sum(found.parts.values()) == count(namespace(TOOLS), ENCODING) + GPT_4.responses.tools
    assert found.parts[1] > 10 * found.parts[0] > 0


def test_a_section_of_chat_joins_the_system_message():
    section = TOOLS_HEADER + namespace(TOOLS)
    alone = of(TOOLS, "openai.chat")
    assert alone.around + sum(alone.parts.values()) == MESSAGE + count(section, ENCODING) + GPT_4.chat.tools
    joined = of(TOOLS, "openai.chat", opening="Be brief.")
    added = count(f"Be brief.\n\n{section}", ENCODING) - count("Be brief.", ENCODING)
    assert joined.around + sum(joined.parts.values()) == added + GPT_4.chat.tools


def test_tools_that_the_provider_defines_are_taken_from_recordings_or_their_json():
    assert of([{"type": "web_search_preview"}, {"type": "time_travel"}], "openai.responses").parts == {0: 270, 1: 77}


def test_nothing_is_added_by_no_tools_or_deferred_ones():
    for found in (of([], "openai.chat"), of(TOOLS, "openai.chat", deferred=True)):
        assert (found.around, found.parts) == (0, {})


def test_the_forced_tool_of_both_apis():
    assert forced_name({"tool_choice": {"type": "function", "function": {"name": "a"}}}) == "a"
    assert forced_name({"tool_choice": {"type": "function", "name": "a"}}) == "a"
    for choice in ("required", None, {"type": "allowed_tools"}, {"function": {"name": 3}}):
        assert forced_name({"tool_choice": choice}) == ""
    assert forced_name([]) == ""
