import json

import pytest

from llmprof_addon.counting import openai_framing, openai_leaves, openai_preamble
from llmprof_addon.counting.encodings import count
from llmprof_addon.counting.families import family
from llmprof_addon.counting.openai_framing import answer_frame, frame
from llmprof_addon.counting.openai_leaves import answer_tokens, fits
from llmprof_addon.counting.openai_tools import namespace, output_format, output_schema
from llmprof_addon.counting.raw import count_part
from llmprof_addon.model.call import Answer, Call
from llmprof_addon.model.component import Kind
from llmprof_addon.model.part import Part, PartKind
from llmprof_addon.model.usage import Source
from llmprof_addon.providers import openai_chat, openai_responses

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "Weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
CLOCK = {"type": "function", "name": "clock"}
SCHEMA = {"name": "Pet", "schema": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}}


def n(text, encoding="o200k_base"):
    return count(text, encoding)


def leaves(call, raws, found):
    return tuple(openai_leaves.leaves(call.prompt, raws, found, frame(call, raws, found)))


def counted(body, api="openai.chat", model="gpt-4o"):
    dialect = openai_chat if api == "openai.chat" else openai_responses
    call = Call(provider="openai", api=api, request_model=model, prompt=dialect.read_request(body))
    found = family(api, model, "openai")
    return leaves(call, [count_part(part, found.encoding) for part in call.prompt.parts], found)


def total(body, api="openai.chat", model="gpt-4o"):
    return sum(leaf.tokens for leaf in counted(body, api, model))


def chat(*messages, **more):
    return {"messages": list(messages), **more}


def wrapped(tool):
    return {"type": "function", "function": {key: value for key, value in tool.items() if key != "type"}}


USER = {"role": "user", "content": "Which way is north?"}
SYSTEM = {"role": "system", "content": "Be brief"}
ASKED = n(USER["content"])


@pytest.mark.parametrize(
    ("model", "priming", "turn", "encoding"),
    [
        ("gpt-4o-mini-2024-07-18", 3, 0, "o200k_base"),
        ("openai/gpt-4.1", 3, 0, "o200k_base"),
        ("gpt-3.5-turbo", 3, 0, "cl100k_base"),
        ("gpt-5-mini", 2, 2, "o200k_base"),
        ("gpt-5.4", 2, 2, "o200k_base"),
        ("o4-mini", 2, 2, "o200k_base"),
    ],
)
@pytest.mark.parametrize("api", ["openai.chat", "openai.responses"])
def test_plain_messages(api, model, priming, turn, encoding):
    said = [USER, {"role": "assistant", "content": "Up."}, USER]
    body = {"messages": said} if api == "openai.chat" else {"input": said}
    texts = 2 * n(USER["content"], encoding) + n("Up.", encoding)
    assert total(body, api, model) == priming + 3 * 4 + texts + turn


def test_the_name_of_a_message_is_charged_but_costs_one_where_it_repeats_the_role():
    assert total(chat({**USER, "name": "user"})) == total(chat(USER)) + 1
    assert total(chat({**USER, "name": "Joachim"})) == total(chat(USER)) + 1 + n("Joachim")


def test_an_azure_deployment_is_counted_as_the_model_that_answered():
    prompt = openai_chat.read_request(chat(USER))
    call = Call(provider="azure.openai", api="openai.chat", request_model="mine", prompt=prompt)
    named = Call(
        provider="azure.openai", api="openai.chat", request_model="mine", prompt=prompt,
        answer=Answer(response_model="gpt-5-2025-08-07"),
    )  # fmt: skip
    found = family("openai.chat", "gpt-5", "azure.openai")
    raws = [count_part(part, found.encoding) for part in prompt.parts]
    assert sum(leaf.tokens for leaf in leaves(call, raws, found)) == 3 + 4 + ASKED
    assert sum(leaf.tokens for leaf in leaves(named, raws, found)) == 2 + 4 + ASKED


def test_tools_of_chat_join_the_system_message():
    text = "# Tools\n\n## functions\n\n" + namespace([WEATHER, CLOCK])
    body = chat(SYSTEM, USER, tools=[wrapped(WEATHER), wrapped(CLOCK)])
    assert total(body) == 3 + 3 + n(f"Be brief\n\n{text}") + 4 + ASKED
    assert total(body, model="gpt-5") == 2 + 3 + n(f"Be brief\n\n{text}") + 4 + ASKED + 85
    assert total(chat(USER, tools=body["tools"])) == 3 + 3 + n(text) + 4 + ASKED


def test_a_long_system_prompt_joins_as_a_whole_one_would():
    system = {"role": "developer", "content": "Know this: rivers run down. " * 200 + "\n  "}
    text = "# Tools\n\n## functions\n\n" + namespace([WEATHER])
    joint = n(system["content"].rstrip() + "\n\n" + text)
    assert total(chat(system, USER, tools=[wrapped(WEATHER)])) == 3 + 3 + joint + 4 + ASKED


@pytest.mark.parametrize(("model", "priming", "around"), [("gpt-4o", 3, 3), ("gpt-5", 2, 9), ("o4-mini", 2, 6)])
def test_tools_of_responses_are_a_message_of_their_own(model, priming, around):
    body = {"input": USER["content"], "tools": [WEATHER, CLOCK]}
    assert total(body, "openai.responses", model) == priming + 4 + ASKED + n(namespace([WEATHER, CLOCK])) + around


def test_each_tool_has_what_it_costs():
    tools = {leaf.name: leaf for leaf in counted({"input": "x", "tools": [WEATHER, CLOCK]}, "openai.responses")}
    both, one = n(namespace([WEATHER, CLOCK])), n(namespace([CLOCK]))
    assert abs(tools["get_weather"].tokens - (both - one)) <= 1
    assert tools["get_weather"].source is Source.COUNTED
    assert tools["tool preamble"].kind is Kind.PROVIDER_OVERHEAD


def test_a_deferred_tool_is_not_in_the_prompt():
    body = {"input": "x", "tools": [WEATHER, {**CLOCK, "defer_loading": True}]}
    assert total(body, "openai.responses") == total({"input": "x", "tools": [WEATHER]}, "openai.responses")


def test_a_tool_that_must_be_called_is_named_to_gpt_4_alone():
    tools, choice = [wrapped(CLOCK)], {"type": "function", "function": {"name": "clock"}}
    plain, forced = chat(USER, tools=tools), chat(USER, tools=tools, tool_choice=choice)
    assert total(forced) - total(plain) == 7 + n("clock")
    assert total(forced, model="gpt-5") == total(plain, model="gpt-5")
    assert total({**plain, "tool_choice": "required"}) == total(plain)


def exchange(*calls):
    ids = [f"call_{index}" for index in range(len(calls))]
    made = [
        {"id": each, "type": "function", "function": {"name": name, "arguments": arguments}}
        for each, (name, arguments) in zip(ids, calls, strict=True)
    ]
    results = [{"role": "tool", "tool_call_id": each, "content": "sunny"} for each in ids]
    return [{"role": "assistant", "content": None, "tool_calls": made}, *results]


@pytest.mark.parametrize(("model", "header"), [("gpt-4o", 9), ("gpt-5", 15), ("gpt-5.4", 15)])
def test_one_call_of_chat(model, header):
    added = total(chat(USER, *exchange(("get_weather", '{"city": "Rome"}'))), model=model) - total(
        chat(USER), model=model
    )
    name = n("functions.get_weather") - 1
    assert added == header + n("get_weather") + n('{"city":"Rome"}') + 4 + name + n("sunny")


def test_parallel_calls_of_chat_are_wrapped_into_one():
    calls = [("get_weather", '{"city": "Rome"}'), ("get_weather", '{"city":"Paris, ' + "x" * 90 + '"}')]
    entries = [
        {"recipient_name": f"functions.{name}", "parameters": json.loads(arguments)} for name, arguments in calls
    ]
    whole = json.dumps({"tool_uses": entries}, separators=(",", ":"))
    assert total(chat(USER, *exchange(*calls))) - total(chat(USER)) == 10 + n(whole) + 2 * (7 + n("sunny"))


def test_calls_of_responses():
    name = n("functions.get_weather") - 1
    call = {"type": "function_call", "call_id": "a", "name": "get_weather", "arguments": '{"city":"Rome"}'}
    result = {"type": "function_call_output", "call_id": "a", "output": "sunny"}
    texts = n(call["arguments"]) + n("sunny") + 2 * name
    for model, header in (("gpt-4o", 7), ("gpt-5", 13), ("gpt-5.2", 16), ("gpt-5.4", 16)):
        body = {"input": [USER, call, result]}
        alone = total({"input": [USER]}, "openai.responses", model)
        assert total(body, "openai.responses", model) - alone == header + 4 + texts
    stored = {"input": [USER, {**call, "id": "fc_1"}, result]}
    assert total(stored, "openai.responses") == total({"input": [USER, call, result]}, "openai.responses") + 3


@pytest.mark.parametrize(("model", "around"), [("gpt-4o", 7), ("gpt-5", 6)])
def test_an_output_schema_of_responses(model, around):
    body = {"input": [USER], "text": {"format": {"type": "json_schema", **SCHEMA}}}
    added = total(body, "openai.responses", model) - total({"input": [USER]}, "openai.responses", model)
    assert added == around + n("Pet") + n(output_schema(SCHEMA["schema"]))


def test_an_output_schema_of_chat():
    format_ = {"type": "json_schema", "json_schema": {**SCHEMA, "description": "A pet"}}
    text = output_format("Pet", "A pet", SCHEMA["schema"])
    assert total(chat(USER, response_format=format_)) == 3 + 4 + ASKED + 4 + n(text) + 3
    assert total(chat(SYSTEM, USER, response_format=format_)) == 3 + 4 + n(f"Be brief\n\n{text}") + 4 + ASKED + 3
    assert total(chat(USER, response_format=format_), model="gpt-5") == 2 + 4 + ASKED + 4 + n(text)


def test_sealed_thoughts_are_read_until_the_user_speaks_again():
    thought = {"type": "reasoning", "summary": [], "encrypted_content": "g" * 2000}
    call = {"type": "function_call", "call_id": "a", "name": "clock", "arguments": "{}"}
    result = {"type": "function_call_output", "call_id": "a", "output": "noon"}
    running = counted({"input": [USER, thought, call, result]}, "openai.responses", "gpt-5")
    later = counted({"input": [USER, thought, call, result, USER]}, "openai.responses", "gpt-5")
    assert [leaf.tokens for leaf in running if leaf.kind is Kind.REASONING] == [168]
    assert [leaf.tokens for leaf in later if leaf.kind is Kind.REASONING] == [0]
    assert all(leaf.source is Source.ESTIMATED for leaf in running if leaf.kind is Kind.REASONING)


def test_a_picture_inside_a_result_is_a_leaf_of_its_own():
    picture = {"type": "input_image", "image_url": "https://example.com/a.png"}
    items = [
        {"type": "function_call", "call_id": "a", "name": "clock", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "a", "output": [picture, {"type": "input_text", "text": "noon"}]},
    ]
    found = counted({"input": items}, "openai.responses")
    inner = [(leaf.kind, leaf.inner) for leaf in found if leaf.inner]
    assert inner == [(Kind.IMAGES, (0,))]
    assert next(leaf for leaf in found if leaf.kind is Kind.IMAGES).guessed


def test_a_conversation_continued_by_id_has_an_elided_part():
    found = counted({"input": "x", "previous_response_id": "resp_1"}, "openai.responses")
    assert [leaf.kind for leaf in found].count(Kind.ELIDED) == 1


def test_a_second_call_tokenises_nothing_again(monkeypatch):
    body = chat(SYSTEM, USER, *exchange(("a", "{}"), ("b", "{}")), tools=[wrapped(WEATHER)])
    found = family("openai.chat", "gpt-4o", "openai")
    call = Call(provider="openai", api="openai.chat", request_model="gpt-4o", prompt=openai_chat.read_request(body))
    raws = [count_part(part, found.encoding) for part in call.prompt.parts]
    first = leaves(call, raws, found)
    for room in (openai_framing, openai_preamble):
        monkeypatch.setattr(room, "count", lambda *_: pytest.fail("tokenised again"))
    assert leaves(call, raws, found) == first


def test_a_framing_fits_prompts_with_as_many_tools_inside_and_out():
    names = {"type": "namespace", "name": "mail", "tools": [WEATHER | {"name": "send"}, CLOCK]}
    found = family("openai.responses", "gpt-5.1", "openai")

    def of(*tools):
        prompt = openai_responses.read_request({"input": "x", "tools": list(tools)})
        call = Call(provider="openai", api="openai.responses", request_model="gpt-5.1", prompt=prompt)
        return prompt, frame(call, [count_part(part, found.encoding) for part in prompt.parts], found)

    prompt, framing = of(WEATHER, names)
    assert (len(framing.tools), len(framing.inner)) == (2, 2)
    assert fits(framing, prompt)
    assert not fits(framing, of(WEATHER)[0])
    assert not fits(framing, of(WEATHER, names, CLOCK)[0])
    assert not fits(framing, of(WEATHER, CLOCK)[0])


def answer(*parts, api="openai.chat", model="gpt-4o", body=None):
    prompt = openai_chat.read_request(body or chat(USER))
    call = Call(provider="openai", api=api, request_model=model, prompt=prompt, answer=Answer(parts=parts))
    found = family(api, model, "openai")
    raws = [count_part(part, found.encoding) for part in parts]
    return sum(leaf.tokens for leaf in answer_tokens(call, raws, answer_frame(call, found)))


def test_an_answer_without_usage_is_counted():
    text = Part(kind=PartKind.TEXT, role="assistant", text="North is up.")
    call = Part(kind=PartKind.TOOL_CALL, role="assistant", text="{}", name="clock")
    assert answer(text) == n("North is up.")
    assert answer(text, model="gpt-5") == n("North is up.") + 3
    assert answer(text, api="openai.responses") == n("North is up.") + 1
    assert answer(call) == 7 + n("functions.clock") - 1 + n("{}")
    forced = chat(USER, tools=[wrapped(CLOCK)], tool_choice={"type": "function", "function": {"name": "clock"}})
    assert answer(call, body=forced) == n("{}")
    assert answer() == 0
